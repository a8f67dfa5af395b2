"""Saved views: one's own alone, in the place of the one of that name, and nothing that is no filter."""

import pytest

from operations import journal, kept_views
from operations.database import Database
from operations.errors import Forbidden, NotFound, Refused
from operations.kept_views import PICTURES, Tiles
from operations.policy import Identity
from tests.operations.desk import COMMANDER, OPERATOR, START

pytestmark = pytest.mark.database


def test_a_view_is_its_owners_and_keeping_it_again_changes_it(database: Database) -> None:
    first = kept_views.keep(
        database, OPERATOR, " 我的  街道 ", {"urgency": ["critical"], "grid": "990101001"}, now=START
    )
    again = kept_views.keep(database, OPERATOR, "我的 街道", {"step": "waiting"}, now=START + 1)
    assert again.id == first.id and [one.shown.step for one in kept_views.listed(database, OPERATOR)] == ["waiting"]
    assert kept_views.listed(database, COMMANDER) == []
    with pytest.raises(NotFound):
        kept_views.drop(database, COMMANDER, first.id, now=START)
    kept_views.drop(database, OPERATOR, first.id, now=START)
    assert kept_views.listed(database, OPERATOR) == []
    entries = journal.read(database, 0)
    assert [one.action for one in entries] == ["view.kept", "view.kept", "view.dropped"]
    assert not any("街道" in str(one.body) for one in entries)


@pytest.mark.parametrize("shown", [{"rate": 1}, {"urgency": ["a"] * 4}, {"text": "x" * 81}, "no filter", None])
def test_what_is_no_filter_is_not_kept(database: Database, shown: object) -> None:
    with pytest.raises(Refused, match=r"views\.wrong"):
        kept_views.keep(database, OPERATOR, "a", shown, now=START)


def test_bounds_and_rights(database: Database) -> None:
    for name in ("", " ", "x" * 41):
        with pytest.raises(Refused, match="name_wrong"):
            kept_views.keep(database, OPERATOR, name, {}, now=START)
    for number in range(kept_views.VIEWS_MOST):
        kept_views.keep(database, OPERATOR, f"v{number}", {}, now=START)
    with pytest.raises(Refused, match="most"):
        kept_views.keep(database, OPERATOR, "one more", {}, now=START)
    with pytest.raises(Forbidden):
        kept_views.listed(database, Identity("wall", "w", "w", "wall"))


def test_a_view_of_the_tiles_is_kept_beside_those_of_the_queue(database: Database) -> None:
    shown = {"tiles": 4, "cameras": ["c1", "", "c2"]}
    kept = kept_views.keep(database, OPERATOR, "路口", shown, kind=PICTURES, now=START)
    assert kept.shown == Tiles(4, ("c1", "", "c2"))
    assert kept_views.listed(database, OPERATOR, PICTURES) == [kept]
    assert kept_views.listed(database, OPERATOR) == kept_views.listed(database, COMMANDER, PICTURES) == []
    with pytest.raises(NotFound):
        kept_views.drop(database, OPERATOR, kept.id, now=START)
    kept_views.drop(database, OPERATOR, kept.id, kind=PICTURES, now=START)
    assert kept_views.listed(database, OPERATOR, PICTURES) == []


@pytest.mark.parametrize(
    "shown",
    [
        {"tiles": 5, "cameras": []},
        {"tiles": 1, "cameras": ["a", "b"]},
        {"tiles": 4, "cameras": ["x" * 61]},
        {"tiles": 4, "cameras": ["a\0"]},
        {"tiles": 4},
        {"tiles": True, "cameras": []},
        {"tiles": 4, "cameras": "c1"},
    ],
)
def test_what_is_no_arrangement_of_tiles_is_not_kept(database: Database, shown: object) -> None:
    with pytest.raises(Refused, match=r"views\.pictures_wrong"):
        kept_views.keep(database, OPERATOR, "a", shown, kind=PICTURES, now=START)
