"""What a shift 值班 needs on its page: hand-overs, the duty log, who is on duty and what was done."""

from collections.abc import Callable
from datetime import tzinfo

from config import clock
from dashboard import access
from dashboard.area import Area
from operations import shiftwork
from operations.database import AfterCommit, Database
from operations.dutylog import DutyLog
from operations.handover import Handovers
from operations.seal import KeyStore
from operations.shiftwork import Figures, Shift


class Shiftbook:
    """One per web process; `handovers` and `log` are the domain's commands, each wants the identity first."""

    def __init__(
        self, database: Database, keys: KeyStore, ring: AfterCommit, *, zone: tzinfo, area: Callable[[], Area | None]
    ) -> None:
        def chain(code: str) -> tuple[str, ...]:
            known = area()
            return () if known is None else known.chains.get(code, ())

        self._database = database
        self._zone = zone
        self.handovers = Handovers(database, keys, ring, zone=zone, chain=chain)
        self.log = DutyLog(database, keys, ring, chain=chain)

    def running(self) -> Shift:
        """Return the shift that runs for whoever asks. Raises Forbidden."""
        return shiftwork.running(self._database, access.current(), self._zone, clock.now())

    def figures(self, since: int, until: int) -> Figures:
        """Return what was done in a stretch of time. Raises Forbidden."""
        return shiftwork.figures(self._database, access.current(), since, until)
