"""One command of the desk (办理): from what the browser asked to what it is told, conflicts with the other's change.

The caller's identity comes from the request, never from what the browser sent.
"""

from collections.abc import Callable
from typing import Any

from config.taxonomy import URGENCIES
from config.words import Words
from dashboard import access, jurisdiction, loop_errand
from dashboard.asked import Asked, Unclear, number, serial_of, subject, text, word, words_of, written
from dashboard.history import history, known
from dashboard.names import Names
from operations.errors import Conflict, NotFound, OperationsError
from operations.incident import Incident
from operations.incidents.moves import RESULTS
from operations.incidents.supervision import CARDS, REASONS, unexplained
from operations.policy import Identity, allowed

__all__ = ["Asked", "Unclear", "explain", "number", "perform", "serial_of", "text", "wanted", "word", "written"]

Answer = dict[str, Any]

CHANNELS = ("hotline", "grid_worker", "police_110", "leader", "media", "visit", "patrol", "other")
"""How a matter can reach the desk."""


RIGHTS = {
    "reveal": "unseal",
    "split": "merge",
    "unsupervise": "supervise",
    "card": "supervise",
    **loop_errand.RIGHTS,
}
"""Commands that are called otherwise in the table of rights."""


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
    name = RIGHTS.get(str(asked.get("action")), str(asked.get("action")))
    known = name == "unseal" or str(asked.get("action")) in COMMANDS
    return f"incident.{name}" if known else ""


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
    stage = operations.loop.standing(after).name(names.words.lang)
    text = names.words.text(key, number=after.number, urgency=urgency, stage=stage)
    late = unexplained(after) if allowed(identity, "incident.explain") else []
    return {"ok": True, "text": text, "revision": after.revision, "late": late}


def outcome(asked: Asked, after: Incident) -> str:
    """Return the name of what was done, where an action may end in two ways."""
    if asked["action"] == "place" and not after.grid:
        return "place_unplaced"
    if asked["action"] == "split" and asked.get("stays"):
        return "split_stays"
    if asked["action"] == "link" and asked.get("away") is True:
        return "unlink"
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
    since = asked.get("revision", 0)
    found = operations.history(identity, current.id)
    entries = [one for one in found if one.subject_id == current.id and one.revision > since]
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


# ---- the commands of the drawer --------------------------------------------------------------------------------------


def distinct(operations: Any, identity: Identity, asked: Asked) -> Incident:
    """Say that others are not the same event; `same` takes it back."""
    others, same = words_of(asked, "others"), asked.get("same") is True
    told: Incident = operations.distinct(identity, word(asked, "id"), others, same=same)
    return told


def merge(operations: Any, identity: Identity, asked: Asked) -> Incident:
    """Make another incident part of this one."""
    merged: Incident = operations.merge(identity, *subject(asked), words_of(asked, "others"), text(asked))
    return merged


def split(operations: Any, identity: Identity, asked: Asked) -> Incident:
    """Take a part out of the incident it was merged into."""
    parted, stays = operations.split(identity, words_of(asked, "others")[0], text(asked))
    asked["stays"] = stays
    return parted  # type: ignore[no-any-return]


def link(operations: Any, identity: Identity, asked: Asked) -> Incident:
    """Link another incident to this one; `away` takes it back."""
    other = words_of(asked, "others")[0]
    linked: Incident = operations.link(identity, word(asked, "id"), other, away=asked.get("away") is True)
    return linked


def place(operations: Any, identity: Identity, asked: Asked) -> Incident:
    """Place by hand: in a grid, or at a point."""
    if asked.get("grid"):
        where: dict[str, Any] = {"grid": word(asked, "grid")}
    else:
        where = {"lon": float(number(asked, "lon")), "lat": float(number(asked, "lat"))}
    placed: Incident = operations.place(identity, *subject(asked), **where)
    return placed


def card(operations: Any, identity: Identity, asked: Asked) -> Incident:
    """Give a card, or take it back."""
    given = word(asked, "card", (*CARDS[1:], "none"))
    told: Incident = operations.card(identity, word(asked, "id"), "" if given == "none" else given, text(asked))
    return told


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
    "merge": merge,
    "split": split,
    "supervise": lambda operations, who, asked: operations.supervise(who, word(asked, "id"), text(asked)),
    "unsupervise": lambda operations, who, asked: operations.unsupervise(who, word(asked, "id"), text(asked)),
    "card": card,
    "explain": lambda operations, who, asked: operations.explain(
        who, word(asked, "id"), word(asked, "clock"), word(asked, "code", REASONS), text(asked)
    ),
    "link": link,
    **loop_errand.COMMANDS,
}
