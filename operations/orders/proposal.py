"""What an order is proposed with 拟单建议: recipients with the reason for each, deadlines, and texts to pick from.

Who is proposed: whoever handles the type there by the duty list 责任清单, whoever got the latest orders of the kind,
teams whose grid the place lies in, and who is on duty. The first two are picked beforehand, the others offered.
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence

import sqlalchemy as sa
from msgspec import Struct, structs
from sqlalchemy import Connection

from config.departments import Department
from operations.contacts.dutylist import Line, handlers
from operations.contacts.roster import on_duty
from operations.incident import Incident
from operations.orders.draft import MINUTE, Wanted
from operations.orders.parties import known
from operations.tables import dispatch_order, order_recipient, team
from operations.tables import incident as incident_table
from operations.ticking import Clock

DUTY_LIST, PAST, OWNER, AREA, ON_DUTY = "duty_list", "past", "owner", "area", "on_duty"
"""Reasons: handles it by the duty list, got the latest orders of the kind, has the incident, its area, on duty now."""
PICKED = (DUTY_LIST, PAST, OWNER)
PAST_MOST = 20
"""Orders of the kind that are looked back at."""
LOOKED_AT = 1_000
"""The newest orders among which those of the kind are looked for."""
OFTEN = 2
"""A department that got one of so many of them, or more, is proposed."""
TEAMS_MOST = 6
MOST = 16


class Proposed(Struct, frozen=True):
    """One recipient and why; `picked`: proposed to be sent to, else only offered. `times`: of the latest orders."""

    wanted: Wanted
    reasons: tuple[str, ...]
    picked: bool
    times: int = 0


class Proposal(Struct, frozen=True):
    """What is proposed: recipients (the lead first), deadlines in minutes by clock."""

    recipients: tuple[Proposed, ...] = ()
    minutes: dict[str, int] = {}


class Found(Struct, frozen=True):
    """What speaks for recipients. `past`: how many of `orders` latest orders of the kind each department got."""

    lines: Sequence[Line] = ()
    past: Mapping[str, int] = {}
    orders: int = 0
    teams: Sequence[Wanted] = ()
    duty: Sequence[Wanted] = ()


def proposed(one: Incident, found: Found, departments: Mapping[str, Department], lang: str = "zh") -> list[Proposed]:
    """Return the recipients for an incident, the lead first; those in departments that have ended are left out."""
    reasons: dict[str, list[str]] = {}
    for line in found.lines:
        reasons.setdefault(line.department, []).append(DUTY_LIST)
    lead = _lead(one, found.lines)
    if lead not in reasons:
        reasons = {lead: [OWNER], **reasons}
    for code, times in sorted(found.past.items(), key=lambda item: -item[1]):
        if times * OFTEN >= found.orders:
            reasons.setdefault(code, []).append(PAST)
    picked = [
        Proposed(_department(code, departments[code], lang, code == lead), _once(why), True, found.past.get(code, 0))
        for code, why in sorted(reasons.items(), key=lambda item: item[0] != lead)
        if code in departments and not departments[code].ended
    ]
    offered = [Proposed(each, (AREA,), False) for each in found.teams[:TEAMS_MOST]]
    offered += [Proposed(each, (ON_DUTY,), False) for each in found.duty]
    return [*picked, *offered][:MOST]


def gathered(connection: Connection, one: Incident, now: int) -> Found:
    """Look up what speaks for recipients of an order about an incident."""
    lines = handlers(connection, one.type, one.chain)
    past, orders = _past(connection, one)
    place = one.chain[-1] if one.chain else ""
    codes = list(dict.fromkeys((_lead(one, lines), *(line.department for line in lines))))[:TEAMS_MOST]
    return Found(lines, past, orders, _teams(connection, one.chain), _on_duty(connection, codes, place, now))


def minutes(clocks: Iterable[Clock]) -> dict[str, int]:
    """Return deadlines as whole minutes from now, at least one."""
    return {each.name: max(1, (each.due_at - each.started_at) // MINUTE) for each in clocks}


def _lead(one: Incident, lines: Sequence[Line]) -> str:
    leads = [line.department for line in lines if line.part == "lead"]
    return one.department if one.department in leads or not leads else leads[0]


def _once(reasons: Iterable[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(reasons))


def _department(code: str, known_as: Department, lang: str, lead: bool) -> Wanted:
    return Wanted("department", code, known_as.name(lang), code, "lead" if lead else "support")


def _past(connection: Connection, one: Incident) -> tuple[dict[str, int], int]:
    """How often each department got one of the latest orders for incidents of the type, and how many these are."""
    columns = dispatch_order.c
    recent = sa.select(columns.id, columns.incident).where(columns.incident != "", columns.state != "cancelled")
    newest = recent.order_by(columns.id.desc()).limit(LOOKED_AT).subquery()
    about = sa.join(newest, incident_table, newest.c.incident == incident_table.c.id)
    latest = sa.select(newest.c.id).select_from(about)
    latest = latest.where(incident_table.c.type == one.type, incident_table.c.id != one.id)
    ids = list(connection.execute(latest.order_by(newest.c.id.desc()).limit(PAST_MOST)).scalars())
    to = order_recipient.c
    query = sa.select(to.order_id, to.department).distinct().where(to.order_id.in_(ids))
    query = query.where(to.kind == "department", to.state.not_in(("withdrawn", "refused")))
    return dict(Counter(row.department for row in connection.execute(query))) if ids else {}, len(ids)


def _teams(connection: Connection, chain: Sequence[str]) -> list[Wanted]:
    """Teams whose grid the place lies in, the smallest grid first."""
    if not chain:
        return []
    query = sa.select(team.c.id, team.c.name, team.c.department, team.c.grid)
    query = query.where(team.c.grid.in_(chain), team.c.ended_at.is_(None)).order_by(team.c.department, team.c.name)
    found = list(connection.execute(query.limit(200)))
    found.sort(key=lambda row: -chain.index(row.grid))
    return [Wanted("team", row.id, row.name, row.department, grid=row.grid) for row in found[:TEAMS_MOST]]


def _on_duty(connection: Connection, departments: Sequence[str], place: str, now: int) -> list[Wanted]:
    """Who is called first of each department, by post."""
    first = [(code, next(iter(on_duty(connection, code, place, now)), None)) for code in departments]
    wanted = [Wanted("person", one.person, one.post, code, grid=one.grid, rank=one.rank) for code, one in first if one]
    return [structs.replace(one, grid=each.grid) for one, each in zip(known(connection, wanted), wanted, strict=True)]
