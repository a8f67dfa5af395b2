"""The health of a source 来源健康: how much comes, how late, what is refused, how the pull of it stands."""

from dataclasses import dataclass
from typing import Any

from dash import Input, Output, html

from config.words import Words
from dashboard.errand import explain
from dashboard.history import fault
from dashboard.names import Names, names_of
from dashboard.panels.admin_shell import notice, section, table
from dashboard.panels.source_shell import reason
from operations.cursors import Cursor
from operations.errors import OperationsError
from operations.sources import Source
from streams.errors import IntakeRefused
from streams.pull_settings import KINDS
from streams.vitals import Health

TAB, SHOWN, AGAIN = "health", "health-shown", "health-again"
STEPS = 20
"""Heights a bar of the chart can have."""
CURSOR_MOST = 300


@dataclass(frozen=True)
class Row:
    """One figure: its name's key under `health.fact`, and what is said."""

    name: str
    said: str


def rows(found: Health, source: Source, names: Names) -> list[Row]:
    """Return the figures of a source in words."""
    words = names.words
    ahead = words.text("health.ahead", length=length(found.ahead_s, words), share=f"{found.ahead_share:.0%}")
    limit = (
        words.text("health.limit", rate=f"{source.rate_limit:g}") if source.rate_limit else words.text("health.none")
    )
    offset = found.pull.get("offset_ms")
    return [
        Row("last_minutes", f"{found.last_minutes:,}"),
        Row("last_hour", f"{found.last_hour:,}"),
        Row("last_day", f"{sum(found.hours):,}"),
        Row("heard_at", names.moment(found.heard_at) if found.heard_at else words.text("health.never")),
        Row("lateness_p50", length(found.lateness_p50_s, words)),
        Row("lateness_p95", length(found.lateness_p95_s, words)),
        Row("skew", ahead if found.ahead_s is not None else words.text("health.none")),
        *([Row("offset", words.text("health.offset", seconds=f"{offset / 1_000:+.0f}"))] if offset is not None else []),
        Row("duplicates", f"{found.duplicates:,}"),
        Row("dropped", f"{found.dropped:,}"),
        Row("limit", limit),
    ]


def length(seconds: float | None, words: Words) -> str:
    """Return a length of time in the largest unit that keeps two digits; a dash when there is none."""
    if seconds is None:
        return "–"
    for below, unit, size in ((120, "seconds", 1), (7_200, "minutes", 60), (172_800, "hours", 3_600)):
        if seconds < below:
            return words.text(f"common.ago.{unit}", n=round(seconds / size))
    return words.text("health.days", n=round(seconds / 86_400))


def pulled(found: Health, kept: Cursor, names: Names) -> list[Row]:
    """Return how the pull of a source stands."""
    words, pull = names.words, found.pull
    state = str(pull.get("state") or "starting")
    said = [Row("pull_state", words.text(f"health.pull.{state}"))]
    if pull.get("code"):
        said.append(Row("pull_reason", reason(str(pull["code"]), dict(pull.get("params") or {}), words)))
    for name, at in (("pull_since", "since"), ("pull_ok", "ok_at"), ("pull_next", "next_at")):
        if pull.get(at):
            said.append(Row(name, names.moment(int(pull[at]))))
    if kept.lost:
        said.append(Row("lost_since", names.moment(kept.lost_at)))
    return [*said, Row("cursor", kept.cursor[:CURSOR_MOST] or words.text("health.none"))]


# ---- looks -----------------------------------------------------------------------------------------------------------


def layout(words: Words) -> html.Section:
    """Return the section, empty."""
    again = html.Button(words.text("health.again"), id=AGAIN, type="button", className="desk-button", n_clicks=0)
    return section(TAB, [html.Div(id=SHOWN, className="health"), html.Div(again, className="admin-line")])


def drawn(found: Health, rejected: dict[str, int], kept: Cursor, source: Source, names: Names) -> list[Any]:
    """Return all that is shown of a source's health."""
    words = names.words
    shown: list[Any] = [html.H2(source.name)]
    if source.kind in KINDS and source.enabled:
        shown += [html.H3(words.text("health.pulling")), facts(pulled(found, kept, names), words)]
    shown += [html.H3(words.text("health.figures")), facts(rows(found, source, names), words), chart(found, words)]
    lines = [[fault(words, code), f"{count:,}"] for code, count in rejected.items()]
    heads = [words.text("health.reason"), words.text("health.count")]
    return [*shown, html.H3(words.text("health.rejected")), table(heads, lines, empty=words.text("health.no_rejects"))]


def facts(found: list[Row], words: Words) -> html.Dl:
    """Return figures as a list of names and values."""
    pairs = [
        html.Div([html.Dt(words.text(f"health.fact.{one.name}")), html.Dd(one.said)], className="health-fact")
        for one in found
    ]
    return html.Dl(pairs, className="health-facts")


def chart(found: Health, words: Words) -> html.Div:
    """Return the last 24 hours as bars, the highest filling its place; in words for who cannot see it."""
    most = max(found.hours, default=0)
    bars = [
        html.Span(className=f"health-bar h{-(-count * STEPS // most) if most else 0}", title=f"{count:,}")
        for count in found.hours
    ]
    said = words.text("health.chart", total=f"{sum(found.hours):,}", most=f"{most:,}")
    ends = [html.Span(words.text("health.day_ago")), html.Span(said), html.Span(words.text("health.now"))]
    return html.Div(
        [html.Div(bars, className="health-bars", role="img", **{"aria-label": said}), html.Div(ends, className="ends")],
        className="health-chart",
    )


def register(app: Any, commands: Any) -> None:
    """Register showing the chosen source's health."""
    words: Words = app.words

    def shown(chosen: str | None, _again: int | None, _pulse: object) -> Any:
        if not chosen:
            return html.P(words.text("admin.sources.choose"), className="desk-empty")
        directory = commands.directory
        try:
            found = commands.wait(directory.health(chosen))
            return drawn(
                found,
                directory.rejected(chosen),
                directory.cursor(chosen),
                directory.get(chosen),
                names_of(commands, words),
            )
        except OperationsError as error:
            return notice("wrong", explain(error, words))
        except IntakeRefused:
            return notice("wrong", words.text("desk.error.away"))

    app.callback(
        Output(SHOWN, "children"),
        Input("source-chosen", "data"),
        Input(AGAIN, "n_clicks"),
        Input("source-pulse", "data"),
    )(shown)
