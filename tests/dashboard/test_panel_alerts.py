from dashboard.panels import alerts
from dashboard.panels.alerts import ROWS, alarms, rows
from tests.dashboard.panel_board import MINUTE, NOW, WORDS, board, incident


def test_unanswered_critical_stay_on_top_then_urgent_then_the_newest() -> None:
    shown = rows(
        board(
            incident("old-critical", urgency="critical", minutes=90),
            incident("answered-critical", urgency="critical", minutes=1, acknowledged=True),
            incident("urgent-old", urgency="urgent", minutes=30),
            incident("urgent-new", urgency="urgent", minutes=2),
            incident("urgent-answered", urgency="urgent", minutes=5, acknowledged=True),
            incident("routine-new", minutes=0),
        ),
        NOW,
    )
    assert [row.id for row in shown] == [
        "old-critical", "answered-critical", "urgent-new", "urgent-old", "urgent-answered", "routine-new",
    ]  # fmt: skip


def test_the_newest_of_the_rest_always_has_a_place_but_never_before_an_unanswered_critical() -> None:
    urgent = [incident(f"u{n}", urgency="urgent", minutes=n + 10) for n in range(20)]
    shown = rows(board(*urgent, incident("r1", minutes=1), incident("r2", minutes=2), incident("r3", minutes=3)), NOW)
    assert [row.id for row in shown] == ["u0", "u1", "u2", "u3", "u4", "r1", "r2", "r3"]

    critical = [incident(f"c{n}", urgency="critical", minutes=n + 10) for n in range(20)]
    assert all(row.urgency == "critical" for row in rows(board(*critical, incident("r1", minutes=1)), NOW))


def test_closed_incidents_are_not_alerts_and_the_rest_is_counted() -> None:
    many = [incident(f"r{n}", minutes=n) for n in range(ROWS + 5)]
    found = board(*many, incident("closed", minutes=1, step="closed"))
    props = alerts.render(found, NOW, WORDS)
    assert len(props[alerts.LIST]["children"]) == ROWS
    assert props[alerts.MORE]["children"] == WORDS.text("wall.alerts.more", n=5)
    assert props["wall-alerts"]["data-state"] == ""


def test_an_empty_board_says_so() -> None:
    props = alerts.render(board(), NOW, WORDS)
    assert props["wall-alerts"]["data-state"] == "empty"
    assert props[alerts.LIST]["children"] == []


def test_ten_in_ten_minutes_are_a_flood() -> None:
    many = board(*[incident(f"r{n}", minutes=n % 9) for n in range(10)])
    assert alerts.note(many, NOW, WORDS) == WORDS.text("wall.alerts.flood", n=10)
    assert alerts.note(many, NOW + 60 * MINUTE, WORDS) == WORDS.text("wall.alerts.load", n=0)


def test_a_row_is_new_for_a_while_and_says_where_and_how_urgent_in_words() -> None:
    (row,) = rows(board(incident("a", urgency="urgent", minutes=0)), NOW)
    assert row.is_new
    assert (row.town, row.grid) == ("990101001", "990101001001001")
    text = str(alerts.item(row, WORDS).to_plotly_json())
    assert WORDS.text("common.urgency.urgent") in text
    assert WORDS.text("wall.alerts.waiting") in text
    (later,) = rows(board(incident("a", urgency="urgent", minutes=0)), NOW + MINUTE)
    assert not later.is_new


def test_alarms_are_what_nobody_has_answered() -> None:
    found = board(
        incident("critical", urgency="critical", minutes=3, escalated=True),
        incident("answered", urgency="critical", minutes=3, acknowledged=True),
        incident("routine", minutes=3),
    )
    assert alarms(found, NOW) == {"critical": {"urgency": "critical", "at": NOW - 3 * MINUTE, "escalated": True}}
    assert alarms(found, NOW, ["answered", "gone"]) == {"answered": None, "gone": None}


def test_of_too_many_alarms_those_called_out_and_then_the_newest_stay() -> None:
    found = board(
        incident("urgent", urgency="urgent"),
        incident("new", urgency="critical", minutes=1),
        incident("called", urgency="critical", minutes=9, escalated=True),
        incident("answered", urgency="critical", acknowledged=True),
    )
    ranks = {id: alerts.alarm_rank(one) for id, one in found.incidents.items()}
    assert ranks.pop("answered") is None
    assert sorted(ranks, key=lambda id: ranks[id] or ()) == ["called", "new", "urgent"]
