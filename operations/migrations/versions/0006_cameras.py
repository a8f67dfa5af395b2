"""Cameras: who looked through which, from when to when, and why; platforms below us."""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Create the tables."""
    living = sa.text("ended_at IS NULL")
    op.create_table(
        "look",
        sa.Column("id", sa.Text(), nullable=False),
        _text("camera"),
        _text("stream"),
        _text("actor"),
        _text("why"),
        _text("incident"),
        _text("path"),
        _text("department"),
        _int("began_at"),
        _int("seen_at"),
        sa.Column("ended_at", sa.BigInteger(), nullable=True),
        _text("ended_how"),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("look_living", "look", ["seen_at"], sqlite_where=living, postgresql_where=living)
    op.create_index("look_camera", "look", ["camera", "began_at"])
    op.create_index("look_began", "look", ["began_at"])
    op.create_table(
        "picture_view",
        sa.Column("id", sa.Text(), nullable=False),
        *(_text(name) for name in ("account", "name", "body")),
        _int("changed_at"),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("picture_view_account", "picture_view", ["account", "name"])
    _cameras()
    _platforms()


def _cameras() -> None:
    op.create_table(
        "camera",
        sa.Column("id", sa.Text(), nullable=False),
        *(_text(name) for name in ("source", "code", "name", "parent", "owner")),
        _int("point_class"),
        _text("position"),
        *(sa.Column(name, sa.Float(), nullable=True) for name in ("direction", "field_angle", "view_distance")),
        *(_text(name) for name in ("legal_basis", "filing_number")),
        *(_int(name) for name in ("retention_days", "sign", "restricted")),
        *(sa.Column(name, sa.Float(), nullable=True) for name in ("lon", "lat")),
        _text("path"),
        _int("placed"),
        *(_text(name) for name in ("civil_code", "group", "vendor", "model", "function_type", "url_main", "url_sub")),
        _text("status"),
        _int("status_at"),
        _text("registered"),
        _int("registered_at"),
        _text("picture"),
        _int("picture_at"),
        _int("maintenance_until"),
        sa.Column("record", sa.LargeBinary(), nullable=False),
        *(_int(name) for name in ("revision", "since_at", "changed_at")),
        sa.Column("gone_at", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("camera_code", "camera", ["source", "code"], unique=True)
    op.create_index("camera_path", "camera", ["path"])
    op.create_index("camera_place", "camera", ["lat", "lon"])
    op.create_table(
        "camera_void",
        sa.Column("grid", sa.Text(), nullable=False),
        *(_text(name) for name in ("path", "why")),
        *(_int(name) for name in ("since_at", "told_at")),
        sa.PrimaryKeyConstraint("grid"),
    )
    op.create_table(
        "camera_outage",
        sa.Column("level", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        *(_int(name) for name in ("gone", "total", "since_at")),
        sa.PrimaryKeyConstraint("level", "name"),
    )
    op.create_table(
        "camera_sample",
        sa.Column("at", sa.BigInteger(), autoincrement=False, nullable=False),
        _int("registered"),
        sa.Column("body", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("at"),
    )
    op.create_table(
        "camera_ticket",
        sa.Column("id", sa.Text(), nullable=False),
        *(_text(name) for name in ("subject", "kind", "owner", "origin")),
        *(_int(name) for name in ("since_at", "opened_at")),
        _text("state"),
        *(_int(name) for name in ("state_at", "revision", "sent")),
        sa.Column("item", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("camera_ticket_subject", "camera_ticket", ["subject", "state"])
    op.create_index("camera_ticket_state", "camera_ticket", ["state", "state_at"])
    op.create_table(
        "camera_version",
        sa.Column("camera", sa.Text(), nullable=False),
        sa.Column("revision", sa.BigInteger(), autoincrement=False, nullable=False),
        _int("valid_from"),
        sa.Column("valid_to", sa.BigInteger(), nullable=True),
        sa.Column("record", sa.LargeBinary(), nullable=False),
        _text("actor"),
        sa.PrimaryKeyConstraint("camera", "revision"),
    )


def _platforms() -> None:
    op.create_table(
        "platform",
        sa.Column("code", sa.Text(), nullable=False),
        *(_text(name) for name in ("state", "name")),
        *(_int(name) for name in ("revision", "knocked_at")),
        *(_text(name) for name in ("why_knocked", "agent", "version", "transport", "host")),
        *(_int(name) for name in ("port", "online")),
        _time("online_at"),
        _int("until_at"),
        _time("announced"),
        _int("held"),
        _time("synced_at"),
        _time("tried_at"),
        *(_text(name) for name in ("why", "missing", "changes", "quirks", "info")),
        *(_int(name) for name in ("resync", "changed_at")),
        sa.PrimaryKeyConstraint("code"),
    )
    op.create_index("platform_state", "platform", ["state", "knocked_at"])


def _text(name: str) -> sa.Column[str]:
    return sa.Column(name, sa.Text(), nullable=False, server_default="")


def _int(name: str) -> sa.Column[int]:
    return sa.Column(name, sa.BigInteger(), nullable=False, server_default="0")


def _time(name: str) -> sa.Column[int]:
    return sa.Column(name, sa.BigInteger(), nullable=True)
