"""Every table of the database. Times: UTC microseconds. The migrations create them; a test compares the two."""

from sqlalchemy import BigInteger, Column, Float, Index, Integer, LargeBinary, MetaData, Table, Text, text

metadata = MetaData()


def _text(name: str) -> Column[str]:
    return Column(name, Text, nullable=False, server_default="")


def _int(name: str) -> Column[int]:
    return Column(name, BigInteger, nullable=False, server_default="0")


def _time(name: str) -> Column[int]:
    return Column(name, BigInteger, nullable=True)


# Neither acknowledged nor escalated yet: a small part of all incidents.
_WAITING = text("acknowledged_at IS NULL AND escalated_at IS NULL AND step <> 'closed'")

# Entries that carry a reason: a small part of all.
_TOLD = text("reason <> ''")

journal = Table(
    "journal",
    metadata,
    Column("seq", BigInteger().with_variant(Integer, "sqlite"), primary_key=True, autoincrement=False),
    _int("at"),
    _text("actor"),
    _text("action"),
    _text("subject_type"),
    _text("subject_id"),
    _int("revision"),
    _text("scope_grid"),
    _text("scope_grid_before"),
    _text("scope_department"),
    _text("scope_department_before"),
    _text("reason"),
    _int("schema"),
    Column("body_digest", LargeBinary, nullable=False),
    Column("prev_hash", LargeBinary, nullable=False),
    Column("hash", LargeBinary, nullable=False),
    Index("journal_subject", "subject_id", "seq"),
    Index("journal_at", "at", "seq"),
    Index("journal_actor", "actor", "at", "seq"),
    Index("journal_action", "action", "at", "seq"),
    Index("journal_reason", "at", "seq", sqlite_where=_TOLD, postgresql_where=_TOLD),
)

journal_body = Table(
    "journal_body",
    metadata,
    Column("seq", BigInteger().with_variant(Integer, "sqlite"), primary_key=True, autoincrement=False),
    Column("body", LargeBinary, nullable=False),
    Column("salt", LargeBinary, nullable=False),
    Column("sealed", LargeBinary, nullable=True),
)

journal_head = Table(
    "journal_head",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=False),
    _int("seq"),
    Column("hash", LargeBinary, nullable=False),
    _int("epoch"),
)

snapshot = Table(
    "snapshot",
    metadata,
    Column("seq", BigInteger, primary_key=True, autoincrement=False),
    _int("fold_version"),
    _int("at"),
    Column("body", LargeBinary, nullable=False),
)

# The current state of each incident and the last report behind it; one row an incident.
incident = Table(
    "incident",
    metadata,
    Column("id", Text, primary_key=True),
    Column("origin", Text, nullable=False, unique=True),
    _text("number"),
    _text("county"),
    _text("step"),
    _text("urgency"),
    _text("type"),
    _text("department"),
    _text("grid"),
    _text("path"),
    _int("opened_at"),
    _time("acknowledged_at"),
    _time("escalated_at"),
    Column("body", LargeBinary, nullable=False),
    Column("report", LargeBinary, nullable=False),
    _int("received_at"),
    Index("incident_number", "number"),
    Index("incident_received", "received_at", "path", "type", "urgency", "department"),
    Index("incident_waiting", "urgency", "opened_at", sqlite_where=_WAITING, postgresql_where=_WAITING),
)

# Exactly one row for every key (source, id, revision): the dedupe constraint and the outcome in one.
outcome = Table(
    "outcome",
    metadata,
    Column("key", Text, primary_key=True),
    _text("outcome"),
    Column("content", LargeBinary, nullable=False),
    _int("seq"),
    _int("partition"),
    sqlite_with_rowid=False,
)

partition = Table(
    "partition",
    metadata,
    Column("partition", Integer, primary_key=True, autoincrement=False),
    _text("last_stream_id"),
    _int("decided"),
    _int("journaled"),
    _int("stale"),
    _int("conflict"),
    _int("quarantined"),
    _int("duplicates"),
)

lease = Table(
    "lease",
    metadata,
    Column("name", Text, primary_key=True),
    _text("owner"),
    _int("token"),
    _int("expires_at"),
)

day_number = Table(
    "day_number",
    metadata,
    Column("county", Text, primary_key=True),
    Column("day", Text, primary_key=True),
    _int("last"),
)

quarantine = Table(
    "quarantine",
    metadata,
    Column("id", Text, primary_key=True),
    _text("source"),
    _text("report_id"),
    _text("revision"),
    _text("reason"),
    _text("field"),
    _text("key"),
    _text("raw_sha256"),
    _int("size"),
    Column("sealed", LargeBinary, nullable=False),
    _text("state"),
    _int("at"),
    _time("decided_at"),
    _text("decided_by"),
    _text("decision"),
    Index("quarantine_state", "state", "id"),
)

source = Table(
    "source",
    metadata,
    Column("id", Text, primary_key=True),
    _text("name"),
    _text("kind"),
    _text("datum"),
    _text("time_zone"),
    Column("rate_limit", Float, nullable=False),
    _text("mapping"),
    _text("settings"),
    _int("silent_after_s"),
    Column("enabled", Integer, nullable=False),
    _int("added_at"),
    _text("digest_datum"),
)

# How far a pulled source has been read (a hint that saves repetition, the journal decides what is new), and why it is
# out of reach.
source_cursor = Table(
    "source_cursor",
    metadata,
    Column("source", Text, primary_key=True),
    _text("cursor"),
    _int("at"),
    _text("lost"),
    _int("lost_at"),
)

# Field mappings written on the administrator's pages; they go before those of files.
mapping = Table(
    "mapping",
    metadata,
    Column("name", Text, primary_key=True),
    _text("body"),
    _int("revision"),
    _int("saved_at"),
    _text("saved_by"),
)

# Each message of a warning once, with where it lies and all it says; `level` is 0 where nobody says one, 1 is red.
warning = Table(
    "warning",
    metadata,
    Column("key", Text, primary_key=True),
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
    Column("body", LargeBinary, nullable=False),
    Column("told", LargeBinary, nullable=False),
    Column("shape", LargeBinary, nullable=False),
    _int("received_at"),
    _time("ended_at"),
    Index("warning_id", "id"),
    Index("warning_state", "state", "expires"),
)

# Which warnings a message ends, also those that are yet to come.
warning_reference = Table(
    "warning_reference",
    metadata,
    Column("target", Text, primary_key=True),
    Column("key", Text, primary_key=True),
)

token = Table(
    "token",
    metadata,
    Column("id", Text, primary_key=True),
    Column("hash", LargeBinary, nullable=False, unique=True),
    Column("hash_before", LargeBinary, nullable=True),
    _time("before_ends_at"),
    _text("mark"),
    _text("name"),
    _text("kind"),
    _text("source"),
    _text("scope_grid"),
    _text("scope_department"),
    _text("actions"),
    _text("networks"),
    _int("added_at"),
    _text("added_by"),
    _time("expires_at"),
    _time("revoked_at"),
    _time("rotated_at"),
    _time("used_at"),
    _text("used_address"),
    Index("token_before", "hash_before"),
)

# `administrator`: which of the three separated administrators it ever was; it never becomes another.
account = Table(
    "account",
    metadata,
    Column("id", Text, primary_key=True),
    Column("name", Text, nullable=False, unique=True),
    _text("role"),
    _text("password"),
    _text("scope_grid"),
    _text("scope_department"),
    _int("failures"),
    _int("locked_until"),
    _int("added_at"),
    _time("disabled_at"),
    _text("shown_name"),
    _text("external"),
    _time("valid_from"),
    _time("valid_to"),
    _int("must_change"),
    _int("password_at"),
    _text("past_passwords"),
    Column("totp", LargeBinary, nullable=True),
    _int("totp_last"),
    _int("demo"),
    _int("revision"),
    _text("administrator"),
)

# A right beside the account's own, such as standing in for the duty commander 代班: the one begun last counts while it
# is in force.
assignment = Table(
    "assignment",
    metadata,
    Column("id", Text, primary_key=True),
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
    Index("assignment_account", "account"),
)

# Codes for who has lost the second factor, each used once.
recovery_code = Table(
    "recovery_code",
    metadata,
    Column("hash", LargeBinary, primary_key=True),
    _text("account"),
    _int("made_at"),
    _time("used_at"),
    Index("recovery_account", "account"),
)

# Names nobody has that somebody tried to sign in with, each by a keyed digest.
stranger = Table(
    "stranger",
    metadata,
    Column("digest", LargeBinary, primary_key=True),
    _int("failures"),
    _int("locked_until"),
    Index("stranger_locked", "locked_until"),
)

session = Table(
    "session",
    metadata,
    Column("hash", LargeBinary, primary_key=True),
    _text("account"),
    _text("id"),
    _text("agent"),
    _int("opened_at"),
    _int("expires_at"),
    _time("seen_at"),
    _time("closed_at"),
    _text("stage"),
    _text("method"),
    _text("address"),
    _int("failures"),
    Index("session_account", "account"),
)

one_time = Table(
    "one_time",
    metadata,
    Column("hash", LargeBinary, primary_key=True),
    _text("account"),
    _int("expires_at"),
    _time("used_at"),
)

grid_version = Table(
    "grid_version",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=False),
    _text("digest"),
    _int("count"),
    _int("imported_at"),
    _text("imported_by"),
    _int("valid_from"),
    _time("began_at"),
    _time("withdrawn_at"),
    _text("note"),
)

grid = Table(
    "grid",
    metadata,
    Column("version", Integer, primary_key=True, autoincrement=False),
    Column("code", Text, primary_key=True),
    _text("name"),
    _text("kind"),
    _int("level"),
    _text("parent"),
    Column("wkb", LargeBinary, nullable=False),
    Column("population", BigInteger, nullable=True),
    _time("valid_from"),
    _time("valid_to"),
)

# Who holds which post in a grid, by the grid's code: a new version of the borders does not lose it.
grid_card = Table(
    "grid_card",
    metadata,
    Column("code", Text, primary_key=True),
    _int("revision"),
    _text("body"),
    _int("changed_at"),
    _text("changed_by"),
)

# Walls 大屏 are devices: read-only, bound to a layout and a jurisdiction. The secret before the newest one holds until
# that has been used (`confirmed_at`). What is known of its screen is a gauge, written down twice a minute.
_LIVING = text("revoked_at IS NULL")
wall = Table(
    "wall",
    metadata,
    Column("id", Text, primary_key=True),
    _text("name"),
    _text("layout"),
    _text("scope_grid"),
    _text("scope_department"),
    Column("hash", LargeBinary, nullable=False, unique=True),
    Column("hash_before", LargeBinary, nullable=True),
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
    Index("wall_name", "name", unique=True, sqlite_where=_LIVING, postgresql_where=_LIVING),
)

# Screens that show a pairing code and wait; the claim becomes the wall's first secret.
pairing = Table(
    "pairing",
    metadata,
    Column("code", Text, primary_key=True),
    Column("claim", LargeBinary, nullable=False, unique=True),
    _text("agent"),
    _text("address"),
    _text("size"),
    _int("made_at"),
    _int("expires_at"),
)

# Departments made on screen or imported; they go before those of config/departments.toml.
department = Table(
    "department",
    metadata,
    Column("code", Text, primary_key=True),
    _text("name"),
    _text("en"),
    _text("short"),
    _int("added_at"),
    _text("added_by"),
    _time("ended_at"),
)

# Old prefixes of the journal that have left as signed files: verification begins after the last one.
segment = Table(
    "segment",
    metadata,
    Column("last", BigInteger().with_variant(Integer, "sqlite"), primary_key=True, autoincrement=False),
    _int("first"),
    Column("hash", LargeBinary, nullable=False),
    _int("epoch"),
    _text("file"),
    _text("sha256"),
    _int("at"),
)
