"""Frames of the live channel (实时帧): what a screen shows as serialised values, and what changed between two moments.

Dash components and figures compare by identity, so everything is compared by its serialised JSON. A value is kept under
a key of three parts: ("props", component id, property), ("keyed", name, key) or ("gauges", name, "").
"""

from collections.abc import Iterable, Mapping
from typing import Any

import orjson

Key = tuple[str, str, str]
State = dict[Key, bytes]
Delta = dict[Key, bytes | None]
"""Changed values by key; None means the value is gone."""

OPTIONS = orjson.OPT_SERIALIZE_NUMPY | orjson.OPT_NON_STR_KEYS


def encode(value: object) -> bytes:
    """Return JSON bytes of a value that may hold Dash components or plotly figures."""
    return orjson.dumps(value, default=plain, option=OPTIONS)


def plain(value: Any) -> object:
    """Return the JSON-ready form of a Dash component or plotly figure; anything else is a TypeError."""
    if hasattr(value, "to_plotly_json"):
        return value.to_plotly_json()
    if isinstance(value, (set, frozenset)):
        return sorted(value)
    raise TypeError(f"{type(value).__name__} cannot be shown on a screen")


def flatten_props(rendered: Mapping[str, Mapping[str, object]]) -> Delta:
    """Return the delta of a panel's `{component id: {property: value}}`."""
    return {
        ("props", component, name): encode(value)
        for component, props in rendered.items()
        for name, value in props.items()
    }


def flatten_keyed(name: str, rows: Mapping[str, object]) -> Delta:
    """Return the delta of keyed data, where a None row is a removal."""
    return {("keyed", name, str(key)): None if row is None else encode(row) for key, row in rows.items()}


def removals(state: State, name: str, present: Iterable[str]) -> Delta:
    """Return the removals of the keyed rows of `name` that `state` has and `present` has not."""
    kept = {str(key) for key in present}
    return {key: None for key in state if key[0] == "keyed" and key[1] == name and key[2] not in kept}


def changed(state: State, drawn: Delta) -> Delta:
    """Return only what `drawn` changes in `state`."""
    return {key: value for key, value in drawn.items() if state.get(key) != value}


def apply(state: State, delta: Delta) -> None:
    """Change `state` in place as a browser would."""
    for key, value in delta.items():
        if value is None:
            state.pop(key, None)
        else:
            state[key] = value


def merge(deltas: Iterable[Delta]) -> Delta:
    """Return one delta with the effect of all of them in turn."""
    merged: Delta = {}
    for delta in deltas:
        merged |= delta
    return merged


def text(n: int, as_of: int, delta: Mapping[Key, bytes | None], *, snapshot: bool, missed: int = 0) -> str:
    """Return the frame as JSON text: n (dense counter), as_of (UTC microseconds), props, keyed and gauges."""
    props: dict[str, dict[str, orjson.Fragment]] = {}
    keyed: dict[str, dict[str, Any]] = {}
    gauges: dict[str, orjson.Fragment | None] = {}
    for (kind, name, part), value in delta.items():
        if kind == "keyed":
            rows = keyed.setdefault(name, {"set": {}, "del": []})
            if value is None:
                rows["del"].append(part)
            else:
                rows["set"][part] = orjson.Fragment(value)
        elif kind == "gauges":
            gauges[name] = None if value is None else orjson.Fragment(value)
        elif value is not None:
            props.setdefault(name, {})[part] = orjson.Fragment(value)
    body = {"n": n, "as_of": as_of, "snapshot": snapshot, "missed": missed}
    return orjson.dumps(body | {"props": props, "keyed": keyed, "gauges": gauges}).decode()
