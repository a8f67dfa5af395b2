"""Uploads: who may send what, how large, and who finds it again."""

from hashlib import sha256
from pathlib import Path

import httpx
import pytest

from config.settings import Settings
from dashboard import uploads
from dashboard.uploads import KEPT_SECONDS, MOST_FILES, Upload, Uploads, plain
from operations.errors import NotFound
from operations.policy import Identity
from tests.dashboard.conftest import Proof

BODY = b"a,b\n1,2\n"
ADMIN = Identity("account", name="system_admin", role="system_admin")


async def test_a_file_is_found_again_by_whoever_sent_it_only(
    client: httpx.AsyncClient, proof: Proof, settings: Settings
) -> None:
    answer = await client.post("/uploads/table?name=../x/工单.csv", content=BODY, headers=proof("system_admin"))
    assert answer.status_code == 200
    told = answer.json()
    assert (told["name"], told["size"], told["sha256"]) == ("工单.csv", len(BODY), sha256(BODY).hexdigest())
    kept = Uploads(settings.data / "uploads")
    found, path = kept.find(told["id"], ADMIN)
    assert path.read_bytes() == BODY and found.name == "工单.csv"
    with pytest.raises(NotFound):
        kept.find(told["id"], Identity("account", name="other", role="system_admin"))
    with pytest.raises(NotFound):
        kept.find("../" + told["id"], ADMIN)


@pytest.mark.parametrize(("role", "status"), [("operator", 403), ("duty_commander", 403), ("source", 403)])
async def test_others_may_not_send_files(client: httpx.AsyncClient, proof: Proof, role: str, status: int) -> None:
    assert (await client.post("/uploads/table?name=x", content=b"", headers=proof(role))).status_code == status


async def test_a_file_that_is_too_large_is_refused_and_not_kept(
    client: httpx.AsyncClient, proof: Proof, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(uploads.KINDS, "table", ("source.manage", 4))
    answer = await client.post("/uploads/table?name=x.csv", content=BODY, headers=proof("system_admin"))
    assert answer.status_code == 413 and "x.csv" in answer.json()["text"]["zh"]
    assert not list((settings.data / "uploads").iterdir())


def test_old_files_and_too_many_are_removed(tmp_path: Path) -> None:
    kept = Uploads(tmp_path)
    for _ in range(MOST_FILES + 5):
        kept.begin(0)
    assert len(list(tmp_path.iterdir())) == MOST_FILES
    newest = max(one.stat().st_mtime for one in tmp_path.iterdir())
    kept.sweep(int((newest + KEPT_SECONDS + 1) * 1e6))
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("given", "kept"),
    [("a.csv", "a.csv"), ("C:\\x\\b.xlsx", "b.xlsx"), ("..", "file"), ("", "file"), ("upload.json", "file"),
     ("x" * 300 + ".csv", "x" * 116 + ".csv"), ("a\nb\0.csv", "ab.csv")],
)  # fmt: skip
def test_names_lose_what_means_something_to_a_disk(given: str, kept: str) -> None:
    assert plain(given) == kept


def test_what_is_not_written_down_does_not_exist(tmp_path: Path) -> None:
    folder = Uploads(tmp_path).begin(0)
    (folder / "x.csv").write_bytes(BODY)
    with pytest.raises(NotFound):
        Uploads(tmp_path).find(folder.name, ADMIN)
    Uploads(tmp_path).keep(folder, Upload(folder.name, "table", "x.csv", 8, "", ADMIN.actor, 0))
    assert Uploads(tmp_path).find(folder.name, ADMIN)[1] == folder / "x.csv"
