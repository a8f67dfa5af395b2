"""The demo's operators 演示值班员: they acknowledge and close what the demo reports, so that open numbers stay true.

What they do follows from the incident alone (its report's id), so it is the same after a restart. They act through the
same commands as people do, under names that say what they are, and touch only what came from the demo's sources.
"""

import random
from collections.abc import Callable, Iterator
from typing import NamedTuple

from config.flow import Flow, Move
from operations import journal
from operations.board import Board, apply
from operations.commands import Commands
from operations.database import Database
from operations.errors import Conflict, NotFound, Refused
from operations.incident import STEPS, Incident
from operations.incidents import flow, moves, overlay
from operations.policy import Identity
from streams.demo.sources import BY_ID

SECOND = 1_000_000
NAMES = ("演示值班员一", "演示值班员二", "演示值班员三", "演示值班员四")
MOST_AT_ONCE = 40
"""Commands in one step, so that people's own commands are not kept waiting."""
ACKNOWLEDGE_MEDIAN_S = {"critical": 35.0, "urgent": 40.0, "routine": 48.0}
OVERLOOKED_SHARE, OVERLOOKED_S = 0.02, (1900.0, 4200.0)
"""A few urgent ones wait too long, as in life; never the gravest."""
CLOSE_MEAN_S, CLOSE_LEAST_S = 4200.0, 600.0
LONG_SHARE, LONG_S = 0.012, (4 * 3600.0, 16 * 3600.0)
BEGUN_SHARE = 0.3
"""How much of the work is over when somebody begins to handle it."""
RESULTS = (("resolved", 88), ("transferred", 5), ("duplicate", 4), ("untrue", 3))
WORDS = {
    "resolved": "演示：现场已处置完毕。",
    "transferred": "演示：已转主管部门办理。",
    "duplicate": "演示：与已受理事件重复。",
    "untrue": "演示：现场核实情况不属实。",
}


class Plan(NamedTuple):
    """What the demo's operators will do with an incident, in seconds after it was received."""

    acknowledge_s: float
    handle_s: float
    close_s: float
    name: str
    result: str


def plan(incident: Incident, pace: float = 1.0) -> Plan:
    """The plan for an incident; at a higher pace everything goes faster, so that the open number stays the same."""
    chance = random.Random(f"duty {incident.report_id}")
    acknowledge = ACKNOWLEDGE_MEDIAN_S[incident.urgency] * chance.lognormvariate(0.0, 0.5)
    if incident.urgency == "urgent" and chance.random() < OVERLOOKED_SHARE:
        acknowledge = chance.uniform(*OVERLOOKED_S)
    work = CLOSE_LEAST_S + chance.expovariate(1 / CLOSE_MEAN_S)
    if chance.random() < LONG_SHARE:
        work = chance.uniform(*LONG_S)
    result = chance.choices([word for word, _ in RESULTS], [share for _, share in RESULTS])[0]
    begun = acknowledge + work * BEGUN_SHARE
    return Plan(acknowledge / pace, begun / pace, (acknowledge + work) / pace, chance.choice(NAMES), result)


def identity(name: str) -> Identity:
    """Who acts: not an account, and named as what it is."""
    return Identity("demo", name, name, "operator")


class Duty:
    """Follows the journal and does what is due; one per demo."""

    def __init__(self, database: Database, commands: Commands, board: Board, pace: float) -> None:
        self._database, self._commands, self._board, self._pace = database, commands, board, pace

    def step(self, now: int) -> int:
        """Catch up with the journal and carry out what is due at `now`; returns the number of commands."""
        self._follow()
        done = 0
        for act in self._due(now):
            try:
                act()
            except (Conflict, NotFound, Refused):
                continue  # somebody was faster, which is as it should be
            done += 1
            if done == MOST_AT_ONCE:
                break
        return done

    @property
    def board(self) -> Board:
        """The board as it was at the last step."""
        return self._board

    def _follow(self) -> None:
        while entries := journal.read(self._database, self._board.seq):
            for entry in entries:
                apply(self._board, entry)

    def _due(self, now: int) -> Iterator[Callable[[], Incident]]:
        """What is due, the gravest and then the longest waiting first."""
        open_ones = [one for one in self._board.incidents.values() if one.is_open and one.source in BY_ID]
        for incident in sorted(open_ones, key=lambda one: (one.urgency != "critical", one.received_at)):
            planned = plan(incident, self._pace)
            waited = (now - incident.waiting_since) / SECOND
            if incident.acknowledged_at is None and waited >= planned.acknowledge_s:
                yield self._acknowledge(incident, planned)
            elif incident.acknowledged_at is not None and waited >= planned.close_s:
                yield self._close(incident, planned)
            elif incident.acknowledged_at is not None and waited >= planned.handle_s and not _handled(incident):
                yield self._onward(incident, planned, "handle")

    def _acknowledge(self, incident: Incident, planned: Plan) -> Callable[[], Incident]:
        return lambda: self._commands.acknowledge(identity(planned.name), incident.id, incident.revision)

    def _close(self, incident: Incident, planned: Plan) -> Callable[[], Incident]:
        words, own = WORDS[planned.result], self._commands.loop.of(incident)
        at_once = flow.standing(own, incident).code in own.short
        if not at_once or flow.follow_up_due(own, incident, planned.result):
            return self._onward(incident, planned)
        return lambda: self._commands.close(
            identity(planned.name), incident.id, incident.revision, planned.result, words
        )

    def _onward(self, incident: Incident, planned: Plan, most: str = "closed") -> Callable[[], Incident]:
        """The next step of its flow, no further than `most`; an item of its list that is still to be struck off."""
        who, loop = identity(planned.name), self._commands.loop
        own = loop.of(incident)
        left = [one.code for one in overlay.listed(own, incident) if one.struck_at is None]
        if left and _handled(incident):
            return lambda: loop.strike(who, incident.id, left[0])
        ahead = [one for one in moves.possible(own, incident) if _at(incident) <= _kind(own, one) <= STEPS.index(most)]
        code = max(ahead, key=lambda one: _kind(own, one)).code if ahead else ""
        asked = moves.Asked(WORDS[planned.result], planned.result, incident.department, "reached", 5)
        return lambda: loop.move(who, incident.id, incident.revision, code, asked)


def _at(incident: Incident) -> int:
    return STEPS.index(incident.step)


def _handled(incident: Incident) -> bool:
    return _at(incident) >= STEPS.index("handle")


def _kind(own: Flow, move: Move) -> int:
    target = own.step(move.to)
    return -1 if target is None or move.action == "approve" else STEPS.index(target.kind)
