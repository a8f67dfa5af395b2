"""View limits on the card, without a browser: what it says, who gets the form, and what is typed."""

from typing import Any

import pytest
from msgspec import structs

from config.city import City
from config.words import LANGUAGES, Words
from dashboard import access
from dashboard.limitbook import Limitbook, Standing
from dashboard.panels import camera_limits as panel
from operations.cameras import keeping, reading
from operations.cameras.item import Item
from operations.cameras.limits import FORBIDDEN, MASKED, RESTRICTED, Limit, Wish
from operations.database import Database
from operations.errors import Forbidden, NotFound, Refused
from operations.policy import Identity
from operations.scope import Scope

pytestmark = pytest.mark.database

BOX = ((0.1, 0.2), (0.5, 0.2), (0.5, 0.875))
HIDDEN = Wish(kind=MASKED, why="居民楼窗户", masks=(BOX,))
COMMANDER = Identity("account", "d", "duty", "duty_commander", Scope("990101"))
LEADER = Identity("account", "l", "leader", "leader", Scope("990101"))
LIMIT = Limit(**structs.asdict(HIDDEN), camera="c1", revision=1, changed_at=1, changed_by="account:duty")


def asks(monkeypatch: pytest.MonkeyPatch, identity: Identity) -> None:
    monkeypatch.setattr(access, "current", lambda: identity)


def drawn(limit: Limit | None, rule: str = "", *, limits: bool = True, unlimits: bool = True, lang: str = "zh") -> str:
    may = {"limit": limits, "unlimit": unlimits}
    return str(panel.section(Standing("c1", limit, rule), may, "duty", Words(lang, City())))


def test_masks_are_typed_as_they_are_shown() -> None:
    text = panel.typed((BOX, BOX[:2]))
    assert text == "0.1,0.2 0.5,0.2 0.5,0.875\n0.1,0.2 0.5,0.2"
    assert panel.masks_of(f"\n  {text}  \n\n") == (BOX, BOX[:2])
    assert panel.masks_of("0.1，0.2 0.5,0.2 0.5,0.875") == (BOX,) and panel.masks_of("") == ()


@pytest.mark.parametrize(("text", "line"), [("a,b 1,1 0,1", 1), ("0,0 1,1 0,1\n0,0 1", 2), ("0,0,0 1,1,1", 1)])
def test_a_line_that_is_no_mask_is_named(text: str, line: int) -> None:
    with pytest.raises(Refused) as refused:
        panel.masks_of(text)
    assert (refused.value.code, refused.value.params) == ("limits.unread", {"n": line})


@pytest.mark.parametrize("lang", LANGUAGES)
def test_the_card_says_what_a_limit_means(lang: str) -> None:
    words = Words(lang, City())
    assert words.text("viewlimit.none") in drawn(None, lang=lang)
    assert words.text("viewlimit.by_rule", code="private_rooms") in drawn(None, "private_rooms", lang=lang)
    masked = drawn(LIMIT, lang=lang)
    assert words.text("viewlimit.said.masked", n=1) in masked and "[[[0.1,0.2],[0.5,0.2],[0.5,0.875]]]" in masked
    consented = structs.replace(LIMIT, kind=RESTRICTED, consent="3 号", by="王参谋")
    assert "3 号" in panel.said(consented, words) and words.text("viewlimit.said.masked", n=1) in panel.said(
        consented, words
    )
    for barred, said in ((structs.replace(LIMIT, kind=RESTRICTED), "no_consent"), (_forbidden(), "forbidden")):
        assert words.text(f"viewlimit.said.{said}") in panel.said(barred, words)


def _forbidden() -> Limit:
    return structs.replace(LIMIT, kind=FORBIDDEN, masks=())


def test_the_form_is_for_those_who_may_and_its_ends_for_those_who_loosen() -> None:
    assert panel.SAVE not in drawn(LIMIT, limits=False, unlimits=False)
    whole = drawn(LIMIT)
    assert panel.SAVE in whole and panel.typed((BOX,)) in whole.replace("\\n", "\n")
    words = Words("zh", City())
    for limit, unlimits, hidden in ((LIMIT, True, False), (LIMIT, False, True), (None, True, True)):
        form = panel.form(Standing("c1", limit, ""), unlimits, words)
        (button,) = _found(form, panel.CLEAR)
        assert button.hidden is hidden


def _found(part: Any, id: str) -> list[Any]:
    return [one for one in part._traverse() if getattr(one, "id", "") == id]


def test_a_limit_is_read_within_reach_put_and_cleared(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    item = Item(code="c1", name="宾馆客房走廊", owner="police", chain=("990101",))
    with database.write() as transaction:
        keeping.take(transaction, "s1", [item], complete=True, now=1)
        found = reading.of_code(transaction.connection, "s1", "c1")
    assert found is not None
    rung: list[object] = []
    book = Limitbook(database, rung.append)
    asks(monkeypatch, COMMANDER)
    assert book.of(found.id) == Standing(found.id, None, "private_rooms") and book.of(found.id).revision == 0
    book.put(found.id, HIDDEN, revision=0)
    asks(monkeypatch, LEADER)
    assert (
        (limit := book.of(found.id).limit) is not None and limit.masks == (BOX,) and limit.changed_by == "account:duty"
    )
    with pytest.raises(Forbidden):
        book.clear(found.id, reason="没有必要", revision=1)
    asks(monkeypatch, COMMANDER)
    book.clear(found.id, reason="没有必要", revision=1)
    assert book.of(found.id).limit is None and len(rung) == 2
    asks(monkeypatch, structs.replace(COMMANDER, scope=Scope("990102")))
    with pytest.raises(NotFound):
        book.of(found.id)
