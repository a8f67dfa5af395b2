"""A snapshot from a real camera through the relay: marked, a file and no page, in the journal; else refused."""

import asyncio
import hashlib
from collections.abc import AsyncIterator
from pathlib import Path

import cv2
import httpx
import numpy as np
import pytest

from config.settings import Settings
from dashboard.relaying import LISTED, Cameras
from operations import evidence, journal
from operations.database import Database
from operations.scope import Scope
from streams.demo import pattern, scenes
from streams.demo.rtsp_server import Camera, RtspServer
from streams.video import relay
from streams.video.still import NotDrawn, Stills, marked
from tests import leave
from tests.dashboard.conftest import TOWNS, Proof

NUMBER = 815
ASKED = {"camera": "c-1", "why": "patrol"}


@pytest.fixture
async def camera(settings: Settings, furnished: Database) -> AsyncIterator[Camera]:
    """A drawn camera that the relay pulls."""
    leave.everywhere(furnished, ("",))
    one, over = Camera(scenes.Scene(NUMBER, "测试")), asyncio.Event()
    async with RtspServer({"live": one}) as server:
        (settings.data / "keys").mkdir(exist_ok=True)
        lines = f'["c-1"]\nmain = "{server.url("live")}"\ngrids = ["990101", "{TOWNS[0]}"]\n'
        (settings.data / LISTED).write_text(lines, encoding="utf-8")
        listed = Cameras(settings.data, furnished)
        task = asyncio.create_task(relay.serve(relay.place(settings.data), listed.source, None, over, listed.leaves))
        yield one
        over.set()
        await task


async def test_a_snapshot_is_a_marked_file_and_an_entry(
    client: httpx.AsyncClient, proof: Proof, furnished: Database, camera: Camera
) -> None:
    answer = await client.post("/video/snapshots", headers=proof("operator"), json=ASKED)
    assert answer.status_code == 200, answer.text
    assert answer.headers["content-disposition"].startswith("attachment") and "sandbox" in str(answer.headers)
    image = cv2.imdecode(np.frombuffer(answer.content, np.uint8), cv2.IMREAD_COLOR)
    assert image is not None
    assert image.shape[0] > scenes.MAIN[1] and image[scenes.MAIN[1] :].max() > 200, "lines below the picture"
    read = pattern.read(image[: scenes.MAIN[1]])
    assert read is not None and read[0] == NUMBER
    (entry,) = [one for one in journal.read(furnished, 0) if one.action == "look.snapshot"]
    assert entry.body is not None and entry.body["sha256"] == hashlib.sha256(answer.content).hexdigest()
    assert entry.body["camera"] == "c-1" and entry.body["why"] == "patrol"


async def test_a_signed_one_is_a_package_that_a_stranger_checks(
    client: httpx.AsyncClient, proof: Proof, camera: Camera, tmp_path: Path
) -> None:
    answer = await client.post("/video/snapshots", headers=proof("operator"), json={**ASKED, "signed": True})
    assert answer.status_code == 200, answer.text
    (tmp_path / "s.zip").write_bytes(answer.content)
    found = evidence.verify(tmp_path / "s.zip")
    assert found.faults == () and found.manifest is not None
    (one,) = found.manifest.files
    assert one.name.endswith(".jpg") and one.sha256 == answer.headers["x-content-sha256"]
    assert found.manifest.facts["camera"] == "c-1" and found.manifest.facts["grant"].startswith("G")


async def test_it_is_refused_out_of_reach_without_a_reason_and_without_a_picture(
    client: httpx.AsyncClient, proof: Proof, furnished: Database, settings: Settings
) -> None:
    (settings.data / "keys").mkdir(exist_ok=True)
    (settings.data / LISTED).write_text(f'["c-1"]\nmain = "rtsp://127.0.0.1:1/x"\ngrids = ["{TOWNS[0]}"]\n', "utf-8")
    tried = (
        ("operator", Scope(TOWNS[1]), ASKED, 422),
        ("operator", Scope(TOWNS[1]), {**ASKED, "camera": "none"}, 404),
        ("audit_admin", Scope(), ASKED, 403),
        ("operator", Scope(TOWNS[0]), {**ASKED, "why": "curious"}, 422),
        ("operator", Scope(TOWNS[0]), ASKED, 422),  # the relay is not there
    )
    for role, scope, asked, status in tried:
        answer = await client.post("/video/snapshots", headers=proof(role, scope), json=asked)
        assert answer.status_code == status, (role, scope, asked)
    assert not any(one.action == "look.snapshot" for one in journal.read(furnished, 0))


async def test_a_film_that_is_none_is_not_drawn() -> None:
    with pytest.raises(NotDrawn):
        await Stills().drawn(b"no film", [], "")


@pytest.mark.parametrize("width", [176, 640, 1920])
def test_the_strip_holds_every_line_whatever_the_size(width: int) -> None:
    image = np.full((width * 9 // 16, width, 3), 90, np.uint8)
    drawn = marked(image, ["云岭大道与东升支路口西侧0010 99010100011320000010", "2026-11-23 15:13:19"], "公安 值班长")
    strip = drawn[image.shape[0] :]
    assert strip.max() > 150 and strip[:, -2:].max() < 60, "nothing is cut off at the right"
    assert 0 < int(np.abs(drawn[: image.shape[0], :width].astype(int) - 90).max()) < 60, "faint over the picture"
