"""Stories: random days at the desk as hypothesis draws them, played on a real database."""

from collections.abc import Callable
from contextlib import suppress

from hypothesis import strategies as st

from config.taxonomy import URGENCIES
from operations import cursors, datums, duties, grids, quarantine, rederiving, retention, sources, walls
from operations.datums import Evidence
from operations.duties import Card, Duty
from operations.epoch import new_epoch
from operations.errors import OperationsError
from operations.grids import GridRow
from operations.policy import SYSTEM, Identity
from operations.report import Located
from tests.operations import order_story
from tests.operations.desk import COMMANDER, DAY, HOUR, LEAVES, MINUTE, RULES, SECOND, Desk, chain, refusal, report

TYPES = (*RULES.department_of, "0999")
ADMINISTRATOR = Identity("account", "a1", "admin", "system_admin")
EVIDENCE = Evidence("WGS84", "GCJ02", 80, 11, 76, 560.0, 280.0)
Step = tuple[str, int, int, int]  # what, which incident, and two numbers that choose the details

STORIES = st.lists(
    st.tuples(
        st.sampled_from(
            ["open"] * 4
            + ["update"] * 3
            + ["stale", "gone", "again", "conflict", "refuse", "acknowledge", "acknowledge", "note", "urgency", "close"]
            + ["close", "reopen", "place", "escalate", "source", "wall", "discard", "wait", "wait", "unseal", "forget"]
            + ["epoch", "distinct", "datum", "datum", "proposed", "fire"]
            + ["order", "order", "receipt", "receipt", "receipt", "order_change", "order_change", "order_reply"]
        ),
        st.integers(0, 5),
        st.integers(0, 11),
        st.integers(0, 5),
    ),
    max_size=25,
)


def play(desk: Desk, story: list[Step]) -> None:
    """Play a story; what the rules refuse simply does not happen."""
    for number, (what, which, one, two) in enumerate(story, 10):
        with suppress(OperationsError):
            STEPS[what](desk, f"R{which}", number, one, two)


def _open(desk: Desk, name: str, number: int, one: int, two: int) -> None:
    leaf = (*LEAVES, "", "")[two]
    received = desk.now - (0, MINUTE, HOUR, DAY)[one % 4]
    kind, urgency = TYPES[one % len(TYPES)], URGENCIES[two % 3]
    desk.send(report(name, str(number), type=kind, urgency=urgency, grid_code=leaf, received_at=received, place=None))


def _update(desk: Desk, name: str, number: int, one: int, two: int) -> None:
    title = f"标题 {one}"
    desk.send(
        report(name, str(number), title=title, type=TYPES[two % 4], urgency=URGENCIES[one % 3], received_at=desk.now)
    )


def _stale(desk: Desk, name: str, number: int, one: int, two: int) -> None:
    desk.send(report(name, "0", title="旧"))


def _gone(desk: Desk, name: str, number: int, one: int, two: int) -> None:
    desk.send(report(name, str(number), presence="gone"))


def _again(desk: Desk, name: str, number: int, one: int, two: int) -> None:
    desk.send(report(name, str(number)), report(name, str(number)), stream_id=f"{desk.stream}-{two % 2}")


def _conflict(desk: Desk, name: str, number: int, one: int, two: int) -> None:
    desk.send(report(name, str(number)), report(name, str(number), title="别的"))


def _refuse(desk: Desk, name: str, number: int, one: int, two: int) -> None:
    desk.send(refusal(b"%d" % one))


def _id(desk: Desk, name: str) -> tuple[str, int]:
    """Id and revision of the incident a report opened, also when it has left the board."""
    for entry in desk.entries():
        if entry.action == "incident.opened" and entry.body and entry.body["set"]["report_id"] == name:
            return entry.subject_id, desk.stored(entry.subject_id).revision
    return "", 0


def _acknowledge(desk: Desk, name: str, number: int, one: int, two: int) -> None:
    desk.commands.acknowledge(COMMANDER, *_id(desk, name))


def _note(desk: Desk, name: str, number: int, one: int, two: int) -> None:
    desk.commands.note(COMMANDER, *_id(desk, name), "看过了")


def _urgency(desk: Desk, name: str, number: int, one: int, two: int) -> None:
    desk.commands.urgency(COMMANDER, *_id(desk, name), URGENCIES[two % 3])


def _close(desk: Desk, name: str, number: int, one: int, two: int) -> None:
    desk.commands.close(COMMANDER, *_id(desk, name), "resolved")


def _reopen(desk: Desk, name: str, number: int, one: int, two: int) -> None:
    desk.commands.reopen(COMMANDER, *_id(desk, name), "又坏了")


def _place(desk: Desk, name: str, number: int, one: int, two: int) -> None:
    desk.commands.place(COMMANDER, *_id(desk, name), grid=LEAVES[two % 4])


def _fire(desk: Desk, name: str, number: int, one: int, two: int) -> None:
    desk.firing.step(desk.tick((MINUTE, HOUR, DAY)[two % 3]))


def _distinct(desk: Desk, name: str, number: int, one: int, two: int) -> None:
    other, _ = _id(desk, f"R{one % 6}")
    desk.commands.distinct(COMMANDER, _id(desk, name)[0], [other], same=two % 2 == 1)


def _datum(desk: Desk, name: str, number: int, one: int, two: int) -> None:
    """Its source turns out to send in another datum: in one of them points lie in no grid, or in another."""

    def convert(lon: float, lat: float, datum: str) -> tuple[float, float]:
        return (lon - 0.006, lat + 0.001) if datum == "GCJ02" else (lon, lat)

    def located(lon: float, _lat: float, _code: str) -> Located:
        leaf = LEAVES[one % 4] if lon < 113.503 else ""
        return Located(leaf, chain(leaf) if leaf else (), "" if leaf else LEAVES[0], 0.0 if leaf else 50.0)

    ids, datum = [_id(desk, name)[0]], ("WGS84", "GCJ02")[two % 2]
    rederiving.rederive(desk.database, ids, datum, convert=convert, locate=located, now=desk.tick())


def _proposed(desk: Desk, name: str, number: int, one: int, two: int) -> None:
    if two % 2:
        datums.keep(desk.database, ADMINISTRATOR, "hotline", now=desk.tick())
    else:
        datums.propose(desk.database, "hotline", EVIDENCE, now=desk.tick())


def _escalate(desk: Desk, name: str, number: int, one: int, two: int) -> None:
    desk.commands.escalate(desk.tick(), 60)


def _source(desk: Desk, name: str, number: int, one: int, two: int) -> None:
    if one == 0:
        sources.add(desk.database, SYSTEM, sources.Source("hotline", "12345 热线"), now=desk.tick())
    elif one % 3 == 0:
        cursors.mark(desk.database, "hotline", ("timeout", "", "status")[two % 3], now=desk.tick())
    else:
        sources.mark(desk.database, "hotline", silent=one % 2 == 0, now=desk.tick())


def _wall(desk: Desk, name: str, number: int, one: int, two: int) -> None:
    action = (walls.STUCK, walls.RECOVERED, walls.STUCK, walls.GONE)[one % 4]
    walls.mark(desk.database, f"wall{two}", action, now=desk.tick())


def _discard(desk: Desk, name: str, number: int, one: int, two: int) -> None:
    for item in quarantine.listed(desk.database, COMMANDER)[:1]:
        end = quarantine.discard if two % 2 else quarantine.resubmit
        end(desk.database, COMMANDER, item.id, "不需要", now=desk.tick())


def _wait(desk: Desk, name: str, number: int, one: int, two: int) -> None:
    desk.tick((SECOND, MINUTE, 50 * MINUTE, HOUR, 26 * HOUR, 9 * DAY)[two])


def _unseal(desk: Desk, name: str, number: int, one: int, two: int) -> None:
    desk.commands.unseal(COMMANDER, _id(desk, name)[0], "核实")


def _forget(desk: Desk, name: str, number: int, one: int, two: int) -> None:
    retention.destroy_keys(desk.database, desk.keys, SYSTEM, [_id(desk, name)[0]], "rule", now=desk.tick())


def _epoch(desk: Desk, name: str, number: int, one: int, two: int) -> None:
    new_epoch(desk.database, "restored", now=desk.tick())


def _grids(desk: Desk, name: str, number: int, one: int, two: int) -> None:
    """A version now or later, withdrawn, gone back to, begun; a card: nothing of it changes what a scope sees."""
    match one % 5:
        case 0:
            row = GridRow(LEAVES[0], f"网格 {number}", "general", 4, "", b"\x01")
            later = None if two % 2 else desk.now + HOUR
            grids.import_grids(desk.database, SYSTEM, [row], f"d{two}", now=desk.tick(), valid_from=later)
        case 1:
            grids.withdraw(desk.database, SYSTEM, two, now=desk.tick())
        case 2:
            grids.restore(desk.database, SYSTEM, two, now=desk.tick())
        case 3:
            grids.begin(desk.database, now=desk.tick())
        case _:
            duties.change_all(
                desk.database, SYSTEM, [Card(LEAVES[two % 4], (Duty("post", str(number)),))], now=desk.tick()
            )


def _order(desk: Desk, name: str, number: int, one: int, two: int) -> None:
    """An order about an incident, or about none."""
    incident = _id(desk, name)[0] if one % 3 else ""
    sender = order_story.SENDERS[two % 3]
    order_story.orders_of(desk).send(sender, order_story.draft(one, two, incident))


def _receipt(desk: Desk, name: str, number: int, one: int, two: int) -> None:
    if desk.board().orders:
        order_story.receipt(desk, number, one, two)


def _order_change(desk: Desk, name: str, number: int, one: int, two: int) -> None:
    if desk.board().orders:
        order_story.change(desk, number, one, two)


def _order_reply(desk: Desk, name: str, number: int, one: int, two: int) -> None:
    if desk.board().orders:
        order_story.reply(desk, number, one, two)


STEPS: dict[str, Callable[[Desk, str, int, int, int], None]] = {
    name.removeprefix("_"): step for name, step in list(globals().items()) if name.startswith("_") and callable(step)
}
