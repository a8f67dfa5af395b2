"""How a recipient looks on a wall: the state, or that something is overdue."""

from dashboard.panels.order_shell import running
from operations.orders.order import Recipient

LOOKS = ("refused", "overdue", "waiting", "working", "signed", "arrived", "done", "withdrawn")
"""What presses most first."""
MARKS = dict(zip(LOOKS, "✕!○◐✓●✔–", strict=True))
PLAIN = {"sent": "waiting", "delivered": "waiting", "seen": "waiting", "reviewed": "done"}


def look(one: Recipient, now: int) -> str:
    """Return how a recipient looks: overdue goes before every state in which something is awaited."""
    runs = running(one)
    if one.waits and runs is not None and runs.due_at < now:
        return "overdue"
    return PLAIN.get(one.state, one.state)
