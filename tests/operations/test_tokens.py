"""Tokens: narrowed by action, network, jurisdiction and time; rotated with an overlap; made by whom it behoves."""

import pytest
import sqlalchemy as sa

from operations import journal, sources, tokens
from operations.database import Database
from operations.errors import Forbidden, NotFound, Refused
from operations.policy import SYSTEM, Identity, allowed
from operations.tables import metadata
from operations.tokens import Terms
from tests.operations.desk import HOUR, MINUTE, START

pytestmark = pytest.mark.database
SYSTEM_ADMIN = Identity("account", "a1", "admin", "system_admin")
SECURITY = Identity("account", "a2", "security", "security_admin")
AUDIT = Identity("account", "a3", "audit", "audit_admin")
DUTY = Identity("account", "a4", "duty", "duty_commander")


@pytest.fixture
def hotline(database: Database) -> str:
    sources.add(database, SYSTEM, sources.Source("hotline", "12345 热线"), now=START)
    return "hotline"


def read_token(database: Database, **terms: object) -> str:
    return tokens.add(database, SECURITY, "reader", "read", now=START, terms=Terms(**terms))  # type: ignore[arg-type]


def only(database: Database) -> tokens.Token:
    [found] = tokens.listed(database)
    return found


def stored(database: Database) -> str:
    with database.read() as connection:
        return " ".join(repr(row) for table in metadata.sorted_tables for row in connection.execute(sa.select(table)))


@pytest.mark.parametrize(
    ("networks", "address", "known"),
    [
        ((), "192.0.2.1", True),
        ((), "", True),
        (("10.0.0.0/8",), "10.255.0.1", True),
        (("10.0.0.0/8",), "::ffff:10.255.0.1", True),
        (("10.0.0.0/8", "2001:db8::/32"), "2001:db8::1", True),
        (("10.0.0.7",), "10.0.0.7", True),
        (("10.0.0.7",), "10.0.0.8", False),
        (("10.0.0.0/8",), "11.0.0.1", False),
        (("10.0.0.0/8",), "2001:db8::1", False),
        (("10.0.0.0/8",), "", False),
        (("10.0.0.0/8",), "10.0.0.7, 192.0.2.1", False),
        (("10.0.0.0/8",), "testclient", False),
    ],
)
def test_from_where_a_token_is_known(database: Database, networks: tuple[str, ...], address: str, known: bool) -> None:
    secret = read_token(database, networks=networks)
    assert (tokens.identify(database, secret, START, address) is not None) == known


def test_a_token_does_what_it_was_made_for_and_nothing_else(database: Database, hotline: str) -> None:
    secret = read_token(database, actions=("grid.read",))
    found = tokens.identify(database, secret, START)
    assert found is not None and allowed(found, "grid.read") and not allowed(found, "incident.read")
    sent = tokens.add(
        database, SYSTEM_ADMIN, "s", "intake", now=START, source_id=hotline, terms=Terms(("warning.send",))
    )
    source = tokens.identify(database, sent, START)
    assert source is not None and allowed(source, "warning.send") and not allowed(source, "report.send")


def test_a_token_ends_at_its_time(database: Database) -> None:
    secret = read_token(database, expires_at=START + HOUR)
    assert tokens.identify(database, secret, START + HOUR - 1) is not None
    assert tokens.identify(database, secret, START + HOUR) is None
    assert [only(database).state(now) for now in (START, START + HOUR)] == ["active", "expired"]
    with pytest.raises(NotFound):
        tokens.rotate(database, SECURITY, only(database).id, hours=1, now=START + HOUR)


def test_rotating_leaves_the_old_secret_so_long_and_no_longer(database: Database) -> None:
    first = read_token(database)
    kept = only(database)
    second = tokens.rotate(database, SECURITY, kept.id, hours=2, now=START)
    assert first != second and only(database).mark == second[: tokens.MARK]
    for secret, now, known in (
        (first, START + 2 * HOUR - 1, True), (second, START, True), (first, START + 2 * HOUR, False),
    ):  # fmt: skip
        found = tokens.identify(database, secret, now)
        assert (found is not None) == known and (found is None or found.id == kept.id)
    assert [only(database).state(now) for now in (START, START + 2 * HOUR)] == ["rotating", "active"]
    third = tokens.rotate(database, SECURITY, kept.id, hours=1, now=START + MINUTE)
    known = [tokens.identify(database, one, START + MINUTE) is not None for one in (first, second, third)]
    assert known == [False, True, True]
    fourth = tokens.rotate(database, SECURITY, kept.id, hours=0, now=START + MINUTE)
    known = [tokens.identify(database, one, START + MINUTE) is not None for one in (second, third, fourth)]
    assert known == [False, False, True]
    tokens.rotate(database, SECURITY, kept.id, hours=5, now=START + MINUTE)
    tokens.revoke(database, SECURITY, kept.id, now=START + MINUTE)
    assert tokens.identify(database, fourth, START + MINUTE) is None
    with pytest.raises(NotFound):
        tokens.rotate(database, SECURITY, kept.id, hours=1, now=START)


def test_every_step_is_an_entry_and_no_secret_is_kept(database: Database) -> None:
    first = read_token(database, networks=("10.0.0.0/8",), expires_at=START + HOUR)
    second = tokens.rotate(database, SECURITY, only(database).id, hours=1, now=START)
    tokens.revoke(database, SECURITY, only(database).id, now=START)
    written = [entry for entry in journal.read(database, 0) if entry.subject_type == "token"]
    assert [one.action for one in written] == ["token.added", "token.rotated", "token.revoked"]
    assert written[0].body is not None and written[0].body["networks"] == "10.0.0.0/8"
    assert {one.actor for one in written} == {"account:security"}
    kept = stored(database)
    for secret in (first, second):
        assert secret not in kept and secret[tokens.MARK :] not in kept


def test_last_use_is_known_to_the_minute_with_its_address(database: Database) -> None:
    secret = read_token(database)
    for now, address in ((START, "10.0.0.7"), (START + MINUTE - 1, "10.0.0.8"), (START + MINUTE, "10.0.0.9")):
        tokens.note_use(database, secret, now, address)
        used = (only(database).used_at, only(database).used_address)
        assert used == ((START, "10.0.0.7") if now < START + MINUTE else (now, address))


def test_one_administrator_makes_tokens_for_sources_the_other_for_readers(database: Database, hotline: str) -> None:
    tokens.add(database, SYSTEM_ADMIN, "s", "intake", now=START, source_id=hotline)
    tokens.add(database, SECURITY, "r", "read", now=START)
    intake, read = sorted(tokens.listed(database), key=lambda one: one.kind)
    for who, kind, token_id, source_id in (
        (SECURITY, "intake", intake.id, hotline), (SYSTEM_ADMIN, "read", read.id, ""),
        *((other, "read", read.id, "") for other in (AUDIT, DUTY)),
    ):  # fmt: skip
        with pytest.raises(Forbidden):
            tokens.add(database, who, "t", kind, now=START, source_id=source_id)
        with pytest.raises(Forbidden):
            tokens.rotate(database, who, token_id, hours=1, now=START)
        with pytest.raises(Forbidden):
            tokens.revoke(database, who, token_id, now=START)
    with pytest.raises(Forbidden):  # who may nothing here does not learn which ids there are
        tokens.revoke(database, DUTY, "nothing", now=START)
    assert len(tokens.listed(database)) == 2


@pytest.mark.parametrize(
    ("terms", "code"),
    [
        (Terms(actions=("account.manage",)), "token_action"),
        (Terms(actions=("report.send",)), "token_action"),
        (Terms(networks=("10.0.0.1/8",)), "token_network"),
        (Terms(networks=("everywhere",)), "token_network"),
        (Terms(networks=("10.0.0.0/8",) * 21), "token_networks"),
        (Terms(expires_at=START), "token_past"),
    ],
)
def test_terms_nobody_can_mean_are_refused(database: Database, terms: Terms, code: str) -> None:
    with pytest.raises(Refused, match=code):
        tokens.add(database, SECURITY, "t", "read", now=START, terms=terms)


def test_tokens_and_overlaps_are_bounded(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tokens, "LIVING_MOST", 1)
    read_token(database)
    with pytest.raises(Refused, match="token_many"):
        read_token(database)
    for hours in (-1, tokens.OVERLAP_MOST + 1):
        with pytest.raises(Refused, match="token_hours"):
            tokens.rotate(database, SECURITY, only(database).id, hours=hours, now=START)
