"""An incident 事件: the state that entries build and everybody sees."""

from typing import Any

from msgspec import Struct, structs

from operations.scope import Scope
from operations.ticking import Clock

# 登记 分流 办理 反馈 办结审核 回访, then closed. A flow's own steps are each of one of these kinds (`Incident.stage`).
STEPS = ("register", "triage", "handle", "reply", "review", "follow_up", "closed")


WHOLE_AGAIN = ("incident.reopened", "incident.split")
"""Entries that carry the whole incident: it may have left the board."""
WITHHELD = "withheld"
"""Mark of an incident whose words a screen does not get; it stands in no journal."""


class Item(Struct, frozen=True, array_like=True, gc=False):
    """One item of a strike-off list 销号清单; one added by hand is called by its number, its text lies sealed."""

    code: str
    struck_at: int | None = None
    struck_by: str = ""


class Incident(Struct, frozen=True, omit_defaults=True, kw_only=True, gc=False):
    """One incident. Times: UTC microseconds; `lon`, `lat`: WGS-84 degrees; `chain`: codes, root to leaf."""

    id: str  # UUIDv7
    number: str  # sayable, unique in its county and day: "1122-0031"
    county: str
    revision: int
    type: str
    title: str
    department: str
    source: str
    report_id: str
    occurred_at: int
    received_at: int  # of the first report
    opened_at: int
    updated_at: int
    step: str = "register"
    urgency: str = "routine"
    address: str = ""
    lon: float | None = None
    lat: float | None = None
    accuracy_m: float | None = None
    grid: str = ""  # leaf code, empty when unplaced
    chain: tuple[str, ...] = ()
    nearest: str = ""
    distance_m: float = 0.0  # to `nearest`; says nothing without one, see `nearest_m`
    channel: str = ""
    source_status: str = ""
    gone: bool = False  # gone from its source's feed; says nothing about closed
    reports: int = 1
    marks: tuple[str, ...] = ()
    acknowledged_at: int | None = None
    acknowledged_by: str = ""
    closed_at: int | None = None
    closed_by: str = ""
    result: str = ""  # code of the result it was closed with
    escalated_at: int | None = None
    reopened_at: int | None = None
    raised_at: int | None = None  # to 特急, after it was opened as less
    distinct: tuple[str, ...] = ()  # pairs (`doubles.pair`) that somebody said are not one event
    initiator: str = ""  # "account:zhang" where somebody of ours registered it
    flow: str = ""  # code of its flow in config/flows; "" until its first move: the one its type takes
    stage: str = ""  # code of the flow's own step, where it is not called as its kind in `step`
    moved_at: int | None = None  # when it came to the step it is at
    items: tuple[Item, ...] = ()
    extension: str = ""  # 延期: "" | asked | approved | refused
    extension_minutes: int = 0  # asked for, or given
    grade: str = ""  # 事件等级: special | major | large | general, empty until an authorised person sets it
    support: tuple[str, ...] = ()  # departments beside the lead `department`
    clocks: tuple[Clock, ...] = ()
    suspended_at: int | None = None
    supervised_at: int | None = None  # 督办
    card: str = ""  # 督办 card: "" | yellow | red
    explained: tuple[str, ...] = ()  # "clock/started_at" of late clocks that somebody said why of
    merged_into: str = ""  # id of the incident this one is part of now
    merged: tuple[str, ...] = ()  # ids of those that are part of it
    links: tuple[str, ...] = ()  # ids of related incidents
    returns: int = 0
    reply: str = ""  # code of the lead's consolidated reply: "" | sent | accepted | returned
    follow_up: str = ""  # 回访: "" | waived | reached | unreachable
    satisfaction: int = 0  # 1 to 5, 0: nobody asked
    evaluation: int = 0  # the initiator's, 1 to 5 谁吹哨谁评价
    attachments: int = 0

    @property
    def waiting_since(self) -> int:
        """When its clock for acknowledging started."""
        return max(self.reopened_at or 0, self.raised_at or 0) or self.received_at

    @property
    def nearest_m(self) -> float | None:
        """Metres to the nearest grid; None where there is none: it lies in a grid, or nobody knows where it is."""
        return self.distance_m if self.nearest else None

    @property
    def is_open(self) -> bool:
        """Say whether work is left."""
        return self.step != "closed"


def with_urgency(incident: Incident, urgency: str, now: int) -> dict[str, Any]:
    """Return what changes with an urgency: raised to 特急 it has to be acknowledged anew, and soon."""
    if urgency != "critical" or incident.urgency == "critical":
        return {"urgency": urgency}
    anew = {"acknowledged_at": None, "acknowledged_by": "", "escalated_at": None}
    return {"urgency": urgency, "raised_at": now, **anew}


def visible(scope: Scope, incident: Incident) -> bool:
    """Say whether `incident` lies inside `scope`; the unplaced belong to the whole city only."""
    return scope.covers(incident.chain, incident.department, incident.type)


def seen(scope: Scope, incident: Incident | None) -> Incident | None:
    """Return what a scope sees of an incident: None outside it, and of a dimmed type no words that people wrote."""
    if incident is None or not visible(scope, incident):
        return None
    if not scope.dimmed or not incident.type.startswith(scope.dimmed):
        return incident
    return structs.replace(incident, title="", address="", report_id="", marks=(*incident.marks, WITHHELD))
