"""The end of grants 授权结束: rows, looks and entries in one transaction."""

from collections.abc import Sequence

from msgspec import structs

from operations import looks
from operations.database import Transaction
from operations.entry import Draft
from operations.grants import rows
from operations.grants.desk import entry_of, written
from operations.grants.grant import Held


def ended(
    transaction: Transaction,
    ending: Sequence[Held],
    how: str,
    actor: str,
    now: int,
    text: str = "",
    *,
    before: Sequence[Draft] = (),
) -> list[Held]:
    """End grants and their looks as the last step of a transaction; `before`: entries to be written first."""
    over = [
        structs.replace(one, ended_at=now, ended_how=how, ended_by=actor, revision=one.revision + 1) for one in ending
    ]
    rows.put_grants(transaction, over)
    drafts = [*before]
    drafts += [
        entry_of(one, "grant.ended", actor, now, reason=text, more={"how": how, "cameras": list(one.cameras)})
        for one in over
    ]
    drafts += looks.ended_with(transaction, [one.id for one in over], how, now)
    written(transaction, drafts)
    return over
