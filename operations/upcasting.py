"""Reading entries written by older Gridwalls: one function per old schema, applied in turn, kept for ever."""

from collections.abc import Callable, Mapping

from operations.entry import SCHEMA, Body

Upcaster = Callable[[str, Body], Body]

# {old schema: (action, body) -> body of the next schema}
UPCASTERS: Mapping[int, Upcaster] = {}


def upcast(
    action: str, schema: int, body: Body, upcasters: Mapping[int, Upcaster] = UPCASTERS, newest: int = SCHEMA
) -> Body:
    """Return the body in the newest schema. Raises KeyError for a schema nobody can read."""
    for old in range(schema, newest):
        body = upcasters[old](action, body)
    return body
