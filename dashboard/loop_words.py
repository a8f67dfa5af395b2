"""Entries of the loop 闭环 in words: which step it came to, to whom it was given, how much longer it may take."""

from config import flows
from config.flow import Flow
from dashboard.names import Names
from operations.entry import Entry

SAID = (
    "incident.moved",
    "incident.unmoved",
    "incident.transferred",
    "incident.graded",
    "incident.flow_chosen",
    "incident.extension_asked",
    "incident.extended",
    "incident.item_struck",
    "incident.item_restored",
)
"""Entries whose texts have something to fill in."""


def what(entry: Entry, names: Names) -> str:
    """Return what an entry of the loop did."""
    say, body = names.words.text, entry.body or {}
    values = body.get("set", {})
    key = "desk.history." + entry.action.replace(".", "_")
    own = flows.current().get(str(values.get("flow", "")))
    if entry.action in ("incident.moved", "incident.unmoved"):
        return say(key, stage=step(own, str(body.get("to", "")), names))
    if entry.action == "incident.transferred":
        return say(key, department=names.department(str(values.get("department", ""))))
    if entry.action == "incident.graded":
        return say(key, grade=say(f"loop.grade.{values.get('grade') or 'none'}"))
    if entry.action == "incident.flow_chosen":
        return say(key, flow=own.name(names.words.lang))
    if entry.action in ("incident.item_struck", "incident.item_restored"):
        return say(key, item=item(entry.reason, names))
    return say(key, n=f"{int(entry.reason) / 60:g}")


def step(flow: Flow, code: str, names: Names) -> str:
    """Return what a step is called; one that the flow no longer has, by its code."""
    found = flow.step(code)
    return code if found is None else found.name(names.words.lang)


def item(code: str, names: Names) -> str:
    """Return what an item of a flow's list is called; one added by hand, by its number."""
    for flow in flows.current().by_code.values():
        for one in flow.items:
            if one.code == code:
                return one.name(names.words.lang)
    return names.words.text("loop.item", n=code)
