"""More doors, better grids: pulled sources, mappings written on screen, grid versions with a time."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Create the tables and columns."""
    op.add_column("source", _text("settings"))
    op.add_column("source", _text("digest_datum"))
    op.create_table(
        "source_cursor",
        sa.Column("source", sa.Text(), nullable=False),
        _text("cursor"),
        _int("at"),
        _text("lost"),
        _int("lost_at"),
        sa.PrimaryKeyConstraint("source"),
    )
    op.create_table(
        "mapping",
        sa.Column("name", sa.Text(), nullable=False),
        _text("body"),
        _int("revision"),
        _int("saved_at"),
        _text("saved_by"),
        sa.PrimaryKeyConstraint("name"),
    )
    op.create_table(
        "warning",
        sa.Column("key", sa.Text(), nullable=False),
        _text("id"),
        _text("source"),
        _text("kind"),
        _int("sent"),
        _text("state"),
        _int("level"),
        _int("expires"),
        _int("grids"),
        _text("content"),
        _text("raw_sha256"),
        sa.Column("body", sa.LargeBinary(), nullable=False),
        sa.Column("told", sa.LargeBinary(), nullable=False),
        sa.Column("shape", sa.LargeBinary(), nullable=False),
        _int("received_at"),
        sa.Column("ended_at", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("key"),
    )
    op.create_index("warning_id", "warning", ["id"])
    op.create_index("warning_state", "warning", ["state", "expires"])
    op.create_table(
        "warning_reference",
        sa.Column("target", sa.Text(), nullable=False),
        sa.Column("key", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("target", "key"),
    )
    op.add_column("grid_version", _int("valid_from"))
    op.add_column("grid_version", sa.Column("began_at", sa.BigInteger(), nullable=True))
    op.execute("UPDATE grid_version SET valid_from = imported_at, began_at = imported_at")
    op.add_column("grid_version", sa.Column("withdrawn_at", sa.BigInteger(), nullable=True))
    op.add_column("grid_version", _text("note"))
    op.create_table(
        "grid_card",
        sa.Column("code", sa.Text(), nullable=False),
        _int("revision"),
        _text("body"),
        _int("changed_at"),
        _text("changed_by"),
        sa.PrimaryKeyConstraint("code"),
    )
    op.add_column("incident", _int("received_at"))
    op.execute(RECEIVED[op.get_bind().dialect.name])
    op.create_index("incident_received", "incident", ["received_at", "path", "type", "urgency", "department"])


RECEIVED = {
    "sqlite": "UPDATE incident SET received_at = json_extract(CAST(body AS TEXT), '$.received_at')",
    "postgresql": "UPDATE incident SET received_at = (convert_from(body, 'UTF8')::json ->> 'received_at')::bigint",
}
"""When each incident was received, as its body says."""


def _text(name: str) -> sa.Column[str]:
    return sa.Column(name, sa.Text(), server_default="", nullable=False)


def _int(name: str) -> sa.Column[int]:
    return sa.Column(name, sa.BigInteger(), server_default="0", nullable=False)
