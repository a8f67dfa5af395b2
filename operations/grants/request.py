"""A request for video access 调阅申请 as it stands, and what every deed makes of it. Pure.

Who decides sits in seats: the centre first, then the leader, then each owner for their own cameras. A camera is
granted when every seat that it concerns has approved it. Times: UTC microseconds.
"""

from collections.abc import Callable, Collection, Iterable

from msgspec import Struct, structs

from config.access import DECIDERS, Access, Rule
from config.taxonomy import URGENCIES
from operations.errors import Refused, need

DRAFT, WAITING, ASKED, DECIDED, WITHDRAWN, LAPSED = "draft", "waiting", "asked", "decided", "withdrawn", "lapsed"
STATES = (DRAFT, WAITING, ASKED, DECIDED, WITHDRAWN, LAPSED)
"""草稿 待审批 退回补充 已办结 已撤回 已失效."""
LATER, OPEN, BACK, APPROVED, REFUSED, VOID = "later", "waiting", "asked", "approved", "refused", "void"
"""Of a seat; void: nothing is left for it to decide."""
SETTLED = (APPROVED, REFUSED, VOID)
TEXT_LEAST, TEXT_MOST = 2, 300
MINUTE = 60_000_000
WAITS = 14 * 24 * 60 * MINUTE
"""How long a request waits that wants pictures from its approval on, whenever that is; then it lapses."""
Due = Callable[[str, int], int]
"""(urgency, now) → when a seat that waits from now on has waited too long."""


class Wanted(Struct, frozen=True, omit_defaults=True, kw_only=True):
    """A camera that is asked for, as it was then; `path`: its grids, root to leaf."""

    id: str
    name: str = ""
    code: str = ""
    owner: str = ""
    path: str = ""
    point_class: int = 0
    position: str = ""
    restricted: bool = False


class Seat(Struct, frozen=True, omit_defaults=True, kw_only=True):
    """One person's decision that is wanted. `key`: "centre", "centre:2", "leader", "owner:police".

    `cameras`: ids of those it decides; `approved`: those it let through; `until_at`: 0, or the end it allows.
    """

    key: str
    kind: str
    department: str = ""
    cameras: tuple[str, ...] = ()
    state: str = LATER
    level: int = 0
    since_at: int | None = None
    due_at: int | None = None
    approved: tuple[str, ...] = ()
    until_at: int = 0
    by: str = ""  # id of the account
    name: str = ""  # its name
    for_name: str = ""  # name of whom it stood in for
    at: int | None = None
    text: str = ""


class Request(Struct, frozen=True, omit_defaults=True, kw_only=True):
    """The whole of it. `applicant`: id of the account; `unit`: its department; `minutes`: how long is asked for.

    `at_once`: its window begins when it is granted, not at a time that was named.
    """

    id: str
    number: str = ""
    revision: int = 1
    state: str = DRAFT
    applicant: str
    name: str
    role: str = ""
    unit: str = ""
    purpose: str = ""
    basis: str = ""
    text: str = ""
    urgency: str = "routine"
    incident: str = ""
    incident_number: str = ""
    order: str = ""
    cameras: tuple[Wanted, ...] = ()
    needed: tuple[str, ...] = ()  # ids of the fewest that would cover the place, as proposed; () none was asked for
    modes: tuple[str, ...] = ("live",)
    from_at: int = 0
    minutes: int = 0
    at_once: bool = False
    walls: tuple[str, ...] = ()  # ids of walls that may show them too
    wall_names: tuple[str, ...] = ()
    copied: str = ""  # id of the request it was copied from
    extends: str = ""  # id of the grant it wants to go on
    made_at: int = 0
    sent_at: int | None = None
    decided_at: int | None = None
    seats: tuple[Seat, ...] = ()
    asked: str = ""  # what was asked back
    grants: dict[str, str] = {}  # department → id of the grant

    @property
    def until_at(self) -> int:
        """When what is asked for ends; `at_once`: if it were granted as it was sent."""
        return self.from_at + self.minutes * MINUTE

    @property
    def lapses_at(self) -> int:
        """When nobody can grant it any more."""
        return self.from_at + WAITS if self.at_once else self.until_at

    @property
    def is_open(self) -> bool:
        """Whether somebody is still to do something about it."""
        return self.state in (WAITING, ASKED)

    @property
    def waiting(self) -> tuple[Seat, ...]:
        """The seats whose turn it is."""
        return tuple(one for one in self.seats if one.state == OPEN) if self.state == WAITING else ()

    @property
    def surplus(self) -> tuple[str, ...]:
        """Cameras more than are needed to cover the place, when a proposal was made."""
        return tuple(one.id for one in self.cameras if one.id not in self.needed) if self.needed else ()


class Ready(Struct, frozen=True):
    """What can be granted now: an owner's cameras, and until when."""

    department: str
    cameras: tuple[str, ...]
    until_at: int


# ---- who decides ----


def holds(rule: Rule, request: Request, camera: Wanted) -> bool:
    """Say whether a rule applies to one camera of a request."""
    return (
        (not rule.purposes or request.purpose in rule.purposes)
        and (not rule.modes or any(mode in rule.modes for mode in request.modes))
        and (not rule.urgencies or request.urgency in rule.urgencies)
        and (not rule.classes or camera.point_class in rule.classes)
        and (not rule.positions or camera.position.startswith(rule.positions))
        and (rule.restricted is None or camera.restricted == rule.restricted)
        and (not rule.longer_minutes or request.minutes > rule.longer_minutes)
        and (not rule.units or request.unit in rule.units)
    )


def deciders(rules: Iterable[Rule], request: Request, camera: Wanted) -> dict[str, int]:
    """Return {decider: how many persons} for one camera; an owner decides only where there is one."""
    wanted: dict[str, int] = {}
    for rule in rules:
        if holds(rule, request, camera):
            for one in rule.deciders:
                kind, _, number = one.partition(":")
                wanted[kind] = max(wanted.get(kind, 0), int(number or 1))
    if not camera.owner and wanted.pop("owner", 0):
        wanted.setdefault("centre", 1)
    return wanted


def seats_of(rules: Iterable[Rule], request: Request) -> tuple[Seat, ...]:
    """Return the seats of a request, in the order in which they decide."""
    rules = tuple(rules)
    concerned: dict[tuple[int, str, str, int], list[str]] = {}
    for camera in request.cameras:
        for kind, number in deciders(rules, request, camera).items():
            department = camera.owner if kind == "owner" else ""
            for seat in range(1, number + 1):
                concerned.setdefault((DECIDERS.index(kind), kind, department, seat), []).append(camera.id)
    return tuple(
        Seat(key=_key(kind, department, seat), kind=kind, department=department, cameras=tuple(ids))
        for (_, kind, department, seat), ids in sorted(concerned.items())
    )


def _key(kind: str, department: str, seat: int) -> str:
    return ":".join(part for part in (kind, department, str(seat) if seat > 1 else "") if part)


# ---- deeds ----


def checked(request: Request, access: Access, now: int) -> Request:
    """Return a request with what it leaves out filled in. Raises Refused: what is wrong with it."""
    purpose = access.purpose_of(request.purpose)
    if purpose is None:
        raise Refused("grants.purpose")
    need(access.basis_of(request.basis) is not None, "grants.basis")
    need(TEXT_LEAST <= len(request.text.strip()) <= TEXT_MOST, "grants.text", least=TEXT_LEAST, most=TEXT_MOST)
    need(request.urgency in URGENCIES, "grants.standing.urgency")
    need(bool(request.incident) or not purpose.incident, "grants.incident_wanted")
    most = min(purpose.cameras, access.limits.cameras) if request.urgency != "routine" else purpose.cameras
    need(0 < len(request.cameras) <= most, "grants.cameras", most=most, n=len(request.cameras))
    need(len({one.id for one in request.cameras}) == len(request.cameras), "grants.cameras_twice")
    need(bool(request.modes) and set(request.modes) <= set(purpose.modes), "grants.modes")
    minutes = request.minutes or min(access.limits.live_minutes, purpose.minutes)
    need(0 < minutes <= purpose.minutes, "grants.minutes", most=purpose.minutes)
    at_once, begins = request.from_at <= now, max(request.from_at, now)
    need(begins - now <= 31 * 24 * 60 * MINUTE, "grants.begins")
    text = request.text.strip()
    return structs.replace(request, minutes=minutes, from_at=begins, at_once=at_once, text=text)


def submitted(request: Request, access: Access, number: str, now: int, due: Due) -> Request:
    """Send a draft: its seats are made and the first ones wait. Raises Refused."""
    need(request.state == DRAFT, "grants.not_draft")
    whole = checked(request, access, now)
    seats = seats_of(access.rule, whole)
    sent = structs.replace(whole, number=number, state=WAITING, sent_at=now, seats=seats)
    return advanced(sent, now, due)


def advanced(request: Request, now: int, due: Due) -> Request:
    """Return the request with the seats whose turn it is waiting, and decided once every seat is settled."""
    if request.state != WAITING:
        return request
    while (seats := tuple(_turned(request, one, now, due) for one in request.seats)) != request.seats:
        request = structs.replace(request, seats=seats)
    if all(one.state in SETTLED for one in request.seats):
        return structs.replace(request, state=DECIDED, decided_at=now)
    return request


def _turned(request: Request, seat: Seat, now: int, due: Due) -> Seat:
    if seat.state not in (LATER, OPEN):
        return seat
    before = [one for one in request.seats if _before(one, seat) and set(one.cameras) & set(seat.cameras)]
    left = tuple(id for id in seat.cameras if not _barred(request, id))
    if not left:
        return structs.replace(seat, state=VOID, due_at=None)
    if seat.state == OPEN or any(one.state not in SETTLED for one in before):
        return seat
    return structs.replace(seat, state=OPEN, since_at=now, due_at=due(request.urgency, now))


def _before(one: Seat, other: Seat) -> bool:
    return DECIDERS.index(one.kind) < DECIDERS.index(other.kind)


def _barred(request: Request, camera: str) -> bool:
    """Whether a seat that has decided let this camera not through."""
    return any(
        one.state == REFUSED or (one.state == APPROVED and camera not in one.approved)
        for one in request.seats
        if camera in one.cameras and one.state in (APPROVED, REFUSED)
    )


def left_for(request: Request, seat: Seat) -> tuple[str, ...]:
    """Return the cameras a seat still decides: none that another seat did not let through."""
    return tuple(id for id in seat.cameras if not _barred(request, id))


def seat_of(request: Request, key: str) -> Seat:
    """Return a seat that waits. Raises Refused: it does not, or not any more."""
    found = next((one for one in request.waiting if one.key == key), None)
    if found is None:
        raise Refused("grants.not_waiting")
    return found


def approved(
    request: Request, key: str, cameras: Collection[str] | None, minutes: int, who: tuple[str, str], text: str,
    now: int, due: Due,
) -> Request:  # fmt: skip
    """Let cameras through, all or fewer, for as long as asked or shorter. `who`: id and name. Raises Refused."""
    seat = seat_of(request, key)
    there = left_for(request, seat)
    chosen = there if cameras is None else tuple(id for id in there if id in cameras)
    need(bool(chosen), "grants.none_left")
    need(0 <= minutes <= request.minutes, "grants.only_shorter", most=request.minutes)
    begins = request.from_at if request.at_once else max(request.from_at, now)
    until = begins + minutes * MINUTE if minutes else 0
    done = structs.replace(seat, state=APPROVED, approved=chosen, until_at=until, **_signed(who, text, now))
    return advanced(_with(request, done), now, due)


def refused(request: Request, key: str, who: tuple[str, str], text: str, now: int, due: Due) -> Request:
    """Refuse, with a reason. Raises Refused without one."""
    need(len(text.strip()) >= TEXT_LEAST, "grants.why_refused")
    done = structs.replace(seat_of(request, key), state=REFUSED, **_signed(who, text, now))
    return advanced(_with(request, done), now, due)


def asked_back(request: Request, key: str, who: tuple[str, str], text: str, now: int) -> Request:
    """Ask the applicant something; the clocks stand until they answer."""
    need(len(text.strip()) >= TEXT_LEAST, "grants.why_asked")
    seat = structs.replace(seat_of(request, key), state=BACK, **_signed(who, text, now))
    seats = (seat if one.key == key else structs.replace(one, due_at=None) for one in request.seats)
    return structs.replace(request, state=ASKED, asked=text.strip()[:TEXT_MOST], seats=tuple(seats))


def answered(request: Request, text: str, now: int, due: Due) -> Request:
    """Answer what was asked back; what waited waits again."""
    need(request.state == ASKED, "grants.not_asked")
    need(TEXT_LEAST <= len(text.strip()) <= TEXT_MOST, "grants.text", least=TEXT_LEAST, most=TEXT_MOST)
    said = f"{request.text}\n{text.strip()}"[: TEXT_MOST * 3]

    def again(seat: Seat) -> Seat:
        if seat.state not in (BACK, OPEN):
            return seat
        return structs.replace(seat, state=OPEN, due_at=due(request.urgency, now), by="", name="", at=None)

    return structs.replace(request, state=WAITING, text=said, seats=tuple(map(again, request.seats)))


def withdrawn(request: Request) -> Request:
    """Take a draft or a waiting request back; what was granted of it stays until it is given back."""
    need(request.state in (DRAFT, WAITING, ASKED), "grants.over")
    return structs.replace(request, state=WITHDRAWN, seats=tuple(map(_stopped, request.seats)))


def escalated(request: Request, access: Access, now: int, due: Due) -> tuple[Request, tuple[Seat, ...]]:
    """Return the request after the clocks spoke that are due, and the seats that went up a level.

    A request whose window is over is lapsed: what was not decided in time is not granted.
    """
    if request.is_open and now >= request.lapses_at:
        return structs.replace(request, state=LAPSED, seats=tuple(map(_stopped, request.seats))), ()
    raised = []
    for seat in request.waiting:
        if seat.due_at is not None and seat.due_at <= now:
            level = min(seat.level + 1, access.limits.levels)
            again = due(request.urgency, now) if level < access.limits.levels else None
            raised.append(structs.replace(seat, level=level, due_at=again))
            request = _with(request, raised[-1])
    return request, tuple(raised)


def next_at(request: Request) -> int | None:
    """Return when a clock of the request speaks next."""
    if not request.is_open:
        return None
    return min([request.lapses_at, *(one.due_at for one in request.waiting if one.due_at is not None)])


def ready(request: Request) -> list[Ready]:
    """Return what every seat has let through and no grant was made of yet, by owner."""
    if request.state not in (WAITING, DECIDED, ASKED):
        return []
    found = []
    for department in dict.fromkeys(one.owner for one in request.cameras):
        ids = [one.id for one in request.cameras if one.owner == department]
        seats = [one for one in request.seats if set(ids) & set(one.cameras)]
        if department in request.grants or any(one.state not in SETTLED for one in seats):
            continue
        let = tuple(id for id in ids if not _barred(request, id) and any(id in one.approved for one in seats))
        if let:
            ends = (one.until_at for one in seats if one.until_at and set(one.approved) & set(let))
            found.append(Ready(department, let, min([request.until_at, *ends])))
    return found


def stood_in(request: Request, key: str, name: str) -> Request:
    """Note in a seat that whoever decided did so for one who is away."""
    seat = next(one for one in request.seats if one.key == key)
    return _with(request, structs.replace(seat, for_name=name))


def _with(request: Request, seat: Seat) -> Request:
    return structs.replace(request, seats=tuple(seat if one.key == seat.key else one for one in request.seats))


def _stopped(seat: Seat) -> Seat:
    return seat if seat.state in SETTLED else structs.replace(seat, state=VOID, due_at=None)


def _signed(who: tuple[str, str], text: str, now: int) -> dict[str, object]:
    need(len(text) <= TEXT_MOST, "grants.text", least=TEXT_LEAST, most=TEXT_MOST)
    return {"by": who[0], "name": who[1], "at": now, "text": text.strip(), "due_at": None}
