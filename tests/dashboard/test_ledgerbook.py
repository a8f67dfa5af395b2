"""The import of ledgers of cameras on its page: looked at, agreed to, kept; whose it is not finds nothing."""

import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import msgspec
import pytest

from config import clock
from config.settings import Settings
from config.words import Words
from dashboard import access
from dashboard.ledgerbook import FAILED, KEPT, LOOKED, STOPPED, Job, Ledgerbook
from dashboard.panels import camera_import
from dashboard.uploads import Upload, Uploads
from operations.cameras import reading
from operations.database import Database
from operations.errors import Forbidden, NotFound, Refused
from operations.policy import Identity
from operations.scope import WHOLE
from streams.cameras.importing import Asked
from streams.source_secrets import SourceSecrets

ADMIN = Identity("account", "a1", "admin", "system_admin", WHOLE)
HEAD = "国标编码,设备名称,经度,纬度,主码流地址"


class Page:
    """One administrator with ledgers."""

    def __init__(self, settings: Settings, database: Database) -> None:
        self.book = Ledgerbook(database, lambda _seq: None, settings)
        self.folder, self.database = settings.data, database

    def send(self, *lines: str, kind: str = "cameras", owners: tuple[str, ...] = ()) -> str:
        lines = (HEAD, *lines)
        if owners:
            lines = tuple(",".join(both) for both in zip(lines, ("所属部门编码", *owners), strict=True))
        folder = Uploads(self.folder / "uploads").begin(clock.now())
        (folder / "l.csv").write_text("\n".join(lines) + "\n", encoding="utf-8")
        upload = Upload(folder.name, kind, "l.csv", 1, "", ADMIN.actor, clock.now())
        Uploads(self.folder / "uploads").keep(folder, upload)
        return folder.name

    def look(self, upload: str, *, complete: bool = False) -> Job:
        fields = self.book.columns(upload)[1]
        return self.over(upload, lambda: self.book.look(upload, Asked("s1", "WGS84", fields, complete)))

    def over(self, upload: str, begin: Callable[[], None]) -> Job:
        """What became of a job once its thread has ended."""
        before = set(threading.enumerate())
        begin()
        for thread in set(threading.enumerate()) - before:
            thread.join(20)
        return self.book.job(upload)


@pytest.fixture
def page(settings: Settings, database: Database) -> Iterator[Page]:
    token = access._current.set(ADMIN)
    yield Page(settings, database)
    access._current.reset(token)


def words(lang: str) -> Words:
    return Words(lang)


def test_a_ledger_is_looked_at_agreed_to_and_kept_and_its_file_forgotten(page: Page) -> None:
    first = page.send("a,东门,118.8,32.05,rtsp://u:geheim@10.0.0.1/1", "b,西门,0,0,")
    job = page.look(first)
    assert (job.state, job.told and job.told.counts["added"], job.told and job.told.unknown) == (LOOKED, 2, 1)
    assert b"geheim" not in msgspec.json.encode(job)
    assert page.over(first, lambda: page.book.take(first, gone=0)).state == KEPT
    left = sorted(one.name for one in (page.folder / "uploads" / first).iterdir())
    assert left == [".job.json", "upload.json"]
    second = page.send("a,东大门,118.8,32.05,")
    job = page.look(second, complete=True)
    with pytest.raises(Refused, match="gone_unconfirmed"):
        page.book.take(second, gone=0)
    assert page.over(second, lambda: page.book.take(second, gone=1)).state == KEPT
    with page.database.read() as connection:
        found = reading.of_code(connection, "s1", "a")
        gone = reading.of_code(connection, "s1", "b")
    assert found is not None
    assert gone is not None
    assert (found.item.name, gone.gone_at is None) == ("东大门", False)
    assert SourceSecrets(page.folder / "keys", "cameras").get(found.id) == "u:geheim"


def test_a_ledger_that_brings_only_passwords_can_be_kept(page: Page) -> None:
    first = page.send("a,东门,118.8,32.05,rtsp://10.0.0.1/1")
    page.look(first)
    page.over(first, lambda: page.book.take(first, gone=0))
    second = page.send("a,东门,118.8,32.05,rtsp://u:geheim@10.0.0.1/1")
    job = page.look(second)
    assert job.told is not None and job.told.counts == {"added": 0, "changed": 0, "same": 1, "gone": 0}
    assert camera_import.followed(job, words("zh"))[5] is False, "the button is there"
    assert page.over(second, lambda: page.book.take(second, gone=0)).state == KEPT
    with page.database.read() as connection:
        found = reading.of_code(connection, "s1", "a")
    assert found is not None
    assert SourceSecrets(page.folder / "keys", "cameras").get(found.id) == "u:geheim"


def test_owners_that_are_no_department_are_named_before_anything_is_kept(page: Page) -> None:
    upload = page.send("a,东门,118.8,32.05,", "b,西门,118.8,32.05,", owners=("police", "物业公司"))
    job = page.look(upload)
    assert job.told is not None and job.told.strangers == ["物业公司"]
    for lang in ("zh", "en"):
        assert "物业公司" in str(camera_import.followed(job, words(lang)))


def test_what_was_changed_since_the_look_is_not_kept(page: Page) -> None:
    one, other = page.send("a,东门,118.8,32.05,"), page.send("a,西门,118.8,32.05,", "b,门,118.8,32.05,")
    page.look(one)
    page.look(other)
    page.over(other, lambda: page.book.take(other, gone=0))
    job = page.over(one, lambda: page.book.take(one, gone=0))
    assert (job.state, job.why) == (FAILED, "cameras.source_changed_meanwhile")


def test_a_faulty_ledger_is_not_kept_and_says_where_in_both_languages(page: Page) -> None:
    upload = page.send("a,东门,x,32.05,", "a,东门,118.8,32.05,rtsp://h/?password=geheim")
    job = page.look(upload)
    with pytest.raises(Refused, match="faulty"):
        page.book.take(upload, gone=0)
    for lang in ("zh", "en"):
        shown = str(camera_import.followed(job, words(lang)))
        assert "经度" in shown
        assert "geheim" not in shown
    assert camera_import.followed(job, words("zh"))[5] is True


def test_who_leaves_it_leaves_nothing_behind(page: Page) -> None:
    upload = page.send("a,东门,118.8,32.05,")
    page.book.columns(upload)
    page.book.cancel(upload)
    assert not (page.folder / "uploads" / upload / "l.csv").exists()
    with pytest.raises(NotFound):
        page.look(upload)
    assert camera_import.followed(Job(state=STOPPED), words("zh"))[0] is True


def test_a_ledger_is_its_senders_and_for_who_imports_alone(page: Page) -> None:
    upload, other = page.send("a,东门,118.8,32.05,"), page.send("a,东门,118.8,32.05,", kind="grids")
    with pytest.raises(NotFound):
        page.book.columns(other)
    with pytest.raises(NotFound):
        page.book.columns(str(Path("..") / "keys"))
    token = access._current.set(Identity("account", "a2", "other", "system_admin", WHOLE))
    with pytest.raises(NotFound):
        page.book.columns(upload)
    access._current.set(Identity("account", "a1", "admin", "operator", WHOLE))
    with pytest.raises(Forbidden):
        page.book.columns(upload)
    access._current.reset(token)
