"""In whose name a request writes (以谁的名义): checked once more where nothing can come between it and the commit.

The gate asks who somebody is before a request begins; a role may be taken from them while it is under way. Every change
of rights is itself an entry, and entries are written one transaction after the other: so whoever still holds the rights
when the journal's head is locked holds them when the change is committed.
"""

from collections.abc import Sequence

from sqlalchemy import Connection

from operations import sessions
from operations.entry import Draft
from operations.errors import RightsChanged
from operations.journal import Mandate
from operations.policy import Identity, rights


def of(identity: Identity) -> Mandate | None:
    """Return what the journal asks while it serves a request of `identity`; None for who has no session."""
    if not identity.session:
        return None

    def still(connection: Connection, drafts: Sequence[Draft]) -> None:
        """Refuse entries in their name once their rights are others. Raises RightsChanged.

        What ends or changes one's own session or account is let through: this very transaction may have done it.
        """
        mine = [one for one in drafts if one.actor == identity.actor]
        if all(one.subject_id in (identity.session, identity.id) for one in mine):
            return
        held = sessions.holder(connection, identity.session, max(one.at for one in mine))
        if held is None or rights(held) != rights(identity):
            raise RightsChanged()

    return still
