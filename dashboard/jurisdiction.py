"""What is told of a jurisdiction (管辖范围) where something is not there for it: on screens, pages and in answers.

It says the same whether a thing does not exist or lies outside: it is about who looks, not about what was asked for.
The names are those of the grids in force and of the departments now, so a note follows both without a restart.
"""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field

from config import departments
from config.words import Words
from operations.policy import PEOPLE, Identity
from operations.scope import NOWHERE, Scope


@dataclass(frozen=True)
class Places:
    """What the grids in force are called; `chains` holds {code: codes from the root to it}."""

    names: Mapping[str, str] = field(default_factory=dict)
    chains: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    shared: frozenset[str] = frozenset()
    """Names that several grids bear."""

    def called(self, code: str) -> str:
        """Return a grid's name, after as many above it as tell it from others; of one not in force the code."""
        told: list[str] = []
        for one in reversed(self.chains.get(code, (code,))):
            told.insert(0, self.names.get(one) or one)
            if told[0] not in self.shared:
                break
        return " › ".join(told)


_in_force = Places()


def put(names: Mapping[str, str], chains: Mapping[str, tuple[str, ...]]) -> None:
    """Have these grids be the ones in force, in this process."""
    global _in_force
    counts = Counter(names.values())
    _in_force = Places(names, chains, frozenset(name for name, count in counts.items() if count > 1))


def named(scope: Scope, words: Words) -> str:
    """Return "grid · department" of a scope; "" for the whole city, and for those who have no jurisdiction."""
    if scope.city or scope == NOWHERE:
        return ""
    known = departments.current().get(scope.department)
    department = known.name(words.lang) if known else scope.department
    return " · ".join(part for part in (_in_force.called(scope.grid) if scope.grid else "", department) if part)


def only(scope: Scope, words: Words) -> str:
    """Return the note of a list or map that shows a scope and nothing else; "" for the whole city."""
    where = named(scope, words)
    return words.text("jurisdiction.only", scope=where) if where else ""


def asking(scope: Scope, words: Words) -> str:
    """Return the same, and whom to ask for more."""
    where = named(scope, words)
    return words.text("jurisdiction.asking", scope=where) if where else ""


def within(text: str, scope: Scope, words: Words) -> str:
    """Return what an empty list says, as of the scope alone."""
    return words.text("jurisdiction.within", text=text) if named(scope, words) else text


def note(identity: Identity, words: Words) -> str:
    """Return the note of somebody who has a jurisdiction, " " before it; of everybody else nothing."""
    if identity.role not in (*PEOPLE, "token_read"):
        return ""
    where = named(identity.scope, words) or words.text("jurisdiction.whole")
    return " " + words.text("jurisdiction.note", scope=where)
