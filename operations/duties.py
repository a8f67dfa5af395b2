"""Duties in a grid 网格职责: who holds which post, the post's phone, households. Kept by code, whatever the version.

Only what holds now is kept; names and phones stand in this table alone. Entries say that a card changed and which
posts it has, without names and numbers, because the journal does not forget.
"""

import re
from collections.abc import Iterable, Sequence

import msgspec
import sqlalchemy as sa
from msgspec import Struct
from sqlalchemy import Connection

from operations import journal
from operations.database import AfterCommit, Database
from operations.entry import Draft
from operations.errors import NotFound, Refused
from operations.policy import Identity, reach, require
from operations.tables import grid_card as table

ROLES = ("leader", "full_time", "part_time", "department", "post")  # 网格长 专职网格员 兼职网格员 责任部门 值守
MOST_DUTIES = 20
MOST_CARDS = 20_000
MOST_HOUSEHOLDS = 10_000_000
NAME_MOST, CODE_MOST = 40, 100
_PHONE = re.compile(r"\+?[0-9][0-9 -]{1,17}[0-9]")


class Duty(Struct, frozen=True):
    """One post: `role` of ROLES, who holds it, and the post's duty phone."""

    role: str
    name: str
    phone: str = ""


class Card(Struct, frozen=True):
    """What is known of a grid beside its drawing; `revision` 0: nothing yet."""

    code: str
    duties: tuple[Duty, ...] = ()
    households: int | None = None
    revision: int = 0
    changed_at: int = 0
    changed_by: str = ""


class _Body(Struct, frozen=True):
    duties: tuple[Duty, ...] = ()
    households: int | None = None


def card(database: Database, identity: Identity, chain: tuple[str, ...]) -> Card:
    """Return the card of the last grid of a chain, empty where nothing is known.

    Raises Forbidden, and NotFound outside the asker's jurisdiction.
    """
    scope, code = reach(identity, "grid.duties"), chain[-1]
    if scope.grid and scope.grid not in chain:
        raise NotFound()
    with database.read() as connection:
        return _find(connection, code) or Card(code)


def change(
    database: Database, identity: Identity, found: Card, *, now: int, after_commit: AfterCommit | None = None
) -> Card:
    """Keep a card as it was changed by somebody who saw its `revision`; return it as it is kept.

    Raises Forbidden, and Refused when it is wrong or was changed meanwhile.
    """
    _check(identity, [found])
    with database.write(after_commit) as transaction:
        transaction.alone("duties")
        known = _find(transaction.connection, found.code) or Card(found.code)
        if known.revision != found.revision:
            raise Refused("operations.card_changed", by=known.changed_by)
        kept = _keep(transaction.connection, known, found, identity, now)
        journal.append(transaction, [_draft(identity, kept, now)])
        return kept


def change_all(
    database: Database, identity: Identity, found: Sequence[Card], *, now: int, after_commit: AfterCommit | None = None
) -> int:
    """Put the duties of many cards in the place of those they have, all or nothing; return how many changed.

    Households that are not given stay. Raises Forbidden, Refused.
    """
    _check(identity, found)
    with database.write(after_commit) as transaction:
        transaction.alone("duties")
        drafts = []
        for one in found:
            known = _find(transaction.connection, one.code) or Card(one.code)
            fresh = msgspec.structs.replace(one, households=one.households or known.households)
            if (fresh.duties, fresh.households) != (known.duties, known.households):
                drafts.append(_draft(identity, _keep(transaction.connection, known, fresh, identity, now), now))
        journal.append(transaction, drafts)
        return len(drafts)


def _find(connection: Connection, code: str) -> Card | None:
    row = connection.execute(sa.select(table).where(table.c.code == code)).one_or_none()
    if row is None:
        return None
    body = msgspec.json.decode(row.body, type=_Body)
    return Card(row.code, body.duties, body.households, row.revision, row.changed_at, row.changed_by)


def _keep(connection: Connection, known: Card, found: Card, identity: Identity, now: int) -> Card:
    kept = msgspec.structs.replace(found, revision=known.revision + 1, changed_at=now, changed_by=identity.name)
    values = {
        "body": msgspec.json.encode(_Body(kept.duties, kept.households)).decode(),
        "revision": kept.revision,
        "changed_at": now,
        "changed_by": kept.changed_by,
    }
    if known.revision:
        connection.execute(sa.update(table).where(table.c.code == kept.code).values(**values))
    else:
        connection.execute(sa.insert(table).values(code=kept.code, **values))
    return kept


def _check(identity: Identity, found: Iterable[Card]) -> None:
    require(identity, "grid.import")
    cards = list(found)
    if len(cards) > MOST_CARDS:
        raise Refused("operations.cards_most", most=MOST_CARDS)
    for one in cards:
        if not 0 < len(one.code) <= CODE_MOST or len(one.duties) > MOST_DUTIES:
            raise Refused("operations.duties_most", code=one.code, most=MOST_DUTIES)
        if one.households is not None and not 0 <= one.households <= MOST_HOUSEHOLDS:
            raise Refused("operations.households_wrong", value=one.households)
        for number, duty in enumerate(one.duties, 1):
            _check_duty(one.code, number, duty)


def wrong_with(duty: Duty) -> str:
    """Return what is wrong with a duty: role, name or phone; "" when nothing is."""
    if duty.role not in ROLES:
        return "role"
    if not 0 < len(duty.name) <= NAME_MOST or not duty.name.isprintable():
        return "name"
    return "phone" if duty.phone and _PHONE.fullmatch(duty.phone) is None else ""


def _check_duty(code: str, number: int, duty: Duty) -> None:
    """The message names the place and never the person: messages are logged."""
    wrong = wrong_with(duty)
    if wrong:
        raise Refused(f"operations.duty_{wrong}", code=code, number=number)


def _draft(identity: Identity, kept: Card, now: int) -> Draft:
    roles = [duty.role for duty in kept.duties]
    return Draft(
        at=now,
        actor=identity.actor,
        action="grids.card_changed",
        subject_type="grid_card",
        subject_id=kept.code,
        revision=kept.revision,
        body={"posts": {role: roles.count(role) for role in ROLES if role in roles}},
    )
