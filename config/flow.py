"""One flow 流程 read from a file and checked: its steps, the moves between them, follow-up, strike-off list.

Every own step is of one of the kinds `KINDS`. A file that contradicts itself raises FlowError, which says what is
wrong, in which file and at which step or move.
"""

import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

KINDS = ("register", "triage", "handle", "reply", "review", "follow_up", "closed")
"""登记 分流 办理 反馈 办结审核 回访 办结: as `operations.incident.STEPS`."""
NEEDS = ("text", "result", "department", "items", "follow_up")
"""What a move can need: a text; a result; the department it is given to; every item struck off 销号; what the
follow-up 回访 brought."""
ACTIONS = ("move", "handle", "review", "transfer", "follow_up", "approve", "close")
"""Of the table of rights, each "incident.…": who may make a move."""


class FlowError(ValueError):
    """A file of a flow contradicts itself; the message names the file and the step or move."""


@dataclass(frozen=True)
class Named:
    """A code with its name in both languages."""

    code: str
    zh: str
    en: str

    def name(self, language: str) -> str:
        """The name in `zh` or `en`."""
        return self.en if language == "en" else self.zh


@dataclass(frozen=True)
class Step(Named):
    """One step of a flow."""

    kind: str


@dataclass(frozen=True)
class Move(Named):
    """One way from a step to another; `action`: the right it wants; `needs`: of NEEDS."""

    origins: tuple[str, ...]
    to: str
    action: str
    needs: tuple[str, ...] = ()


@dataclass(frozen=True)
class FollowUp:
    """Which types or groups are followed up always, and how many in a hundred of the others."""

    mandatory: tuple[str, ...] = ()
    sampled: int = 0

    @property
    def wanted(self) -> bool:
        """Whether anything is followed up at all."""
        return bool(self.mandatory) or self.sampled > 0


@dataclass(frozen=True)
class Flow(Named):
    """One flow. `types`: codes of types or groups that take it; `short`: steps it may be closed from at once."""

    steps: tuple[Step, ...]
    moves: tuple[Move, ...]
    about_zh: str = ""
    about_en: str = ""
    types: tuple[str, ...] = ()
    short: tuple[str, ...] = ()
    items: tuple[Named, ...] = ()
    follow_up: FollowUp = FollowUp()
    evaluated: bool = False

    def step(self, code: str) -> Step | None:
        """The step of a code."""
        return next((one for one in self.steps if one.code == code), None)

    def of_kind(self, kind: str) -> Step | None:
        """The first step of a kind."""
        return next((one for one in self.steps if one.kind == kind), None)

    def move(self, code: str) -> Move | None:
        """The move of a code."""
        return next((one for one in self.moves if one.code == code), None)

    def leaving(self, code: str) -> tuple[Move, ...]:
        """The moves out of a step, in order."""
        return tuple(one for one in self.moves if code in one.origins)

    def about(self, language: str) -> str:
        """What the flow is for."""
        return self.about_en if language == "en" else self.about_zh


def read(path: Path) -> Flow:
    """Return the flow of a file; its code is the file's name. Raises FlowError."""
    try:
        data = tomllib.loads(path.read_text("utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise FlowError(f"{path.name}: cannot be read: {error}") from error
    try:
        flow = _built(path, data)
        check(flow)
    except FlowError as error:
        raise FlowError(f"{path.name}: {error}") from None
    return flow


def _built(path: Path, data: dict[str, Any]) -> Flow:
    steps = tuple(_made(Step, one, "step") for one in _tables(data, "step"))
    moves = tuple(_made(Move, _renamed(one), "move") for one in _tables(data, "move"))
    items = tuple(_made(Named, one, "item") for one in _tables(data, "item"))
    follow_up = _made(FollowUp, data.pop("follow_up", {}), "follow_up")
    whole = {**data, "code": path.stem, "steps": steps, "moves": moves, "items": items, "follow_up": follow_up}
    flow: Flow = _made(Flow, whole, "the flow")
    return flow


def _tables(data: dict[str, Any], name: str) -> list[dict[str, Any]]:
    found = data.pop(name, [])
    if not isinstance(found, list) or not all(isinstance(one, dict) for one in found):
        raise FlowError(f"[[{name}]] has to be a list of tables")
    return found


def _renamed(move: dict[str, Any]) -> dict[str, Any]:
    """The file says `from`, a word of the language."""
    if "from" not in move:
        raise FlowError(f"move {move.get('code', '?')!r}: from is missing")
    return {("origins" if key == "from" else key): value for key, value in move.items()}


_TYPES: Mapping[str, tuple[Any, str]] = {
    "sampled": (int, "a whole number"),
    "evaluated": (bool, "true or false"),
    **dict.fromkeys(("origins", "needs", "types", "short", "mandatory"), (list, "a list of texts")),
    **dict.fromkeys(("code", "zh", "en", "kind", "to", "action", "about_zh", "about_en"), (str, "a text")),
}


def _made(kind: Any, values: Any, what: str) -> Any:
    """Return a struct of what a file says; raises FlowError for a field that is missing, unknown or of a wrong type."""
    if not isinstance(values, dict):
        raise FlowError(f"{what} has to be a table")
    name = f"{what} {values['code']!r}" if what != "the flow" and "code" in values else what
    known = {one.name for one in fields(kind)}
    if unknown := sorted(values.keys() - known):
        raise FlowError(f"{name}: unknown field {unknown[0]!r}")
    plain = {key: _checked(key, value, name) for key, value in values.items()}
    try:
        return kind(**plain)
    except TypeError as error:
        missing = str(error).rpartition(":")[2].strip()
        raise FlowError(f"{name}: {missing} is missing") from error


def _checked(key: str, value: Any, name: str) -> Any:
    if key not in _TYPES:
        return value
    wanted, called = _TYPES[key]
    listed = wanted is not list or (isinstance(value, list) and all(isinstance(one, str) for one in value))
    if not isinstance(value, wanted) or (wanted is int and isinstance(value, bool)) or not listed:
        raise FlowError(f"{name}: {key} has to be {called}")
    if wanted is str and not value and not key.startswith("about"):
        raise FlowError(f"{name}: {key} is empty")
    return tuple(value) if wanted is list else value


# ---- what a flow has to hold ----------------------------------------------------------------------------------------


def check(flow: Flow) -> None:
    """Raise FlowError for a flow in which something could not be reached or would never end."""
    _once("step", [one.code for one in flow.steps])
    _once("move", [one.code for one in flow.moves])
    _once("item", [one.code for one in flow.items])
    for step in flow.steps:
        _among(step.kind, KINDS, f"step {step.code!r}: kind")
        _need(step.code == step.kind or step.code not in KINDS, f"step {step.code!r} is called as another kind")
    _need(bool(flow.steps) and flow.steps[0].kind == "register", "the first step has to be of the kind register")
    ends = [one.code for one in flow.steps if one.kind == "closed"]
    _need(len(ends) == 1, f"one step has to be of the kind closed, not {len(ends)}")
    for move in flow.moves:
        _check_move(flow, move, ends[0])
    _check_rest(flow, ends[0])
    _check_ways(flow, ends[0])


def _check_move(flow: Flow, move: Move, end: str) -> None:
    name, codes = f"move {move.code!r}", [one.code for one in flow.steps]
    _need(bool(move.origins), f"{name}: from is empty")
    for code in (*move.origins, move.to):
        _among(code, codes, f"{name}: step")
    _need(move.to not in move.origins, f"{name}: it goes from a step to itself")
    _need(end not in move.origins, f"{name}: what is closed is opened again by reopening, not by a move")
    _among(move.action, ACTIONS, f"{name}: action")
    for need in move.needs:
        _among(need, NEEDS, f"{name}: need")
    _need("result" not in move.needs or move.to == end, f"{name}: only a move that closes needs a result")


def _check_rest(flow: Flow, end: str) -> None:
    codes = [one.code for one in flow.steps]
    for code in flow.short:
        _among(code, codes, "short: step")
        _need(code != end, "short: what is closed cannot be closed")
    wrong = [one for one in (*flow.types, *flow.follow_up.mandatory) if not (one.isdigit() and len(one) in (2, 4))]
    _need(not wrong, f"type {wrong[0] if wrong else ''!r}: two digits for a group, four for a type")
    _need(0 <= flow.follow_up.sampled <= 100, "follow_up: sampled has to be from 0 to 100")
    asked = any("follow_up" in one.needs for one in flow.moves)
    _need(asked or not flow.follow_up.wanted, "follow_up: no move needs follow_up, so nobody would be asked")
    waits = any("items" in one.needs for one in flow.moves)
    _need(waits or not flow.items, "item: no move needs items, so the list would hold up nothing")


def _check_ways(flow: Flow, end: str) -> None:
    """Every step is reached, and out of each there is a way to the end: also where a follow-up is due."""
    pairs = [(origin, move.to) for move in flow.moves for origin in move.origins]
    reached = _closure([flow.steps[0].code], pairs)
    ending = [
        (to, origin)
        for move in flow.moves
        for origin, to in ((origin, move.to) for origin in move.origins)
        if to != end or not flow.follow_up.wanted or "follow_up" in move.needs
    ]
    leads = _closure([end], ending)
    for step in flow.steps:
        _need(step.code in reached, f"step {step.code!r} is never reached")
    for step in flow.steps:
        due = " once a follow-up is due" if flow.follow_up.wanted else ""
        _need(step.code in leads, f"step {step.code!r} has no way to the end{due}")


def _closure(start: Iterable[str], pairs: Iterable[tuple[str, str]]) -> set[str]:
    found, fresh, pairs = set(start), set(start), list(pairs)
    while fresh:
        fresh = {to for origin, to in pairs if origin in fresh} - found
        found |= fresh
    return found


def _once(what: str, codes: list[str]) -> None:
    twice = [code for code in codes if codes.count(code) > 1]
    _need(not twice, f"{what} {twice[0] if twice else ''!r} is given twice")


def _among(value: str, allowed: Iterable[str], what: str) -> None:
    _need(value in allowed, f"{what} {value!r} is unknown; allowed: {', '.join(allowed)}")


def _need(holds: bool, said: str) -> None:
    if not holds:
        raise FlowError(said)
