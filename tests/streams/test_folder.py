"""The watched folder: whole files only, each once, nothing lost, what cannot be read says why."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import msgspec
import pytest
import redis.asyncio

from config import clock
from config.settings import Settings
from operations import journal, sources
from operations.database import Database
from operations.policy import SYSTEM
from operations.sources import Source
from streams import engine, folder
from streams.errors import SettingsWrong, SourceAway
from streams.folder import Watch
from streams.inbox import DAY_SECONDS, Inbox
from streams.pull_settings import FolderWatch, checked
from streams.pulling import Pulling
from streams.shelf import Shelf
from streams.tables import child
from tests.streams.feed import durable, reach
from tests.streams.samples import MAPPINGS, TAXONOMY, make_intake, make_log
from tests.streams.sheets import HEADER, LINES, text

pytestmark = [pytest.mark.stream, pytest.mark.database]
GOOD = text((HEADER, *LINES)).encode("gbk")


class Box:
    """A source with a folder, looked at by hand."""

    def __init__(self, settings: Settings, watch: Watch, folder: Path, database: Database) -> None:
        self.settings, self.folder, self.database = settings, folder, database
        self.look, self.totals = watch.look, watch._reach.intake.totals

    def names(self, where: str = "") -> list[str]:
        return sorted(one.name for one in (self.folder / where).iterdir() if one.is_file())

    def taken(self) -> list[str]:
        return durable(self.settings)


@pytest.fixture
async def box(settings: Settings, valkey: str, database: Database) -> AsyncIterator[Box]:
    """The folder of a source that is read by the 12345 example."""
    source = Source("dept", "某部门", kind="folder", mapping="12345", settings='{"period_s": 1}')
    sources.add(database, SYSTEM, source, now=clock.now())
    client: redis.asyncio.Redis = engine.connect(settings.redis_url)
    log = make_log(settings)
    pulling = Pulling(reach(settings, database, client, make_intake(log)), source)
    chosen = await pulling.settings()
    assert isinstance(chosen, FolderWatch)
    watch = Watch(pulling._reach, pulling, chosen)
    await watch.look()
    yield Box(settings, watch, settings.data / "inbox" / "dept", database)
    await log.close()
    await client.aclose()


async def test_a_file_is_taken_once_it_stands_still(box: Box) -> None:
    path = box.folder / "工单.csv"
    path.write_bytes(GOOD[:40])
    await box.look()
    assert box.taken() == []
    path.write_bytes(GOOD)  # the other half comes
    await box.look()
    assert box.taken() == []
    await box.look()
    assert box.taken() == ["A1", "A2"]
    assert (box.names(), box.names("done")) == ([], ["工单.csv"])
    sent = [entry for entry in journal.read(box.database, 0) if entry.action == "file.sent"]
    assert sent[0].body == {"source": "dept", "total": 2, "accepted": 2, "duplicates": 0, "quarantined": 0}


async def test_unfinished_names_wait_until_they_are_renamed(box: Box) -> None:
    path = box.folder / "a.csv.part"
    path.write_bytes(GOOD)
    for _ in range(3):
        await box.look()
    assert box.taken() == []
    path.rename(box.folder / "a.csv")
    await box.look()
    await box.look()
    assert box.taken() == ["A1", "A2"]


async def test_the_same_file_again_is_a_repeat(box: Box) -> None:
    for _ in range(2):
        (box.folder / "a.csv").write_bytes(GOOD)
        await box.look()
        await box.look()
    assert box.names("done") == ["a (2).csv", "a.csv"]
    counted = [entry.body for entry in journal.read(box.database, 0) if entry.action == "file.sent"]
    assert [body and body["duplicates"] for body in counted] == [0, 2]


async def test_what_cannot_be_read_goes_aside_and_says_why(box: Box) -> None:
    (box.folder / "a.xls").write_bytes(b"<html><table>")
    await box.look()
    await box.look()
    assert box.names("failed") == ["a.xls", "a.xls.txt"]
    why = (box.folder / "failed" / "a.xls.txt").read_text(encoding="utf-8-sig")
    assert "另存为 XLSX" in why and "save it as XLSX" in why
    assert box.totals.quarantined == 1  # the beginning of the file


async def test_a_wrong_mapping_leaves_the_file_where_it_is(box: Box, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("streams.folder.MISCONFIGURED_SECONDS", 0)
    monkeypatch.delitem(MAPPINGS.good, "12345")
    (box.folder / "a.csv").write_bytes(GOOD)
    await box.look()
    await box.look()
    assert (box.taken(), box.names()) == ([], ["a.csv"])


async def test_a_file_replaced_while_it_is_sent_is_taken_too(box: Box, monkeypatch: pytest.MonkeyPatch) -> None:
    path = box.folder / "a.csv"
    path.write_bytes(GOOD)
    await box.look()
    real = folder.send

    async def slow(*given: Any) -> Any:
        sent = await real(*given)
        if path.read_bytes() == GOOD:
            path.write_bytes(GOOD.replace(b"A1", b"B1").replace(b"A2", b"B2") + b"\n")
        return sent

    monkeypatch.setattr("streams.folder.send", slow)
    await box.look()
    assert (box.taken(), box.names()) == (["A1", "A2"], ["a.csv"])
    await box.look()
    await box.look()
    assert (box.taken(), box.names()) == (["A1", "A2", "B1", "B2"], [])


async def test_a_file_that_cannot_be_moved_holds_up_no_other(box: Box, monkeypatch: pytest.MonkeyPatch) -> None:
    (box.folder / "a.xls").write_bytes(b"<html><table>")
    (box.folder / "b.csv").write_bytes(GOOD)
    await box.look()
    real = Inbox.put

    def denied(self: Inbox, path: Path, *given: Any) -> Path:
        if path.name == "a.xls":
            raise PermissionError(13, "Permission denied")
        return real(self, path, *given)

    monkeypatch.setattr(Inbox, "put", denied)
    for _ in range(2):
        with pytest.raises(SourceAway, match="file_denied"):
            await box.look()
    assert (box.taken(), box.names(), box.totals.quarantined) == (["A1", "A2"], ["a.xls"], 1)


async def test_a_full_disk_is_not_the_files_fault(box: Box, monkeypatch: pytest.MonkeyPatch) -> None:
    (box.folder / "a.csv").write_bytes(GOOD)
    await box.look()
    with monkeypatch.context() as full:
        full.setattr("streams.tables.child._read", lambda *_: child._told(b'{"unreadable": "no_room", "params": {}}'))
        with pytest.raises(SourceAway, match="file_denied"):
            await box.look()
    assert (box.names(), box.names("failed")) == (["a.csv"], [])
    await box.look()
    assert box.taken() == ["A1", "A2"]


async def test_a_name_as_long_as_a_disk_allows(box: Box) -> None:
    (box.folder / f"{'工' * 82}123.xlsx").write_bytes(b"no workbook")
    await box.look()
    await box.look()
    assert (box.names(), len(box.names("failed"))) == ([], 2)


def test_links_and_folders_are_never_followed(tmp_path: Path) -> None:
    (tmp_path / "secret.csv").write_bytes(GOOD)
    inbox = Inbox(tmp_path / "in", "x", "*.CSV")
    inbox.open()
    (inbox.folder / "link.csv").symlink_to(tmp_path / "secret.csv")
    (inbox.folder / "other.txt").write_bytes(GOOD)
    (inbox.folder / "folder.csv").mkdir()
    (inbox.folder / "Good.csv").write_bytes(GOOD)
    inbox.whole()
    assert [path.name for path in inbox.whole()] == ["Good.csv"]
    with pytest.raises(SourceAway, match="outside"):
        Inbox(tmp_path / "in", "..", "*")


def test_what_was_taken_goes_after_its_days(tmp_path: Path) -> None:
    inbox = Inbox(tmp_path, "x", "*")
    inbox.open()
    (inbox.folder / "a.csv").write_bytes(GOOD)
    now = 1_700_000_000_000_000
    kept = inbox.put(inbox.folder / "a.csv", "done", now)
    inbox.sweep(now + 29 * DAY_SECONDS * 1_000_000, 30)
    assert kept.exists() and kept.stat().st_mtime == now / 1e6
    inbox.sweep(now + 31 * DAY_SECONDS * 1_000_000, 30)
    assert not kept.exists()


@pytest.mark.parametrize("wrong", [{"path": "../x"}, {"path": "/etc"}, {"pattern": "a/b"}, {"period_s": 0}, {"x": 1}])
def test_settings_that_lead_elsewhere_are_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(SettingsWrong):
        checked("folder", msgspec.json.encode(wrong).decode())


async def test_a_mapping_saved_on_screen_is_in_force_at_once(database: Database) -> None:
    from operations import mappings

    shelf = Shelf(MAPPINGS, TAXONOMY)
    body = '{"fields": {"id": "no", "title": "t"}}'
    mappings.save(database, SYSTEM, "hotline", body, revision=0, now=clock.now())
    shelf.look(database)
    assert shelf.get("hotline").fields["id"] == (("no",),)
    assert shelf.get("canberra") is MAPPINGS.get("canberra")
