"""The end of an order 办结: the lead's consolidated reply, its review by the desk, and what the whistler says of it."""

from collections.abc import Sequence

from msgspec import structs

from operations.errors import NotFound, need
from operations.orders.changing import withdrawn
from operations.orders.draft import text_of
from operations.orders.matter import ACCEPTED, REPLIED, RETURNED
from operations.orders.order import Order, Recipient
from operations.orders.receipts import anew, answered
from operations.orders.writing import Book, Change, Fields, answers_for, open_order, the
from operations.policy import Identity

SCORES = range(1, 6)


class Reviewing(Book):
    """How orders end."""

    def reply(
        self, identity: Identity, order_id: str, text: str, *, missing: Sequence[str] = (), key: str = ""
    ) -> Order:
        """Send the lead's consolidated reply 主办综合反馈 to review; it is the lead's "done" too. Until it is
        reviewed it can be sent anew. Recipients that have
        not finished are named in `missing` (ids), or it is refused; `key` as for a receipt.

        Raises Forbidden, NotFound, Refused.
        """
        words = {"reply": text_of(text, required=True)}

        def step(order: Order, now: int) -> Change:
            lead = order.lead
            if lead is None or not answers_for(identity, lead):
                raise NotFound()
            open_order(order)
            named = {the(order, key).id for key in missing}
            waited = {one.id for one in order.recipients if one.id != lead.id and not one.settled}
            need(waited <= named, "orders.support_waits", count=len(waited - named))
            fields = {} if lead.state in ("done", "reviewed") else answered(order, lead, "done", now)
            fields |= {"by": identity.name, "channel": "app"}
            head: Fields = {"reply": "sent", "replied_at": now, "missing": sorted(named & waited)}
            more = {"key": key} if key else {}
            return Change("order.replied", head, {lead.id: fields}, words, more=more, matter=REPLIED, revises=True)

        return self._run(identity, "order.answer", order_id, step, sender=False, key=key)

    def review(self, identity: Identity, order_id: str, accept: bool, text: str = "") -> Order:
        """Review what was done 办结审核: accepted, the order ends and who has not finished is withdrawn; returned, with
        the reason, the lead (without one, everybody who was done) is at work again, also of an order that had ended.

        Raises Forbidden, NotFound, Refused.
        """
        words = {"note": text_of(text, required=not accept)}
        decide = accepted if accept else returned

        def step(order: Order, now: int) -> Change:
            return structs.replace(decide(order, now), words=words)

        return self._run(identity, "order.review", order_id, step)

    def evaluate(self, identity: Identity, order_id: str, score: int, text: str = "") -> Order:
        """Say, as the side that whistled, how a whistle was answered 谁吹哨谁评价: 1 to 5, once it has ended.

        Raises Forbidden, NotFound, Refused.
        """
        need(score in SCORES, "orders.score_wrong")
        words = {"note": text_of(text)}

        def step(order: Order, _now: int) -> Change:
            need(order.kind == "whistle" and order.state == "done", "orders.not_evaluated")
            return Change("order.evaluated", {"evaluation": score}, {}, words)

        return self._run(identity, "order.review", order_id, step)


def accepted(order: Order, now: int) -> Change:
    """Return how an order ends whose result is accepted: after a reply, or when nothing is awaited any more."""
    open_order(order)
    need(order.reply == "sent" or all(one.settled for one in order.recipients), "orders.not_reviewed")
    done = {one.id: {"state": "reviewed", "reviewed_at": now} for one in order.recipients if one.state == "done"}
    open_still = {one.id: withdrawn(one, now) for one in order.recipients if not one.settled}
    head: Fields = {"reply": "accepted", "state": "done", "ended_at": now}
    return Change("order.accepted", head, {**done, **open_still}, matter=ACCEPTED, revises=True)


def returned(order: Order, now: int) -> Change:
    """Return how an order goes on whose result is not accepted; one that had ended is opened again."""
    need(order.reply == "sent" or order.state == "done", "orders.not_reviewed")
    finished = [one for one in order.recipients if one.state in ("done", "reviewed")]
    again = [one for one in finished if one == order.lead] or finished
    need(bool(again), "orders.not_reviewed")
    fields = {one.id: _at_work(one, now) for one in again}
    head: Fields = {"reply": "returned", "missing": (), "state": "open", "ended_at": None}
    action = "order.returned" if order.is_open else "order.reopened"
    return Change(action, head, fields, matter=RETURNED, revises=True)


def _at_work(one: Recipient, now: int) -> Fields:
    """It has signed; what runs again is its clock to finish."""
    again = {each.name: each for each in anew(one, now)["clocks"]}
    clocks = tuple(again["close"] if each.name == "close" else each for each in one.clocks)
    return {"state": "working", "clocks": clocks}
