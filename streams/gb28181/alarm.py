"""Alarms 报警 of cameras and platforms, as reports of a source (GB/T 28181-2022 A.2.5.3; standards, section 1.4). Pure.

Which become tickets about a device and which alerts about public order stands in config/gb28181.toml.
"""

from typing import Any
from zoneinfo import ZoneInfo

from msgspec import Struct

from streams.gb28181.known import shipped
from streams.gb28181.manscdp import Document, moment, number

DEVICE, POSITION = "2", "4"
"""Methods: 2 stays silent until it is reset; 4 only says where something is."""


class Alarm(Struct, frozen=True):
    """One alarm as it was told; strings as they came."""

    device: str
    sn: str
    method: str
    kind: str
    priority: str
    at: str
    description: str = ""
    lon: float | None = None
    lat: float | None = None


def alarm_of(document: Document) -> Alarm:
    """Return the alarm of a Notify; its type stands in Info or at the root."""
    lon, lat = number(document.text("Longitude")), number(document.text("Latitude"))
    if lon is None or lat is None or not (0 < abs(lon) <= 180 and 0 < abs(lat) <= 90):
        lon = lat = None
    return Alarm(
        document.device,
        document.sn,
        document.text("AlarmMethod")[:8],
        (document.text("Info", "AlarmType") or document.text("AlarmType"))[:8],
        document.text("AlarmPriority")[:8],
        document.text("AlarmTime")[:40],
        document.text("AlarmDescription")[:500],
        lon,
        lat,
    )


def fenced(alarm: Alarm) -> bool:
    """Say whether a device tells what it made of persons: such an alarm is answered, and nothing of it is kept."""
    return bool(_rule(alarm).get("never"))


def report_of(alarm: Alarm, place: dict[str, Any] | None, zone: ZoneInfo, received: str) -> dict[str, Any]:
    """Return the item that intake takes. `place`: where the camera is known to be; `received`: ISO, when no time fits.

    Its id is the device, method, type and time, so what is told twice is taken once.
    """
    rule = _rule(alarm)
    found = moment(alarm.at, zone)
    at = found.isoformat() if found else received
    lines = [alarm.description, f"国标编码 {alarm.device}"]
    lines += [f"报警方式 {alarm.method or '-'} 类型 {alarm.kind or '-'} 级别 {alarm.priority or '-'}"]
    lines += ["请人工核实"] if rule.get("confirm") else []
    item: dict[str, Any] = {
        "id": f"{alarm.device}-{alarm.method}-{alarm.kind}-{alarm.at or alarm.sn}"[:128],
        "revision": "1",
        "type": rule["incident"],
        "urgency": rule["urgency"],
        "title": rule["title"],
        "text": "\n".join(one for one in lines if one),
        "occurred_at": at,
        "channel": "GB/T 28181",
    }
    if alarm.lon is not None and alarm.lat is not None:
        item["place"] = {"lon": alarm.lon, "lat": alarm.lat}
    elif place:
        item["place"] = place
    return item


def _rule(alarm: Alarm) -> dict[str, Any]:
    found: dict[str, Any] = next(one for one in shipped()["alarm"] if _fits(one, alarm))
    return found


def _fits(rule: dict[str, Any], alarm: Alarm) -> bool:
    return rule["method"] in ("", alarm.method) and rule["type"] in ("", alarm.kind)
