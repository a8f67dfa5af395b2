"""Snapshots and clips of a real camera through the relay: marked, a file and no page, in the journal; else refused."""

import asyncio
import hashlib
import zipfile
from collections.abc import AsyncIterator
from pathlib import Path

import cv2
import httpx
import numpy as np
import pytest
import sqlalchemy as sa

from config import clock
from config.settings import Settings
from dashboard import clipbook
from dashboard.masking import Masking
from dashboard.relaying import LISTED, Cameras
from operations import accounts, evidence, journal, taken
from operations.database import Database
from operations.grants import rows
from operations.grants.desk import entry_of, written
from operations.grants.grant import REQUEST, Held
from operations.policy import SYSTEM, Identity
from operations.scope import Scope
from operations.tables import look
from operations.uuid7 import uuid7
from streams.demo import pattern, scenes
from streams.demo.rtsp_server import Camera, RtspServer
from streams.video import clip, relay
from streams.video.covering import COVER
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


# ---- clips ----

CLIP = {"camera": "c-1", "why": "request", "seconds": 2}


def exporter(database: Database, *, seconds: int = 60) -> tuple[Identity, str]:
    """Whoever `proof("operator")` is, with a grant to export; the grant's id."""
    found, now = accounts.find(database, "operator"), clock.now()
    assert found is not None
    held = Held(
        id=uuid7(now), number="G-1", kind=REQUEST, holder=f"account:{found.identity.id}", who=found.name,
        purpose="investigation", modes=("live", "export"), cameras=("c-1",), names=("C",), path="990101", viewers=4,
        from_at=now, until_at=now + seconds * 1_000_000, given_by=("centre",),
    )  # fmt: skip
    with database.write() as transaction:
        rows.add_grant(transaction, held)
        written(transaction, [entry_of(held, "grant.given", "account:centre", now)])
    return found.identity, held.id


def frames_of(film: bytes, path: Path) -> list[np.ndarray]:
    path.write_bytes(film)
    reader, found = cv2.VideoCapture(str(path)), []
    while (read := reader.read())[0]:
        found.append(read[1])
    return found


async def test_a_clip_is_marked_frame_by_frame_signed_and_an_export_in_the_ledger(
    client: httpx.AsyncClient, proof: Proof, furnished: Database, camera: Camera, tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    monkeypatch.setattr(clipbook, "LENGTHS", (2,))
    headers = proof("operator")
    who, grant = exporter(furnished)
    answer = await client.post("/video/clips", headers=headers, json=CLIP, timeout=60)
    assert answer.status_code == 200, answer.text
    (tmp_path / "c.zip").write_bytes(answer.content)
    found = evidence.verify(tmp_path / "c.zip")
    assert found.faults == () and found.manifest is not None and found.manifest.kind == "export"
    assert found.manifest.facts["grant"] == "G-1" and 1 <= float(found.manifest.facts["seconds"]) <= 3
    (one,) = found.manifest.files
    with zipfile.ZipFile(tmp_path / "c.zip") as package:
        film = package.read(one.name)
    assert hashlib.sha256(film).hexdigest() == one.sha256 == answer.headers["x-content-sha256"]
    frames = frames_of(film, tmp_path / "c.mp4")
    assert len(frames) == int(found.manifest.facts["frames"]) > 5
    for image in frames:
        read = pattern.read(image[: scenes.MAIN[1]])
        assert read is not None and read[0] == NUMBER
        assert image[scenes.MAIN[1] :].max() > 180, "lines below every frame"

    (entry,) = [one for one in journal.read(furnished, 0) if one.action == "look.export"]
    assert entry.body is not None and entry.body["sha256"] == one.sha256 and entry.body["grant"] == grant
    with furnished.read() as connection:
        (row,) = connection.execute(sa.select(look)).all()
    assert (row.mode, row.grant_id, row.ended_how) == ("export", grant, "left")
    taken.publish(furnished, who, entry.subject_id, "masked by the press office", now=clock.now())


async def test_a_clip_wants_a_grant_that_says_so_and_the_refusal_stays(
    client: httpx.AsyncClient, proof: Proof, furnished: Database, camera: Camera
) -> None:
    ten = {**CLIP, "seconds": 10}
    for asked, code in ((ten, "grants.none"), ({**CLIP, "seconds": 3}, "clips.length")):
        answer = await client.post("/video/clips", headers=proof("operator"), json=asked)
        assert answer.status_code == 422 and answer.json()["code"] == code
    denied = [one.body for one in journal.read(furnished, 0) if one.action == "look.denied"]
    assert [one and (one["mode"], one["code"]) for one in denied] == [("export", "grants.none")]
    assert (await client.post("/video/clips", headers=proof("audit_admin"), json=ten)).status_code == 403
    elsewhere = {**ten, "camera": "x"}
    assert (await client.post("/video/clips", headers=proof("operator"), json=elsewhere)).status_code == 404


async def test_a_clip_whose_grant_ends_meanwhile_is_not_handed_out(
    client: httpx.AsyncClient, proof: Proof, furnished: Database, camera: Camera
) -> None:
    headers = proof("operator")
    exporter(furnished, seconds=2)
    answer = await client.post("/video/clips", headers=headers, json={**CLIP, "seconds": 10}, timeout=60)
    assert answer.status_code == 422 and answer.json()["code"] == "clips.ended", answer.text
    assert not any(one.action == "look.export" for one in journal.read(furnished, 0))


async def test_a_third_clip_at_once_waits_for_its_turn_and_a_limit_registered_meanwhile_counts(
    client: httpx.AsyncClient, proof: Proof, furnished: Database, camera: Camera, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(clipbook, "LENGTHS", (2,))
    headers = proof("operator")
    exporter(furnished)
    found = (limit for limit in (None, None, "another", "another"))

    async def limit(*_: object) -> object:
        return next(found)

    with monkeypatch.context() as changed:
        changed.setattr(Masking, "limit", limit)
        three = [client.post("/video/clips", headers=headers, json=CLIP, timeout=60) for _ in range(3)]
        answers = await asyncio.gather(*three)
    assert sorted(one.json()["code"] for one in answers) == ["clips.limited", "clips.limited", "clips.many"]
    assert not any(one.action == "look.export" for one in journal.read(furnished, 0))


async def test_a_clip_of_somebody_whose_rights_end_meanwhile_is_not_handed_out(
    client: httpx.AsyncClient, proof: Proof, furnished: Database, camera: Camera
) -> None:
    headers, long = proof("operator"), {**CLIP, "seconds": 30}
    who, _ = exporter(furnished)
    recording = asyncio.create_task(client.post("/video/clips", headers=headers, json=long, timeout=60))
    while not any(one.action == "look.began" for one in journal.read(furnished, 0)):  # noqa: ASYNC110
        await asyncio.sleep(0.05)
    disabled = clock.now()
    accounts.disable(furnished, SYSTEM, who.name, now=disabled)
    assert (await recording).json()["code"] == "clips.ended"
    told = journal.read(furnished, 0)
    assert not any(one.action == "look.export" for one in told)
    (ended,) = [one for one in told if one.action == "look.ended"]
    assert ended.at - disabled < 5_000_000, "it was not recorded to its end"


def test_masks_are_in_every_frame_of_a_clip_and_its_second_stands_below() -> None:
    images = [np.full((360, 640, 3), 90, np.uint8) for _ in range(4)]
    corner = ((0.0, 0.0), (0.25, 0.0), (0.25, 0.25), (0.0, 0.25))
    asked = clip.Asked(b"", 4, 2.0, ["c"], ["10:00:00", "10:00:01"], "mark", (corner,))
    made = list(clip.marked(iter(images), asked))
    assert all(np.median(one[10:80, 10:150]) == COVER[0] for one in made)
    strips = [one[360:] for one in made]
    assert (strips[0] == strips[1]).all() and (strips[2] == strips[3]).all() and (strips[1] != strips[2]).any()


async def test_a_film_that_is_none_makes_no_clip() -> None:
    with pytest.raises(NotDrawn):
        await clip.Clips().drawn(clip.Asked(b"no film", 2, 1.0, [], [], ""))
