"""An example of what a source sends 示例: one item that its mapping accepts, to be shown and copied. Pure."""

from datetime import datetime
from typing import Any

from operations.sources import Source
from streams.mapping import ANY_OTHER, STANDARD, Mapped
from streams.moment import ISO

TYPE, URGENCY = "0304", "urgent"
SAID: dict[str, Any] = {
    "id": "A-20251122-001",
    "title": "路口有燃气味",
    "text": "路口东侧井盖处有较浓的燃气味，请派人查看。",
    "type": TYPE,
    "urgency": URGENCY,
    "grid_code": "",
    "channel": "来电",
    "status": "待办",
    "attachments": [],
    "place.datum": "WGS84",
    "place.accuracy_m": 20,
    "place.address": "人民路12号",
    "reporter.name": "王某",
    "reporter.phone": "13800000000",
    "reporter.organisation": "",
    "reporter.address": "",
    "reporter.relation": "群众",
}


def example(source: Source, mapping: Mapped, at: datetime, lon: float, lat: float) -> dict[str, Any]:
    """Return one item in the source's own form: what happened at `at`, at a point in degrees."""
    said = SAID | {"place.lon": lon, "place.lat": lat, "place.datum": source.datum}
    if mapping is STANDARD or not mapping.fields:
        return _standard(said, at)
    made: dict[str, Any] = {}
    for ours, paths in mapping.fields.items():
        if ours == "occurred_at":
            for path, text in zip(paths, _times(mapping.formats[0], at, len(paths)), strict=False):
                _put(made, path, text)
        elif said.get(ours) not in ("", []):
            _put(made, paths[0], _value(mapping, ours, said[ours]))
    for path in mapping.revision:
        if _missing(made, path):
            _put(made, path, at.isoformat(timespec="seconds"))
    if mapping.presence:
        _put(made, mapping.presence, "present")
    return made


def _standard(said: dict[str, Any], at: datetime) -> dict[str, Any]:
    place = {name: said[f"place.{name}"] for name in ("lon", "lat", "datum", "address")}
    reporter = {name: said[f"reporter.{name}"] for name in ("name", "phone")}
    plain = {name: said[name] for name in ("id", "title", "text", "type", "urgency", "channel")}
    when = at.isoformat(timespec="seconds")
    return {**plain, "revision": "1", "occurred_at": when, "place": place, "reporter": reporter}


def _value(mapping: Mapped, ours: str, value: Any) -> Any:
    tables = {"type": mapping.types, "urgency": mapping.urgency}
    if tables.get(ours):
        words = {word: code for word, code in tables[ours].items() if word != ANY_OTHER}
        return next((word for word, code in words.items() if code == value), next(iter(words), value))
    if ours in ("place.lon", "place.lat") and mapping.number_strings:
        return str(value)
    return value


def _times(form: str, at: datetime, count: int) -> list[str]:
    text = at.isoformat(" " if count > 1 else "T", "seconds") if form == ISO else at.strftime(form)
    return text.split(" ", count - 1)


def _put(made: Any, path: tuple[str, ...], value: Any) -> None:
    """Set a value at a path; a step that is a number makes a list."""
    for step, following in zip(path, (*path[1:], ""), strict=True):
        fresh: Any = value if not following else [] if following.isdecimal() else {}
        if isinstance(made, list):
            if int(step) >= len(made):
                made.append(fresh)
            made = made[-1] if int(step) >= len(made) else made[int(step)]
        else:
            made = made.setdefault(step, fresh) if following else made.update({step: fresh})


def _missing(made: Any, path: tuple[str, ...]) -> bool:
    for step in path:
        if not isinstance(made, dict) or step not in made:
            return True
        made = made[step]
    return False
