from dashboard.frame import State, apply
from dashboard.panels import desk_queue
from dashboard.picture import Picture, Touched
from operations import views
from operations.board import Board
from operations.incident import Incident
from tests.dashboard import panel_board


def incident(id: str, **values: object) -> Incident:
    base = {
        "id": id,
        "number": "1122-0001",
        "county": "990101",
        "revision": 1,
        "type": "0302",
        "title": "燃气异味",
        "department": "emergency",
        "source": "hotline",
        "report_id": "r1",
        "occurred_at": 1,
        "received_at": 2,
        "opened_at": 3,
        "updated_at": 3,
    }
    return Incident(**{**base, **values})  # type: ignore[arg-type]


def board(*incidents: Incident) -> Board:
    found = Board()
    for one in incidents:
        found.incidents[one.id] = one
        if not one.is_open:
            found.closed[one.id] = None
    return found


def test_a_row_leaves_out_what_says_nothing_and_keeps_a_zero() -> None:
    row = desk_queue.row(incident("a", lon=0.0, lat=51.5, chain=("1", "12")))
    assert row["lon"] == 0.0
    assert row["chain"] == ["1", "12"]
    assert "acknowledged_at" not in row
    assert "gone" not in row
    assert "marks" not in row
    assert "distance_m" not in row


def test_one_with_a_grid_and_no_coordinates_counts_in_the_heat() -> None:
    made = panel_board.board(panel_board.incident("a", lon=None, lat=None))
    assert views.heat(made, panel_board.NOW, "24h") == {"990101001001001": 1}


def test_a_row_tells_a_distance_only_to_a_grid() -> None:
    assert desk_queue.row(incident("a", lon=1.0, lat=2.0, nearest="12", distance_m=0.0))["distance_m"] == 0.0
    assert desk_queue.row(incident("a", nearest="12", distance_m=34.0))["distance_m"] == 34.0


def test_rows_of_ids_say_none_for_what_has_left() -> None:
    found = desk_queue.rows(board(incident("a")), 0, {"a", "b"})
    assert found["b"] is None
    assert found["a"] is not None


def test_all_open_rows_and_only_the_latest_closed_ones() -> None:
    closed = [incident(f"c{n}", step="closed", closed_at=n + 1) for n in range(desk_queue.CLOSED_SHOWN + 5)]
    found = held(board(incident("a"), *closed))
    assert len(found) == 1 + desk_queue.CLOSED_SHOWN
    assert "a" in found
    assert "c0" not in found
    assert f"c{desk_queue.CLOSED_SHOWN + 4}" in found


def test_of_more_open_ones_than_a_queue_holds_the_gravest_unanswered_newest_stay_and_all_are_counted() -> None:
    more = [incident(f"r{n}", opened_at=n + 10) for n in range(desk_queue.OPEN_SHOWN)]
    old = incident("u", urgency="urgent", opened_at=1, acknowledged_at=2)
    answered = incident("s", opened_at=10**6, acknowledged_at=10**6)
    found = held(board(old, answered, *more))
    assert len(found) == desk_queue.OPEN_SHOWN
    assert "u" in found and "r1" in found
    assert not {"s", "r0"} & found.keys()


def test_totals_count_what_is_open_whether_held_or_not() -> None:
    found = panel_board.board(
        panel_board.incident("a", urgency="urgent"),
        panel_board.incident("b", acknowledged=True, placed=False),
        panel_board.incident("c", step="closed"),
    )
    wanted = {"open": 2, "critical": 0, "urgent": 1, "routine": 1, "waiting": 1, "unplaced": 1}
    assert desk_queue.totals(found, 0) == wanted


def held(found: Board) -> dict[str, bytes]:
    """The rows of the queue a fresh screen gets, by id."""
    state: State = {}
    apply(state, Picture([desk_queue], panel_board.WORDS).draw(found, 0, state, Touched()))
    return {key[2]: value for key, value in state.items() if key[1] == "queue"}


def test_nothing_sealed_is_in_a_row() -> None:
    assert not {"text", "reporter", "phone", "name"} & set(desk_queue.FIELDS)
