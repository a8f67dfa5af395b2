"""What people are told of their own jurisdiction (管辖范围) where something is not there for them.

It says the same whether the thing does not exist or lies outside: it is about who asks, not about what was asked for.
"""

from config import departments
from config.words import Words
from operations.policy import PEOPLE, Identity


def note(identity: Identity, words: Words) -> str:
    """Return the note of somebody who has a jurisdiction, " " before it; of everybody else nothing."""
    if identity.role not in (*PEOPLE, "token_read"):
        return ""
    scope = identity.scope
    named = departments.load()
    department = named[scope.department].name(words.lang) if scope.department in named else scope.department
    where = " · ".join(part for part in (scope.grid, department) if part) or words.text("jurisdiction.whole")
    return " " + words.text("jurisdiction.note", scope=where)
