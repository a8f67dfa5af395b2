"""What walls leave out by rule, and that administrators' pages receive nothing of incidents: read from the frames."""

from collections.abc import AsyncIterator
from typing import Any

import orjson
import pytest
from msgspec import structs

from config import clock
from config.settings import Settings
from dashboard import discretion
from dashboard.server import Server
from operations import policy
from operations.database import Database
from operations.entry import Draft
from operations.policy import Identity
from operations.scope import CONFIGURATION, NOWHERE, Scope
from tests.dashboard.conftest import TOWNS, Proof
from tests.dashboard.test_channel import Glass, show
from tests.dashboard.test_live import opened, write
from tests.dashboard.wire import Wire, connected

TOWN = ("990101", TOWNS[0])
DUTY = ("wall", "desk", "heat", "quarantine", "orders", "upward", "handover", "pictures")
"""Pages of those on duty."""
ADMINISTRATION = [page for page in policy.PAGES if page not in DUTY]


def incident(name: str, kind: str, **values: object) -> Draft:
    """A grave incident at a point, with words and numbers that can be told apart in a frame."""
    made = opened(name, TOWN, clock.now())
    assert made.body is not None
    place = {"lon": 120.005, "lat": 30.005, "address": f"address of {name}", "number": f"no-{name}"}
    grave = {"urgency": "critical", "escalated_at": clock.now()}
    return structs.replace(made, body={"set": {**made.body["set"], "type": kind, **place, **grave, **values}})


async def pictured(wire: Wire, server: Server) -> tuple[Glass, str]:
    """Return what is on the screen now, and all that was sent for it."""
    glass: Glass = {}
    sent = ""
    while not glass or wire_behind(server):
        text = await wire.text()
        if "n" in orjson.loads(text):
            show(glass, text)
            sent += text
    return glass, sent


def wire_behind(server: Server) -> bool:
    return any(screen.sent < screen.channel.n for screen in server.parts.hub.screens)


@pytest.fixture
async def discreet(settings: Settings, valkey: str, furnished: Database) -> AsyncIterator[Server]:
    from dataclasses import replace

    made = Server(replace(settings, wall_hidden_types="01,0501", wall_dimmed_types="03"))
    await made.start()
    yield made
    await made.stop()


async def test_walls_hide_and_dim_by_rule_in_the_frames_themselves(
    discreet: Server, proof: Proof, database: Database
) -> None:
    write(database, incident("secret", "0101"), incident("dim", "0304"), incident("plain", "0202"))
    await discreet.parts.hub._flush()
    for who in ("wall", "duty_commander"):  # the rule is the page's, whoever opens it
        async with connected(discreet, "/live?page=wall&lang=en", proof(who)) as wire:
            glass, sent = await pictured(wire, discreet)
        for word in ("secret", "title of dim", "address of dim", "report_id"):
            assert word not in sent, (who, word)
        assert "title of plain" in sent and "Sensitive incident" in sent and TOWNS[0] in sent
        assert set(keys(glass, "markers")) == set(keys(glass, "alarms")) == {"dim", "plain"}
        assert sum(value for key, value in glass.items() if key[:2] == ("keyed", "heat")) == 2  # type: ignore[misc]
        assert glass["props", "wall-figure-critical-value", "children"] == "2"
    async with connected(discreet, "/live?page=desk&lang=en", proof("duty_commander")) as wire:
        glass, sent = await pictured(wire, discreet)
    assert set(keys(glass, "queue")) == {"secret", "dim", "plain"} and "title of dim" in sent


async def test_what_becomes_sensitive_leaves_the_wall_and_comes_back_whole(
    discreet: Server, proof: Proof, database: Database
) -> None:
    write(database, incident("a", "0202"))
    await discreet.parts.hub._flush()
    async with connected(discreet, "/live?page=wall&lang=en", proof("wall")) as wire:
        glass, _ = await pictured(wire, discreet)
        assert keys(glass, "markers") == ["a"]
        for kind, shown in (("0501", []), ("0202", ["a"])):
            body = {"set": {"type": kind}}
            write(database, structs.replace(incident("a", kind), action="incident.updated", body=body))
            await discreet.parts.hub._flush()
            while keys(glass, "markers") != shown:
                text = await wire.text()
                if "n" in orjson.loads(text):
                    show(glass, text)


def keys(glass: Glass, name: str) -> list[str]:
    return sorted(key[2] for key in glass if key[:2] == ("keyed", name))


def test_only_the_wall_is_discreet(settings: Settings) -> None:
    from dataclasses import replace

    shown = discretion.shown(replace(settings, wall_hidden_types="01,0501", wall_dimmed_types=""))
    town = Scope(TOWNS[0])
    assert shown("wall", town) == Scope(TOWNS[0], hidden=("01", "0501"))
    assert shown("desk", town) == town and discretion.shown(settings)("wall", town) == town


@pytest.mark.parametrize("role", policy.ADMINISTRATORS)
def test_administrators_screens_hold_no_incident(role: str) -> None:
    scope = policy.watched(Identity("account", "1", "a", role))
    assert scope == (CONFIGURATION if role == "system_admin" else NOWHERE)
    assert not scope.covers(TOWN, "police", "0202") and not scope.covers((), "", "")


async def test_administrators_pages_are_the_same_with_incidents_and_without(
    server: Server, proof: Proof, database: Database
) -> None:
    """Of every page that administrators may open, and of no other page may they open the channel at all."""
    allowed = [(role, page) for role in policy.ADMINISTRATORS for page in ADMINISTRATION if may(role, page)]
    assert {page for _, page in allowed} == set(ADMINISTRATION)
    assert not [(role, page) for role in policy.ADMINISTRATORS for page in DUTY if may(role, page)]
    before = {one: await glimpse(server, proof, *one) for one in allowed}
    write(database, *(incident(f"n{number}", "0202") for number in range(3)))
    await server.parts.hub._flush()
    for one in allowed:
        assert await glimpse(server, proof, *one) == before[one], one


def may(role: str, page: str) -> bool:
    return policy.allowed(Identity("account", "1", "a", role), policy.PAGES[page])


async def glimpse(server: Server, proof: Proof, role: str, page: str) -> dict[Any, Any]:
    """Return all that the page gets, but for the moments of the picture; and that its greeting counts no changes."""
    async with connected(server, f"/live?page={page}&lang=en&at=1", proof(role)) as wire:
        assert (await wire.json())["hello"]["changed"] == 0
        glass, _ = await pictured(wire, server)
    return {key: value for key, value in glass.items() if key[1] not in ("as_of", "oldest_at", "engine_away")}
