"""The page of tokens: what it shows, asks and does, in whose name; and that no secret reaches a log."""

import json
import logging
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import httpx
import pytest

from config import clock
from config.words import Words
from dashboard import access
from dashboard.panels import token_list
from dashboard.tokenbook import Wanted
from operations import tokens
from operations.database import Database
from operations.errors import Forbidden, NotFound, Refused
from operations.policy import SYSTEM, Identity
from operations.scope import Scope
from operations.tokens import Terms, Token
from tests.dashboard.conftest import PASSWORD, Proof
from tests.dashboard.panel_board import WORDS

if TYPE_CHECKING:
    from dashboard.server import Server

NOW = 1_800_000_000_000_000
DAY = token_list.DAY
SECURITY = Identity("account", "a2", "security", "security_admin")
SYSTEM_ADMIN = Identity("account", "a1", "admin", "system_admin")
FILLED: dict[str, Any] = {
    "name": " 看板 ", "kind": "read", "source": None, "intake": [], "read": ["grid.read"], "days": 30,
    "networks": "10.0.0.0/8, ::1", "grid": "990101001", "department": "fire",
}  # fmt: skip


@pytest.fixture(autouse=True)
def nobody() -> Iterator[None]:
    """Afterwards nobody asks."""
    mark = access._current.set(access._current.get())
    yield
    access._current.reset(mark)


def token(name: str, kind: str = "read", **values: Any) -> Token:
    given: dict[str, Any] = dict.fromkeys(Token.__struct_fields__, "")
    given |= dict.fromkeys(("expires_at", "rotated_at", "before_ends_at", "revoked_at", "used_at"))
    return Token(**{**given, "id": name, "name": name, "kind": kind, "added_at": NOW, **values})


def text_of(component: Any) -> str:
    return json.dumps(component.to_plotly_json(), default=lambda one: one.to_plotly_json(), ensure_ascii=False)


def test_those_in_force_come_first_and_the_others_only_when_asked_for() -> None:
    found = [
        token("b"), token("gone", revoked_at=NOW), token("over", expires_at=NOW), token("a", before_ends_at=NOW + 1),
    ]  # fmt: skip
    assert [one.name for one in token_list.rows(found, NOW, ended=False)] == ["a", "b"]
    assert [one.name for one in token_list.rows(found, NOW, ended=True)] == ["a", "b", "over", "gone"]


@pytest.mark.parametrize("lang", ["zh", "en"])
def test_whoever_may_not_change_a_token_is_told_who_may(lang: str) -> None:
    words = Words(lang, WORDS.city)
    found = [token("r", networks="10.0.0.0/8", actions="grid.read"), token("s", "intake", source="s1")]
    said = text_of(token_list.listing(found, {"read": True, "intake": False}, words, NOW, ended=False))
    assert said.count('"token-act"') == 2 and words.text("tokens.not_yours.intake") in said
    assert "10.0.0.0/8" in said and words.text("tokens.may.grid.read") in said
    assert words.text("tokens.may.incident.read") not in said
    form = json.dumps(
        [json.loads(text_of(one)) for one in token_list.form({"read": False, "intake": False}, [], words)]
    )
    assert '"disabled": true' in form


def test_a_form_is_read_as_it_was_meant() -> None:
    terms = Terms(("grid.read",), ("10.0.0.0/8", "::1"), NOW + 30 * DAY)
    assert token_list.wanted(FILLED, NOW) == Wanted("看板", "read", scope=Scope("990101001", "fire"), terms=terms)
    intake = FILLED | {"kind": "intake", "source": "s1", "name": "", "networks": None, "days": 0}
    intake["intake"] = ["warning.send", "report.send"]  # all of them: no limit
    assert token_list.wanted(intake, NOW) == Wanted("s1", "intake", "s1")
    with pytest.raises(Refused):
        tokens._checked(token_list.wanted(FILLED | {"networks": "10.0.0.1/8"}, NOW).terms, "read", NOW)


async def test_the_book_acts_in_the_name_of_whoever_asks(server: "Server", furnished: Database) -> None:
    book = server.parts.actions.tokens
    access._current.set(SECURITY)
    made = book.add(Wanted("r", "read"))
    [one] = book.listed()
    rotated = book.rotate(one.id, 1)
    assert {made.name, rotated.name} == {"r"} and made.secret != rotated.secret
    for secret in (made.secret, rotated.secret):
        assert tokens.identify(furnished, secret, clock.now()) is not None
    assert book.sources() == []
    for refused in (Wanted("s", "intake", "s1"), Wanted("r", "read", scope=Scope("nowhere"))):
        with pytest.raises((Forbidden, Refused)):
            book.add(refused)
    access._current.set(SYSTEM_ADMIN)
    assert [source.id for source in book.sources()] == ["s1"]
    with pytest.raises(Forbidden):
        book.revoke(one.id)
    with pytest.raises(NotFound):
        book.revoke("nothing")
    access._current.set(Identity("account", "d", "duty", "duty_commander"))
    with pytest.raises(Forbidden):
        book.listed()
    access._current.set(SECURITY)
    assert book.revoke(one.id) == "r"
    assert tokens.identify(furnished, rotated.secret, clock.now()) is None


async def test_no_password_and_no_secret_reaches_a_log(
    server: "Server", client: httpx.AsyncClient, furnished: Database, proof: Proof, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    secret = tokens.add(furnished, SYSTEM, "t", "read", now=clock.now())
    own = {"origin": "http://testserver"}
    cookie = proof("operator")["cookie"]
    for form in ({"name": "operator", "password": PASSWORD}, {"name": PASSWORD, "password": "wrong " + PASSWORD}):
        await client.post("/signin", data=form, headers=own)
    await client.get("/signin", params={"once": "one-time-" + secret})
    for given in (secret, "wrong" + secret):
        await client.get("/api/v1/incidents", headers={"authorization": f"Bearer {given}"})
    await client.get("/desk", headers={"cookie": cookie})
    kept = "\n".join(record.getMessage() for record in caplog.records)
    for hidden in (PASSWORD, secret, cookie.partition("=")[2]):
        assert hidden not in kept
