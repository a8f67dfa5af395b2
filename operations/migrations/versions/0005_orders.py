"""Orders and the loop: clocks, address book, roster, ways out, attachments, reports upwards, hand-overs."""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Create the tables and columns."""
    ticking = sa.text("next_at IS NOT NULL")
    op.add_column("incident", _time("next_at"))
    op.create_index("incident_next", "incident", ["next_at"], sqlite_where=ticking, postgresql_where=ticking)
    directory = sa.text("subject_type IN ('person', 'team', 'department')")
    op.create_index("journal_directory", "journal", ["seq"], sqlite_where=directory, postgresql_where=directory)
    for column in (_text("parent"), _text("presence"), _text("phone"), _text("email")):
        op.add_column("department", column)
    op.create_table(
        "dispatch_order",
        _key("id"),
        _text("number"),
        _text("kind"),
        _text("incident"),
        _text("state"),
        _text("county"),
        _text("department"),
        _text("path"),
        _text("sender"),
        _int("sent_at"),
        sa.Column("key", sa.Text(), nullable=True),
        sa.Column("body", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("key"),
    )
    op.create_index("dispatch_order_number", "dispatch_order", ["number"])
    op.create_index("dispatch_order_incident", "dispatch_order", ["incident"])
    op.create_index("dispatch_order_state", "dispatch_order", ["state", "sent_at"])
    op.create_table(
        "order_recipient",
        _key("order_id"),
        _key("id"),
        _text("kind"),
        _text("department"),
        _text("account"),
        _text("grid"),
        _text("state"),
        _text("role"),
        _int("sent_at"),
        _time("next_at"),
        sa.Column("body", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("order_id", "id"),
    )
    op.create_index("order_recipient_mine", "order_recipient", ["department", "state", "sent_at"])
    op.create_index("order_recipient_account", "order_recipient", ["account", "state", "sent_at"])
    op.create_index("order_recipient_newest", "order_recipient", ["department", "sent_at"])
    op.create_index("order_recipient_given", "order_recipient", ["account", "sent_at"])
    op.create_index("order_recipient_concerned", "order_recipient", ["order_id", "department", "grid"])
    op.create_index(
        "order_recipient_next", "order_recipient", ["next_at"], sqlite_where=ticking, postgresql_where=ticking
    )
    op.create_table(
        "delivery",
        _key("id"),
        _text("channel"),
        _text("subject_type"),
        _text("subject_id"),
        _text("recipient"),
        _text("purpose"),
        _text("state"),
        _int("attempts"),
        _int("created_at"),
        _time("next_at"),
        _time("done_at"),
        _text("error"),
        _int("seq"),
        _text("claim"),
        sa.Column("body", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("delivery_next", "delivery", ["channel", "next_at"], sqlite_where=ticking, postgresql_where=ticking)
    op.create_index("delivery_subject", "delivery", ["subject_id", "recipient"])
    op.create_index("delivery_state", "delivery", ["channel", "state", "created_at"])
    before = ["channel", "subject_id", "recipient", "seq"]
    op.create_index("delivery_before", "delivery", before, sqlite_where=ticking, postgresql_where=ticking)
    op.create_index("delivery_done", "delivery", ["done_at"])
    op.create_table(
        "outlet",
        _key("name"),
        _text("kind"),
        _text("body"),
        _int("enabled"),
        _int("revision"),
        _int("changed_at"),
        _text("changed_by"),
        _text("source"),
        _int("cursor"),
        _int("failures"),
        _time("failing_since"),
        _time("retry_at"),
        _text("error"),
        _time("worked_at"),
        sa.PrimaryKeyConstraint("name"),
    )
    op.create_table(
        "person",
        _key("id"),
        _text("name"),
        _text("pinyin"),
        _text("initials"),
        _text("post"),
        _text("department"),
        _text("grid"),
        _text("phone"),
        _text("email"),
        _text("account"),
        _int("revision"),
        _int("changed_at"),
        _text("changed_by"),
        _time("ended_at"),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("person_department", "person", ["department", "name"])
    op.create_index("person_account", "person", ["account"])
    op.create_table(
        "team",
        _key("id"),
        _text("name"),
        _text("pinyin"),
        _text("initials"),
        _text("kind"),
        _text("department"),
        _text("grid"),
        _text("phone"),
        _text("members"),
        _int("revision"),
        _int("changed_at"),
        _text("changed_by"),
        _time("ended_at"),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("team_department", "team", ["department", "name"])
    op.create_table(
        "shift",
        _key("id"),
        _text("department"),
        _text("grid"),
        _text("post"),
        _text("person"),
        _int("rank"),
        _int("starts_at"),
        _int("ends_at"),
        _int("changed_at"),
        _text("changed_by"),
        _time("cancelled_at"),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("shift_time", "shift", ["department", "ends_at", "starts_at"])
    op.create_index("shift_person", "shift", ["person", "ends_at"])
    op.create_table(
        "responsibility",
        _key("id"),
        _text("department"),
        _text("type"),
        _text("grid"),
        _text("part"),
        _text("basis"),
        _int("changed_at"),
        _text("changed_by"),
        _time("ended_at"),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("responsibility_type", "responsibility", ["type", "grid"])
    op.create_index("responsibility_department", "responsibility", ["department"])
    op.create_table(
        "attachment",
        _key("id"),
        _text("subject_type"),
        _text("subject_id"),
        _text("kind"),
        _text("media_type"),
        _int("size"),
        _text("sha256"),
        _int("added_at"),
        _text("added_by"),
        _time("removed_at"),
        sa.Column("sealed", sa.LargeBinary(), nullable=True),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("attachment_subject", "attachment", ["subject_id", "added_at"])
    op.create_table(
        "upward_report",
        _key("id"),
        _text("incident"),
        _text("kind"),
        _text("number"),
        _text("state"),
        _text("grade"),
        _text("department"),
        _text("path"),
        _int("revision"),
        _time("due_at"),
        _time("next_at"),
        _int("made_at"),
        _text("made_by"),
        _time("signed_at"),
        _text("signed_by"),
        _time("sent_at"),
        sa.Column("body", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("upward_incident", "upward_report", ["incident", "made_at"])
    op.create_index("upward_state", "upward_report", ["state", "due_at"])
    op.create_index("upward_next", "upward_report", ["next_at"], sqlite_where=ticking, postgresql_where=ticking)
    op.create_table(
        "handover",
        _key("id"),
        _text("department"),
        _text("path"),
        _text("from_account"),
        _text("to_account"),
        _text("state"),
        _int("made_at"),
        _time("signed_at"),
        _time("taken_at"),
        sa.Column("body", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("handover_state", "handover", ["state", "made_at"])
    op.create_table(
        "duty_note",
        _key("id"),
        _int("at"),
        _int("written_at"),
        _text("account"),
        _text("department"),
        _text("path"),
        _text("kind"),
        _text("incident"),
        _text("corrects"),
        sa.Column("sealed", sa.LargeBinary(), nullable=True),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("duty_note_at", "duty_note", ["at"])
    correcting = sa.text("corrects <> ''")
    op.create_index(
        "duty_note_corrects", "duty_note", ["corrects"], sqlite_where=correcting, postgresql_where=correcting
    )
    op.create_table(
        "saved_view",
        _key("id"),
        _text("account"),
        _text("name"),
        _text("body"),
        _int("changed_at"),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("saved_view_account", "saved_view", ["account", "name"])


def _key(name: str) -> sa.Column[str]:
    return sa.Column(name, sa.Text(), nullable=False)


def _text(name: str) -> sa.Column[str]:
    return sa.Column(name, sa.Text(), nullable=False, server_default="")


def _int(name: str) -> sa.Column[int]:
    return sa.Column(name, sa.BigInteger(), nullable=False, server_default="0")


def _time(name: str) -> sa.Column[int]:
    return sa.Column(name, sa.BigInteger(), nullable=True)
