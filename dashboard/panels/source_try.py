"""The console of a source 试一试: what intake would make of an item, nothing kept; and an example to copy."""

from dataclasses import dataclass
from typing import Any

from dash import Input, Output, State, dcc, html
from dash.exceptions import PreventUpdate
from msgspec import json

from config.words import Words
from dashboard.errand import explain
from dashboard.history import fault, mark
from dashboard.names import Names, names_of
from dashboard.panels.admin_shell import field, notice, section, table
from dashboard.panels.source_shell import Wrong, probing, reason, source_of
from operations.errors import OperationsError
from operations.report import Located, Refusal, Report
from operations.sources import Source
from streams.errors import MappingError, SettingsWrong
from streams.fetching import FETCHERS
from streams.probe import Tried

TAB, GIVEN, GO, MADE, FILL, EXAMPLE, ORIGIN = (
    *("try", "try-item", "try-go", "try-made", "try-fill", "try-example", "try-origin"),
)
MOST = 100_000
"""Characters of an item that is tried."""
FIELDS = (
    "id",
    "revision",
    "type",
    "urgency",
    "title",
    "text",
    "occurred_at",
    "grid_code",
    "channel",
    "status",
)
SOMEWHERE = (119.1635, 34.5722)
"""Longitude and latitude of the example where there are no grids."""


@dataclass(frozen=True)
class Row:
    """One field of what became of an item: its name and value in words."""

    name: str
    said: str


def rows(report: Report, located: Located, names: Names) -> list[Row]:
    """Return the fields of a report in words, the grid it would fall in, its marks and what was dropped."""
    words = names.words
    said = {name: str(getattr(report, name)) for name in FIELDS}
    said["type"] = names.type(report.type)
    said["urgency"] = words.text(f"common.urgency.{report.urgency}")
    said["occurred_at"] = names.moment(report.occurred_at)
    found = [Row(words.text(f"desk.report_field.{name}"), value) for name, value in said.items() if value]
    found += placed(report, words)
    found += [Row(words.text(f"desk.report_field.reporter_{name}"), value) for name, value in report.reporter.items()]
    inside = names.chain(located.chain) if located.chain else words.text("try.no_grid")
    found.append(Row(words.text("try.grid"), inside))
    found.append(Row(words.text("try.marks"), "、".join(mark(words, one) for one in report.marks) or "—"))
    if report.dropped:
        dropped = "、".join(f"{words.text(f'try.dropped_{name}')} {count}" for name, count in report.dropped.items())
        found.append(Row(words.text("try.dropped"), dropped))
    return found


def placed(report: Report, words: Words) -> list[Row]:
    """Return where a report says it happened: as sent, and as it is kept."""
    place = report.place
    if place is None:
        return []
    said = {"place_address": place.address}
    if place.raw_lon is not None:
        said |= {"place_lon": str(place.raw_lon), "place_lat": str(place.raw_lat), "place_datum": place.datum}
    found = [Row(words.text(f"desk.report_field.{name}"), value) for name, value in said.items() if value]
    if place.lon is not None:
        found.append(Row(words.text("try.wgs84"), f"{place.lon:.6f}, {place.lat:.6f}"))
    return found


def refused(one: Refusal, words: Words) -> str:
    """Return in words why an item would be refused, and what intake suggests."""
    key = f"desk.report_field.{one.field.replace('.', '_')}"
    name = words.text(key) if key in words else one.field or "JSON"
    told = words.text("try.refused", reason=fault(words, one.reason), field=name)
    given = ", ".join(f"{name}: {value}" for name, value in one.params.items())
    return f"{told} {given}".strip()


def curl(url: str, body: str) -> str:
    """Return the command that sends a report."""
    quoted = body.replace("'", "'\\''")
    return (
        f"curl -X POST '{url}/api/v1/reports' \\\n  -H 'Authorization: Bearer TOKEN' \\\n"
        f"  -H 'Content-Type: application/json' \\\n  --data '{quoted}'"
    )


def python(url: str, body: str) -> str:
    """Return the Python program that sends a report; standard library only."""
    return f"""import json
import urllib.request

report = json.loads(r'''{body}''')
request = urllib.request.Request(
    "{url}/api/v1/reports",
    data=json.dumps(report).encode(),
    headers={{"Authorization": "Bearer TOKEN", "Content-Type": "application/json"}},
)
with urllib.request.urlopen(request) as answer:
    print(answer.status, answer.read().decode())"""


def websocket(url: str, body: str) -> str:
    """Return the Python program that sends a report over a WebSocket and waits for its acknowledgement."""
    address = url.replace("http", "ws", 1)
    return f"""import json
from websockets.sync.client import connect

report = json.loads(r'''{body}''')
headers = {{"Authorization": "Bearer TOKEN"}}
with connect("{address}/api/v1/reports/stream", additional_headers=headers) as socket:
    socket.send(json.dumps({{"id": "1", "report": report}}))
    print(socket.recv())"""


def redis_stream(source: Source, body: str) -> str:
    """Return the command that adds a report to the source's stream."""
    quoted = body.replace("'", "'\\''")
    return f"redis-cli XADD gridwall:source:{source.id} '*' report '{quoted}'"


def examples(source: Source, url: str, body: str) -> dict[str, str]:
    """Return what can be copied for a source, by the key of its heading under `try.copy`."""
    if source.kind == "redis_stream":
        return {"redis": redis_stream(source, body)}
    if source.kind in FETCHERS:
        return {"item": body}
    if source.kind == "websocket":
        return {"websocket": websocket(url, body)}
    return {"curl": curl(url, body), "python": python(url, body)}


# ---- looks -----------------------------------------------------------------------------------------------------------


def layout(words: Words) -> html.Section:
    """Return the section: a place for an item, what became of it, examples."""
    looks: dict[str, Any] = {"rows": 12, "maxLength": MOST, "className": "desk-input try-item", "spellCheck": False}
    area = field(words.text("try.item"), dcc.Textarea(id=GIVEN, value="", **looks))
    buttons = [
        html.Button(words.text("try.go"), id=GO, type="button", className="desk-button primary"),
        html.Button(words.text("try.fill"), id=FILL, type="button", className="desk-button"),
    ]
    left = [html.H2(words.text("try.title")), html.P(words.text("try.hint"), className="desk-hint"), area]
    left += [html.Div(buttons, className="admin-line"), html.Div(id=MADE, **{"aria-live": "polite"})]
    halves = html.Div([html.Div(left), html.Div(id=EXAMPLE)], className="try-halves")
    return section(TAB, [halves, dcc.Store(id=ORIGIN)])


def made(found: Report | Refusal, located: Located, names: Names) -> Any:
    """Return what became of an item."""
    words = names.words
    if isinstance(found, Refusal):
        return notice("wrong", refused(found, words))
    lines = [[one.name, one.said] for one in rows(found, located, names)]
    heads = [words.text("admin.sources.fact.name"), words.text("admin.sources.fact.value")]
    return html.Div([notice("good", words.text("try.accepted")), table(heads, lines)])


def copied(name: str, text: str, words: Words) -> html.Div:
    """Return one example with its button."""
    here = f"copy-{name}"
    button = html.Button(
        words.text("sources.copy"), type="button", className="desk-button",
        **{"data-copy": here, "data-copied": words.text("sources.copied")},
    )  # fmt: skip
    head = html.Div([html.H3(words.text(f"try.copy.{name}")), button], className="admin-line")
    return html.Div([head, html.Pre(text, id=here, className="copy-text")], className="try-copy")


def tested(found: Tried, names: Names, located: Any) -> html.Div:
    """Return what a test of a connection came to."""
    words = names.words
    if found.code:
        told = reason(found.code, found.params, words)
        return notice("wrong", words.text("try.test_failed", reason=told))
    said = notice("good", words.text("try.test_ok", count=found.count, shown=len(found.items)))
    pairs = [
        html.Details(
            [
                html.Summary(words.text("try.test_item", n=number)),
                html.Pre(item, className="copy-text"),
                made(report, located(report), names),
            ],
            open=number == 1,
        )
        for number, (item, report) in enumerate(zip(found.items, found.made, strict=True), 1)
    ]
    return html.Div([said, *pairs], className="try-tested")


# ---- callbacks -------------------------------------------------------------------------------------------------------


def located_by(commands: Any) -> Any:
    """Return what finds the grid a report would fall in; as the grids in force say."""

    def located(report: Report | Refusal) -> Located:
        if isinstance(report, Refusal):
            return Located()
        place = report.place
        found: Located = commands.located(place.lon if place else None, place.lat if place else None, report.grid_code)
        return found

    return located


def somewhere(commands: Any) -> tuple[float, float]:
    """Return longitude and latitude of a point in the city."""
    area = commands.area()
    if area is None or not area.grids:
        return SOMEWHERE
    parents = {grid.parent for grid in area.grids.values()}
    leaf = next(grid for code, grid in sorted(area.grids.items()) if code not in parents)
    point = leaf.polygon.representative_point()
    return round(point.x, 6), round(point.y, 6)


def register(app: Any, commands: Any) -> None:
    """Register trying an item, filling in the example, and testing a connection."""
    words: Words = app.words

    def tried(clicks: int | None, given: str | None, chosen: str | None) -> Any:
        if not clicks or not chosen:
            raise PreventUpdate
        return attempt(commands, words, chosen, (given or "")[:MOST])

    def shown(chosen: str | None, origin: str | None, _done: object) -> Any:
        if not chosen or not origin:
            return html.P(words.text("admin.sources.choose"), className="desk-empty")
        return offered(commands, words, chosen, origin)

    def filled(clicks: int | None, chosen: str | None) -> str:
        if not clicks or not chosen:
            raise PreventUpdate
        return body_of(commands, chosen)

    def probed(clicks: int | None, given: list[Any], names: list[Any], mode: dict[str, str] | None) -> Any:
        if not clicks or not mode:
            raise PreventUpdate
        return probe(commands, words, {name["field"]: value for name, value in zip(names, given, strict=True)}, mode)

    app.clientside_callback("dash_clientside.sources.origin", Output(ORIGIN, "data"), Input(GO, "id"))
    app.callback(
        Output(MADE, "children"), Input(GO, "n_clicks"), State(GIVEN, "value"), State("source-chosen", "data")
    )(tried)
    app.callback(
        Output(EXAMPLE, "children"),
        Input("source-chosen", "data"),
        Input(ORIGIN, "data"),
        Input("source-done", "children"),
    )(shown)
    app.callback(Output(GIVEN, "value"), Input(FILL, "n_clicks"), State("source-chosen", "data"))(filled)
    probing(app, probed)


def attempt(commands: Any, words: Words, chosen: str, given: str) -> Any:
    """Return what intake would make of an item."""
    try:
        found = commands.directory.examine(chosen, given.encode("utf-8", "surrogatepass"))
    except OperationsError as error:
        return notice("wrong", explain(error, words))
    except MappingError as error:
        return notice("wrong", words.text("try.mapping", said=str(error)))
    return made(found, located_by(commands)(found), names_of(commands, words))


def body_of(commands: Any, chosen: str) -> str:
    """Return the example's body as JSON in lines."""
    return json.format(json.encode(commands.directory.example(chosen, *somewhere(commands))), indent=2).decode()


def offered(commands: Any, words: Words, chosen: str, origin: str) -> Any:
    """Return the examples of a source."""
    try:
        source, body = commands.directory.get(chosen), body_of(commands, chosen)
    except OperationsError as error:
        return notice("wrong", explain(error, words))
    except MappingError as error:
        return notice("wrong", words.text("try.mapping", said=str(error)))
    about = words.text("try.copy_pulled" if source.kind in FETCHERS else "try.copy_hint")
    parts = [copied(name, text, words) for name, text in examples(source, origin, body).items()]
    return [html.H2(words.text("try.copy_title")), html.P(about, className="desk-hint"), *parts]


def probe(commands: Any, words: Words, filled: dict[str, Any], mode: dict[str, str]) -> Any:
    """Return what one fetch by the form's settings comes to."""
    try:
        before = commands.directory.get(mode["id"]) if mode.get("id") else None
        source = source_of(before.kind if before else mode["kind"], filled, before, words)
        found = commands.wait(commands.directory.tried(source, str(filled.get("secret") or ""), mode.get("id", "")))
    except Wrong as error:
        return notice("wrong", f"{words.text(f'sources.field.{error.field}')}: {error.said}")
    except SettingsWrong as error:
        return notice("wrong", words.text(f"sources.wrong.{error.code}", **error.params))
    except OperationsError as error:
        return notice("wrong", explain(error, words))
    return tested(found, names_of(commands, words), located_by(commands))
