"""Video access: requests, who decides, grants, what is authorised in advance, view limits, and what left."""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None

_LIVING = sa.text("ended_at IS NULL")
_TICKING = sa.text("next_at IS NOT NULL")


def upgrade() -> None:
    """Create the tables."""
    with op.batch_alter_table("look") as look:
        look.add_column(_text("grant_id"))
        look.add_column(_text("mode"))
    op.create_index("look_grant", "look", ["grant_id"])
    op.create_index("look_stream", "look", ["stream"])
    _requests()
    _grants()
    _beside()


def _requests() -> None:
    op.create_table(
        "access_request",
        sa.Column("id", sa.Text(), nullable=False),
        *(_text(name) for name in ("number", "state", "applicant", "department", "incident", "urgency", "path")),
        _int("made_at"),
        *(_time(name) for name in ("sent_at", "decided_at", "next_at")),
        _int("revision"),
        sa.Column("body", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("access_request_applicant", "access_request", ["applicant", "made_at"])
    op.create_index("access_request_state", "access_request", ["state", "made_at"])
    op.create_index("access_request_incident", "access_request", ["incident"])
    op.create_index(
        "access_request_next", "access_request", ["next_at"], sqlite_where=_TICKING, postgresql_where=_TICKING
    )
    op.create_table(
        "access_seat",
        sa.Column("request", sa.Text(), nullable=False),
        sa.Column("key", sa.Text(), nullable=False),
        *(_text(name) for name in ("kind", "department", "state")),
        _int("level"),
        *(_time(name) for name in ("since_at", "decided_at")),
        _text("decided_by"),
        sa.PrimaryKeyConstraint("request", "key"),
    )
    op.create_index("access_seat_waiting", "access_seat", ["state", "kind", "department"])


def _grants() -> None:
    told = ("number", "kind", "request", "standing", "holder", "unit", "department", "incident", "path")
    op.create_table(
        "access_grant",
        sa.Column("id", sa.Text(), nullable=False),
        *(_text(name) for name in told),
        *(_int(name) for name in ("from_at", "until_at")),
        _time("ended_at"),
        _text("ended_how"),
        _time("ratify_by"),
        _int("revision"),
        sa.Column("body", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )
    for name, column in (("living", "holder"), ("until", "until_at")):
        op.create_index(
            f"access_grant_{name}", "access_grant", [column], sqlite_where=_LIVING, postgresql_where=_LIVING
        )
    op.create_index("access_grant_incident", "access_grant", ["incident"])
    op.create_index("access_grant_request", "access_grant", ["request"])
    op.create_index("access_grant_department", "access_grant", ["department", "from_at"])
    op.create_table(
        "access_grant_camera",
        sa.Column("grant_id", sa.Text(), nullable=False),
        sa.Column("camera", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("grant_id", "camera"),
    )
    op.create_index("access_grant_camera_camera", "access_grant_camera", ["camera"])
    op.create_table(
        "access_grant_wall",
        sa.Column("grant_id", sa.Text(), nullable=False),
        sa.Column("wall", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("grant_id", "wall"),
    )
    op.create_index("access_grant_wall_wall", "access_grant_wall", ["wall"])
    op.create_table(
        "access_standing",
        sa.Column("id", sa.Text(), nullable=False),
        _text("department"),
        *(_int(name) for name in ("signed_at", "until_at")),
        _time("ended_at"),
        _int("revision"),
        sa.Column("body", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("access_standing_department", "access_standing", ["department", "until_at"])


def _beside() -> None:
    op.create_table(
        "access_delegate",
        sa.Column("id", sa.Text(), nullable=False),
        *(_text(name) for name in ("giver", "taker")),
        *(_int(name) for name in ("from_at", "until_at")),
        _time("ended_at"),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("access_delegate_taker", "access_delegate", ["taker", "until_at"])
    op.create_table(
        "camera_limit",
        sa.Column("camera", sa.Text(), nullable=False),
        _text("kind"),
        *(_int(name) for name in ("revision", "changed_at")),
        _text("changed_by"),
        sa.Column("body", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("camera"),
    )
    op.create_table(
        "evidence",
        sa.Column("id", sa.Text(), nullable=False),
        *(_text(name) for name in ("kind", "camera", "grant_id", "actor", "sha256", "department", "path")),
        _int("made_at"),
        _text("state"),
        _int("state_at"),
        _text("state_by"),
        _int("held"),
        _time("published_at"),
        sa.Column("body", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("evidence_made", "evidence", ["made_at"])
    op.create_index("evidence_grant", "evidence", ["grant_id"])
    op.create_index("evidence_camera", "evidence", ["camera", "made_at"])


def _text(name: str) -> sa.Column[str]:
    return sa.Column(name, sa.Text(), nullable=False, server_default="")


def _int(name: str) -> sa.Column[int]:
    return sa.Column(name, sa.BigInteger(), nullable=False, server_default="0")


def _time(name: str) -> sa.Column[int]:
    return sa.Column(name, sa.BigInteger(), nullable=True)
