"""What the panels of sources share: the fields of each kind, reading a filled form, a token shown once, reasons."""

from dataclasses import dataclass
from typing import Any

from dash import ALL, Input, Output, State, html
from msgspec import convert, json, structs, to_builtins

from config.words import Words
from operations.sources import DATUMS, Source
from streams.errors import SettingsWrong
from streams.pull_settings import AUTHS, FORMATS, KINDS, of_form

BEGIN, ACTED, MODE = "source-add", "source-acted", "form-mode"
"""The button that adds, the store of what was pressed about a source, and what the form is for."""

PROBE, PROBED, MAPPINGS = "form-test", "form-probe", "form-mappings"


@dataclass(frozen=True)
class Field:
    """One field: `control` is text, number, choice, area, lines or secret; `choices` are codes with a text each."""

    name: str
    control: str = "text"
    default: str | int | float = ""
    choices: tuple[str, ...] = ()
    fixed: bool = False
    """Cannot be changed later."""


WHO = (Field("id", fixed=True), Field("name"))


READING = (
    Field("mapping"),
    Field("datum", "choice", "WGS84", DATUMS),
    Field("time_zone"),
    Field("rate_limit", "number", 0),
    Field("silent_after_s", "number", 0),
)


PROOF = (
    Field("auth", "choice", "none", AUTHS),
    Field("auth_name"),
    Field("secret", "secret"),
    Field("headers", "lines"),
)


OWN: dict[str, tuple[Field, ...]] = {
    "file": (),
    "http": (),
    "websocket": (),
    "redis_stream": (),
    "folder": (
        Field("path"),
        Field("pattern", "text", "*"),
        Field("period_s", "number", 5),
        Field("keep_days", "number", 30),
    ),
    "http_pull": (
        Field("url"),
        Field("period_s", "number", 60),
        Field("format", "choice", "json", FORMATS),
        Field("items"),
        Field("watermark_param"),
        Field("watermark_field"),
        Field("watermark_start"),
        Field("next"),
        Field("most_pages", "number", 20),
        Field("timeout_s", "number", 20),
        *PROOF,
    ),
    "cap_pull": (
        Field("url"),
        Field("period_s", "number", 60),
        Field("timeout_s", "number", 20),
        *PROOF,
    ),
    "database": (
        Field("url"),
        Field("secret", "secret"),
        Field("schema"),
        Field("table"),
        Field("watermark"),
        Field("key"),
        Field("period_s", "number", 60),
        Field("batch", "number", 500),
    ),
    "websocket_pull": (
        Field("url"),
        Field("first", "area"),
        Field("items"),
        Field("cursor_field"),
        Field("cursor_start"),
        Field("silence_s", "number", 600),
        *PROOF,
    ),
}
"""The fields of each kind that can be added here, beside those of every source."""


class Wrong(Exception):
    """Something in the form is not as it must be; `field` names it, `said` says it in words."""

    def __init__(self, field: str, said: str) -> None:
        super().__init__(field)
        self.field = field
        self.said = said


def fields(kind: str) -> tuple[Field, ...]:
    """Return the fields of a kind, in their order."""
    return (*WHO, *OWN.get(kind, ()), *READING)


def values(source: Source) -> dict[str, Any]:
    """Return what stands in the fields for a source; never its secret."""
    try:
        own: dict[str, Any] = json.decode(source.settings or "{}", type=dict)
    except ValueError:
        own = {}
    own["headers"] = "\n".join(f"{name}: {value}" for name, value in own.get("headers", {}).items())
    return {**to_builtins(source), **own}


def source_of(kind: str, given: dict[str, Any], before: Source | None, words: Words) -> Source:
    """Return the source that a form describes. Raises Wrong for the first field that is wrong."""
    plain = {one.name: given.get(one.name) for one in fields(kind)}
    own = {one.name: plain[one.name] for one in OWN.get(kind, ()) if one.control != "secret"}
    common = {one.name: plain[one.name] for one in (*WHO, *READING) if not (before and one.fixed)}
    numbers = ("rate_limit", "silent_after_s")
    try:
        common |= {name: convert(common[name] or 0, float if name == "rate_limit" else int) for name in numbers}
    except ValueError:
        raise Wrong("rate_limit", words.text("sources.wrong.form")) from None
    common = {name: value.strip() if isinstance(value, str) else value or "" for name, value in common.items()} | {
        name: common[name] for name in numbers
    }
    common["time_zone"] = common["time_zone"] or "Asia/Shanghai"
    base = before or Source("", "")
    return structs.replace(base, **common, kind=kind, settings=settings_of(kind, own, words))


def settings_of(kind: str, own: dict[str, Any], words: Words) -> str:
    """Return the settings of a kind as they are stored. Raises Wrong."""
    if kind not in KINDS:
        return ""
    try:
        typed = {name: value.strip() if isinstance(value, str) else value for name, value in own.items()}
        if "headers" in typed:
            typed["headers"] = headers_of(typed["headers"] or "")
        return of_form(kind, typed)
    except SettingsWrong as error:
        raise Wrong(error.field, words.text(f"sources.wrong.{error.code}", **error.params)) from None


def headers_of(lines: str) -> dict[str, str]:
    """Return "Name: value" lines as a table; a line without a colon is a name that is not allowed."""
    pairs = [line.partition(":") for line in lines.splitlines() if line.strip()]
    return {name.strip(): value.strip() for name, _, value in pairs}


def token(said: str, words: Words) -> html.Div:
    """Return a token as it is shown once, with a button that copies it."""
    return html.Div(
        [
            html.P(words.text("sources.token.once")),
            html.Div(
                [
                    html.Code(said, id="token-said", className="copy-text"),
                    html.Button(
                        words.text("sources.copy"),
                        type="button",
                        className="desk-button",
                        **{"data-copy": "token-said", "data-copied": words.text("sources.copied")},
                    ),
                ],
                className="admin-line",
            ),
        ],
        className="token-once",
    )


def reason(code: str, params: dict[str, Any], words: Words) -> str:
    """Return in words why a source is out of reach, or not pulled; a code without a text says itself."""
    key = f"sources.away.{code}"
    return words.text(key) if key in words else words.text("sources.away.other", code=code)


def probing(app: Any, probed: Any) -> None:
    """Register what the button "test connection" does: `probed(clicks, values, their fields, mode)`."""
    app.callback(
        Output(PROBED, "children"),
        Input(PROBE, "n_clicks"),
        State({"field": ALL}, "value"),
        State({"field": ALL}, "id"),
        State(MODE, "data"),
        prevent_initial_call=True,
    )(probed)


def begin(words: Words) -> html.Button:
    """Return the button that begins a new source."""
    looks = "desk-button primary admin-only"
    return html.Button(words.text("sources.add"), id=BEGIN, type="button", className=looks, n_clicks=0)
