"""The form of a way out 渠道表单: which fields each kind has, and what a filled form says. Pure."""

from collections.abc import Mapping, Sequence
from typing import Any

from dash import dcc, html

from config import departments
from config.words import Words
from dashboard.panels.admin_shell import field
from operations.outlets.outlet import KINDS, NEEDS, PURPOSES, SECURITIES, Outlet

SAVE, CANCEL = "outlet-save", "outlet-cancel"
FIELDS: dict[str, tuple[str, ...]] = {
    "name": ("email", "webhook", "file"),
    "title": ("email", "webhook", "file"),
    "host": ("email",),
    "port": ("email",),
    "security": ("email",),
    "user": ("email",),
    "password": ("email",),
    "sender": ("email",),
    "url": ("webhook",),
    "needs": ("webhook",),
    "source": ("webhook", "file"),
    "departments": ("email", "webhook", "file"),
    "purposes": ("email", "webhook", "file"),
    "language": ("email", "webhook", "file"),
}
"""Which kinds a field of the form is of."""


def wanted(given: Mapping[str, Any], kind: str) -> dict[str, Any]:
    """Return what a filled form says of an outlet of a kind; what is empty is left to its default."""
    known = KINDS[kind].__struct_fields__ if kind in KINDS else ()
    said: dict[str, Any] = {}
    for name in known:
        value = given.get(name)
        if value in (None, "", []):
            continue
        said[name] = value if isinstance(value, (int, list)) else str(value).strip()
    return said


def form(words: Words, one: Outlet | None, sources: Sequence[tuple[str, str]]) -> list[Any]:
    """Return the form of a new outlet or, filled, of one that is changed."""
    say = words.text
    kind = one.kind if one else "email"
    kinds = [{"label": say(f"outlets.kind.{each}"), "value": each, "disabled": one is not None} for each in KINDS]
    places = [
        html.Div(
            field(say(f"outlets.field.{name}"), control(name, one, sources, words), hint(name, words)),
            id={"outlet-place": name},
            hidden=kind not in of,
        )
        for name, of in FIELDS.items()
    ]
    buttons = (("save", SAVE, "desk-button primary"), ("cancel", CANCEL, "desk-button"))
    return [
        html.H3(say("outlets.edit", name=one.title) if one else say("outlets.new")),
        dcc.RadioItems(kinds, kind, id=part("kind"), className="kind-choice", inline=True),
        html.Div(places, className="admin-form"),
        html.Div(
            [
                html.Button(say(f"outlets.do.{name}"), id=key, type="button", className=looks)
                for name, key, looks in buttons
            ],
            className="admin-line",
        ),
    ]


def hint(name: str, words: Words) -> str:
    """Return the line below a field, "" where there is none."""
    key = f"outlets.hint.{name}"
    return words.text(key) if key in words else ""


def control(name: str, one: Outlet | None, sources: Sequence[tuple[str, str]], words: Words) -> Any:
    """Return the control of a field with its value."""
    held = one.name if one and name == "name" else one.source if one and name == "source" else None
    value = held if held is not None else getattr(one.terms, name, None) if one else None
    chosen = options(name, sources, words)
    if chosen is not None:
        many = name in ("departments", "purposes")
        fallback: Any = [] if many else {"security": "starttls", "language": words.lang}.get(name, "")
        shown = list(value) if many and value else value or fallback
        return dcc.Dropdown(
            chosen, shown, id=part(name), className="admin-choice", multi=many, clearable=many,
            disabled=bool(one) and name == "source",
        )  # fmt: skip
    if name == "port":
        return dcc.Input(id=part(name), type="number", className="desk-input", value=value or 587, min=1, max=65_535)
    shape = "password" if name == "password" else "text"
    most = {"url": 2_000, "password": 4_096, "name": 40, "title": 40}.get(name, 200)
    locked = bool(one) and name == "name"
    return dcc.Input(
        id=part(name), type=shape, className="desk-input", value=value or "", maxLength=most, disabled=locked,
        autoComplete="new-password" if shape == "password" else "off",
    )  # fmt: skip


def options(name: str, sources: Sequence[tuple[str, str]], words: Words) -> list[dict[str, str]] | None:
    """Return what there is to choose in a field, None where one types."""
    say = words.text
    if name == "departments":
        known = [one for one in departments.current().values() if not one.ended]
        return [{"label": one.name(words.lang), "value": one.code} for one in known]
    if name == "source":
        none = {"label": say("outlets.no_source"), "value": ""}
        return [none, *({"label": f"{called} · {code}", "value": code} for code, called in sources)]
    choices: dict[str, tuple[str, ...]] = {
        "security": SECURITIES,
        "needs": NEEDS[:2],
        "purposes": PURPOSES,
        "language": ("zh", "en"),
    }
    keys = {"purposes": "purpose", "needs": "need"}
    if name not in choices:
        return None
    return [{"label": say(f"outlets.{keys.get(name, name)}.{one or 'none'}"), "value": one} for one in choices[name]]


def part(name: str) -> dict[str, str]:
    """Return the id of a field of the form."""
    return {"outlet-field": name}


def placeholder() -> html.Div:
    """Return what stands for the form until it is opened: its buttons must be there to be listened to."""
    return html.Div(
        [html.Button(id=SAVE), html.Button(id=CANCEL), dcc.RadioItems([], None, id=part("kind"))], hidden=True
    )
