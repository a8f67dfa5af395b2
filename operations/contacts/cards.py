"""People and teams of the address book 通讯录: kept with their spelling, changed over the revision that was seen.

Names and numbers stand in these tables alone. Entries say which card changed and which of its fields, never what they
say, because the journal does not forget; a card that ends loses its numbers at once.
"""

import re
from collections.abc import Iterable, Sequence
from typing import Any, Literal

import sqlalchemy as sa
from msgspec import Struct, structs
from sqlalchemy import Connection

from operations import departments, journal
from operations.contacts.spelling import spelled
from operations.database import AfterCommit, Database, Transaction, select_in
from operations.entry import Draft
from operations.errors import NotFound, Refused
from operations.policy import Identity, allowed, reach, require
from operations.scope import Scope
from operations.tables import account, person, shift, team
from operations.uuid7 import uuid7
from operations.wording import cleaned

Kind = Literal["person", "team"]
NAME_MOST, TEXT_MOST, GRID_MOST, EMAIL_MOST = 40, 200, 100, 120
CARDS_MOST = 50_000
"""People, and teams, of one installation."""
PHONE = re.compile(r"\+?[0-9][0-9 -]{1,17}[0-9]")
EMAIL = re.compile(r"[^\s@,;]+@[^\s@,;]+\.[^\s@,;]+")
NUMBERS = ("phone", "email")
REASON_LEAST = 2


class Person(Struct, frozen=True, kw_only=True):
    """Somebody of a department; `grid` "": the whole city; `account`: id of the account that answers for them."""

    id: str = ""
    name: str
    post: str = ""
    department: str
    grid: str = ""
    phone: str = ""
    email: str = ""
    account: str = ""
    revision: int = 0
    changed_at: int = 0
    changed_by: str = ""
    ended_at: int | None = None


class Team(Struct, frozen=True, kw_only=True):
    """A team or patrol 队伍: `kind` is what people call its kind (消防中队, 巡逻队 …), `members` who belongs to it."""

    id: str = ""
    name: str
    kind: str = ""
    department: str
    grid: str = ""
    phone: str = ""
    members: str = ""
    revision: int = 0
    changed_at: int = 0
    changed_by: str = ""
    ended_at: int | None = None


Card = Person | Team
TABLES: dict[str, tuple[sa.Table, type[Person] | type[Team]]] = {"person": (person, Person), "team": (team, Team)}
FIELDS = {
    "person": ("name", "post", "department", "grid", "phone", "email", "account"),
    "team": ("name", "kind", "department", "grid", "phone", "members"),
}
"""What somebody writes of a card."""
ACTIONS = {
    "person": {
        "added": "person.added",
        "changed": "person.changed",
        "ended": "person.ended",
        "shown": "person.phone_shown",
    },
    "team": {"added": "team.added", "changed": "team.changed", "ended": "team.ended", "shown": "team.phone_shown"},
}


def kind_of(card: Card) -> Kind:
    """Return which of the two a card is."""
    return "person" if isinstance(card, Person) else "team"


def find(connection: Connection, kind: Kind, card_id: str) -> Card:
    """Return a card, also one that has ended. Raises NotFound."""
    table, made = TABLES[kind]
    if not (card_id.isascii() and card_id.isprintable()):
        raise NotFound()
    row = connection.execute(sa.select(*_columns(kind)).where(table.c.id == card_id)).one_or_none()
    if row is None:
        raise NotFound()
    return made(**row._mapping)


def living(connection: Connection, kind: Kind) -> list[Card]:
    """Return all cards that have not ended, by department and name."""
    return [card for card, _ in sounding(connection, kind)]


def sounding(connection: Connection, kind: Kind) -> list[tuple[Card, str]]:
    """The same, each with how its name is read."""
    table, made = TABLES[kind]
    query = sa.select(*_columns(kind), table.c.pinyin).where(table.c.ended_at.is_(None))
    rows = connection.execute(query.order_by(table.c.department, table.c.name))
    return [(made(**dict(zip(made.__struct_fields__, row, strict=False))), row.pinyin) for row in rows]


def of(connection: Connection, ids: Iterable[str]) -> dict[str, Person]:
    """Return people by id, also those who have ended."""
    names = ", ".join(Person.__struct_fields__)
    rows = select_in(connection, f"SELECT {names} FROM person WHERE id IN", sorted(set(ids)))
    return {row.id: Person(**row._mapping) for row in rows}


def accounts(connection: Connection) -> dict[str, str]:
    """Return the accounts a person's card can name: {name: id}."""
    return {row.name: row.id for row in connection.execute(sa.select(account.c.name, account.c.id))}


def without_post(connection: Connection) -> int:
    """Return how many people have no post."""
    query = sa.select(sa.func.count()).select_from(person).where(person.c.post == "", person.c.ended_at.is_(None))
    return int(connection.execute(query).scalar_one())


def visible(scope: Scope, department: str, grid: str) -> bool:
    """Say whether a scope sees what belongs to a department and a grid: its own department's, working in its grids.

    Who answers for a wider area than the scope works there too. Codes of grids begin with those above them.
    """
    near = not scope.grid or not grid or grid.startswith(scope.grid) or scope.grid.startswith(grid)
    return near and (not scope.department or scope.department == department)


def read(database: Database, identity: Identity, kind: Kind, card_id: str) -> Card:
    """Return a living card as somebody may see it, numbers masked unless their role sees them whole.

    Raises Forbidden, NotFound.
    """
    with database.read() as connection:
        card = _within(connection, reach(identity, "directory.read"), kind, card_id)
    return card if allowed(identity, "directory.phones") else covered(card)


def numbers(
    database: Database,
    identity: Identity,
    kind: Kind,
    card_id: str,
    reason: str,
    *,
    now: int,
    after_commit: AfterCommit | None = None,
) -> dict[str, str]:
    """Return one card's whole numbers {phone, email} to somebody who sees them masked; the entry says why.

    Raises Forbidden, NotFound, Refused without a reason.
    """
    scope, reason = reach(identity, "directory.read"), cleaned(reason)
    if not REASON_LEAST <= len(reason) <= TEXT_MOST:
        raise Refused("contacts.reason_missing", least=REASON_LEAST, most=TEXT_MOST)
    with database.write(after_commit) as transaction:
        card = _within(transaction.connection, scope, kind, card_id)
        draft = _draft(identity, card, "shown", [name for name in NUMBERS if getattr(card, name, "")], now)
        journal.append(transaction, [structs.replace(draft, reason=reason)])
    return {name: getattr(card, name) for name in NUMBERS if hasattr(card, name)}


def covered(card: Card) -> Card:
    """Return a card with its numbers masked."""
    return structs.replace(card, **{name: masked(getattr(card, name)) for name in NUMBERS if hasattr(card, name)})


def keep(
    database: Database, identity: Identity, card: Card, *, now: int, after_commit: AfterCommit | None = None
) -> Card:
    """Add a card without id, or change the one it names over its revision; return it as it is kept.

    Raises Forbidden, NotFound, Refused.
    """
    return take(database, identity, [card], now=now, after_commit=after_commit)[0]


def take(
    database: Database, identity: Identity, cards: Sequence[Card], *, now: int, after_commit: AfterCommit | None = None
) -> list[Card]:
    """The same for many, all or none, each with an entry of its own where something changes."""
    require(identity, "directory.manage")
    with database.write(after_commit) as transaction:
        transaction.alone("directory")
        known = departments.on(transaction.connection)
        _room(transaction.connection, cards)
        kept, drafts = [], []
        for card in cards:
            check(card, {code for code, one in known.items() if not one.ended})
            one, changed = _keep(transaction, identity, card, now)
            kept.append(one)
            drafts += [_draft(identity, one, "changed" if card.id else "added", changed, now)] if changed else []
        journal.append(transaction, drafts)
        return kept


def end(
    database: Database,
    identity: Identity,
    kind: Kind,
    card_id: str,
    revision: int,
    *,
    now: int,
    after_commit: AfterCommit | None = None,
) -> None:
    """End a card: it is found no more, and its numbers are gone. Raises Forbidden, NotFound; Refused while on duty."""
    require(identity, "directory.manage")
    with database.write(after_commit) as transaction:
        transaction.alone("directory")
        before = find(transaction.connection, kind, card_id)
        if before.ended_at is not None:
            raise NotFound()
        _same(before, revision)
        if kind == "person":
            _off_duty(transaction.connection, card_id, now)
        gone = {name: "" for name in NUMBERS if hasattr(before, name)}
        after = structs.replace(
            before, **gone, revision=revision + 1, changed_at=now, changed_by=identity.name, ended_at=now
        )
        _write(transaction, after, new=False)
        journal.append(transaction, [_draft(identity, after, "ended", (), now)])


def check(card: Card, known: set[str]) -> None:
    """Raise Refused for a card that says what it may not: the code names the field."""
    _need(0 < len(card.name) <= NAME_MOST and _is_line(card.name), "name")
    _need(card.department in known, "department", value=card.department[:40])
    _need(len(card.grid) <= GRID_MOST and (not card.grid or card.grid.isprintable()), "grid")
    _need(not card.phone or PHONE.fullmatch(card.phone) is not None, "phone")
    lines = (card.post,) if isinstance(card, Person) else (card.kind, card.members)
    _need(all(len(one) <= TEXT_MOST and (not one or _is_line(one)) for one in lines), "text")
    if isinstance(card, Person):
        right = len(card.email) <= EMAIL_MOST and EMAIL.fullmatch(card.email) is not None
        _need(not card.email or right, "email")


def masked(number: str) -> str:
    """Return a phone or e-mail address so that one recognises it but cannot use it: 138****1234."""
    if "@" in number:
        return f"{number[:1]}***@{number.partition('@')[2]}"
    if len(number) <= 4:
        return "*" * len(number)
    kept = 3 if len(number) >= 9 else 1
    return f"{number[:kept]}{'*' * 4}{number[-kept - 1 :]}"


# ---- how it is done ----


def _within(connection: Connection, scope: Scope, kind: Kind, card_id: str) -> Card:
    """A living card inside a scope; what is absent and what is another's are the same."""
    card = find(connection, kind, card_id)
    if card.ended_at is not None or not visible(scope, card.department, card.grid):
        raise NotFound()
    return card


def _keep(transaction: Transaction, identity: Identity, card: Card, now: int) -> tuple[Card, tuple[str, ...]]:
    """Write a card, if anything changes; return it and the names of what changed."""
    kind = kind_of(card)
    before = find(transaction.connection, kind, card.id) if card.id else None
    if before is not None:
        if before.ended_at is not None:
            raise NotFound()
        _same(before, card.revision)
    changed = tuple(name for name in FIELDS[kind] if before is None or getattr(before, name) != getattr(card, name))
    if before is not None and not changed:
        return before, ()
    if isinstance(card, Person) and card.account:
        _check_account(transaction.connection, card)
    after = structs.replace(
        card, id=card.id or uuid7(now), revision=card.revision + 1, changed_at=now, changed_by=identity.name
    )
    _write(transaction, after, new=before is None)
    return after, changed


def _write(transaction: Transaction, card: Card, *, new: bool) -> None:
    table, _ = TABLES[kind_of(card)]
    spelling = spelled(card.name)
    values: dict[str, Any] = structs.asdict(card) | {"pinyin": spelling.pinyin, "initials": spelling.initials}
    if new:
        transaction.connection.execute(sa.insert(table).values(values))
    else:
        transaction.connection.execute(sa.update(table).where(table.c.id == card.id).values(values))


def _room(connection: Connection, cards: Sequence[Card]) -> None:
    for kind in ("person", "team"):
        new = sum(not one.id for one in cards if kind_of(one) == kind)
        table, _ = TABLES[kind]
        query = sa.select(sa.func.count()).select_from(table).where(table.c.ended_at.is_(None))
        if new and new + int(connection.execute(query).scalar_one()) > CARDS_MOST:
            raise Refused("contacts.many", most=CARDS_MOST)


def _same(before: Card, revision: int) -> None:
    if before.revision != revision:
        raise Refused("contacts.changed", by=before.changed_by)


def _check_account(connection: Connection, card: Person) -> None:
    if connection.execute(sa.select(account.c.id).where(account.c.id == card.account)).first() is None:
        raise Refused("contacts.wrong.account")
    held = sa.select(person.c.id).where(
        person.c.account == card.account, person.c.ended_at.is_(None), person.c.id != card.id
    )
    if connection.execute(held).first() is not None:
        raise Refused("contacts.wrong.account_twice")


def _off_duty(connection: Connection, person_id: str, now: int) -> None:
    held = sa.select(sa.func.count()).select_from(shift)
    held = held.where(shift.c.person == person_id, shift.c.ends_at > now, shift.c.cancelled_at.is_(None))
    count = int(connection.execute(held).scalar_one())
    if count:
        raise Refused("contacts.on_duty", count=count)


def _draft(identity: Identity, card: Card, what: str, fields: Sequence[str], now: int) -> Draft:
    kind = kind_of(card)
    return Draft(
        at=now,
        actor=identity.actor,
        action=ACTIONS[kind][what],
        subject_type=kind,
        subject_id=card.id,
        revision=card.revision,
        scope_department=card.department,
        scope_department_before=card.department,
        body={"department": card.department, "fields": list(fields)},
    )


def _columns(kind: Kind) -> list[sa.Column[Any]]:
    table, made = TABLES[kind]
    return [table.c[name] for name in made.__struct_fields__]


def _is_line(text: str) -> bool:
    return text.isprintable() and text == text.strip()


def _need(holds: bool, code: str, **params: object) -> None:
    if not holds:
        raise Refused(f"contacts.wrong.{code}", **params)
