"""Quarantined items opened together: one entry with its reason, tried by a changed mapping, sent again."""

import asyncio
from collections.abc import AsyncIterator

import msgspec
import pytest

from config.settings import Settings
from dashboard import access
from dashboard.mapbook import Mapbook
from dashboard.repairs import Lapsed, Repairs
from operations import journal, quarantine
from operations.database import Database
from operations.errors import Forbidden, NotFound, Refused
from operations.policy import Identity
from operations.seal import KeyStore, seal
from operations.tables import quarantine as table
from streams.errors import MappingError
from streams.log import Log
from streams.mapping import checked
from streams.shelf import Shelf
from tests.streams.samples import MAPPINGS, TAXONOMY, make_intake, make_log

pytestmark = [pytest.mark.stream, pytest.mark.database]
ADMIN = Identity("account", name="zhang", role="system_admin")
COMMANDER = Identity("account", name="wang", role="duty_commander")
DRAFT = {"fields": {"id": "no", "title": "t"}}


@pytest.fixture
async def log(settings: Settings, valkey: str) -> AsyncIterator[Log]:
    """A log on the engine."""
    made = make_log(settings)
    yield made
    await made.close()


@pytest.fixture
def keys(settings: Settings) -> KeyStore:
    """The keys of the installation."""
    return KeyStore(settings.data / "keys")


def set_aside(database: Database, keys: KeyStore, raws: list[bytes], reason: str = "missing") -> None:
    """Put items into quarantine as the worker does."""
    ids = [f"{number:032x}" for number in range(len(raws))]
    key_of = keys.make(ids)
    rows = [
        {"id": id, "source": "s1", "reason": reason, "state": "open", "at": 1, "key": id}
        | {"sealed": seal(key_of[id], id, msgspec.msgpack.encode({"raw": raw, "params": {}}))}
        for id, raw in zip(ids, raws, strict=True)
    ]
    with database.write() as transaction:
        transaction.connection.execute(table.insert(), rows)


async def test_items_are_opened_tried_and_sent_again(furnished: Database, keys: KeyStore, log: Log) -> None:
    access._current.set(ADMIN)
    shelf = Shelf(MAPPINGS, TAXONOMY)
    intake = make_intake(log)
    intake._mappings = shelf
    book = Mapbook(furnished, lambda _seq: None, shelf)
    repairs = Repairs(furnished, keys, lambda _seq: None, intake)
    set_aside(furnished, keys, [b'{"no": 1, "t": "a"}', b'{"no": 2}', b'[{"no": 3, "t": "c"}, {"no": 4, "t": "d"}]'])
    with pytest.raises(Refused):
        repairs.open("s1", " ")
    token, count = repairs.open("s1", "对方改了字段名")
    assert count == 3
    opened = [one for one in journal.read(furnished, 0) if one.action == "quarantine.retried"]
    assert [(one.reason, one.body) for one in opened] == [("对方改了字段名", {"count": 3})]

    tested = repairs.test(token, "s1", book.read(DRAFT))
    assert (tested.total, tested.readable, tested.reasons) == (3, 2, {("missing", "title"): 1})
    book.save("s1", "dept", DRAFT, 0)
    loop = asyncio.get_running_loop()
    sent = await asyncio.to_thread(
        repairs.resubmit, token, "s1", lambda work: asyncio.run_coroutine_threadsafe(work, loop).result(10)
    )
    assert sent == (2, 1)
    assert [one.state for one in quarantine.listed(furnished, COMMANDER)] == ["open"]
    assert intake.totals.accepted == 3


async def test_what_was_opened_is_for_whoever_opened_it(furnished: Database, keys: KeyStore, log: Log) -> None:
    access._current.set(ADMIN)
    repairs = Repairs(furnished, keys, lambda _seq: None, make_intake(log))
    set_aside(furnished, keys, [b"{}"])
    token, _ = repairs.open("s1", "看")
    access._current.set(Identity("account", name="li", role="system_admin"))
    with pytest.raises(Lapsed):
        repairs.test(token, "s1", checked(DRAFT, TAXONOMY, "draft", ""))
    access._current.set(Identity("account", name="op", role="operator"))
    with pytest.raises(Forbidden):
        repairs.open("s1", "看")


async def test_who_configures_is_told_nothing_of_what_is_in_them(furnished: Database, keys: KeyStore, log: Log) -> None:
    """Verdicts, reasons and numbers: neither a value nor a field's name of the items is in anything that comes back."""
    access._current.set(ADMIN)
    repairs = Repairs(furnished, keys, lambda _seq: None, make_intake(log))
    set_aside(furnished, keys, [b'{"no": "SECRET-1", "t": "13800001234"}', b'{"SECRET-2": 1}'])
    token, count = repairs.open("s1", "字段改了名")
    tested = repairs.test(token, "s1", checked(DRAFT, TAXONOMY, "draft", ""))
    told = repr((token, count, tested, [one.body for one in journal.read(furnished, 0)]))
    assert tested.total == 2 and tested.reasons
    assert "SECRET" not in told and "13800001234" not in told
    for look in (
        lambda: quarantine.page(furnished, ADMIN),
        lambda: quarantine.get(furnished, keys, ADMIN, f"{0:032x}"),
        lambda: quarantine.read(furnished, keys, ADMIN, f"{0:032x}", "看", now=1),
        lambda: quarantine.discard(furnished, ADMIN, f"{0:032x}", "看", now=1),
    ):
        with pytest.raises(Forbidden):
            look()


async def test_a_draft_that_is_wrong_is_not_saved(furnished: Database, log: Log) -> None:
    access._current.set(ADMIN)
    book = Mapbook(furnished, lambda _seq: None, Shelf(MAPPINGS, TAXONOMY))
    for draft in ({}, {"fields": {"id": "n"}}, {"fields": []}, {"fields": {"id": "n", "title": "t"}, "x": {}}):
        with pytest.raises(MappingError):
            book.save("s1", "dept", draft, 0)
    with pytest.raises(Refused):
        book.save("s1", "standard", DRAFT, 0)
    with pytest.raises(NotFound):
        book.save("nobody", "dept", DRAFT, 0)
    draft, revision = book.draft("12345")
    assert draft["fields"]["id"] == "工单编号" and revision == 0
    assert "12345" in book.names()
