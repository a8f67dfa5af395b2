"""One command on an order from the desk (处置交办): from what the browser asked to what it is told.

Everything asked is judged anew; who asks comes from the request.
"""

from collections.abc import Callable
from typing import Any

from config.words import Words
from dashboard.composing import wanted
from dashboard.errand import Asked, Unclear, explain, number, serial_of, text, word
from operations.errors import OperationsError
from operations.orders.changing import RULINGS
from operations.orders.order import Order
from operations.orders.receipts import CALLED, DEEDS, REASONS
from operations.policy import Identity

CLOCKS = ("sign", "arrive", "close")


def perform(orders: Any, identity: Identity, words: Words, asked: Asked) -> dict[str, Any]:
    """Carry out `asked` {deed, id, ...} and return {ok, serial, text, ...}; never raises for a refusal."""
    try:
        deed = word(asked, "deed", tuple(COMMANDS))
        after = COMMANDS[deed](orders, identity, asked)
        told: dict[str, Any] = {"ok": True, "text": words.text(f"desk.order.done.{deed}", number=after.number)}
    except OperationsError as error:
        told = {"ok": False, "code": error.code, "text": explain(error, words)}
    except Unclear as error:
        told = {"ok": False, "code": "unclear", "text": words.text("desk.error.unclear", field=str(error))}
    return {"serial": serial_of(asked), **told}


def phone(orders: Any, who: Identity, asked: Asked) -> Order:
    """Write what was said by telephone."""
    deed = word(asked, "heard", (*DEEDS, CALLED))
    reason = word(asked, "reason", REASONS) if deed == "refused" else ""
    said = {"reason": reason, "text": text(asked), "key": text(asked, "key")}
    made: Order = orders.phone(who, *one(asked), deed, text(asked, "answered_by"), **said)
    return made


def amend(orders: Any, who: Identity, asked: Asked) -> Order:
    """Change what was filled: title, text and deadlines from now; what is empty stays."""
    minutes = {name: int(number(asked, name)) for name in CLOCKS if asked.get(name)}
    title, told = text(asked, "title") or None, text(asked) or None
    made: Order = orders.amend(who, *seen(asked), title=title, text=told, minutes=minutes)
    return made


def add(orders: Any, who: Identity, asked: Asked) -> Order:
    """Ask more recipients."""
    picked = asked.get("to")
    if not isinstance(picked, list) or not picked:
        raise Unclear("to")
    made: Order = orders.add(who, word(asked, "id"), tuple(wanted(one) for one in picked))
    return made


def one(asked: Asked) -> tuple[str, str]:
    """Return the order's id and that of the recipient it is about."""
    return word(asked, "id"), word(asked, "recipient")


def seen(asked: Asked) -> tuple[str, int]:
    """Return the order's id and the revision the operator saw."""
    return word(asked, "id"), int(number(asked, "revision"))


def named(asked: Asked) -> list[str]:
    """Return the recipient that was chosen, or none: all that wait."""
    return [word(asked, "recipient")] if asked.get("recipient") else []


COMMANDS: dict[str, Callable[[Any, Identity, Asked], Order]] = {
    "phone": phone,
    "remind": lambda orders, who, asked: orders.remind(who, word(asked, "id"), named(asked), text(asked)),
    "add": add,
    "amend": amend,
    "appoint": lambda orders, who, asked: orders.appoint(who, *one(asked)),
    "withdraw": lambda orders, who, asked: orders.withdraw(who, *one(asked), text(asked)),
    "resend": lambda orders, who, asked: orders.resend(who, *one(asked), text(asked)),
    "rule": lambda orders, who, asked: orders.rule(who, *one(asked), word(asked, "ruling", RULINGS), text(asked)),
    "cancel": lambda orders, who, asked: orders.cancel(who, *seen(asked), text(asked)),
    "undo": lambda orders, who, asked: orders.undo(who, word(asked, "id")),
    "accept": lambda orders, who, asked: orders.review(who, word(asked, "id"), True, text(asked)),
    "return": lambda orders, who, asked: orders.review(who, word(asked, "id"), False, text(asked)),
}
