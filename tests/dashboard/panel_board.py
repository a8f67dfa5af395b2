"""A board for tests of panels, made by folding entries as the program does."""

from typing import Any
from zoneinfo import ZoneInfo

from config.city import City
from config.words import Words
from operations.board import Board, apply
from operations.entry import Entry

ZONE = ZoneInfo("Asia/Shanghai")
WORDS = Words("zh", City("云岭市", ZONE, demo=True))
SECOND = 1_000_000
MINUTE = 60 * SECOND
HOUR = 60 * MINUTE
NOW = 1_763_778_600 * SECOND  # 2025-11-22 10:30 in Shanghai


def incident(
    key: str,
    *,
    urgency: str = "routine",
    minutes: int = 0,
    acknowledged: bool = False,
    escalated: bool = False,
    placed: bool = True,
    **more: Any,
) -> dict[str, Any]:
    """Return the fields of an incident opened `minutes` before NOW."""
    at = NOW - minutes * MINUTE
    values = {
        "id": key, "number": f"1122-{key}", "county": "990101", "revision": 1, "type": "0401", "title": f"事件 {key}",
        "department": "police", "source": "hotline", "report_id": key, "occurred_at": at, "received_at": at,
        "opened_at": at, "updated_at": at, "urgency": urgency,
        "lon": 123.0 if placed else None, "lat": 35.0 if placed else None,
        "grid": "990101001001001" if placed else "",
        "chain": ("990101", "990101001", "990101001001", "990101001001001") if placed else (),
    }  # fmt: skip
    if acknowledged:
        values["acknowledged_at"] = at + 30 * SECOND
    if escalated:
        values["escalated_at"] = at + 2 * MINUTE
    if more.get("step") == "closed":
        values["closed_at"] = NOW
    return values | more


def entry(seq: int, action: str, subject: tuple[str, str], body: dict[str, Any], at: int = NOW) -> Entry:
    """Return one entry with this body."""
    return Entry(
        seq=seq, at=at, actor="test", action=action, subject_type=subject[0], subject_id=subject[1], revision=1,
        scope_grid="", scope_grid_before="", scope_department="", scope_department_before="", reason="", schema=1,
        body_digest="", prev_hash="", hash="", body=body,
    )  # fmt: skip


def board(*incidents: dict[str, Any]) -> Board:
    """Return the board on which these incidents were opened."""
    made = Board(at=NOW)
    for values in incidents:
        apply(made, entry(made.seq + 1, "incident.opened", ("incident", values["id"]), {"set": values}))
    return made
