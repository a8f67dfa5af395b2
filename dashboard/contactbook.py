"""The address book 通讯录, roster and duty list as pages use them: in the name of whoever asks, numbers masked where
the role wants it.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import tzinfo
from pathlib import Path

from msgspec import structs

from config import clock, taxonomy
from config.departments import Department
from dashboard import access, contactlists, responsibility
from dashboard.area import Area
from dashboard.contactlists import COLUMNS, Listed, Standing
from dashboard.enlistbook import fitting, names_of, rows_of
from dashboard.personnel import Known, Line
from dashboard.uploads import Uploads
from operations import departments
from operations.contacts import cards, dutylist, roster
from operations.contacts.cards import Card, Kind, Person, Team
from operations.contacts.dutylist import Finding
from operations.contacts.dutylist import Line as Duty
from operations.contacts.index import KINDS, Directory, Hit
from operations.contacts.roster import Shift, Trouble
from operations.database import AfterCommit, Database
from operations.errors import NotFound, Refused
from operations.policy import allowed, reach, require
from streams.tables import child

LIST_MOST = 20_000
"""Lines of one list."""
PERMISSIONS = {
    "person": "directory.manage",
    "team": "directory.manage",
    "shift": "roster.manage",
    "duty": "responsibility.manage",
}


@dataclass(frozen=True)
class Week:
    """A stretch of the roster: its shifts, the cards of who is in it, and what is wrong with it."""

    since: int
    until: int
    shifts: Sequence[Shift]
    people: Mapping[str, Card]
    troubles: Sequence[Trouble]


class Contactbook:
    """One per web process; `area` gives the grids in force, `folder` is DATA/uploads."""

    def __init__(
        self, database: Database, ring: AfterCommit, area: Callable[[], Area | None], folder: Path, zone: tzinfo
    ) -> None:
        self._database = database
        self._ring = ring
        self._area = area
        self._uploads = Uploads(folder)
        self._zone = zone
        self.directory = Directory(database)

    # ---- the address book ----

    def find(self, text: str, kinds: Sequence[str] = KINDS, limit: int = 20, department: str = "") -> list[Hit]:
        """Return departments, teams and people nearest to a name, pinyin, initials, post or department, the nearest
        first; `Hit.wanted(role)` is one as a recipient of an order. Raises Forbidden.
        """
        return self.directory.find(access.current(), text, kinds, limit, department)

    def departments(self) -> list[Department]:
        """Return the living departments in screen order. Raises Forbidden."""
        require(access.current(), "directory.read")
        return [one for one in departments.every(self._database).values() if not one.ended]

    def card(self, kind: Kind, card_id: str) -> Card:
        """Return a card, its numbers masked where the role wants it. Raises Forbidden, NotFound."""
        return cards.read(self._database, access.current(), kind, card_id)

    def numbers(self, kind: Kind, card_id: str, reason: str) -> dict[str, str]:
        """Return the whole numbers of one card, for a reason that is written down. Raises as above, and Refused."""
        now = clock.now()
        return cards.numbers(self._database, access.current(), kind, card_id, reason, now=now, after_commit=self._ring)

    def keep(self, card: Card, account_name: str = "") -> Card:
        """Add or change a card; a person's account by its name. Raises Forbidden, NotFound, Refused."""
        require(access.current(), "directory.manage")
        self._check_grid(card.grid)
        if isinstance(card, Person):
            held = self._accounts().get(account_name, "nobody") if account_name else ""
            card = structs.replace(card, account=held)
        return cards.keep(self._database, access.current(), card, now=clock.now(), after_commit=self._ring)

    def account_name(self, account_id: str) -> str:
        """Return what the account that answers for somebody is called; "" for none."""
        require(access.current(), "directory.read")
        return next((name for name, held in self._accounts().items() if held == account_id), "") if account_id else ""

    def end(self, kind: Kind, card_id: str, revision: int) -> None:
        """End a card. Raises Forbidden, NotFound, Refused."""
        now = clock.now()
        cards.end(self._database, access.current(), kind, card_id, revision, now=now, after_commit=self._ring)

    # ---- the roster ----

    def week(self, since: int, until: int) -> Week:
        """Return a stretch of the roster as far as whoever asks sees it. Raises Forbidden."""
        identity = access.current()
        scope = reach(identity, "directory.read")
        with self._database.read() as connection:
            shifts = roster.planned(connection, scope, since, until)
            people = cards.of(connection, {one.person for one in shifts})
        whole = allowed(identity, "directory.phones")
        shown: dict[str, Card] = {key: one if whole else cards.covered(one) for key, one in people.items()}
        return Week(since, until, shifts, shown, roster.troubles(shifts, since, until))

    def plan(self, shifts: Sequence[Shift], cancel: Sequence[str] = ()) -> None:
        """Plan shifts and cancel others. Raises Forbidden, NotFound, Refused."""
        for one in shifts:
            self._check_grid(one.grid)
        now = clock.now()
        roster.plan(self._database, access.current(), shifts, cancel=cancel, now=now, after_commit=self._ring)

    # ---- the duty list ----

    def duties(self) -> list[Duty]:
        """Return the whole duty list. Raises Forbidden."""
        require(access.current(), "responsibility.read")
        with self._database.read() as connection:
            return dutylist.listed(connection)

    def findings(self, lines: Sequence[Duty]) -> list[Finding]:
        """Return gaps and conflicts of the duty list. Raises Forbidden."""
        require(access.current(), "responsibility.read")
        area = self._area()
        below = responsibility.tree(area) if area else {"": ()}
        return dutylist.findings(lines, taxonomy.current(), departments.every(self._database), below)

    def without_post(self) -> int:
        """Return how many people have no post. Raises Forbidden."""
        require(access.current(), "responsibility.read")
        with self._database.read() as connection:
            return cards.without_post(connection)

    def change_duties(self, lines: Sequence[Duty], end: Sequence[str] = ()) -> int:
        """Add, change and end lines of the duty list. Raises Forbidden, NotFound, Refused."""
        for one in lines:
            self._check_grid(one.grid)
        identity, now = access.current(), clock.now()
        return dutylist.take(self._database, identity, lines, end=end, now=now, after_commit=self._ring)

    # ---- lists ----

    def read(self, kind: str, upload_id: str) -> list[Line]:
        """Return what a list would do. Raises Forbidden, NotFound, TableUnreadable, Unfit, Refused."""
        require(access.current(), PERMISSIONS[kind])
        upload, path = self._uploads.find(upload_id, access.current())
        if upload.kind != kind:
            raise NotFound()
        folder = path.parent / ".read"
        summary = child.known(folder) or child.examine(path, folder)
        if summary.rows > LIST_MOST:
            raise Refused("operations.list_long", most=LIST_MOST)
        return contactlists.read(kind, rows_of(folder), names_of(summary), self._standing(kind))

    def take(self, kind: str, upload_id: str, *, leave_out: bool) -> list[Line]:
        """Take a list over, all or nothing, and return what was taken. Raises as above."""
        taken = fitting(self.read(kind, upload_id), leave_out=leave_out)
        made = [one.made for one in taken if isinstance(one, Listed)]
        identity, now = access.current(), clock.now()
        if kind == "shift":
            planned = [one for one in made if isinstance(one, Shift)]
            roster.plan(self._database, identity, planned, now=now, after_commit=self._ring)
        elif kind == "duty":
            lines = [one for one in made if isinstance(one, Duty)]
            dutylist.take(self._database, identity, lines, now=now, after_commit=self._ring)
        else:
            kept = [one for one in made if isinstance(one, Person | Team)]
            cards.take(self._database, identity, kept, now=now, after_commit=self._ring)
        return taken

    def exported(self, kind: str) -> list[list[str]]:
        """Return a list as it would be imported again, without its headings. Raises Forbidden."""
        require(access.current(), PERMISSIONS[kind])
        standing = self._standing(kind)
        if kind == "shift":
            people = {one.id: one for one in standing.people}
            return [contactlists.shift_cells(one, people, self._zone) for one in standing.shifts]
        if kind == "duty":
            return [[one.type, one.department, one.grid, one.part, one.basis] for one in standing.duties]
        named = {held: name for name, held in standing.accounts.items()}
        found: Sequence[Card] = standing.people if kind == "person" else standing.teams
        return [contactlists.card_cells(one, COLUMNS[kind], named) for one in found]

    def _standing(self, kind: str) -> Standing:
        area, now = self._area(), clock.now()
        grids = {code: one.name for code, one in area.grids.items()} if area else {}
        known = Known((), grids, departments.every(self._database), {}, self._zone)
        scope = reach(access.current(), PERMISSIONS[kind])
        accounts = self._accounts() if kind == "person" else {}
        with self._database.read() as connection:
            people = [one for one in cards.living(connection, "person") if isinstance(one, Person)]
            teams = [one for one in cards.living(connection, "team") if isinstance(one, Team)]
            shifts = roster.planned(connection, scope, now, now + roster.LONGEST * 12) if kind == "shift" else []
            lines = dutylist.listed(connection) if kind == "duty" else []
        return Standing(known, people, teams, shifts, lines, accounts)

    def _accounts(self) -> dict[str, str]:
        with self._database.read() as connection:
            return cards.accounts(connection)

    def _check_grid(self, code: str) -> None:
        area = self._area()
        if code and (area is None or code not in area.grids):
            raise Refused("contacts.wrong.grid")
