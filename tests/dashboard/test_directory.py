"""What the page of sources may do, in whose name: administrators change, duty commanders look, others do neither."""

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import pytest
from msgspec import structs

from config import clock
from config.settings import Settings
from dashboard import access
from operations import journal, sources, tokens
from operations.database import Database
from operations.errors import Forbidden, NotFound, Refused
from operations.policy import Identity
from operations.sources import Source
from streams.source_secrets import SourceSecrets

if TYPE_CHECKING:
    from dashboard.server import Server

ADMIN, COMMANDER, OPERATOR = (
    Identity("account", role, role, role) for role in ("system_admin", "duty_commander", "operator")
)
PULL = Source("dept", "某部门", kind="http_pull", settings='{"url":"http://127.0.0.1:1/"}')


@pytest.fixture(autouse=True)
def nobody() -> Iterator[None]:
    """Afterwards nobody asks."""
    mark = access._current.set(access._current.get())
    yield
    access._current.reset(mark)


async def test_a_secret_is_kept_in_its_file_and_nowhere_else(
    server: "Server", furnished: Database, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    access._current.set(ADMIN)
    directory = server.parts.actions.directory
    assert directory.add(PULL, "s3cret") == ""  # nothing sends, so there is no token
    assert directory.has_secret("dept") and SourceSecrets(settings.data / "keys").get("dept") == "s3cret"
    directory.change(structs.replace(PULL, name="另一个"))
    assert directory.has_secret("dept")
    elsewhere = structs.replace(PULL, settings='{"url":"http://127.0.0.1:2/"}')
    heard: list[str] = []
    monkeypatch.setattr(directory._port, "tried", lambda _source, secret: heard.append(secret))
    directory.tried(elsewhere, "", "dept")
    directory.tried(PULL, "", "dept")
    assert heard == ["", "s3cret"]  # another host is not told
    monkeypatch.undo()
    changed, kept = sources.change, []

    def watched(*given: Any, **named: Any) -> None:
        kept.append(directory.has_secret("dept"))
        changed(*given, **named)

    monkeypatch.setattr(sources, "change", watched)
    directory.change(elsewhere)
    assert kept == [False]  # not even for the moment in which the pull begins anew
    monkeypatch.undo()
    assert not directory.has_secret("dept")
    directory.change(PULL, "s3cret")
    directory.change(PULL, forget=True)
    assert not directory.has_secret("dept")
    with pytest.raises(Refused):
        directory.change(PULL, "two\nlines")
    said = [entry.body for entry in journal.read(furnished, 0)]
    assert "s3cret" not in str(said)
    found = await directory.tried(PULL, "", "dept")
    assert found.code == "unreachable"


async def test_a_new_token_ends_the_old_ones(server: "Server", furnished: Database) -> None:
    access._current.set(ADMIN)
    directory = server.parts.actions.directory
    first = directory.add(Source("push", "推送"))
    second = directory.new_token("push")
    assert tokens.identify(furnished, first, clock.now()) is None
    found = tokens.identify(furnished, second, clock.now())
    assert found is not None and found.id == "push"
    directory.switch("push", on=False)
    assert tokens.identify(furnished, second, clock.now()) is None
    with pytest.raises(NotFound):
        directory.new_token("nobody")


async def test_a_duty_commander_looks_and_changes_nothing(server: "Server") -> None:
    access._current.set(COMMANDER)
    directory = server.parts.actions.directory
    assert [one.id for one in directory.listed()] == ["s1"]
    assert (await directory.health("s1")).last_hour == 0 and directory.rejected("s1") == {}
    assert directory.example("s1", 120.0, 30.0)["title"]
    for attempt in (
        lambda: directory.add(PULL),
        lambda: directory.change(Source("s1", "x")),
        lambda: directory.switch("s1", on=False),
        lambda: directory.new_token("s1"),
        lambda: directory.tried(PULL, ""),
    ):
        with pytest.raises(Forbidden):
            attempt()


async def test_an_operator_does_not_even_look(server: "Server") -> None:
    access._current.set(OPERATOR)
    directory = server.parts.actions.directory
    for attempt in (directory.listed, lambda: directory.health("s1"), lambda: directory.examine("s1", b"{}")):
        with pytest.raises(Forbidden):
            attempt()
