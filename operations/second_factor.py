"""The second factor: codes of an authenticator (TOTP, RFC 6238), and recovery codes for who has lost it.

The secret is sealed under a key of the account's own in DATA/keys; destroying that key ends it in every backup too.
"""

import base64
import hmac
import secrets
from collections.abc import Collection
from typing import Any

import pyotp
import sqlalchemy as sa

from operations import accounts, assignments, journal, lockout, seal, sessions
from operations.database import AfterCommit, Database, Transaction
from operations.errors import Forbidden, NotFound, Refused, Sealed
from operations.policy import Identity, allowed
from operations.rules import DEFAULT, Rules
from operations.seal import KeyStore
from operations.tables import account as table
from operations.tables import recovery_code

STEP = 30_000_000
WINDOW = (0, -1, 1)
"""Steps of 30 s whose code is taken: clocks of telephones are not exact."""
CODES = 10
ALPHABET = "abcdefghjkmnpqrstuvwxyz23456789"
"""Of recovery codes: nothing that is mistaken for something else on paper."""
GROUPS, GROUP = 3, 4
ISSUER = "Gridwall"


def offered(keys: KeyStore, account_id: str, session_id: str) -> str:
    """Return the secret (base32) an account may take in a session: the same until it is taken, kept nowhere."""
    key = _key(keys, account_id)
    drawn = hmac.digest(key, b"gridwall-enrol-1" + session_id.encode(), "sha256")[:20]
    return base64.b32encode(drawn).decode()


def address(secret: str, name: str) -> str:
    """Return the otpauth address of a secret, for the QR code."""
    return pyotp.TOTP(secret).provisioning_uri(name=name, issuer_name=ISSUER)


def enrol(
    database: Database,
    keys: KeyStore,
    identity: Identity,
    code: str,
    *,
    now: int,
    after_commit: AfterCommit | None = None,
) -> list[str]:
    """Take the offered secret into use, proved by a code of it, and return the recovery codes. Raises Refused."""
    secret = offered(keys, identity.id, identity.session)
    step = step_of(secret, code, now)
    if step is None:
        raise Refused("operations.code_wrong")
    key, subject = _key(keys, identity.id), _subject(identity.id)
    with database.write(after_commit) as transaction:
        values = {"totp": seal.seal(key, subject, secret.encode()), "totp_last": step}
        taken = sa.update(table).where(table.c.id == identity.id, table.c.totp.is_(None))
        if transaction.connection.execute(taken.values(values)).rowcount != 1:
            raise Refused("operations.code_wrong")
        codes = _renew_codes(transaction, key, identity.id, now)
        body: dict[str, object] = {"codes": len(codes)}
        entry = accounts.draft(identity, "account.second_factor", identity.id, now, body)
        journal.append(transaction, [entry])
    return codes


def check(
    database: Database,
    keys: KeyStore,
    identity: Identity,
    code: str,
    *,
    now: int,
    rules: Rules = DEFAULT,
    after_commit: AfterCommit | None = None,
) -> None:
    """Take a code of the authenticator or a recovery code, each once.

    Failures make the next try wait as wrong passwords do, and both count together. Raises Refused.
    """
    with database.write(after_commit) as transaction:
        row = _row(transaction, identity.id)
        lockout.check(row.locked_until, now)
        right = _spend(transaction, keys, identity, row, code, now)
        if right:
            lockout.forgive(transaction, row.id)
        else:
            lockout.count(transaction, row.id, now, rules)
    if not right:
        raise Refused("operations.code_wrong")


def renew_codes(
    database: Database, keys: KeyStore, identity: Identity, *, now: int, after_commit: AfterCommit | None = None
) -> list[str]:
    """Return new recovery codes; those of before end."""
    with database.write(after_commit) as transaction:
        if _row(transaction, identity.id).totp is None:
            raise NotFound()
        codes = _renew_codes(transaction, _key(keys, identity.id), identity.id, now)
        journal.append(transaction, [accounts.draft(identity, "account.recovery_codes", identity.id, now, {})])
    return codes


def reset(
    database: Database,
    keys: KeyStore,
    identity: Identity,
    name: str,
    *,
    now: int,
    after_commit: AfterCommit | None = None,
) -> None:
    """Take somebody's second factor away, who has lost it; where it is mandatory the next sign-in asks for another.

    Their sessions end: whoever found the authenticator may have opened them.

    Raises NotFound, Forbidden.
    """
    if not allowed(identity, "account.manage"):
        raise Forbidden(permission="account.manage")
    found = accounts.find(database, name)
    if found is None:
        raise NotFound()
    _end(database, keys, identity, found.id, "account.second_factor_reset", now, after_commit)


def disable(
    database: Database,
    keys: KeyStore,
    identity: Identity,
    *,
    now: int,
    rules: Rules = DEFAULT,
    after_commit: AfterCommit | None = None,
) -> None:
    """Give one's own second factor up. Raises Refused where it is mandatory, also for a right that is to begin."""
    found = accounts.find(database, identity.name)
    if found is None or mandatory(assignments.roles(database, found, now), rules):
        raise Refused("operations.second_factor_mandatory")
    _end(database, keys, identity, identity.id, "account.second_factor_ended", now, after_commit)


def codes_left(database: Database, account_id: str) -> int:
    """Return how many recovery codes an account still has."""
    unused = sa.and_(recovery_code.c.account == account_id, recovery_code.c.used_at.is_(None))
    with database.read() as connection:
        return int(connection.execute(sa.select(sa.func.count()).select_from(recovery_code).where(unused)).scalar_one())


def mandatory(roles: Collection[str], rules: Rules) -> bool:
    """Say whether one of these roles signs in with a second factor only."""
    return not frozenset(rules.totp_roles).isdisjoint(roles)


def step_of(secret: str, code: str, now: int) -> int | None:
    """Return the step of time a code belongs to, None when it is none of the last, this and the next."""
    typed = "".join(code.split())
    for offset in WINDOW:
        step = now // STEP + offset
        if hmac.compare_digest(pyotp.HOTP(secret).at(step).encode(), typed.encode("utf-8", "surrogatepass")):
            return step
    return None


def _spend(transaction: Transaction, keys: KeyStore, identity: Identity, row: Any, code: str, now: int) -> bool:
    if row.totp is None:
        return False
    try:
        step = step_of(keys.open(_subject(row.id), row.totp).decode(), code, now)
    except Sealed:  # its key was destroyed, and the database comes from a backup: somebody has to reset it
        return False
    if step is not None:
        newer = sa.update(table).where(table.c.id == row.id, table.c.totp_last < step)
        return transaction.connection.execute(newer.values(totp_last=step)).rowcount == 1
    digest = _digest(_key(keys, row.id), code)
    unused = sa.update(recovery_code).where(
        recovery_code.c.hash == digest, recovery_code.c.account == row.id, recovery_code.c.used_at.is_(None)
    )
    if transaction.connection.execute(unused.values(used_at=now)).rowcount != 1:
        return False
    journal.append(transaction, [accounts.draft(identity, "account.recovery_code", row.id, now, {})])
    return True


def _end(
    database: Database,
    keys: KeyStore,
    identity: Identity,
    account_id: str,
    action: str,
    now: int,
    after_commit: AfterCommit | None,
) -> None:
    with database.write(after_commit) as transaction:
        row = _row(transaction, account_id)
        if row.totp is None:
            raise NotFound()
        transaction.connection.execute(sa.update(table).where(table.c.id == account_id).values(totp=None, totp_last=0))
        transaction.connection.execute(sa.delete(recovery_code).where(recovery_code.c.account == account_id))
        if account_id != identity.id:
            sessions.close_all(transaction, account_id, identity.actor, now)
        journal.append(transaction, [accounts.draft(identity, action, account_id, now, {})])
    keys.destroy([_subject(account_id)])


def _row(transaction: Transaction, account_id: str) -> Any:
    query = sa.select(table).where(table.c.id == account_id).with_for_update()
    row = transaction.connection.execute(query).one_or_none()
    if row is None:
        raise NotFound()
    return row


def _renew_codes(transaction: Transaction, key: bytes, account_id: str, now: int) -> list[str]:
    codes = ["-".join(_drawn() for _ in range(GROUPS)) for _ in range(CODES)]
    transaction.connection.execute(sa.delete(recovery_code).where(recovery_code.c.account == account_id))
    rows = [{"hash": _digest(key, code), "account": account_id, "made_at": now} for code in codes]
    transaction.connection.execute(sa.insert(recovery_code), rows)
    return codes


def _drawn() -> str:
    return "".join(secrets.choice(ALPHABET) for _ in range(GROUP))


def _digest(key: bytes, code: str) -> bytes:
    """What is stored of a recovery code: keyed, as 59 bits alone could be tried out."""
    plain = "".join(one for one in code.lower() if one.isalnum())
    return hmac.digest(key, b"gridwall-recovery-1" + plain.encode("utf-8", "surrogatepass"), "sha256")


def _subject(account_id: str) -> str:
    return f"totp:{account_id}"


def _key(keys: KeyStore, account_id: str) -> bytes:
    return keys.make([_subject(account_id)])[_subject(account_id)]
