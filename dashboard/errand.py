"""One command of the desk (办理): from what the browser asked to what it is told, conflicts with the other's change.

The caller's identity comes from the request, never from what the browser sent.
"""

from collections.abc import Callable
from typing import Any

from config.taxonomy import URGENCIES
from config.words import Words
from dashboard import access, jurisdiction
from dashboard.history import history, known
from dashboard.names import Names
from operations.commands import RESULTS
from operations.doubles import SHOWN
from operations.errors import Conflict, NotFound, OperationsError
from operations.incident import Incident
from operations.policy import Identity

Asked = dict[str, Any]
Answer = dict[str, Any]

TEXT_MOST = 2_000
"""Characters of a note, a result's text or a reason."""
NUMBER_MOST = 2**53
"""The largest whole number a browser counts exactly; no revision and no degree comes near it."""
CHANNELS = ("hotline", "grid_worker", "police_110", "leader", "media", "visit", "patrol", "other")
"""How a matter can reach the desk."""


class Unclear(ValueError):
    """The browser asked for something that is no command; names the field."""


def perform(operations: Any, identity: Identity, names: Names, asked: Asked) -> Answer:
    """Carry out `asked` {action, id, revision, ...} and return {ok, serial, text, ...}; never raises for a refusal."""
    words = names.words
    serial = serial_of(asked)
    try:
        told = carry_out(operations, identity, names, asked)
    except Conflict as error:
        told = conflict(operations, identity, names, asked, error.current)
    except OperationsError as error:
        told = {"ok": False, "code": error.code, "text": explain(error, words)}
    except Unclear as error:
        told = {"ok": False, "code": "unclear", "text": words.text("desk.error.unclear", field=str(error))}
    return {"serial": serial, **told}


def wanted(asked: Asked) -> str:
    """Return the action of the table of rights that a command wants, "" when there is no such command."""
    name = "unseal" if asked.get("action") == "reveal" else str(asked.get("action"))
    return f"incident.{name}" if name == "unseal" or name in COMMANDS else ""


def carry_out(operations: Any, identity: Identity, names: Names, asked: Asked) -> Answer:
    """Return what a successful command says."""
    action = asked.get("action")
    if action == "reveal":
        return reveal(operations, identity, names, asked)
    command = COMMANDS.get(str(action))
    if command is None:
        raise Unclear("action")
    after = command(operations, identity, asked)
    key = f"desk.done.{outcome(asked, after)}"
    urgency = known(names.words, "common.urgency", after.urgency)
    text = names.words.text(key, number=after.number, urgency=urgency)
    return {"ok": True, "text": text, "revision": after.revision}


def outcome(asked: Asked, after: Incident) -> str:
    """Return the name of what was done, where an action may end in two ways."""
    if asked["action"] == "place" and not after.grid:
        return "place_unplaced"
    return "same" if asked["action"] == "distinct" and asked.get("same") is True else str(asked["action"])


def reveal(operations: Any, identity: Identity, names: Names, asked: Asked) -> Answer:
    """Return the sealed original; reading it is an entry of its own."""
    sealed = operations.unseal(identity, word(asked, "id"), text(asked, "reason"))
    words = names.words
    shown = {known(words, "desk.reveal", name): str(value) for name, value in sealed.items() if value}
    return {"ok": True, "text": words.text("desk.done.reveal", number=""), "revision": 0, "sealed": shown}


def conflict(operations: Any, identity: Identity, names: Names, asked: Asked, current: Incident) -> Answer:
    """Return what somebody else did meanwhile, and the revision to redo the command on."""
    words = names.words
    entries = [one for one in operations.history(identity, current.id) if one.revision > asked.get("revision", 0)]
    lines = [
        words.text("desk.conflict.line", at=names.moment(line.at), who=line.who, what=line.what)
        for line in history(entries, names)
    ]
    step, urgency = known(words, "common.step", current.step), known(words, "common.urgency", current.urgency)
    told = "\n".join(lines) or words.text("desk.conflict.unknown", step=step, urgency=urgency)
    return {"ok": False, "code": "conflict", "text": told, "revision": current.revision}


def explain(error: OperationsError, words: Words) -> str:
    """Return what an error says to the person who must act; an error without a text says its code."""
    if error.code in words:
        about = jurisdiction.note(access.current(), words) if isinstance(error, NotFound) else ""
        return words.text(error.code, **error.params) + about
    return words.text("desk.error.refused", code=error.code)


# ---- what the browser may ask ----------------------------------------------------------------------------------------


def serial_of(asked: Asked) -> float:
    """Return the browser's own number of what it asked, 0 when it is none."""
    try:
        return number(asked, "serial")
    except Unclear:
        return 0


def word(asked: Asked, name: str, allowed: tuple[str, ...] | None = None) -> str:
    """Return a short text of what was asked; raises Unclear when it is missing or not one of `allowed`."""
    value = asked.get(name)
    if not isinstance(value, str) or not value or len(value) > 100 or (allowed and value not in allowed):
        raise Unclear(name)
    return written(value, name)


def text(asked: Asked, name: str = "text") -> str:
    """Return a free text, possibly empty; raises Unclear when it is too long."""
    value = asked.get(name) or ""
    if not isinstance(value, str) or len(value) > TEXT_MOST:
        raise Unclear(name)
    return written(value, name).strip()


def written(value: str, name: str) -> str:
    """Return a text that can be stored; raises Unclear when it holds half a character (a lone surrogate)."""
    try:
        value.encode()
    except UnicodeEncodeError as error:
        raise Unclear(name) from error
    return value


def number(asked: Asked, name: str) -> float:
    """Return a number of what was asked; raises Unclear when it is none, not finite or beyond all reason."""
    value = asked.get(name)
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        raise Unclear(name)
    if not abs(value) <= NUMBER_MOST:  # NaN too
        raise Unclear(name)
    return value


def subject(asked: Asked) -> tuple[str, int]:
    """Return the incident's id and the revision the operator saw."""
    return word(asked, "id"), int(number(asked, "revision"))


def words_of(asked: Asked, name: str) -> list[str]:
    """Return a few short texts; raises Unclear when it is no list of them."""
    value = asked.get(name)
    if not isinstance(value, list) or not 0 < len(value) <= SHOWN:
        raise Unclear(name)
    return [word({name: one}, name) for one in value]


def distinct(operations: Any, identity: Identity, asked: Asked) -> Incident:
    """Say that others are not the same event; `same` takes it back."""
    others, same = words_of(asked, "others"), asked.get("same") is True
    told: Incident = operations.distinct(identity, word(asked, "id"), others, same=same)
    return told


def place(operations: Any, identity: Identity, asked: Asked) -> Incident:
    """Place by hand: in a grid, or at a point."""
    if asked.get("grid"):
        where: dict[str, Any] = {"grid": word(asked, "grid")}
    else:
        where = {"lon": float(number(asked, "lon")), "lat": float(number(asked, "lat"))}
    placed: Incident = operations.place(identity, *subject(asked), **where)
    return placed


COMMANDS: dict[str, Callable[[Any, Identity, Asked], Incident]] = {
    "acknowledge": lambda operations, who, asked: operations.acknowledge(who, *subject(asked)),
    "note": lambda operations, who, asked: operations.note(who, *subject(asked), text(asked)),
    "urgency": lambda operations, who, asked: operations.urgency(
        who, *subject(asked), word(asked, "urgency", URGENCIES)
    ),
    "close": lambda operations, who, asked: operations.close(
        who, *subject(asked), word(asked, "result", RESULTS), text(asked)
    ),
    "reopen": lambda operations, who, asked: operations.reopen(who, *subject(asked), text(asked)),
    "place": place,
    "distinct": distinct,
}
