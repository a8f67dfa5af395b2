"""An entry of the journal, and the draft it is made from."""

from typing import Any

from msgspec import Struct, field

SCHEMA = 1
Body = dict[str, Any]


class Draft(Struct, frozen=True, kw_only=True, gc=False):
    """What somebody wants to write; the journal adds seq, digest and chain. Grid scopes are paths "root/…/leaf"."""

    at: int
    actor: str
    action: str
    subject_type: str
    subject_id: str
    revision: int = 0
    scope_grid: str = ""
    scope_grid_before: str = ""
    scope_department: str = ""
    scope_department_before: str = ""
    reason: str = ""
    schema: int = SCHEMA
    body: Body = field(default_factory=dict)
    sealed: bytes = b""


class Entry(Struct, frozen=True, kw_only=True, gc=False):
    """One entry as read: header, chain (hex) and body; `body` is None once it was destroyed."""

    seq: int
    at: int
    actor: str
    action: str
    subject_type: str
    subject_id: str
    revision: int
    scope_grid: str
    scope_grid_before: str
    scope_department: str
    scope_department_before: str
    reason: str
    schema: int
    body_digest: str
    prev_hash: str
    hash: str
    body: Body | None = None


class Head(Struct, frozen=True):
    """The end of the journal: last seq, its hash (hex) and the epoch (grows with every restore)."""

    seq: int
    hash: str
    epoch: int


def path(chain: tuple[str, ...]) -> str:
    """Return the grid chain as it stands in an entry's header: "root/…/leaf"."""
    return "/".join(chain)
