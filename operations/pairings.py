"""Pairing 配对: a screen without identity shows a code, and an administrator who types it makes a wall of the screen.

The browser holds a claim in a cookie, of which only the digest is stored; with the pairing it becomes the wall's first
secret. The code is no secret: it stands on the screen, and only an administrator can do anything with it.
"""

import secrets
import unicodedata
from typing import Any

import sqlalchemy as sa
from msgspec import Struct

from operations import journal, secret, walls
from operations.database import AfterCommit, Database
from operations.entry import Draft
from operations.errors import Forbidden, Refused
from operations.limits import neighbourhood
from operations.policy import Identity, allowed
from operations.tables import pairing as table
from operations.uuid7 import uuid7

ALPHABET = "ACDEFHJKMNPRTWXY3479"
"""Without look-alikes: no O and 0, I and 1, L, S and 5, Z and 2, B and 8, G and 6, Q, U and V."""
LENGTH = 8
VALID = 600 * 1_000_000
"""How long a code stands, in microseconds; then the screen shows another one."""
OPEN_MOST = 200
OPEN_OF_ONE_ADDRESS = 20
TEXT_MOST = 200


class Pairing(Struct, frozen=True):
    """A screen that shows a code and waits."""

    code: str
    agent: str
    address: str
    size: str
    made_at: int
    expires_at: int


def begin(database: Database, given: str, *, now: int, agent: str, address: str) -> tuple[Pairing, str]:
    """Return the pairing of the screen that holds the claim `given`, and its claim: a new one where it held none.

    A code whose time is over is replaced. Raises Refused when too many screens wait at one address.
    """
    digest = secret.digest(given)
    found = _by_claim(database, digest)
    if found is not None and found.expires_at > now:
        return found, given
    if found is None and _open(database, address, now) >= OPEN_OF_ONE_ADDRESS:
        raise Refused("operations.pairing_crowded", most=OPEN_OF_ONE_ADDRESS)
    claim = given if found is not None else secret.make()
    made = Pairing(_code(), _short(agent), _short(address), "" if found is None else found.size, now, now + VALID)
    row = {name: getattr(made, name) for name in Pairing.__struct_fields__}
    with database.write() as transaction:
        over = sa.or_(table.c.expires_at <= now - VALID, table.c.claim == secret.digest(claim))
        transaction.connection.execute(sa.delete(table).where(over))
        kept = sa.select(table.c.code).order_by(table.c.made_at.desc()).limit(OPEN_MOST - 1)
        transaction.connection.execute(sa.delete(table).where(table.c.code.not_in(kept)))
        transaction.connection.execute(sa.insert(table).values(claim=secret.digest(claim), **row))
    return made, claim


def waits(database: Database, given: str, now: int) -> bool:
    """Say whether the screen that holds this claim still waits under a code that stands."""
    found = _by_claim(database, secret.digest(given))
    return found is not None and found.expires_at > now


def note_size(database: Database, given: str, size: str) -> None:
    """Note once how large the screen says it is, such as "1920×1080"."""
    found = _by_claim(database, secret.digest(given))
    if found is None or found.size:
        return
    with database.write() as transaction:
        unknown = sa.update(table).where(table.c.claim == secret.digest(given), table.c.size == "")
        transaction.connection.execute(unknown.values(size=size))


def find(
    database: Database, identity: Identity, typed: str, *, now: int, after_commit: AfterCommit | None = None
) -> Pairing:
    """Return what waits under a code. Raises Forbidden, Refused; a code nobody shows is an entry."""
    _permit(identity)
    query = sa.select(*_COLUMNS).where(table.c.code == plain(typed), table.c.expires_at > now)
    with database.read() as connection:
        row = connection.execute(query).one_or_none()
    if row is None:
        with database.write(after_commit) as transaction:
            draft = Draft(at=now, actor=identity.actor, action="wall.code_wrong", subject_type="wall", subject_id="")
            journal.append(transaction, [draft])
        raise Refused("operations.pairing_unknown")
    return Pairing(*row)


def confirm(
    database: Database,
    identity: Identity,
    typed: str,
    plan: walls.Plan,
    *,
    now: int,
    after_commit: AfterCommit | None = None,
) -> str:
    """Make a wall of the screen that shows the code, and return its id. Raises Forbidden, Refused.

    Of two administrators with the same code one wins; the other is told that it is used.
    """
    _permit(identity)
    wall_id = uuid7(now)
    with database.write(after_commit) as transaction:
        spend = sa.delete(table).where(table.c.code == plain(typed), table.c.expires_at > now)
        taken = transaction.connection.execute(spend.returning(table)).one_or_none()
        if taken is None:
            raise Refused("operations.pairing_gone")
        about = {"agent": taken.agent, "address": taken.address, "size": taken.size}
        walls.insert(transaction, identity, wall_id, plan, hash=taken.claim, now=now, **about)
    return wall_id


def plain(typed: str) -> str:
    """Return a code as it is stored, however it was typed: full width, lower case, with spaces or hyphens."""
    return "".join(one for one in unicodedata.normalize("NFKC", typed[:TEXT_MOST]).upper() if one.isalnum())


def shown(code: str) -> str:
    """Return a code as people read it: in two groups."""
    return f"{code[: LENGTH // 2]} {code[LENGTH // 2 :]}"


_COLUMNS = [table.c[name] for name in Pairing.__struct_fields__]


def _by_claim(database: Database, digest: bytes) -> Pairing | None:
    with database.read() as connection:
        row: Any = connection.execute(sa.select(*_COLUMNS).where(table.c.claim == digest)).one_or_none()
    return None if row is None else Pairing(*row)


def _open(database: Database, address: str, now: int) -> int:
    near = neighbourhood(address)
    query = sa.select(table.c.address).where(table.c.expires_at > now)
    with database.read() as connection:
        return sum(neighbourhood(one) == near for one in connection.execute(query).scalars())


def _code() -> str:
    return "".join(secrets.choice(ALPHABET) for _ in range(LENGTH))


def _short(text: str) -> str:
    return text.replace("\0", "")[:TEXT_MOST]


def _permit(identity: Identity) -> None:
    if not allowed(identity, "wall.manage"):
        raise Forbidden(permission="wall.manage")
