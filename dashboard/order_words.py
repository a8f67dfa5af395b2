"""What orders and their receipts are called on screen 交办与回执的名称; a code nobody knows shows as it is."""

from config.words import Words
from dashboard.history import known


def kind(code: str, words: Words) -> str:
    """Return what a kind of order is called."""
    return known(words, "orders.kind", code)


def state(code: str, words: Words) -> str:
    """Return what a recipient's state is called."""
    return known(words, "orders.state", code)


def role(code: str, words: Words) -> str:
    """Return what lead and support are called."""
    return known(words, "orders.role", code)


def reason(code: str, words: Words) -> str:
    """Return what a reason to refuse is called."""
    return known(words, "orders.reason", code)
