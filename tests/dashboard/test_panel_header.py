from config.city import City
from config.words import Words
from dashboard.panels import header
from operations.board import SourceState
from tests.dashboard.panel_board import HOUR, MINUTE, NOW, WORDS, board, incident


def test_the_oldest_escalated_and_unanswered_calls_the_duty_commander() -> None:
    (call,) = header.rows(
        board(
            incident("late", urgency="critical", minutes=4, escalated=True),
            incident("first", urgency="critical", minutes=9, escalated=True),
            incident("answered", urgency="critical", minutes=20, escalated=True, acknowledged=True),
            incident("not yet", urgency="critical", minutes=1),
        ),
        NOW,
    )
    assert (call.title, call.opened_at, call.more) == ("事件 first", NOW - 9 * MINUTE, 1)


def test_no_call_without_reason() -> None:
    assert header.render(board(incident("a", urgency="critical")), NOW, WORDS)[header.CALL] == {"children": []}


def test_only_a_demonstration_says_that_it_is_one() -> None:
    badge = WORDS.text("wall.header.demo")
    assert badge in str(header.layout(WORDS).to_plotly_json())
    assert badge not in str(header.layout(Words("zh", City("甲市"))).to_plotly_json())


def test_the_header_names_no_mode_nobody_has_set() -> None:
    for lang, modes in (("zh", ("平时", "急时")), ("en", ("Routine", "Emergency"))):
        said = str(header.layout(Words(lang, WORDS.city)).to_plotly_json())
        assert not any(mode in said for mode in modes)


def test_a_replay_of_the_last_day_is_said() -> None:
    found = board()
    for hours, hidden in ((1, False), (25, True)):
        found.sources["r"] = SourceState("r", "replay", NOW - hours * HOUR)
        assert header.render(found, NOW, WORDS)[header.REPLAY] == {"hidden": hidden}
