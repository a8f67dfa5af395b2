"""What the drawer asks of the loop 闭环: each command from what the browser sent."""

from collections.abc import Callable
from typing import Any

from dashboard.asked import Asked, number, subject, text, word
from operations.incident import Incident
from operations.incidents import moves
from operations.policy import Identity

Command = Callable[[Any, Identity, Asked], Incident]

RIGHTS = {
    "unmove": "handle",
    "suspend": "move",
    "resume": "move",
    "flow": "move",
    "strike": "handle",
    "item": "handle",
    "extend": "approve",
    "refuse": "approve",
}
"""Commands that are called otherwise in the table of rights."""


def short(asked: Asked, name: str) -> str:
    """Return a short text, or "" where it is not there."""
    return word(asked, name) if asked.get(name) else ""


def whole(asked: Asked, name: str) -> int:
    """Return a whole number, 0 where it is not there; a select of the browser sends it as text."""
    value = asked.get(name)
    if isinstance(value, str):
        value = int(value) if value.isascii() and value.isdigit() and len(value) < 10 else None if value else 0
    return int(number({name: 0 if value is None and name not in asked else value}, name))


def move(operations: Any, who: Identity, asked: Asked) -> Incident:
    """Make a move with what it needs."""
    given = moves.Asked(
        text=text(asked),
        result=short(asked, "result"),
        department=short(asked, "department"),
        follow_up=short(asked, "follow_up"),
        satisfaction=whole(asked, "satisfaction"),
    )
    moved: Incident = operations.loop.move(who, *subject(asked), word(asked, "code"), given)
    return moved


def strike(operations: Any, who: Identity, asked: Asked) -> Incident:
    """Strike an item off, or take that back."""
    back = asked.get("back") is True
    after: Incident = operations.loop.strike(who, word(asked, "id"), word(asked, "item"), back=back)
    return after


COMMANDS: dict[str, Command] = {
    "move": move,
    "unmove": lambda operations, who, asked: operations.loop.undo(who, *subject(asked)),
    "suspend": lambda operations, who, asked: operations.loop.suspend(who, *subject(asked), text(asked)),
    "resume": lambda operations, who, asked: operations.loop.resume(who, *subject(asked), text(asked)),
    "transfer": lambda operations, who, asked: operations.loop.transfer(
        who, *subject(asked), word(asked, "department"), text(asked)
    ),
    "ask": lambda operations, who, asked: operations.loop.ask(
        who, *subject(asked), 60 * whole(asked, "hours"), text(asked)
    ),
    "extend": lambda operations, who, asked: operations.loop.rule(who, *subject(asked), True, text(asked)),
    "refuse": lambda operations, who, asked: operations.loop.rule(who, *subject(asked), False, text(asked)),
    "grade": lambda operations, who, asked: operations.loop.grade(
        who, *subject(asked), short(asked, "grade"), text(asked)
    ),
    "flow": lambda operations, who, asked: operations.loop.choose(who, *subject(asked), word(asked, "flow")),
    "item": lambda operations, who, asked: operations.loop.add(who, word(asked, "id"), text(asked)),
    "strike": strike,
    "evaluate": lambda operations, who, asked: operations.loop.evaluate(
        who, word(asked, "id"), whole(asked, "satisfaction"), text(asked)
    ),
}
