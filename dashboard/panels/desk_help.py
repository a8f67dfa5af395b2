"""The help sheet 快捷键 of the desk: every key with what it does, and the switch for single keys."""

from dash import html

from config.words import Words

HELP = "desk-help"

KEYS: dict[str, dict[str, tuple[str, ...]]] = {
    "move": {
        "select": ("J", "K", "↓", "↑"),
        "page": ("PgDn", "PgUp"),
        "ends": ("Home", "End"),
        "open": ("Enter",),
        "back": ("Esc",),
    },
    "find": {
        "search": ("/",),
        "search_all": ("Ctrl", "K"),
        "urgencies": ("1", "2", "3"),
        "mine": ("Q",),
        "unplaced": ("X",),
        "sort": ("S",),
        "views": ("Shift", "V"),
        "clear": ("0",),
    },
    "heat": {
        "heat_window": ("H",),
        "heat_type": ("T",),
        "heat_urgency": ("E",),
        "heat_default": ("B",),
    },
    "act": {
        "register": ("N",),
        "warnings": ("W",),
        "acknowledge": ("A",),
        "urgency": ("U",),
        "note": ("M",),
        "place": ("G",),
        "other": ("O",),
        "gridcard": ("I",),
        "distinct": ("D",),
        "merge": ("Y",),
        "flow": ("F",),
        "close": ("C",),
        "reopen": ("R",),
        "reveal": ("V",),
        "send": ("Ctrl", "Enter"),
        "undo": ("Z",),
    },
    "orders": {
        "compose": ("L",),
        "compose_free": ("Shift", "L"),
        "matrix": ("P",),
        "held": ("Shift", "P"),
        "drive": ("Shift", "W"),
        "cameras": ("Shift", "C"),
        "map_cameras": ("Shift", "M"),
    },
    "quarantine": {
        "next": ("J", "K", "↓", "↑"),
        "older": ("E",),
        "open_item": ("Enter",),
        "show": ("V",),
        "discard": ("D",),
        "send": ("Ctrl", "Enter"),
        "back": ("Esc",),
    },
}
"""Group → what it does → keys, the last group for the page of quarantined reports alone.

The texts are `desk.help.GROUP` and `desk.help.keys.NAME`.
"""


def rows() -> list[tuple[str, str, tuple[str, ...]]]:
    """Return (group, name, keys) in the order of the sheet."""
    return [(group, name, keys) for group, names in KEYS.items() for name, keys in names.items()]


def layout(words: Words) -> html.Dialog:
    """Return the closed sheet; `?` opens it, Esc closes it."""
    return html.Dialog(
        [
            html.Header(
                [
                    html.H2(words.text("desk.help.title")),
                    html.Button(
                        [html.Kbd("Esc"), words.text("common.close")],
                        id="desk-help-close",
                        className="desk-button quiet",
                    ),
                ]
            ),
            html.Div([section(group, names, words) for group, names in KEYS.items()], className="desk-help-columns"),
            html.P(words.text("desk.help.conflict"), className="desk-only"),
            html.P(words.text("desk.help.privacy"), className="desk-only"),
            html.Label(
                [
                    html.Button(id="desk-letters", role="switch", className="desk-switch"),
                    words.text("desk.help.letters"),
                ],
                className="desk-letters",
            ),
        ],
        id=HELP,
        className="desk-help",
        **{"aria-label": words.text("desk.help.title")},
    )


def section(group: str, names: dict[str, tuple[str, ...]], words: Words) -> html.Section:
    """Return one group of keys."""
    lines = [
        line
        for name, keys in names.items()
        for line in (html.Dt([html.Kbd(key) for key in keys]), html.Dd(words.text(f"desk.help.keys.{name}")))
    ]
    page = "quarantine-only" if group == "quarantine" else "desk-only"
    return html.Section([html.H3(words.text(f"desk.help.{group}")), html.Dl(lines)], className=page)
