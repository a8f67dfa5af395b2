"""The loop 闭环: what people do to an incident on its way through the steps of its flow.

`Commands.loop` is one. Each command asks permission, scope and revision, changes by a pure step (`moves`, `overlay`)
and writes one entry. Striking off different items, adding one and evaluating clobber nothing and compare no revision.

For others: `flow.of`, `flow.standing` and `moves.possible` say where an incident stands and what it can do; what an
order does to its incident is `operations.orders.matter.by_flow`. Every change of an incident passes `Commands.write`.
"""

from collections.abc import Callable, Sequence
from typing import Any, Protocol

from config import flows as files
from config.flow import Flow
from config.flow import Step as At
from config.flows import Flows
from operations import journal
from operations.contacts import dutylist
from operations.database import Database
from operations.errors import need
from operations.incident import STEPS, Incident
from operations.incidents import flow, moves, overlay, rows
from operations.incidents.moves import Asked
from operations.incidents.step import Step
from operations.policy import Identity, allowed, reach, require

Admits = Callable[[str, str, Sequence[str]], bool]
"""The item-access rule 准入: (department, type, chain of grids) -> whether it may be given that there."""


class Writer(Protocol):
    """What the commands lend: one change of one incident."""

    def run(
        self,
        identity: Identity,
        permission: str,
        incident_id: str,
        revision: int | None,
        step: Callable[[Incident, int], Step],
    ) -> Incident:
        """Change one incident by a step, in a transaction of its own."""


class Loop:
    """The commands of the loop on one database."""

    def __init__(
        self,
        writer: Writer,
        database: Database,
        *,
        flows: Callable[[], Flows] = files.current,
        admits: Admits | None = None,
    ) -> None:
        self._writer = writer
        self._database = database
        self.flows = flows
        self.admits = admits or self._listed

    def _listed(self, department: str, kind: str, chain: Sequence[str]) -> bool:
        """Ask the duty list 责任清单."""
        with self._database.read() as connection:
            return dutylist.admits(connection, department, kind, chain)

    def of(self, incident: Incident) -> Flow:
        """Return the flow of an incident."""
        return flow.of(self.flows(), incident)

    def standing(self, incident: Incident) -> At:
        """Return the step of its flow an incident stands at."""
        return flow.standing(self.of(incident), incident)

    def move(self, identity: Identity, incident_id: str, revision: int, code: str, asked: Asked) -> Incident:
        """Make a move of its flow; who may is said by the move. Raises Forbidden, NotFound, Conflict, Refused."""

        def step(incident: Incident, now: int) -> Step:
            own = self.of(incident)
            found = own.move(code)
            need(found is not None, "loop.no_such_move")
            assert found is not None
            require(identity, f"incident.{found.action}")
            given = self._asked(identity, incident, asked)
            return moves.made(own, incident, code, given, now, identity.name)

        return self._writer.run(identity, self._right(identity, code), incident_id, revision, step)

    def _right(self, identity: Identity, code: str) -> str:
        """The right under which an incident is looked for; the move's own is asked again when its flow is known."""
        actions = {
            f"incident.{one.action}" for each in self.flows().by_code.values() if (one := each.move(code)) is not None
        }
        held = sorted(action for action in actions if allowed(identity, action))
        return (held or sorted(actions) or ["incident.move"])[0]

    def _asked(self, identity: Identity, incident: Incident, asked: Asked) -> Asked:
        admitted = not asked.department or self.admits(asked.department, incident.type, incident.chain)
        waives = allowed(identity, "incident.approve")
        return Asked(asked.text, asked.result, asked.department, asked.follow_up, asked.satisfaction, admitted, waives)

    def undo(self, identity: Identity, incident_id: str, revision: int) -> Incident:
        """Take one's own last move back while nothing followed it. Raises Refused when that is over."""
        scope = reach(identity, "incident.handle")
        with self._database.read() as connection:
            rows.find(connection, scope, incident_id)
            entries = [entry for entry, _ in journal.of_subject(connection, incident_id)]
        last = entries[-1]
        own = last.action == "incident.moved" and last.actor == identity.actor and last.revision == revision

        def step(incident: Incident, now: int) -> Step:
            need(own, "loop.no_undo")
            return moves.undone(incident, last.body or {}, last.at, now)

        return self._writer.run(identity, "incident.handle", incident_id, revision, step)

    def choose(self, identity: Identity, incident_id: str, revision: int, code: str) -> Incident:
        """Have an incident take another flow, before it is handled. Raises Refused."""

        def step(incident: Incident, now: int) -> Step:
            need(incident.is_open, "operations.closed")
            need(code in self.flows().by_code, "loop.no_such_flow")
            need(STEPS.index(incident.step) < STEPS.index("handle"), "loop.handled")
            chosen = self.flows().get(code)
            need(self.of(incident).code != code, "loop.same_flow")
            return Step("incident.flow_chosen", flow.at(chosen.steps[0], now) | {"flow": code}, code)

        return self._writer.run(identity, "incident.move", incident_id, revision, step)

    def transfer(self, identity: Identity, incident_id: str, revision: int, department: str, text: str) -> Incident:
        """Give it to another department 转办, where that is admitted 准入."""

        def step(incident: Incident, _now: int) -> Step:
            admitted = self.admits(department, incident.type, incident.chain)
            return overlay.transferred(incident, department, admitted, text)

        return self._writer.run(identity, "incident.transfer", incident_id, revision, step)

    def suspend(self, identity: Identity, incident_id: str, revision: int, text: str) -> Incident:
        """Hold it 挂起, with the reason."""
        return self._writer.run(
            identity, "incident.move", incident_id, revision, lambda one, now: overlay.suspended(one, text, now)
        )

    def resume(self, identity: Identity, incident_id: str, revision: int, text: str = "") -> Incident:
        """Go on 恢复."""
        return self._writer.run(
            identity, "incident.move", incident_id, revision, lambda one, _now: overlay.resumed(one, text)
        )

    def ask(self, identity: Identity, incident_id: str, revision: int, minutes: int, text: str) -> Incident:
        """Ask for more time 申请延期."""
        return self._writer.run(
            identity, "incident.ask", incident_id, revision, lambda one, _now: overlay.asked(one, minutes, text)
        )

    def rule(self, identity: Identity, incident_id: str, revision: int, approve: bool, text: str = "") -> Incident:
        """Approve or refuse the extension: approved, its clock for closing is due so much later."""

        def step(incident: Incident, now: int) -> Step:
            made = overlay.ruled(incident, approve, text)
            by = incident.extension_minutes * moves.MINUTE if approve else 0
            later = moves.postponed(incident.clocks, "close", by, now) if by else incident.clocks
            more: dict[str, Any] = {"clocks": later} if later != incident.clocks else {}
            return Step(made.action, made.changes | more, made.reason, made.words)

        return self._writer.run(identity, "incident.approve", incident_id, revision, step)

    def grade(self, identity: Identity, incident_id: str, revision: int, grade: str, text: str = "") -> Incident:
        """Set the grade 事件等级, "" takes it away."""
        return self._writer.run(
            identity, "incident.grade", incident_id, revision, lambda one, _now: overlay.graded(one, grade, text)
        )

    def add(self, identity: Identity, incident_id: str, text: str) -> Incident:
        """Add an item of one's own to the strike-off list."""
        return self._writer.run(
            identity, "incident.handle", incident_id, None, lambda one, _now: overlay.added(self.of(one), one, text)
        )

    def strike(self, identity: Identity, incident_id: str, code: str, *, back: bool = False) -> Incident:
        """Strike an item off 销号, or take that back."""

        def step(incident: Incident, now: int) -> Step:
            return overlay.struck(self.of(incident), incident, code, now, identity.name, back=back)

        return self._writer.run(identity, "incident.handle", incident_id, None, step)

    def evaluate(self, identity: Identity, incident_id: str, score: int, text: str = "") -> Incident:
        """Say as who set it off how it was handled 谁吹哨谁评价."""

        def step(incident: Incident, _now: int) -> Step:
            return overlay.evaluated(self.of(incident), incident, score, identity.actor, text)

        return self._writer.run(identity, "incident.evaluate", incident_id, None, step)
