"""The receipt matrix: bounded rows of orders, and the composer's words turned into a draft."""

from typing import Any

import pytest
from msgspec import structs

from config.words import Words
from dashboard import composing, ordering
from dashboard.errand import Unclear
from dashboard.names import Names
from dashboard.panels import desk_orders, receipts
from dashboard.panels.order_shell import ENDED_SHOWN, OPEN_SHOWN, RECIPIENTS_SHOWN, rank_ended, rank_open, row
from dashboard.panels.shell import width
from dashboard.selection import Selection
from operations.board import Board
from operations.errors import Refused
from operations.incident import Incident
from operations.orders.dispatch import Wanted
from operations.orders.order import Order, Recipient
from operations.orders.proposal import DUTY_LIST, ON_DUTY, PAST, Proposal, Proposed
from operations.policy import SYSTEM
from operations.ticking import OVERDUE, Clock

MINUTE = 60_000_000
ASKED: dict[str, Any] = {
    "kind": "order", "urgency": "routine", "title": "积水", "text": "", "key": "k1", "sign": 5,
    "to": [{"kind": "department", "id": "fire", "name": "消防救援", "department": "fire", "role": "lead"}],
}  # fmt: skip

ORDERED = ["refused", "late", "grave", "calm"]


def recipient(name: str, state: str = "sent", **more: Any) -> Recipient:
    return Recipient(id=f"department:{name}", kind="department", name=name, department=name, state=state, **more)


def order(id: str, *recipients: Recipient, sent_at: int = 0, urgency: str = "routine", state: str = "open") -> Order:
    return Order(
        id=id, number=id, revision=1, kind="order", title="积水", sender="zhang", department="", county="990101",
        sent_at=sent_at, updated_at=sent_at, urgency=urgency, state=state, recipients=recipients,
    )  # fmt: skip


def test_what_was_refused_comes_first_then_what_is_overdue_then_the_gravest() -> None:
    told = Clock("sign", 0, MINUTE, MINUTE, None, OVERDUE)
    found = [
        order("calm", recipient("fire", "signed")),
        order("grave", recipient("fire"), urgency="critical"),
        order("late", recipient("fire", clocks=(told,))),
        order("refused", recipient("police", "signed"), recipient("fire", "refused")),
    ]
    assert [one.id for one in sorted(found, key=lambda one: rank_open(one) or ())] == [
        "refused",
        "late",
        "grave",
        "calm",
    ]


def test_an_order_says_what_it_wants_of_the_desk() -> None:
    refused, busy = recipient("fire", "refused", refusals=1), recipient("police", "signed")
    done = recipient("fire", "done", role="lead")
    cases = {
        "refused": order("one", refused, busy),
        "ruling": order("one", refused, recipient("police", "refused", refusals=1)),
        "review": structs.replace(order("one", done), reply="sent"),
        "": order("one", busy, recipient("fire", "refused", refusals=1, ruling="released")),
    }
    assert {name: row(one).get("needs", "") for name, one in cases.items()} == {name: name for name in cases}
    assert "needs" not in row(order("one", refused, state="cancelled"))
    assert (rank_open(cases["review"]) or ()) < (rank_open(order("one", busy, urgency="critical")) or ())


def test_a_screen_holds_so_many_orders_and_says_how_many_recipients_it_does_not_hold() -> None:
    many = [recipient(f"d{n}", "signed") for n in range(RECIPIENTS_SHOWN + 10)] + [recipient("last", "refused")]
    told = row(order("one", *many))
    assert len(told["to"]) == RECIPIENTS_SHOWN and told["rest"] == 11
    assert told["to"][0]["name"] == "last"  # what presses is never among those left out
    crowd = {str(n): order(str(n), recipient("fire"), sent_at=n) for n in range(OPEN_SHOWN + 5)}
    crowd |= {f"e{n}": order(f"e{n}", sent_at=n, state="done") for n in range(ENDED_SHOWN + 5)}
    chosen = [Selection(choice) for choice in desk_orders.CHOSEN["orders"]]
    for one in chosen:
        one.update(crowd, ())
    assert [len(one.chosen) for one in chosen] == [OPEN_SHOWN, ENDED_SHOWN]
    assert "0" not in chosen[0].chosen and f"e{ENDED_SHOWN + 4}" in chosen[1].chosen


def test_an_order_is_ranked_among_the_open_or_the_ended_never_both() -> None:
    for state in ("open", "done", "cancelled"):
        one = order("one", recipient("fire"), state=state)
        assert (rank_open(one) is None) != (rank_ended(one) is None)


def test_only_asked_rows_are_made_and_an_order_that_is_gone_is_said_to_be() -> None:
    board = Board()
    board.orders = {"a": order("a", recipient("fire")), "b": order("b")}
    assert set(desk_orders.rows(board, 0)) == {"a", "b"}
    assert desk_orders.rows(board, 0, ["a", "gone"])["gone"] is None


def test_a_recipient_shows_the_clock_that_ends_next_and_none_that_was_stopped() -> None:
    clocks = (Clock("sign", 0, 5, 4, None, 0, 3), Clock("close", 0, 90, 70), Clock("arrive", 0, 30, 20))
    told = row(order("one", recipient("fire", "signed", signed_at=3, clocks=clocks)))["to"][0]
    assert (told["clock"], told["due"], told["at"]) == ("arrive", 30, 3)


def incident(**more: Any) -> Incident:
    known: dict[str, Any] = {
        "id": "i1", "number": "1122-0031", "county": "990101", "title": "", "department": "fire",
        "source": "s", "report_id": "r", "type": "0301", "urgency": "critical",
        "occurred_at": 1, "received_at": 2, "opened_at": 3, "updated_at": 3, "revision": 1,
    }  # fmt: skip
    return Incident(**known | more)


@pytest.mark.parametrize(
    ("lang", "reasons", "label"),
    [
        ("zh", ["责任清单、同类单 3 次", "在班"], "火情抢险"),
        ("en", ["duty list, past orders: 3", "on duty"], "Fire and rescue"),
    ],
)
def test_the_composer_shows_why_each_is_proposed_and_the_configured_texts(
    lang: str, reasons: list[str], label: str
) -> None:
    lead, duty = Wanted("department", "fire", "消防救援", "fire", "lead"), Wanted("person", "p1", "值班长", "fire")
    proposal = Proposal(
        (Proposed(lead, (DUTY_LIST, PAST), True, 3), Proposed(duty, (ON_DUTY,), False)), {"sign": 5, "close": 90}
    )
    told = composing.proposed(incident(), proposal, Names.load(Words(lang), {}, (), {}))
    assert [one["why"] for one in (*told["to"], *told["offered"])] == reasons
    assert (told["kind"], told["minutes"]) == ("joint", {"sign": 5, "arrive": 0, "close": 90})
    assert [one["name"] for one in told["texts"]] == ["fire", "handle", "verify"]
    assert told["texts"][0]["label"] == label and "1122-0031" in told["texts"][0]["text"]
    assert " / " not in told["texts"][0]["text"]


def test_an_order_that_stands_free_opens_with_nobody_and_the_usual_deadlines() -> None:
    told = composing.free()
    assert not told["to"] and not told["offered"] and not told["texts"] and told["minutes"]["close"]


def test_a_filled_composer_becomes_a_draft() -> None:
    draft = composing.drafted(ASKED)
    assert (draft.title, draft.sign_minutes, draft.close_minutes, draft.key) == ("积水", 5, 0, "k1")
    assert [(one.id, one.role) for one in draft.recipients] == [("fire", "lead")]


@pytest.mark.parametrize(
    "wrong",
    [
        {"to": []}, {"to": "fire"}, {"to": ["fire"]}, {"to": [{"kind": "street", "id": "a", "role": "lead"}]},
        {"to": ASKED["to"] * 501}, {"kind": "call"}, {"urgency": "now"}, {"key": ""}, {"sign": "5"},
        {"to": [{**ASKED["to"][0], "role": "boss"}]}, {"title": 5}, {"text": "a" * 2_001},
    ],
)  # fmt: skip
def test_what_no_composer_sends_is_refused_by_the_fields_name(wrong: dict[str, Any]) -> None:
    with pytest.raises(Unclear):
        composing.drafted(ASKED | wrong)


def test_a_refusal_moves_an_order_before_the_others() -> None:
    crowd = {"a": order("a", recipient("fire"), sent_at=1), "b": order("b", recipient("fire"), sent_at=2)}
    before = [rank_open(one) for one in crowd.values()]
    refused = structs.replace(crowd["a"], recipients=(recipient("fire", "refused"),))
    assert before[1] < before[0] and (rank_open(refused) or ()) < before[1]  # type: ignore[operator]


def wall(*orders: Order) -> Board:
    board = Board()
    board.orders = {one.id: one for one in orders}
    board.ended_orders = {one.id: None for one in orders if not one.is_open}
    return board


def test_the_wall_shows_the_most_pressing_orders_and_counts_all() -> None:
    late = Clock("sign", 0, MINUTE, MINUTE)
    board = wall(
        *(order(f"calm{n}", recipient("police", "signed", signed_at=MINUTE), sent_at=n) for n in range(4)),
        order("late", recipient("fire", clocks=(late,))),
        order("refused", recipient("fire", "refused"), recipient("fire", "signed", signed_at=3 * MINUTE)),
        order("ended", recipient("fire"), state="done"),
    )
    told = receipts.rows(board, 2 * MINUTE)
    assert [one.id for one in told.rows] == ["refused", "late", "calm3"]
    assert told.columns == ("fire", "police")
    assert [one.looks for one in told.rows] == [("refused", ""), ("overdue", ""), ("", "signed")]
    assert (told.open, told.waiting, told.refused, told.overdue) == (6, 1, 1, 1)
    assert told.median_s == pytest.approx(60, abs=1)


def test_a_wall_without_open_orders_gives_the_room_away() -> None:
    board = wall(order("ended", recipient("fire"), state="done"))
    assert receipts.render(board, 0, Words("zh"))["wall-receipts"] == {"data-state": "empty"}


@pytest.mark.parametrize("lang", ["zh", "en"])
def test_the_walls_words_are_short_enough_for_a_column(lang: str) -> None:
    words = Words(lang)
    for look in receipts.LOOKS:
        assert width(words.text(f"wall.receipts.look.{look}")) <= 8
    board = wall(order("one", *(recipient(f"d{n}") for n in range(9))))
    shown = receipts.render(board, 0, words)[receipts.LIST]
    assert shown["data-columns"] == str(receipts.COLUMNS[lang])


def test_a_cancelled_orders_recipients_are_not_counted_as_waiting() -> None:
    assert receipts.rows(wall(order("one", recipient("fire"), state="cancelled")), 0).open == 0


class Refusing:
    """Orders whose every command is refused, and remembered."""

    def __getattr__(self, name: str) -> Any:
        def refuse(*args: Any, **more: Any) -> None:
            raise Refused("orders.ended")

        return refuse


@pytest.mark.parametrize("deed", list(ordering.COMMANDS))
def test_a_command_on_an_order_says_what_is_unclear_and_what_was_refused(deed: str) -> None:
    words = Words("zh")
    assert ordering.perform(Refusing(), SYSTEM, words, {"deed": deed, "serial": 3})["code"] == "unclear"
    asked = {"deed": deed, "id": "o", "recipient": "r", "revision": 1, "heard": "signed", "ruling": "must", "serial": 3}
    told = ordering.perform(Refusing(), SYSTEM, words, asked | {"to": ASKED["to"], "answered_by": "李"})
    assert told == {"serial": 3, "ok": False, "code": "orders.ended", "text": words.text("orders.ended")}


def test_no_command_is_made_of_what_is_none() -> None:
    assert ordering.perform(Refusing(), SYSTEM, Words("zh"), {"deed": "__init__"})["code"] == "unclear"
