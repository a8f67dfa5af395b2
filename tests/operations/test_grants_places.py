"""Where nobody looks: forbidden by rule or by a registered limit, or for want of a named consent; at the gate too."""

from collections.abc import Callable
from zoneinfo import ZoneInfo

import pytest

from config.access import Access
from config.calendar import Workdays
from operations.calendar import Calendar
from operations.cameras import keeping, limits, reading
from operations.cameras.item import Item
from operations.cameras.limits import FORBIDDEN, MASKED, RESTRICTED, Wish
from operations.database import Database
from operations.errors import Refused
from operations.grants import places
from operations.grants.admission import Admission, Asking, Denied
from operations.looks import Whereabouts
from operations.policy import Identity
from operations.scope import Scope

pytestmark = pytest.mark.database

ZONE = ZoneInfo("Asia/Shanghai")
HERE = ("990101",)
ADMIN = Identity("account", "a", "admin", "system_admin")
OWNER = Identity("account", "o", "owner", "operator", Scope("", "police"))
PLACE = Whereabouts(HERE, "police")
BOX = ((0.1, 0.1), (0.5, 0.1), (0.5, 0.5))


@pytest.fixture
def look(database: Database) -> Callable[[str], object]:
    """Asks the gate for somebody of the owner's department."""
    gate = Admission(database, Calendar(Workdays.load(), ZONE), zone=ZONE, county="990101")
    return lambda id: gate.leave(OWNER, Asking(id, "patrol"), PLACE)


def enlisted(database: Database, name: str) -> str:
    with database.write() as transaction:
        item = Item(code="c1", name=name, owner="police", chain=HERE)
        keeping.take(transaction, "s1", [item], complete=True, now=1)
        found = reading.of_code(transaction.connection, "s1", "c1")
    assert found is not None
    return found.id


def refused(database: Database, id: str) -> str:
    with database.read() as connection:
        try:
            places.refuse(connection, Access.load(), [id])
        except Refused as error:
            return error.code
    return ""


def test_a_place_that_the_rules_forbid_is_shown_to_nobody(database: Database, look: Callable[[str], object]) -> None:
    room = enlisted(database, "某宾馆三楼客房走廊")
    with pytest.raises(Refused, match="forbidden_place"):
        look(room)
    assert refused(database, room) == "grants.forbidden_place"


@pytest.mark.parametrize(
    ("wish", "code"),
    [
        (Wish(kind=FORBIDDEN, why="涉密单位"), "grants.forbidden_place"),
        (Wish(kind=RESTRICTED, why="涉密单位"), "grants.no_consent"),
    ],
)
def test_a_registered_limit_shuts_the_gate_for_the_owner_too(
    database: Database, look: Callable[[str], object], wish: Wish, code: str
) -> None:
    gate = enlisted(database, "东门")
    assert look(gate) is not None and refused(database, gate) == ""
    limits.put(database, ADMIN, gate, wish, revision=0, now=2)
    with pytest.raises(Refused) as error:
        look(gate)
    assert error.value.code == refused(database, gate) == code


def test_a_named_consent_lets_it_be_granted_and_a_mask_lets_the_owner_look(
    database: Database, look: Callable[[str], object]
) -> None:
    gate = enlisted(database, "东门")
    limits.put(database, ADMIN, gate, Wish(kind=MASKED, why="居民楼窗户", masks=(BOX,)), revision=0, now=2)
    assert look(gate) is not None and refused(database, gate) == ""
    consented = Wish(kind=RESTRICTED, why="军事单位", consent="3 号", by="王参谋")
    limits.put(database, ADMIN, gate, consented, revision=1, now=3)
    assert refused(database, gate) == "", "it can be granted"
    with pytest.raises(Denied):
        look(gate)  # not without a grant, whoever's the camera is
