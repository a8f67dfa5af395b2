"""What tests of video access share: cameras and requests as they are drawn up, before any database."""

from msgspec import structs

from operations.grants.request import MINUTE, Request, Wanted
from tests.operations.desk import START

HOUR = 60 * MINUTE
APPLICANT, CENTRE, SECOND_CENTRE, LEADER, OWNER = (
    (one, one.upper()) for one in ("applicant", "centre", "second", "leader", "owner")
)
"""Ids and names of accounts."""
PATH = "990101/990101001/990101001001"


def due(urgency: str, now: int) -> int:
    """Ten minutes where it is urgent, four hours otherwise; no calendar."""
    return now + (4 * HOUR if urgency == "routine" else 10 * MINUTE)


def wanted(id: str = "c1", owner: str = "police", **told: object) -> Wanted:
    """A camera that is asked for."""
    return structs.replace(Wanted(id=id, name=f"门 {id}", owner=owner, path=PATH, point_class=1), **told)


def asking(*cameras: Wanted, **told: object) -> Request:
    """A draft of the fire brigade's for an incident, of one camera unless others are given."""
    made = Request(
        id="r1",
        applicant=APPLICANT[0],
        name=APPLICANT[1],
        unit="fire",
        purpose="incident",
        basis="fire_services",
        text="起火，需要看现场",
        incident="i1",
        cameras=cameras or (wanted(),),
        made_at=START,
    )
    return structs.replace(made, **told)
