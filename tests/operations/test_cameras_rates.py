"""Rates of cameras: what counts, over which time, within whose reach; samples are taken once, and go."""

from typing import NamedTuple

import pytest
import sqlalchemy as sa

from operations import journal
from operations.board import Board, apply, apply_scoped, project
from operations.cameras import charting, keeping, samples
from operations.cameras.item import Item
from operations.cameras.rates import (
    WHOLE,
    Over,
    Rate,
    Sample,
    Tally,
    intact,
    online,
    tallied,
    target,
    town,
    weighted,
    within,
)
from operations.cameras.samples import EVERY, KEPT, MINUTE
from operations.database import Database
from operations.scope import NOWHERE, Scope
from operations.snapshot import decode, encode
from operations.tables import camera_sample

NOW, HOUR = 1_800_000_000_000_000, 3_600_000_000
CHAIN = ("990101", "990101001", "990101001001", "990101001001001")
OTHER = ("990101", "990101002", "990101002001", "990101002001001")


class Camera(NamedTuple):
    status: str = "on"
    picture: str = "good"
    registered: str = ""
    maintenance_until: int = 0
    path: str = "/".join(CHAIN)
    owner: str = "police"
    point_class: int = 1
    vendor: str = ""


def test_what_is_reached_what_is_intact_and_what_stays_in_the_denominator() -> None:
    cameras = [Camera()] * 90 + [Camera(picture="")] * 3 + [Camera(picture="blurred"), Camera(picture="black")]
    cameras += [Camera(picture="lost"), Camera(status="off"), Camera(status="unknown", picture="")]
    cameras += [Camera(status="off", maintenance_until=NOW + 1), Camera(maintenance_until=NOW)]
    whole = tallied(cameras, NOW)[WHOLE][""]
    assert whole == Tally(registered=100, reached=96, intact=94, unknown=1, planned=1, judged=95)
    assert (online(whole), intact(whole)) == (Rate(96, 99), Rate(94, 99))
    assert (online(Tally()).percent, online(Tally()).met(98)) == (None, None)
    assert (Rate(98, 100).met(98), Rate(97, 100).met(98)) == (True, False)


def test_groups_have_their_cameras_and_classes_their_targets() -> None:
    axes = tallied([Camera(), Camera(owner="roads", point_class=2, path="/".join(OTHER), status="off")], NOW)
    assert {axis: sorted(names) for axis, names in axes.items()} == {
        WHOLE: [""], "owner": ["police", "roads"], "town": ["990101/990101001", "990101/990101002"],
        "class": ["1", "2"], "vendor": [""],
    }  # fmt: skip
    assert [target("class", name) for name in "0123"] == [98, 98, 95, 95] and target("owner", "2") == 98
    assert (town(""), town("a"), town("a/b"), town("a/b/c/d")) == ("", "a", "a", "a/b")


def test_a_reach_sees_its_towns_or_its_owner_and_of_both_nothing() -> None:
    axes = tallied([Camera(), Camera(owner="roads", path="/".join(OTHER))], NOW)
    inside = within(axes, CHAIN[1], "")
    assert list(inside["town"]) == ["990101/990101001"] and inside[WHOLE][""].registered == 1
    assert list(within(axes, "", "roads")["owner"]) == ["roads"]
    assert within(axes, CHAIN[1], "roads") == within(axes, CHAIN[2], "") == within(axes, "", "nobody") == {}


def sample(minutes: int, reached: int) -> Sample:
    return Sample(NOW + minutes * MINUTE, {WHOLE: {"": Tally(10, reached, reached)}})


def test_over_time_each_sample_weighs_until_the_next_and_a_long_gap_does_not_count() -> None:
    some = [sample(0, 10), sample(15, 0), sample(30, 10), sample(90, 10), sample(105, 5)]
    period = weighted(some, NOW, NOW + 2 * HOUR)
    assert (period.known, period.hours) == (1.0, 2.0), "half an hour, an hour of which nobody knows, half an hour"
    assert period.axes[WHOLE][""] == Over(Rate(6.25, 10.0), Rate(6.25, 10.0))
    assert weighted(some, NOW + 10 * MINUTE, NOW + 20 * MINUTE).axes[WHOLE][""].online.percent == 50
    assert weighted([], NOW, NOW + HOUR) == ({}, 0.0, 1.0)


@pytest.mark.database
def test_one_sample_each_quarter_of_an_hour_whoever_looks_and_boards_know_it(database: Database) -> None:
    assert not samples.step(database, now=NOW), "no catalogue, no rate"
    here = [Item(code=f"c{n}", name="c", owner="police", chain=CHAIN, status="on") for n in range(4)]
    there = [Item(code=f"d{n}", name="d", owner="roads", chain=OTHER, status="off") for n in range(2)]
    with database.write() as transaction:
        keeping.take(transaction, "ledger", [*here, *there], complete=True, now=NOW)
    assert [samples.step(database, now=NOW + n * MINUTE) for n in range(15)].count(True) == 1
    with database.read() as connection:
        seq = charting.touched(connection, -1).seq
    assert samples.step(database, now=NOW + EVERY)
    with database.read() as connection:
        assert charting.touched(connection, seq).ids == frozenset(), "the index of cameras is not read anew for it"
        assert [one.at for one in samples.kept(connection, NOW + 5 * MINUTE, NOW + HOUR)] == [NOW, NOW + EVERY]
        assert samples.current(connection, NOW, Scope(CHAIN[1]))[WHOLE][""].registered == 4
    board = Board()
    scopes = [Scope(), Scope(CHAIN[0]), Scope(CHAIN[1]), Scope(CHAIN[3]), Scope(department="police"), NOWHERE]
    views = [project(board, scope) for scope in scopes]
    for entry in journal.read(database, 0):
        change = apply(board, entry)
        for view in views:
            apply_scoped(view, entry, change)
            assert view == project(board, view.scope)
    assert [view.sampled.whole.registered for view in views] == [6, 6, 4, 0, 0, 0]
    assert board.sampled.whole == Tally(6, 4, 4, 0, 0, 0) and decode(encode(board)).sampled == board.sampled


@pytest.mark.database
def test_a_catalogue_that_became_another_is_counted_anew_and_old_samples_go(database: Database) -> None:
    def take(count: int, now: int) -> None:
        items = [Item(code=f"c{n}", name="c", chain=CHAIN, status="on") for n in range(count)]
        with database.write() as transaction:
            keeping.take(transaction, "ledger", items, complete=True, now=now)

    take(20, NOW)
    assert samples.step(database, now=NOW)
    take(21, NOW + MINUTE)
    assert not samples.step(database, now=NOW + MINUTE), "so few wait for their time"
    take(0, NOW + 2 * MINUTE)
    assert samples.step(database, now=NOW + 2 * MINUTE) and not samples.step(database, now=NOW + HOUR)
    take(5, NOW + KEPT + HOUR)
    assert samples.step(database, now=NOW + KEPT + HOUR)
    with database.read() as connection:
        assert connection.execute(sa.select(camera_sample.c.at)).scalars().all() == [NOW + KEPT + HOUR]
