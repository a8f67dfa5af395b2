"""The section of attachments 附件 of an open incident or order; `assets/liaison/attachments.js` draws and hears it."""

from typing import Any

import orjson
from dash import html

from config.words import Words
from operations.errors import OperationsError
from operations.policy import Identity, allowed


def rows(attachments: Any, identity: Identity, subject: tuple[str, str]) -> list[dict[str, Any]]:
    """Return what is attached to ("incident" or "order", id), nothing for who may not see it."""
    try:
        found = attachments.listed(identity, subject)
    except OperationsError:
        return []
    desk = allowed(identity, "order.change")
    return [
        {
            "id": one.id,
            "kind": one.kind,
            "name": one.name,
            "size": one.size,
            "by": one.added_by,
            "mine": desk or one.added_by == identity.name,
        }
        for one in found
    ]


def section(attachments: Any, identity: Identity, incident_id: str, words: Words) -> list[Any]:
    """Return the section of an incident's drawer, or nothing for who may not read attachments."""
    if not allowed(identity, "attachment.read"):
        return []
    told = {
        "subject": f"incident/{incident_id}",
        "rows": rows(attachments, identity, ("incident", incident_id)),
        "words": words.under("attachments"),
        "may": allowed(identity, "incident.attach"),
    }
    place = html.Div(className="attach-place", **{"data-told": orjson.dumps(told).decode()})
    return [html.H3(words.text("attachments.title")), place]
