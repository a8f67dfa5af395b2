"""What can go wrong here, one class per cause; `code` and `params` name the text in `config/i18n`."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from operations.incident import Incident
    from operations.orders.order import Order


class OperationsError(Exception):
    """Base of this package's errors; `code` is the key of the text for the person who must act."""

    code = "operations.error"

    def __init__(self, code: str = "", /, **params: object) -> None:
        self.code = code or type(self).code
        self.params = params
        detail = ", ".join(f"{name}={value}" for name, value in params.items())
        super().__init__(f"{self.code}: {detail}" if detail else self.code)


class NotFound(OperationsError):
    """The id is absent or out of scope: the answer is the same."""

    code = "operations.not_found"


class Conflict(OperationsError):
    """Somebody was faster; `current` is the state to show instead."""

    code = "operations.conflict"

    def __init__(self, current: "Incident") -> None:
        super().__init__(number=current.number, revision=current.revision)
        self.current = current


class OrderChanged(OperationsError):
    """Somebody changed the order meanwhile; `current` is the state to show instead."""

    code = "orders.changed"

    def __init__(self, current: "Order") -> None:
        super().__init__(number=current.number, revision=current.revision)
        self.current = current


class Refused(OperationsError):
    """The rules do not allow this; the code says which rule."""

    code = "operations.refused"


class Forbidden(OperationsError):
    """The role does not hold the permission."""

    code = "operations.forbidden"


class Locked(Forbidden):
    """The desk has stood idle: it does nothing until whoever sits there signs in again."""

    code = "operations.locked"


class RightsChanged(Forbidden):
    """The rights of whoever asks were changed or ended while the request was under way; nothing was changed."""

    code = "operations.rights_changed"


class LeaseLost(OperationsError):
    """Another worker holds the partition now; drop the batch, acknowledge nothing."""

    code = "operations.lease_lost"


class DatabaseTrouble(OperationsError):
    """The database cannot do it now; nothing was changed, and the same may succeed in a while."""

    code = "operations.database_trouble"


class DatabaseLocked(DatabaseTrouble):
    """Somebody held the database longer than the busy timeout; try again."""

    code = "operations.database_locked"


class DatabaseFull(DatabaseTrouble):
    """The disk is full or cannot be written; nothing was changed."""

    code = "operations.database_full"


class DatabaseAway(DatabaseTrouble):
    """The database cannot be reached."""

    code = "operations.database_away"


class SchemaNewer(OperationsError):
    """The data was written by a newer Gridwall; this one refuses to touch it."""

    code = "operations.schema_newer"


class CopyFailed(OperationsError):
    """The database could not be copied before its schema is changed; nothing was changed."""

    code = "operations.copy_failed"


class ArchiveDamaged(OperationsError):
    """A backup cannot be believed: cut, changed, or not one of ours; nothing of it was taken."""

    code = "keeping.archive_damaged"


class SegmentMissing(OperationsError):
    """The file of a segment of the journal is needed and not there, or it is another one."""

    code = "keeping.segment_missing"


class HistoryLeft(OperationsError):
    """What is asked for lies before the journal's beginning, in a segment."""

    code = "keeping.history_left"


class RestoreRefused(OperationsError):
    """A backup may not be restored there; the code says why. Nothing was changed."""

    code = "keeping.restore_refused"


class Sealed(OperationsError):
    """The sealed part cannot be opened: its key is not here, was destroyed or does not fit."""

    code = "operations.sealed"


def need(holds: bool, code: str, /, **params: object) -> None:
    """Raise Refused with a code unless something holds."""
    if not holds:
        raise Refused(code, **params)
