"""Accounts, sessions, one-time links and tokens: hashed, ending, revocable, slow to guess."""

import pytest
import sqlalchemy as sa
from msgspec import structs

from operations import accounts, lockout, sessions, sources, tokens
from operations.database import Database
from operations.errors import Forbidden, NotFound, Refused
from operations.policy import SYSTEM, Identity
from operations.rules import DEFAULT, Rules
from operations.scope import Scope
from operations.tables import metadata, stranger
from tests.operations.desk import HOUR, MINUTE, OPERATOR, SECOND, START

pytestmark = pytest.mark.database
PASSWORD = "correct horse 电池"


@pytest.fixture
def account(database: Database) -> accounts.Account:
    """An operator's account of one district."""
    scope = Scope(grid="990101001")
    accounts.add(database, SYSTEM, "zhang", "operator", now=START, scope=scope, password=PASSWORD)
    found = accounts.find(database, "zhang")
    assert found is not None
    return found


def stored(database: Database) -> str:
    """Everything the database holds, as text."""
    with database.read() as connection:
        return " ".join(repr(row) for table in metadata.sorted_tables for row in connection.execute(sa.select(table)))


def test_the_right_password_signs_in(database: Database, account: accounts.Account) -> None:
    assert accounts.check_password(database, "zhang", PASSWORD, START) == account
    assert account.identity == Identity("account", account.id, "zhang", "operator", Scope(grid="990101001"))
    assert PASSWORD not in stored(database)


def test_wrong_and_unknown_get_the_same_answer(database: Database, account: accounts.Account) -> None:
    wrong = [("zhang", "wrong wrong"), ("nobody", PASSWORD), ("zhang", ""), ("zhang", "x" * 10_000)]
    for name, password in (*wrong, ("\0", PASSWORD), ("\ud800", PASSWORD), ("x" * 1_000, PASSWORD)):
        with pytest.raises(Refused, match="sign_in_failed"):
            accounts.check_password(database, name, password, START)


def test_failures_make_it_wait_longer_and_success_forgives(database: Database, account: accounts.Account) -> None:
    for _ in range(5):
        with pytest.raises(Refused, match="sign_in_failed"):
            accounts.check_password(database, "zhang", "wrong wrong", START)
    with pytest.raises(Refused, match="sign_in_wait") as told:
        accounts.check_password(database, "zhang", PASSWORD, START)
    assert told.value.params == {"seconds": 30}
    assert accounts.check_password(database, "zhang", PASSWORD, START + 30 * SECOND) == account
    assert accounts.check_password(database, "zhang", PASSWORD, START + 30 * SECOND) == account


def test_who_manages_accounts_ends_the_waiting(database: Database, account: accounts.Account) -> None:
    for _ in range(5):
        with pytest.raises(Refused, match="sign_in_failed"):
            accounts.check_password(database, "zhang", "wrong wrong", START)
    with pytest.raises(Forbidden):
        accounts.unlock(database, OPERATOR, "zhang", now=START)
    accounts.unlock(database, SYSTEM, "zhang", now=START)
    assert accounts.check_password(database, "zhang", PASSWORD, START) == account


def test_an_unknown_name_has_to_wait_like_a_known_one(database: Database, account: accounts.Account) -> None:
    def said(name: str) -> list[str]:
        found = []
        for now in (*(START,) * 6, START + 30 * SECOND, START + 31 * SECOND):
            with pytest.raises(Refused) as told:
                accounts.check_password(database, name, "wrong wrong", now)
            found.append(str(told.value))
        return found

    assert said("zhang") == said("nobody")


def test_every_process_knows_how_often_an_unknown_name_was_tried(database: Database) -> None:
    other = Database(database.url)
    for asked in (database, other, database, other, database):
        with pytest.raises(Refused, match="sign_in_failed"):
            accounts.check_password(asked, "nobody", "wrong wrong", START)
    with pytest.raises(Refused, match="sign_in_wait"):
        accounts.check_password(other, "nobody", "wrong wrong", START)
    other.close()


def test_only_so_many_unknown_names_are_remembered(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lockout, "STRANGERS_MOST", 2)
    rules = Rules(tries=3, wait_s=1)
    for at, name in enumerate(("li", "somebody", "somebody", "somebody", "wang", "zhao")):
        with pytest.raises(Refused, match="sign_in_failed"):
            accounts.check_password(database, name, "wrong wrong", START + at, rules)
    with database.read() as connection:
        kept = connection.execute(sa.select(stranger.c.failures, stranger.c.locked_until)).all()
    assert sorted(map(tuple, kept)) == [(1, START + 5), (3, START + 3 + SECOND)]
    assert "somebody" not in stored(database)


def test_the_delay_grows_and_is_bounded() -> None:
    waits = [lockout.delay_s(failures, DEFAULT) for failures in (0, 4, 5, 6, 7, 10, 11, 100)]
    assert waits == [0, 0, 30, 60, 120, 960, 1_800, 1_800]


def test_what_an_account_may_not_be(database: Database, account: accounts.Account) -> None:
    for name, role, password in (
        ("zhang", "operator", PASSWORD),
        ("no spaces", "operator", PASSWORD),
        ("li", "king", PASSWORD),
        ("li", "wall", PASSWORD),
        ("li", "operator", "short"),
    ):
        with pytest.raises(Refused):
            accounts.add(database, SYSTEM, name, role, now=START, password=password)
    with pytest.raises(Forbidden):
        accounts.add(database, OPERATOR, "li", "operator", now=START)


def test_a_password_is_made_when_none_is_given(database: Database) -> None:
    made = accounts.add(database, SYSTEM, "li", "leader", now=START)
    assert accounts.check_password(database, "li", made, START).role == "leader"
    accounts.set_password(database, SYSTEM, "li", PASSWORD, now=START)
    assert accounts.check_password(database, "li", PASSWORD, START).role == "leader"


def test_many_sessions_and_tokens_are_known_by_one_question(database: Database, account: accounts.Account) -> None:
    one, two, over = (sessions.open(database, account, hours=8, now=START + number) for number in range(3))
    sessions.close(database, over, now=START)
    found = sessions.identify_many(database, [one, two, over, "wrong", "\ud800"], START)
    assert found == {given: sessions.identify(database, given, START) for given in (one, two)}
    reader, gone = (tokens.add(database, SYSTEM, name, "read", now=START) for name in ("reader", "gone"))
    [spent] = [one.id for one in tokens.listed(database) if one.name == "gone"]
    tokens.revoke(database, SYSTEM, spent, now=START)
    asked = [(given, "10.0.0.1") for given in (reader, gone, "", one)]
    assert tokens.identify_many(database, asked, START) == {asked[0]: tokens.identify(database, reader, START)}
    assert sessions.identify_many(database, [], START) == tokens.identify_many(database, [], START) == {}


def test_a_session_lasts_until_it_is_over_closed_or_revoked(database: Database, account: accounts.Account) -> None:
    one, two, three = (sessions.open(database, account, hours=8, now=START + number) for number in range(3))
    found = sessions.identify(database, one, START + 8 * HOUR - 1)
    assert found is not None and structs.replace(found, session="") == account.identity
    assert sessions.identify(database, one, START + 8 * HOUR) is None
    sessions.close(database, two, now=START)
    sessions.close(database, two, now=START)
    assert sessions.identify(database, two, START) is None
    shown = sessions.listed(database, account.id, START)
    assert len(shown) == 2
    with pytest.raises(NotFound):
        sessions.revoke(database, OPERATOR, shown[1].id, now=START)
    sessions.revoke(database, account.identity, shown[1].id, now=START)
    assert sessions.identify(database, three, START) is None
    assert one not in stored(database)


def test_disabling_an_account_ends_its_sessions(database: Database, account: accounts.Account) -> None:
    secret = sessions.open(database, account, hours=8, now=START)
    accounts.disable(database, SYSTEM, "zhang", now=START)
    assert sessions.identify(database, secret, START) is None
    with pytest.raises(Refused, match="sign_in_failed"):
        accounts.check_password(database, "zhang", PASSWORD, START)
    with pytest.raises(NotFound):
        sessions.issue_one_time(database, "zhang", START)


def test_a_one_time_link_works_once_and_for_a_quarter_of_an_hour(database: Database, account: accounts.Account) -> None:
    link, late = (sessions.issue_one_time(database, "zhang", START) for _ in range(2))
    assert link not in stored(database)
    secret, who = sessions.redeem(database, link, hours=8, now=START + 14 * MINUTE, agent="Chromium\0")
    found = sessions.identify(database, secret, START)
    assert found is not None
    assert (who, structs.replace(found, session="")) == (account, account.identity)
    for given, now in ((link, START + 14 * MINUTE), (late, START + 15 * MINUTE), ("nonsense", START)):
        with pytest.raises(Refused, match="one_time_spent"):
            sessions.redeem(database, given, hours=8, now=now)


def test_a_source_token_names_its_source(database: Database) -> None:
    sources.add(database, SYSTEM, sources.Source("hotline", "12345 热线"), now=START)
    secret = tokens.add(database, SYSTEM, "hotline", "intake", now=START, source_id="hotline")
    assert tokens.identify(database, secret, START) == Identity("source", "hotline", "hotline", "source")
    assert secret not in stored(database)
    sources.change(database, SYSTEM, sources.Source("hotline", "12345 热线", enabled=False), now=START)
    assert tokens.identify(database, secret, START) is None


def test_a_read_token_has_a_scope_and_can_be_revoked(database: Database) -> None:
    secret = tokens.add(database, SYSTEM, "auditor", "read", now=START, scope=Scope(department="fire"))
    [token] = tokens.listed(database)
    assert tokens.identify(database, secret, START) == Identity(
        "token", token.id, "auditor", "token_read", Scope(department="fire")
    )
    for now in (START, START + MINUTE - 1):
        tokens.note_use(database, secret, now)
    assert tokens.listed(database)[0].used_at == START  # coarse
    tokens.revoke(database, SYSTEM, token.id, now=START)
    with pytest.raises(NotFound):
        tokens.revoke(database, SYSTEM, token.id, now=START)
    for given in (secret, "", "wrong", "\ud800", "\0"):
        assert tokens.identify(database, given, START) is None


def test_what_a_token_may_not_be(database: Database) -> None:
    for name, kind, source_id in (("t", "intake", ""), ("t", "intake", "nobody"), ("t", "read", "x"), ("", "read", "")):
        with pytest.raises(Refused, match="token_wrong"):
            tokens.add(database, SYSTEM, name, kind, now=START, source_id=source_id)


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("id", "Bad Id"),
        ("name", ""),
        ("kind", "x"),
        ("datum", "EPSG:3857"),
        ("time_zone", "Mars"),
        ("rate_limit", -1.0),
    ],
)
def test_a_wrong_source_is_refused_by_field(database: Database, field: str, value: object) -> None:
    values = {"id": "hotline", "name": "热线"} | {field: value}
    with pytest.raises(Refused) as refused:
        sources.add(database, SYSTEM, sources.Source(**values), now=START)  # type: ignore[arg-type]
    assert refused.value.params["field"] == field


def test_sources_are_kept_changed_and_unique(database: Database) -> None:
    source = sources.Source("hotline", "12345 热线", datum="GCJ02", rate_limit=50.0, mapping="hotline")
    sources.add(database, SYSTEM, source, now=START)
    kept = structs.replace(source, added_at=START)
    assert (sources.get(database, "hotline"), sources.listed(database)) == (kept, [kept])
    with pytest.raises(Refused, match="source_exists"):
        sources.add(database, SYSTEM, source, now=START)
    with pytest.raises(NotFound):
        sources.change(database, SYSTEM, sources.Source("other", "别的"), now=START)
    sources.change(database, SYSTEM, structs.replace(source, name="热线"), now=START + 1)
    assert sources.get(database, "hotline") == structs.replace(kept, name="热线")
    with pytest.raises(Forbidden):
        sources.add(database, OPERATOR, source, now=START)
