"""The commands on orders 指令: each checks permission and scope and writes one entry; what people write is sealed.

Sending, receipts, changes, reply and review each have a file of their own; this is where they come together.
"""

from operations.orders.answering import Answering
from operations.orders.changing import Changing
from operations.orders.draft import OrderDraft, Wanted
from operations.orders.proposing import Proposing
from operations.orders.reading import Dossier
from operations.orders.reviewing import Reviewing
from operations.orders.sending import Sending
from operations.orders.taking_back import TakingBack
from operations.orders.writing import answers_for, draft_of


class Orders(Proposing, Sending, Answering, TakingBack, Changing, Reviewing):
    """The commands on the orders of one database: see `Book` for what it is made of."""


__all__ = ["Dossier", "OrderDraft", "Orders", "Wanted", "answers_for", "draft_of"]
