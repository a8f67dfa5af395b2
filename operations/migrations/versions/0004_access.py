"""Identity and access: rights with a time, second factors, wall devices, tokens with limits, departments, segments."""

from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Create the tables and columns; administrators of before are system administrators."""
    for table, columns in _NEW.items():
        for column in columns:
            op.add_column(table, column)
    op.create_index("journal_at", "journal", ["at", "seq"])
    op.create_index("journal_actor", "journal", ["actor", "at", "seq"])
    op.create_index("journal_action", "journal", ["action", "at", "seq"])
    told = sa.text("reason <> ''")
    op.create_index("journal_reason", "journal", ["at", "seq"], sqlite_where=told, postgresql_where=told)
    op.create_index("incident_number", "incident", ["number"])
    op.execute("UPDATE account SET demo = 1 WHERE name IN ('duty', 'admin')")  # they were signed in to by links only
    op.execute("UPDATE account SET role = 'system_admin' WHERE role = 'administrator'")
    op.execute("UPDATE account SET administrator = role WHERE role = 'system_admin'")
    op.execute("UPDATE account SET disabled_at = added_at WHERE role = 'wall' AND disabled_at IS NULL")
    op.create_index("token_before", "token", ["hash_before"])
    op.create_table(
        "assignment",
        _key("id"),
        _text("account"),
        _text("role"),
        _text("scope_grid"),
        _text("scope_department"),
        _int("starts_at"),
        _int("ends_at"),
        _int("given_at"),
        _text("given_by"),
        _text("reason"),
        _time("withdrawn_at"),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("assignment_account", "assignment", ["account"])
    op.create_table(
        "recovery_code",
        sa.Column("hash", sa.LargeBinary(), nullable=False),
        _text("account"),
        _int("made_at"),
        _time("used_at"),
        sa.PrimaryKeyConstraint("hash"),
    )
    op.create_index("recovery_account", "recovery_code", ["account"])
    op.create_table(
        "wall",
        _key("id"),
        _text("name"),
        _text("layout"),
        _text("scope_grid"),
        _text("scope_department"),
        sa.Column("hash", sa.LargeBinary(), nullable=False),
        sa.Column("hash_before", sa.LargeBinary(), nullable=True),
        _int("rotated_at"),
        _time("confirmed_at"),
        _time("stale_at"),
        _int("paired_at"),
        _text("paired_by"),
        _time("revoked_at"),
        _text("agent"),
        _text("address"),
        _text("size"),
        _text("version"),
        _time("seen_at"),
        _time("painted_at"),
        _int("painted"),
        _time("stuck_at"),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("hash"),
    )
    living = sa.text("revoked_at IS NULL")
    op.create_index("wall_name", "wall", ["name"], unique=True, sqlite_where=living, postgresql_where=living)
    op.create_table(
        "pairing",
        _key("code"),
        sa.Column("claim", sa.LargeBinary(), nullable=False),
        _text("agent"),
        _text("address"),
        _text("size"),
        _int("made_at"),
        _int("expires_at"),
        sa.PrimaryKeyConstraint("code"),
        sa.UniqueConstraint("claim"),
    )
    op.create_table(
        "department",
        _key("code"),
        _text("name"),
        _text("en"),
        _text("short"),
        _int("added_at"),
        _text("added_by"),
        _time("ended_at"),
        sa.PrimaryKeyConstraint("code"),
    )
    op.create_table(
        "segment",
        sa.Column("last", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=False, nullable=False),
        _int("first"),
        sa.Column("hash", sa.LargeBinary(), nullable=False),
        _int("epoch"),
        _text("file"),
        _text("sha256"),
        _int("at"),
        sa.PrimaryKeyConstraint("last"),
    )


def _key(name: str) -> sa.Column[str]:
    return sa.Column(name, sa.Text(), nullable=False)


def _text(name: str) -> sa.Column[str]:
    return sa.Column(name, sa.Text(), nullable=False, server_default="")


def _int(name: str) -> sa.Column[int]:
    return sa.Column(name, sa.BigInteger(), nullable=False, server_default="0")


def _time(name: str) -> sa.Column[int]:
    return sa.Column(name, sa.BigInteger(), nullable=True)


_NEW: dict[str, tuple[sa.Column[Any], ...]] = {
    "token": (
        _text("actions"),
        _text("networks"),
        _text("added_by"),
        _time("expires_at"),
        sa.Column("hash_before", sa.LargeBinary(), nullable=True),
        _time("before_ends_at"),
        _text("mark"),
        _time("rotated_at"),
        _text("used_address"),
    ),
    "session": (_text("stage"), _text("method"), _text("address"), _int("failures")),
    "account": (
        _text("shown_name"),
        _text("external"),
        _time("valid_from"),
        _time("valid_to"),
        _int("must_change"),
        _int("password_at"),
        _text("past_passwords"),
        sa.Column("totp", sa.LargeBinary(), nullable=True),
        _int("totp_last"),
        _int("demo"),
        _int("revision"),
        _text("administrator"),
    ),
}
