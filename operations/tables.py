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

# Things one of whose clocks will say something: `next_at` is when.
_TICKING = text("next_at IS NOT NULL")

# Entries about the directory, which its index follows.
_DIRECTORY = text("subject_type IN ('person', 'team', 'department')")

# Notes that put another one right.
_CORRECTING = text("corrects <> ''")

# Looks through a camera that have not ended.
_LIVING = text("ended_at IS NULL")

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
    Index("journal_directory", "seq", sqlite_where=_DIRECTORY, postgresql_where=_DIRECTORY),
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

# The current state of each incident and the last report behind it; one row an incident. `next_at`: when one of its
# clocks says something next.
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
    _time("next_at"),
    Index("incident_number", "number"),
    Index("incident_received", "received_at", "path", "type", "urgency", "department"),
    Index("incident_waiting", "urgency", "opened_at", sqlite_where=_WAITING, postgresql_where=_WAITING),
    Index("incident_next", "next_at", sqlite_where=_TICKING, postgresql_where=_TICKING),
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

# Departments made on screen or imported; they go before those of config/departments.toml. `presence`: resident,
# rotating or on_call 常驻 轮驻 随叫.
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
    _text("parent"),
    _text("presence"),
    _text("phone"),
    _text("email"),
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

# An order 联动指令 / 交办单 as it stands; its recipients are rows of their own. Sending twice under one `key` is one
# order.
dispatch_order = Table(
    "dispatch_order",
    metadata,
    Column("id", Text, primary_key=True),
    _text("number"),
    _text("kind"),
    _text("incident"),
    _text("state"),
    _text("county"),
    _text("department"),
    _text("path"),
    _text("sender"),
    _int("sent_at"),
    Column("key", Text, nullable=True, unique=True),
    Column("body", LargeBinary, nullable=False),
    Index("dispatch_order_number", "number"),
    Index("dispatch_order_incident", "incident"),
    Index("dispatch_order_state", "state", "sent_at"),
)

# Each recipient of an order with its receipts; `next_at`: when one of its clocks says something next.
order_recipient = Table(
    "order_recipient",
    metadata,
    Column("order_id", Text, primary_key=True),
    Column("id", Text, primary_key=True),
    _text("kind"),
    _text("department"),
    _text("account"),
    _text("grid"),
    _text("state"),
    _text("role"),
    _int("sent_at"),
    _time("next_at"),
    Column("body", LargeBinary, nullable=False),
    Index("order_recipient_mine", "department", "state", "sent_at"),
    Index("order_recipient_account", "account", "state", "sent_at"),
    Index("order_recipient_newest", "department", "sent_at"),
    Index("order_recipient_given", "account", "sent_at"),
    Index("order_recipient_concerned", "order_id", "department", "grid"),
    Index("order_recipient_next", "next_at", sqlite_where=_TICKING, postgresql_where=_TICKING),
)

# One message to one recipient by one outlet: the outbox. `id` is the idempotency id that goes along with every try,
# `channel` the outlet's name, `seq` the order of those about one thing to one recipient; while `next_at` is there it
# waits or is on its way, then `claim` says who carries it.
delivery = Table(
    "delivery",
    metadata,
    Column("id", Text, primary_key=True),
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
    Column("body", LargeBinary, nullable=False),
    Index("delivery_next", "channel", "next_at", sqlite_where=_TICKING, postgresql_where=_TICKING),
    Index("delivery_subject", "subject_id", "recipient"),
    Index("delivery_state", "channel", "state", "created_at"),
    Index(
        "delivery_before",
        *("channel", "subject_id", "recipient", "seq"),
        sqlite_where=_TICKING,
        postgresql_where=_TICKING,
    ),
    Index("delivery_done", "done_at"),
)

# A way out 渠道: e-mail, a signed webhook, a file; secrets lie outside the database. One with a `source` takes the
# states of its incidents back there, and `cursor` is how far of the journal it has read; `retry_at`: while it fails.
outlet = Table(
    "outlet",
    metadata,
    Column("name", Text, primary_key=True),
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
)

# The address book 云通讯录: names and phones stand in this table alone, entries name the id.
person = Table(
    "person",
    metadata,
    Column("id", Text, primary_key=True),
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
    Index("person_department", "department", "name"),
    Index("person_account", "account"),
)

# Teams and patrols 队伍 as recipients.
team = Table(
    "team",
    metadata,
    Column("id", Text, primary_key=True),
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
    Index("team_department", "department", "name"),
)

# The duty roster 值班表: who holds a post from when to when; `rank` 1 is called first, then 2 …
shift = Table(
    "shift",
    metadata,
    Column("id", Text, primary_key=True),
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
    Index("shift_time", "department", "ends_at", "starts_at"),
    Index("shift_person", "person", "ends_at"),
)

# The duty list 责任清单: which department handles which types where; the item-access rule 准入 asks it.
responsibility = Table(
    "responsibility",
    metadata,
    Column("id", Text, primary_key=True),
    _text("department"),
    _text("type"),
    _text("grid"),
    _text("part"),
    _text("basis"),
    _int("changed_at"),
    _text("changed_by"),
    _time("ended_at"),
    Index("responsibility_type", "type", "grid"),
    Index("responsibility_department", "department"),
)

# What was attached to an incident or an order: the file lies on disk, its digest in the journal.
attachment = Table(
    "attachment",
    metadata,
    Column("id", Text, primary_key=True),
    _text("subject_type"),
    _text("subject_id"),
    _text("kind"),
    _text("media_type"),
    _int("size"),
    _text("sha256"),
    _int("added_at"),
    _text("added_by"),
    _time("removed_at"),
    Column("sealed", LargeBinary, nullable=True),
    Index("attachment_subject", "subject_id", "added_at"),
)

# Reports to the level above 信息报送: first, continued, final 首报 续报 终报.
upward_report = Table(
    "upward_report",
    metadata,
    Column("id", Text, primary_key=True),
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
    Column("body", LargeBinary, nullable=False),
    Index("upward_incident", "incident", "made_at"),
    Index("upward_state", "state", "due_at"),
    Index("upward_next", "next_at", sqlite_where=_TICKING, postgresql_where=_TICKING),
)

# Hand-overs at a change of shift 交接班: an open list that both sign.
handover = Table(
    "handover",
    metadata,
    Column("id", Text, primary_key=True),
    _text("department"),
    _text("path"),
    _text("from_account"),
    _text("to_account"),
    _text("state"),
    _int("made_at"),
    _time("signed_at"),
    _time("taken_at"),
    Column("body", LargeBinary, nullable=False),
    Index("handover_state", "state", "made_at"),
)

# The duty log 值班日志; what people wrote is sealed under the note's own key.
duty_note = Table(
    "duty_note",
    metadata,
    Column("id", Text, primary_key=True),
    _int("at"),
    _int("written_at"),
    _text("account"),
    _text("department"),
    _text("path"),
    _text("kind"),
    _text("incident"),
    _text("corrects"),
    Column("sealed", LargeBinary, nullable=True),
    Index("duty_note_at", "at"),
    Index("duty_note_corrects", "corrects", sqlite_where=_CORRECTING, postgresql_where=_CORRECTING),
)

# Views of the desk that somebody keeps.
saved_view = Table(
    "saved_view",
    metadata,
    Column("id", Text, primary_key=True),
    _text("account"),
    _text("name"),
    _text("body"),
    _int("changed_at"),
    Index("saved_view_account", "account", "name"),
)

# What somebody keeps of the page of pictures 画面视图: how many tiles, and which cameras in them.
picture_view = Table(
    "picture_view",
    metadata,
    Column("id", Text, primary_key=True),
    _text("account"),
    _text("name"),
    _text("body"),
    _int("changed_at"),
    Index("picture_view_account", "account", "name"),
)

# Who looked through which camera, from when to when, and why 看过哪些画面; `seen_at`: last known to look.
look = Table(
    "look",
    metadata,
    Column("id", Text, primary_key=True),
    _text("camera"),
    _text("stream"),
    _text("actor"),
    _text("why"),
    _text("incident"),
    _text("path"),
    _text("department"),
    _int("began_at"),
    _int("seen_at"),
    _time("ended_at"),
    _text("ended_how"),
    _text("grant_id"),
    _text("mode"),
    Index("look_living", "seen_at", sqlite_where=_LIVING, postgresql_where=_LIVING),
    Index("look_camera", "camera", "began_at"),
    Index("look_began", "began_at"),
    Index("look_grant", "grant_id"),
    Index("look_stream", "stream"),
)

# Cameras 摄像机 that ledgers and platforms told of; `record` is what the source told last, as JSON; the columns beside
# it are for finding. `placed`: its place was given by hand. The three signals stand beside the record.
camera = Table(
    "camera",
    metadata,
    Column("id", Text, primary_key=True),
    _text("source"),
    _text("code"),
    _text("name"),
    _text("parent"),
    _text("owner"),
    _int("point_class"),
    _text("position"),
    Column("direction", Float, nullable=True),
    Column("field_angle", Float, nullable=True),
    Column("view_distance", Float, nullable=True),
    _text("legal_basis"),
    _text("filing_number"),
    _int("retention_days"),
    _int("sign"),
    _int("restricted"),
    Column("lon", Float, nullable=True),
    Column("lat", Float, nullable=True),
    _text("path"),
    _int("placed"),
    _text("civil_code"),
    _text("group"),
    _text("vendor"),
    _text("model"),
    _text("function_type"),
    _text("url_main"),
    _text("url_sub"),
    _text("status"),
    _int("status_at"),
    _text("registered"),
    _int("registered_at"),
    _text("picture"),
    _int("picture_at"),
    _int("maintenance_until"),
    Column("record", LargeBinary, nullable=False),
    _int("revision"),
    _int("since_at"),
    _int("changed_at"),
    _time("gone_at"),
    Index("camera_code", "source", "code", unique=True),
    Index("camera_path", "path"),
    Index("camera_place", "lat", "lon"),
)

# Each record a camera had 有效期, from when to when.
camera_version = Table(
    "camera_version",
    metadata,
    Column("camera", Text, primary_key=True),
    Column("revision", BigInteger, primary_key=True, autoincrement=False),
    _int("valid_from"),
    _time("valid_to"),
    Column("record", LargeBinary, nullable=False),
    _text("actor"),
)

# Smallest grids without a live camera 视频盲区 as of the last look; `told_at` 0: not long enough to be an alert.
camera_void = Table(
    "camera_void",
    metadata,
    Column("grid", Text, primary_key=True),
    _text("path"),
    _text("why"),
    _int("since_at"),
    _int("told_at"),
)

# Mass drops of cameras 批量离线 that were told and have not ended.
camera_outage = Table(
    "camera_outage",
    metadata,
    Column("level", Text, primary_key=True),
    Column("name", Text, primary_key=True),
    _int("gone"),
    _int("total"),
    _int("since_at"),
)

# Rates of cameras 在线率、完好率 as of a time, kept for two months; `body`: JSON, compressed.
camera_sample = Table(
    "camera_sample",
    metadata,
    Column("at", BigInteger, primary_key=True, autoincrement=False),
    _int("registered"),
    Column("body", LargeBinary, nullable=False),
)

# Health tickets 健康工单 that were made of a camera or of a mass drop, with what intake was told last as JSON (`item`);
# `revision` counts it, `sent` is the last one intake has. `state`: open | back | past; one that is not past a subject.
camera_ticket = Table(
    "camera_ticket",
    metadata,
    Column("id", Text, primary_key=True),
    _text("subject"),
    _text("kind"),
    _text("owner"),
    _text("origin"),
    _int("since_at"),
    _int("opened_at"),
    _text("state"),
    _int("state_at"),
    _int("revision"),
    _int("sent"),
    Column("item", LargeBinary, nullable=False),
    Index("camera_ticket_subject", "subject", "state"),
    Index("camera_ticket_state", "state", "state_at"),
)

# Platforms 下级平台 and devices that register with us by GB/T 28181; their passwords lie in DATA/keys. What a catalogue
# announced and what is held is as of the last one; `missing`, `changes`, `quirks` and `info` are JSON.
platform = Table(
    "platform",
    metadata,
    Column("code", Text, primary_key=True),
    _text("state"),
    _text("name"),
    _int("revision"),
    _int("knocked_at"),
    _text("why_knocked"),
    _text("agent"),
    _text("version"),
    _text("transport"),
    _text("host"),
    _int("port"),
    _int("online"),
    _time("online_at"),
    _int("until_at"),
    _time("announced"),
    _int("held"),
    _time("synced_at"),
    _time("tried_at"),
    _text("why"),
    _text("missing"),
    _text("changes"),
    _text("quirks"),
    _text("info"),
    _int("resync"),
    _int("changed_at"),
    Index("platform_state", "state", "knocked_at"),
)

# Requests for video access 调阅申请; `body` is the whole as JSON, the columns beside it are for finding.
access_request = Table(
    "access_request",
    metadata,
    Column("id", Text, primary_key=True),
    _text("number"),
    _text("state"),
    _text("applicant"),
    _text("department"),
    _text("incident"),
    _text("urgency"),
    _text("path"),
    _int("made_at"),
    _time("sent_at"),
    _time("decided_at"),
    _time("next_at"),
    _int("revision"),
    Column("body", LargeBinary, nullable=False),
    Index("access_request_applicant", "applicant", "made_at"),
    Index("access_request_state", "state", "made_at"),
    Index("access_request_incident", "incident"),
    Index("access_request_next", "next_at", sqlite_where=_TICKING, postgresql_where=_TICKING),
)

# Who decides a request 审批席位, a row each: for finding what waits for a post.
access_seat = Table(
    "access_seat",
    metadata,
    Column("request", Text, primary_key=True),
    Column("key", Text, primary_key=True),
    _text("kind"),
    _text("department"),
    _text("state"),
    _int("level"),
    _time("since_at"),
    _time("decided_at"),
    _text("decided_by"),
    Index("access_seat_waiting", "state", "kind", "department"),
)

# Grants 授权, living and past; `holder`: "account:ID" or "wall:ID"; `department`: the owner's, `unit`: the holder's.
# `body` is the whole as JSON.
access_grant = Table(
    "access_grant",
    metadata,
    Column("id", Text, primary_key=True),
    _text("number"),
    _text("kind"),
    _text("request"),
    _text("standing"),
    _text("holder"),
    _text("unit"),
    _text("department"),
    _text("incident"),
    _text("path"),
    _int("from_at"),
    _int("until_at"),
    _time("ended_at"),
    _text("ended_how"),
    _time("ratify_by"),
    _int("revision"),
    Column("body", LargeBinary, nullable=False),
    Index("access_grant_living", "holder", sqlite_where=_LIVING, postgresql_where=_LIVING),
    Index("access_grant_until", "until_at", sqlite_where=_LIVING, postgresql_where=_LIVING),
    Index("access_grant_incident", "incident"),
    Index("access_grant_request", "request"),
    Index("access_grant_department", "department", "from_at"),
)
access_grant_camera = Table(
    "access_grant_camera",
    metadata,
    Column("grant_id", Text, primary_key=True),
    Column("camera", Text, primary_key=True),
    Index("access_grant_camera_camera", "camera"),
)

# Walls on which what is granted to a person may be shown too.
access_grant_wall = Table(
    "access_grant_wall",
    metadata,
    Column("grant_id", Text, primary_key=True),
    Column("wall", Text, primary_key=True),
    Index("access_grant_wall_wall", "wall"),
)

# What owners authorise in advance 常态授权; `body` is the whole as JSON.
access_standing = Table(
    "access_standing",
    metadata,
    Column("id", Text, primary_key=True),
    _text("department"),
    _int("signed_at"),
    _int("until_at"),
    _time("ended_at"),
    _int("revision"),
    Column("body", LargeBinary, nullable=False),
    Index("access_standing_department", "department", "until_at"),
)

# Who decides for whom while they are away 代行; ids of accounts.
access_delegate = Table(
    "access_delegate",
    metadata,
    Column("id", Text, primary_key=True),
    _text("giver"),
    _text("taker"),
    _int("from_at"),
    _int("until_at"),
    _time("ended_at"),
    Index("access_delegate_taker", "taker", "until_at"),
)

# What may be seen through a camera 视场限制: "restricted" wants a named consent, "masked" hides parts of the picture,
# "forbidden" is never shown; `body`: the consent and the masks as JSON.
camera_limit = Table(
    "camera_limit",
    metadata,
    Column("camera", Text, primary_key=True),
    _text("kind"),
    _int("revision"),
    _int("changed_at"),
    _text("changed_by"),
    Column("body", LargeBinary, nullable=False),
)

# Snapshots and exports that left 截图与导出, what became of them, and whether they have to be kept.
evidence = Table(
    "evidence",
    metadata,
    Column("id", Text, primary_key=True),
    _text("kind"),
    _text("camera"),
    _text("grant_id"),
    _text("actor"),
    _text("sha256"),
    _text("department"),
    _text("path"),
    _int("made_at"),
    _text("state"),
    _int("state_at"),
    _text("state_by"),
    _int("held"),
    _time("published_at"),
    Column("body", LargeBinary, nullable=False),
    Index("evidence_made", "made_at"),
    Index("evidence_grant", "grant_id"),
    Index("evidence_camera", "camera", "made_at"),
)
