"""What the panels of the page of cameras share: ids they meet by, the state of a camera in word, shape and colour."""

from collections.abc import Mapping
from typing import Any

from dash import dcc, html

from config.words import Words
from dashboard.names import Names
from operations.cameras.condition import condition, disagreeing
from operations.cameras.reading import Camera
from operations.cameras.tree import AXES, CIVIL

BRANCH, CHOSEN, TOLD, CARD, STANDING, PLACE, LIMITS, AXIS, BRANCHES = (
    *("camera-list-branch", "camera-list-chosen", "camera-list-told", "camera-list-card"),
    *("camera-card-standing", "camera-card-place", "camera-card-limits"),
    *("camera-tree-axis", "camera-tree-branches"),
)
"""Stores: the branch that is chosen, {axis, key}; the camera whose card is open; what was done last. The place of
the card, what of the camera it was drawn of, the places of its place and of its limits; which tree is shown, the place
of its branches."""
SPECIAL = frozenset({"01", "02"})
"""FunctionType of cameras that look at persons (GB/T 28181-2022): flagged, and nothing is asked of them."""
SECOND, MINUTE, HOUR, DAY = 1_000_000, 60_000_000, 3_600_000_000, 86_400_000_000


def special(one: Camera) -> bool:
    """Say whether a camera is one that looks at faces or persons; it may have several functions."""
    return not SPECIAL.isdisjoint(one.item.function_type.split("/"))


def state(one: Camera, now: int, words: Words) -> html.Span:
    """Return the state of a camera: the sign that the map gives it, and its word."""
    found = condition(one, now)
    sign = html.Span(className="camera-state", **{"data-condition": found, "aria-hidden": "true"})
    said = words.text(f"camerapage.condition.{found}")
    if against := disagreeing(one):
        signals = " · ".join([words.text(f"camerahealth.signal.{name}") for name in against])
        said = words.text("camerahealth.disagreeing", state=said)
        title = words.text("camerahealth.disagreeing_about", signals=signals)
        return html.Span([sign, said], className="camera-said", title=title)
    return html.Span([sign, said], className="camera-said")


def ago(at: int, now: int, words: Words) -> str:
    """Return how long ago a time was, "" for never."""
    if not at:
        return ""
    for name, size in (("days", DAY), ("hours", HOUR), ("minutes", MINUTE)):
        if now - at >= size:
            return words.text(f"common.ago.{name}", n=(now - at) // size)
    return words.text("common.ago.seconds", n=max(0, now - at) // SECOND)


def picture(one: Camera, words: Words) -> str:
    """Return what its picture showed when it was last looked at."""
    key = f"camerapage.picture.{one.picture or 'none'}"
    return words.text(key) if key in words else one.picture


def grade(value: int, words: Words) -> str:
    """Return the class of a camera's point."""
    return words.text(f"camerapage.class.{value}")


def place(one: Camera, names: Names, words: Words) -> str:
    """Return the town and the smallest grid a camera stands in."""
    if one.lon is None:
        return words.text("camerapage.unplaced")
    shown = one.chain if len(one.chain) < 3 else (one.chain[-3], one.chain[-1])
    return " · ".join(names.grid(code) for code in shown)


def source_name(code: str, names: Mapping[str, str], words: Words) -> str:
    """Return what the source of cameras is called; a code nobody named as it is."""
    key = f"camerapage.source.{code}"
    return names.get(code) or (words.text(key) if key in words else code)


def counted(total: int, live: int, words: Words) -> Any:
    """Return live of total, for a branch."""
    said = words.text("camerapage.counted", live=f"{live:,}", total=f"{total:,}")
    return html.Span(f"{live:,}/{total:,}", className="camera-count", title=said)


def tree_frame(words: Words) -> list[Any]:
    """Return the choice of a tree and the place of its branches."""
    choices = [{"label": words.text(f"camerapage.axis.{one}"), "value": one} for one in AXES]
    every = html.Button(
        words.text("camerapage.everything"),
        id={"camera-tree-choose": ""},
        type="button",
        className="camera-branch",
        **{"aria-pressed": "true"},
    )
    axis = dcc.RadioItems(choices, CIVIL, id=AXIS, className="camera-axes", inline=True)
    place = html.Div(
        [], id=BRANCHES, className="camera-tree", role="tree", **{"aria-label": words.text("camerapage.tree")}
    )
    return [axis, every, place]
