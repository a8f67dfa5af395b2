"""A lens counts what it says, slides by itself, is shared by who looks through it too, and never takes all the room."""

from collections.abc import AsyncIterator
from math import inf
from typing import TYPE_CHECKING, Any

import pytest

from config import clock
from dashboard import live
from dashboard.channel import Channel, Topic
from dashboard.frame import State, apply, encode
from dashboard.lens import REFRESH, WIDE, Lens, WrongLens, groups
from dashboard.live import Crowded, Hub
from dashboard.panels import map
from dashboard.picture import HEAT, Picture, Rows, Touched
from operations.board import Board
from operations.scope import WHOLE, Scope
from tests.dashboard.panel_board import MINUTE, NOW, WORDS, board, incident
from tests.dashboard.test_live import Bell, Watcher, new
from tests.dashboard.wire import Closed, connected

if TYPE_CHECKING:
    from dashboard.server import Server
    from operations.database import Database
    from tests.dashboard.conftest import Proof

FIRE, NOISE = "0301", "0207"


def place(leaf: str) -> dict[str, Any]:
    return {"grid": leaf, "chain": ("990101", "990101001", leaf)}


def city() -> Board:
    """Three reports in three grids: a fresh critical one, an hour-old and a closed routine one of another group."""
    return board(
        incident("a", type=FIRE, urgency="critical", minutes=2, **place("g1")),
        incident("b", type=NOISE, minutes=50, **place("g2")),
        incident("c", type=NOISE, minutes=3 * 24 * 60, step="closed", **place("g3")),
    )


@pytest.mark.parametrize(
    ("lens", "counts"),
    [
        (WIDE, {"g1": 1, "g2": 1}),
        (Lens("15m"), {"g1": 1}),
        (Lens("1h"), {"g1": 1, "g2": 1}),
        (Lens("7d"), {"g1": 1, "g2": 1, "g3": 1}),
        (Lens("open"), {"g1": 1, "g2": 1}),
        (Lens("7d", type="02"), {"g2": 1, "g3": 1}),
        (Lens("7d", type="02", urgency="critical"), {}),
        (Lens("24h", urgency="critical"), {"g1": 1}),
    ],
)
def test_heat_and_total_count_what_the_lens_says(lens: Lens, counts: dict[str, int]) -> None:
    found = city()
    assert map.heat(found, NOW, None, lens) == counts
    assert map.heat(found, NOW, ["g1", "g2", "g3"], lens) == dict.fromkeys(("g1", "g2", "g3")) | counts
    told = map.render(found, NOW, WORDS, lens)
    total = f"{sum(counts.values())}"
    assert told["wall-map-total"]["children"] == WORDS.text("wall.map.total", placed=total, total=total)


def test_marks_are_the_same_through_every_lens() -> None:
    found = city()
    assert map.markers(found, NOW, None, Lens("15m", type="09")) == map.markers(found, NOW)


def test_a_lens_that_is_not_the_default_is_said_apart() -> None:
    usual = map.render(city(), NOW, WORDS)["wall-map-lens"]
    narrow = map.render(city(), NOW, WORDS, Lens("1h", "03", "critical"))["wall-map-lens"]
    assert usual == {
        "children": "近 24 小时来件", "className": "legend-lens",
        "data-heat": "24h", "data-type": "all", "data-urgency": "all",
    }  # fmt: skip
    assert narrow["children"] == "热力只看：近 1 小时来件 · 公共安全 · 特急"
    assert "is-set" in narrow["className"]


def test_an_address_says_what_is_not_the_default() -> None:
    assert Lens.asked({}) == WIDE
    assert Lens.asked({"heat": "1h", "type": "03", "urgency": "critical"}) == Lens("1h", "03", "critical")
    assert Lens("1h", "03").types == groups()["03"] >= {"03", FIRE}


@pytest.mark.parametrize("query", [{"heat": "2h"}, {"heat": ""}, {"type": "0301"}, {"type": "77"}, {"urgency": "特急"}])
def test_a_wrong_value_is_refused_by_the_name_of_its_parameter(query: dict[str, str]) -> None:
    name = next(iter(query))
    with pytest.raises(WrongLens, match=f"^{name}: one of "):
        Lens.asked(query)


@pytest.mark.parametrize("window", REFRESH)
def test_a_window_is_counted_again_as_often_as_it_slides(window: str) -> None:
    part = next(one for one in Picture([map], WORDS, Lens(window))._parts if isinstance(one, Rows) and one._key == HEAT)
    part.draw(city(), NOW, {}, WORDS)
    again = part._must_at - clock.monotonic()
    assert again == inf if window == "open" else again <= REFRESH[window] <= 60


def test_a_quarter_of_an_hour_fades_without_any_entry() -> None:
    found, state, picture = city(), State(), Picture([map], WORDS, Lens("15m"))
    apply(state, picture.draw(found, NOW, state, Touched()))
    assert state["keyed", "heat", "g1"] == encode(1)
    for part in picture._parts:
        part._may_at = part._must_at = 0.0
        if isinstance(part, Rows):
            part._whole_at = 0.0
    apply(state, picture.draw(found, NOW + 15 * MINUTE, state, Touched()))
    assert ("keyed", "heat", "g1") not in state


# ---- the hub ----


@pytest.fixture
async def hub(database: "Database") -> AsyncIterator[Hub]:
    made = Hub(database, Bell(), {"wall": (map,), "quarantine": ()}, city=WORDS.city)
    await made.start()
    yield made
    await made.stop()


async def watch(hub: Hub, lens: Lens = WIDE, scope: Scope = WHOLE) -> Watcher:
    return Watcher(await hub.join(Topic(scope, "wall", "zh", lens), new))


async def test_screens_with_the_same_lens_share_their_channel(hub: Hub) -> None:
    one, same, other = [await watch(hub, lens) for lens in (Lens("1h"), Lens("1h"), Lens("7d"))]
    assert one.screen.channel is same.screen.channel
    assert one.screen.channel is not other.screen.channel
    assert one.look()["props", "wall-map-lens", "data-heat"] == "1h"


async def test_only_pages_with_a_map_have_lenses(hub: Hub) -> None:
    assert hub.lensed("wall")
    assert not hub.lensed("quarantine")


async def test_lenses_leave_room_for_walls_as_they_come(hub: Hub, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(live, "MOST_LENSES", 1)
    await watch(hub, Lens("1h"))
    with pytest.raises(Crowded):
        await watch(hub, Lens("7d"))
    await watch(hub)


async def test_a_channel_nobody_watches_gives_way_and_its_counter_goes_on(
    hub: Hub, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(live, "MOST_LENSES", 1)
    monkeypatch.setattr(live, "MOST_CHANNELS", 2)
    await watch(hub)
    left = await watch(hub, Lens("1h"))
    ended = left.screen.channel.n
    hub.leave(left.screen)
    taken = await watch(hub, Lens("7d"))
    hub.leave(taken.screen)
    back = await watch(hub, Lens("1h"))
    assert back.screen.channel is not left.screen.channel
    assert back.screen.channel.n > ended


async def test_a_channel_being_drawn_for_the_first_time_does_not_give_way(
    hub: Hub, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(live, "MOST_LENSES", 1)
    topic = Topic(WHOLE, "wall", "zh", Lens("1h"))
    hub._drawn[topic] = live.Drawn(Channel(topic), Picture([map], WORDS, topic.lens))
    with pytest.raises(Crowded):
        await watch(hub, Lens("7d"))


# ---- the socket ----


@pytest.mark.parametrize("query", ["heat=2h", "type=0301", "urgency=all&type="])
async def test_a_wrong_lens_closes_the_socket_with_a_code_of_its_own(
    server: "Server", proof: "Proof", query: str
) -> None:
    async with connected(server, f"/live?page=wall&{query}", proof("operator")) as wire:
        with pytest.raises(Closed) as closed:
            await wire.json()
    assert closed.value.code == 4422


async def test_no_room_for_a_lens_has_a_code_of_its_own(
    server: "Server", proof: "Proof", monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(live, "MOST_LENSES", 0)
    async with connected(server, "/live?page=desk&heat=1h", proof("operator")) as wire:
        with pytest.raises(Closed) as closed:
            await wire.json()
    assert closed.value.code == 4429


async def test_a_page_without_a_map_takes_any_lens_for_the_default(server: "Server", proof: "Proof") -> None:
    async with connected(server, "/live?page=quarantine&heat=2h", proof("operator")) as wire:
        assert "hello" in await wire.json()
        topics = [one.channel.topic for one in server.parts.hub.screens]
        assert [topic.lens for topic in topics] == [WIDE]
