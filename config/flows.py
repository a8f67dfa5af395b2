"""The flows 流程 in force, read from `config/flows/*.toml`; a file that is wrong leaves what was there before in force.

Read again whenever a file has changed. `sources.toml` beside them says what the statuses of sources mean.
"""

import threading
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from itertools import pairwise
from pathlib import Path
from types import MappingProxyType

from config import clock
from config.flow import KINDS, Flow, FlowError, Move, Step, read

FOLDER = Path(__file__).with_name("flows")
DEFAULT = "six_steps"
LOOK_SECONDS = 2.0
SOURCES = "sources.toml"
FURTHEST = "reply"
"""No source moves an incident beyond this kind of step: whether it is done, people review."""

NOTHING: Mapping[str, str] = MappingProxyType({})


@dataclass(frozen=True)
class Flows:
    """All flows by code, what each source's statuses mean {source: {status: kind}}, and what is wrong in the files."""

    by_code: Mapping[str, Flow]
    statuses: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    faults: tuple[str, ...] = ()

    @property
    def default(self) -> Flow:
        """The flow of every type that takes no other."""
        return self.by_code[DEFAULT]

    def get(self, code: str) -> Flow:
        """The flow of a code; the default where there is none."""
        return self.by_code.get(code) or self.default

    def taking(self, kind: str) -> Flow:
        """The flow a type takes: named by its code, or by its group's, else the default."""
        for code in (kind, kind[:2]):
            for flow in self.by_code.values():
                if code in flow.types:
                    return flow
        return self.default

    def said(self, source: str) -> Mapping[str, str]:
        """What the statuses of a source mean."""
        return self.statuses.get(source, NOTHING)


class Shelf:
    """The flows of one folder; `current` looks whether a file has changed, at most every so many seconds."""

    def __init__(self, folder: Path = FOLDER, every_s: float = LOOK_SECONDS) -> None:
        self._folder = folder
        self._every_s = every_s
        self._looked = float("-inf")
        self._lock = threading.Lock()
        self._mark: tuple[tuple[str, int, int], ...] | None = None
        self._flows = Flows({DEFAULT: BARE})

    def current(self) -> Flows:
        """Return the flows in force."""
        with self._lock:
            now = clock.monotonic()
            if now - self._looked < self._every_s:
                return self._flows
            self._looked, mark = now, self._seen()
            if mark != self._mark:
                self._flows, self._mark = load(self._folder, self._flows), mark
            return self._flows

    def _seen(self) -> tuple[tuple[str, int, int], ...]:
        found = []
        for path in sorted(self._folder.glob("*.toml")):
            try:
                known = path.stat()
            except FileNotFoundError:
                continue
            found.append((path.name, known.st_mtime_ns, known.st_size))
        return tuple(found)


def load(folder: Path = FOLDER, before: Flows | None = None) -> Flows:
    """Return the flows of a folder; what is wrong stands in `faults` and leaves that of `before` in force."""
    found: dict[str, Flow] = {}
    faults: list[str] = []
    kept = {} if before is None else dict(before.by_code)
    for path in sorted(folder.glob("*.toml")):
        if path.name == SOURCES:
            continue
        try:
            found[path.stem] = read(path)
        except FlowError as error:
            faults.append(str(error))
            if path.stem in kept:
                found[path.stem] = kept[path.stem]
    if DEFAULT not in found:
        found[DEFAULT] = kept.get(DEFAULT, BARE)
        if not any(one.startswith(f"{DEFAULT}.toml") for one in faults):
            faults.append(f"{DEFAULT}.toml: is missing")
    try:
        statuses = sources(folder / SOURCES)
    except FlowError as error:
        faults.append(str(error))
        statuses = {} if before is None else before.statuses
    return Flows(found, statuses, (*faults, *_twice(found)))


def sources(path: Path) -> Mapping[str, Mapping[str, str]]:
    """Return {source: {status: kind}}. Raises FlowError."""
    if not path.exists():
        return {}
    try:
        data = tomllib.loads(path.read_text("utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise FlowError(f"{path.name}: cannot be read: {error}") from error
    allowed = KINDS[: KINDS.index(FURTHEST) + 1]
    for source, said in data.items():
        if not isinstance(said, dict):
            raise FlowError(f"{path.name}: [{source}] has to be a table of statuses")
        for status, kind in said.items():
            if kind not in allowed:
                raise FlowError(f"{path.name}: [{source}] {status!r}: {kind!r} is none of {', '.join(allowed)}")
    return data


def _twice(flows: Mapping[str, Flow]) -> list[str]:
    """Types that two flows take: the first in the order of the files has them."""
    owner: dict[str, str] = {}
    return [
        f"{code}.toml: type {kind} is already taken by {owner[kind]}.toml"
        for code, flow in flows.items()
        for kind in flow.types
        if owner.setdefault(kind, code) != code
    ]


def _bare() -> Flow:
    """The six steps as they are in force where not even the file of the default flow can be read."""
    names = zip(KINDS, ("登记", "分流", "办理", "反馈", "办结审核", "回访", "办结"), strict=True)
    steps = tuple(Step(code, zh, code, code) for code, zh in names)
    moves = tuple(
        Move(one.code, one.zh, one.code, (before.code,), one.code, "move", ("result",) if one.code == "closed" else ())
        for before, one in pairwise(steps)
    )
    return Flow(DEFAULT, "六步", "six steps", steps, moves, short=tuple(one.code for one in steps[:-1]))


BARE = _bare()


@cache
def shelf() -> Shelf:
    """The flows of this installation."""
    return Shelf()


def current() -> Flows:
    """Return the flows in force in this process."""
    return shelf().current()
