"""What the desk's browser code starts from: who asks, what they may do, the texts, and the names things have."""

from typing import Any

from dash import Input, Output, dcc, html

from config import departments, flows
from config.taxonomy import URGENCIES, Taxonomy
from config.words import Words
from dashboard.errand import CHANNELS
from dashboard.names import Names, names_of
from operations.incidents.moves import RESULTS
from operations.incidents.supervision import REASONS
from operations.policy import Identity, admits, allowed

START = "desk-start"
FACTS = "desk-facts"

CAN = {
    "acknowledge": "incident.acknowledge",
    "note": "incident.note",
    "urgency": "incident.urgency",
    "place": "incident.place",
    "close": "incident.close",
    "reopen": "incident.reopen",
    "reveal": "incident.unseal",
    "distinct": "incident.distinct",
    "merge": "incident.merge",
    "link": "incident.link",
    "supervise": "incident.supervise",
    "explain": "incident.explain",
    "move": "incident.handle",
    "strike": "incident.handle",
    "sources": "source.manage",
    "register": "incident.register",
    "repair": "quarantine.repair",
    "order": "order.send",
    "phone": "order.phone",
    "remind": "order.remind",
    "amend": "order.change",
    "rule": "order.rule",
    "accept": "order.review",
    "drive": "wall.drive",
    "look": "camera.look",
    "looks": "look.read",
    "cameras": "camera.read",
    "snapshot": "camera.snapshot",
    "views": "view.keep",
}
"""What the desk calls an action → the permission it needs."""


def can(identity: Identity) -> list[str]:
    """Return the actions somebody may take; the server checks again, this only lets the buttons explain."""
    return [name for name, permission in CAN.items() if allowed(identity, permission)]


def pages(identity: Identity, words: Words) -> list[str]:
    """Return the pages somebody may open; the header leaves out the ways to the others."""
    return [page for page in words.under("page") if admits(identity, "GET", f"/{page}")]


def texts(words: Words) -> dict[str, str]:
    """Return what the browser says: the desk's own texts, and what every screen calls urgencies and steps."""
    shared = {f"urgency.{code}": text for code, text in words.under("common.urgency").items()}
    shared |= {f"order.{key}": text for key, text in words.under("orders").items()}
    shared |= {f"step.{code}": text for code, text in words.under("common.step").items()}
    shared |= {
        f"clock.{code}": text for code, text in words.under("clock").items() if not code.startswith(("said", "state"))
    }
    return words.under("desk") | shared


def stages(words: Words) -> dict[str, str]:
    """Return {"flow/step": name} of steps that are not called as their kinds."""
    found = flows.current().by_code.values()
    return {f"{flow.code}/{step.code}": step.name(words.lang) for flow in found for step in flow.steps}


def rows(identity: Identity, names: Names) -> dict[str, Any]:
    """Return what the browser needs before the first frame."""
    return {
        "lang": names.words.lang,
        "words": texts(names.words),
        "me": {
            "name": identity.name,
            "role": identity.role,
            "can": can(identity),
            "pages": pages(identity, names.words),
        },
        "urgencies": list(reversed(URGENCIES)),
        "results": list(RESULTS),
        "late_reasons": list(REASONS),
        "stages": stages(names.words),
        "channels": list(CHANNELS),
        "types": dict(names.types),
        "defaults": {code: one.urgency_default for code, one in Taxonomy.load().types.items()},
        "departments": dict(names.departments),
        "shorts": {code: short(code, names) for code in names.departments},
        "grids": dict(names.grids),
        "leaves": list(names.leaves),
        "sources": dict(names.sources),
    }


def short(code: str, names: Names) -> str:
    """Return a department's name for a narrow column."""
    known = departments.current()[code]
    return names.words.pick(known.short, known.en.partition(" and ")[0])


def layout(words: Words) -> html.Div:
    """Return the stores that start the browser code: one asks for the facts when the page stands, one holds them."""
    stores = [dcc.Store(id=START, data=words.lang), dcc.Store(id=FACTS), html.Div(id="desk-started")]
    return html.Div(stores, hidden=True)


def register(app: Any, commands: Any) -> None:
    """Register handing the facts to the browser code."""
    words: Words = app.words

    def started(_: str) -> dict[str, Any]:
        return rows(commands.identity(), names_of(commands, words))

    app.callback(Output(FACTS, "data"), Input(START, "data"))(started)
    app.clientside_callback("dash_clientside.desk.start", Output("desk-started", "title"), Input(FACTS, "data"))
