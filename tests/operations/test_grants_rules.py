"""Who decides what: a row for every rule shipped, and for what rules together make of one request."""

import pytest

from config import access
from operations.grants import request as deeds
from operations.grants.request import Wanted
from tests.operations.grants import asking, wanted

ACCESS = access.current()
LONG = next(one.longer_minutes for one in ACCESS.rule if one.code == "long")
PLAIN = ["centre", "owner:police"]
SENSITIVE = ["centre", "centre:2", "owner:police"]

# Each: what the camera is, what is asked, which seats decide, and which rules say so.
TABLE: list[tuple[dict[str, object], dict[str, object], list[str], list[str]]] = [
    ({}, {}, PLAIN, ["ordinary"]),
    *(({"point_class": one}, {}, PLAIN, ["ordinary"]) for one in (0, 1, 2, 3)),
    *(({}, {"urgency": one}, PLAIN, ["ordinary"]) for one in ("routine", "urgent", "critical")),
    *(({}, {"unit": one}, PLAIN, ["ordinary"]) for one in ("", "fire", "police", "centre")),
    *(({}, {"modes": (one,)}, PLAIN, ["ordinary"]) for one in ("live", "playback", "snapshot")),
    *(({}, {"purpose": one.code, "modes": ("live",)}, PLAIN, ["ordinary"]) for one in ACCESS.purpose),
    # places
    *(({"position": one + "0001"}, {}, SENSITIVE, ["ordinary", "sensitive_place"])
      for one in ("011", "017", "018", "023")),
    ({"position": "011"}, {}, SENSITIVE, ["ordinary", "sensitive_place"]),
    ({"position": "0111"}, {"urgency": "critical"}, SENSITIVE, ["ordinary", "sensitive_place"]),
    *(({"position": one}, {}, PLAIN, ["ordinary"]) for one in ("", "01", "012", "1011", "0240011", "010")),
    # restricted
    ({"restricted": True}, {}, ["centre", "centre:2", "leader", "owner:police"], ["ordinary", "restricted"]),
    ({"restricted": True, "position": "0170000"}, {}, ["centre", "centre:2", "leader", "owner:police"],
     ["ordinary", "restricted", "sensitive_place"]),
    ({"restricted": True}, {"urgency": "critical", "minutes": 1}, ["centre", "centre:2", "leader", "owner:police"],
     ["ordinary", "restricted"]),
    # long windows
    ({}, {"minutes": LONG}, PLAIN, ["ordinary"]),
    ({}, {"minutes": LONG + 1}, ["centre", "leader", "owner:police"], ["long", "ordinary"]),
    ({}, {"minutes": 1_440, "purpose": "evidence"}, ["centre", "leader", "owner:police"], ["long", "ordinary"]),
    ({"position": "0230000"}, {"minutes": LONG + 1}, ["centre", "centre:2", "leader", "owner:police"],
     ["long", "ordinary", "sensitive_place"]),
    # what is taken away
    ({}, {"modes": ("export",)}, ["centre", "leader", "owner:police"], ["ordinary", "taken_away"]),
    ({}, {"modes": ("live", "export")}, ["centre", "leader", "owner:police"], ["ordinary", "taken_away"]),
    ({"restricted": True}, {"modes": ("export",), "minutes": LONG + 1},
     ["centre", "centre:2", "leader", "owner:police"], ["long", "ordinary", "restricted", "taken_away"]),
    # owners
    ({"owner": "transport"}, {}, ["centre", "owner:transport"], ["ordinary"]),
    ({"owner": "fire"}, {}, ["centre", "owner:fire"], ["ordinary"]),
    ({"owner": ""}, {}, ["centre"], ["ordinary"]),
    ({"owner": "", "position": "0110000"}, {}, ["centre", "centre:2"], ["ordinary", "sensitive_place"]),
    ({"owner": "", "restricted": True}, {}, ["centre", "centre:2", "leader"], ["ordinary", "restricted"]),
    ({"owner": ""}, {"modes": ("export",)}, ["centre", "leader"], ["ordinary", "taken_away"]),
]  # fmt: skip


@pytest.mark.parametrize(("camera", "asked", "seats", "rules"), TABLE)
def test_who_decides(camera: dict[str, object], asked: dict[str, object], seats: list[str], rules: list[str]) -> None:
    told = {"owner": "police"} | camera
    one = wanted(**told)  # type: ignore[arg-type]
    request = asking(one, **asked)
    assert [seat.key for seat in deeds.seats_of(ACCESS.rule, request)] == seats
    assert sorted(rule.code for rule in ACCESS.rule if deeds.holds(rule, request, one)) == rules


def test_every_rule_shipped_holds_in_a_row_and_does_not_in_another() -> None:
    named = [set(rules) for *_, rules in TABLE]
    for rule in ACCESS.rule:
        assert any(rule.code in one for one in named), rule.code
        assert rule.code == "ordinary" or any(rule.code not in one for one in named), rule.code
    assert set().union(*named) == {rule.code for rule in ACCESS.rule}


def test_every_position_of_a_rule_shipped_is_in_the_table() -> None:
    positions = [str(camera.get("position", "")) for camera, *_ in TABLE]
    for rule in ACCESS.rule:
        for begins in rule.positions:
            assert any(one.startswith(begins) for one in positions), begins


def _seats(*cameras: Wanted, **asked: object) -> dict[str, tuple[str, ...]]:
    return {one.key: one.cameras for one in deeds.seats_of(ACCESS.rule, asking(*cameras, **asked))}


def test_several_owners_each_decide_for_their_own_cameras() -> None:
    found = _seats(wanted("a", "police"), wanted("b", "transport"), wanted("c", "police"), wanted("d", ""))
    assert found == {"centre": ("a", "b", "c", "d"), "owner:police": ("a", "c"), "owner:transport": ("b",)}
    assert next(iter(found)) == "centre", "the centre decides first"


def test_two_persons_and_the_leader_decide_only_of_the_cameras_that_want_them() -> None:
    found = _seats(wanted("a"), wanted("b", position="0180000"), wanted("c", "transport", restricted=True))
    assert found == {
        "centre": ("a", "b", "c"),
        "centre:2": ("b", "c"),
        "leader": ("c",),
        "owner:police": ("a", "b"),
        "owner:transport": ("c",),
    }
    assert list(found) == ["centre", "centre:2", "leader", "owner:police", "owner:transport"]


def test_a_rule_by_purpose_class_urgency_or_unit_holds_for_those_alone() -> None:
    only = {
        "purposes": (("patrol",), {"purpose": "patrol"}, {}),
        "urgencies": (("critical",), {"urgency": "critical"}, {}),
        "units": (("fire",), {"unit": "fire"}, {"unit": "police"}),
        "classes": ((0, 3), {}, {}),
    }
    for name, (values, holds, other) in only.items():
        rule = access.Rule(code="only", deciders=("leader",), **{name: values})  # type: ignore[arg-type]
        yes, no = (wanted(point_class=3), wanted(point_class=2)) if name == "classes" else (wanted(), wanted())
        assert deeds.holds(rule, asking(**holds), yes), name
        assert not deeds.holds(rule, asking(**other), no), name


def test_the_owner_may_have_to_be_two_persons_and_nobody_decides_where_no_rule_holds() -> None:
    twice = access.Rule(code="twice", deciders=("owner:2",))
    request = asking(wanted("a", "police"), wanted("b", ""))
    assert [(one.key, one.cameras) for one in deeds.seats_of([twice], request)] == [
        ("centre", ("b",)), ("owner:police", ("a",)), ("owner:police:2", ("a",)),
    ]  # fmt: skip
    assert deeds.seats_of([], request) == ()
