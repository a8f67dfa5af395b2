"""The page of sources: states at a glance, a form whose errors stand beside the field, secrets that never come back."""

from typing import Any

import pytest
from msgspec import structs

from config.words import LANGUAGES, Words
from dashboard import frame
from dashboard.names import Names
from dashboard.panels import source_form, source_health, source_list, source_mapping, source_try
from dashboard.panels.source_shell import OWN, Wrong, source_of, values
from operations.board import SourceState
from operations.cursors import Cursor
from operations.report import Located, Refusal, Report
from operations.sources import Source
from streams.normalise import normalise
from streams.probe import Tried
from streams.tables.columns import Column
from streams.vitals import Health
from tests.dashboard.panel_board import NOW, WORDS, board
from tests.streams.samples import TAXONOMY, report

NAMES = Names.load(WORDS, {}, (), {})
FORM: dict[str, Any] = {"id": "dept", "name": "某部门", "time_zone": "", "datum": "GCJ02", "rate_limit": 5}
URLS = {"http_pull": "http://d.example/", "database": "sqlite:////x.db", "websocket_pull": "ws://d.example/"} | {
    "cap_pull": "http://d.example/"
}


def filled(kind: str, **more: Any) -> dict[str, Any]:
    given = {one.name: one.default for one in source_form.fields(kind)} | FORM
    return given | {"url": URLS.get(kind, ""), "table": "orders", "watermark": "changed"} | more


@pytest.mark.parametrize("kind", OWN)
def test_a_form_makes_a_source_and_shows_it_again(kind: str) -> None:
    made = source_of(kind, filled(kind, headers="X-A: b", secret="s3cret"), None, WORDS)
    assert (made.id, made.kind, made.datum, made.time_zone, made.rate_limit) == (
        *("dept", kind, "GCJ02", "Asia/Shanghai", 5.0),
    )
    assert "s3cret" not in str(made) and "secret" not in values(made)
    again = source_of(kind, values(made) | {"name": "另一个"}, made, WORDS)
    assert again == structs.replace(made, name="另一个")


@pytest.mark.parametrize("kind", URLS)
def test_what_is_wrong_is_said_beside_its_field(kind: str) -> None:
    with pytest.raises(Wrong) as error:
        source_of(kind, filled(kind, url="file:///etc/passwd" if kind != "database" else "x"), None, WORDS)
    assert error.value.field == "url"
    marks = source_form.marked(["id", "url"], error.value.field, error.value.said)
    assert marks == ["", error.value.said]


@pytest.mark.parametrize("lang", LANGUAGES)
@pytest.mark.parametrize("kind", OWN)
def test_every_form_has_its_words_and_explains_a_forbidden_button(kind: str, lang: str) -> None:
    words = Words(lang)
    drawn = frame.encode(source_form.body(kind, {}, None, words, may=False, kept=True, mappings=[])).decode()
    assert words.text("sources.only_admin") in drawn and '"disabled":true' in drawn
    for name in (one.name for one in source_form.fields(kind)):
        assert words.text(f"sources.field.{name}") in drawn


def test_states_at_a_glance_the_gravest_first() -> None:
    listed = [Source(name, name) for name in "abcd"] + [Source("e", "e", enabled=False)]
    states = {
        "a": SourceState("a", "http", last_received_at=1),
        "b": SourceState("b", "http", last_received_at=1, silent=True),
        "c": SourceState("c", "http", last_received_at=1, silent=True, lost="timeout"),
        "e": SourceState("e", "http", lost="timeout"),
    }
    found = {row.id: row.state for row in source_list.rows(listed, states)}
    assert found == {"b": "silent", "c": "lost", "a": "heard", "d": "never", "e": "off"}
    assert [row.id for row in source_list.rows(listed, states)] == ["b", "c", "a", "d", "e"]
    shown = frame.encode(source_list.facts(listed[2], states["c"], WORDS, may=False)).decode()
    assert WORDS.text("sources.away.timeout") in shown and WORDS.text("sources.only_admin") in shown


def test_the_list_is_read_anew_when_a_state_turns_not_with_every_report() -> None:
    found = board()
    found.sources = {"a": SourceState("a", "http", last_received_at=1)}
    before = source_list.render(found, NOW, WORDS)
    found.sources = {"a": SourceState("a", "http", last_received_at=2, count=9)}
    assert source_list.render(found, NOW, WORDS) == before
    found.sources = {"a": SourceState("a", "http", last_received_at=2, lost="timeout")}
    assert source_list.render(found, NOW, WORDS) != before


@pytest.mark.parametrize("lang", LANGUAGES)
def test_health_says_figures_and_how_the_pull_stands(lang: str) -> None:
    words = Words(lang)
    names = Names.load(words, {}, (), {})
    pull = {
        "state": "away",
        "code": "login_refused",
        "since": NOW,
        "next_at": NOW,
        "offset_ms": 3_600_000,
        "params": {},
    }
    found = Health(hours=(0,) * 23 + (7,), lateness_p50_s=90, ahead_s=3_600, ahead_share=0.5, pull=pull)
    source = Source("a", "a", kind="http_pull")
    kept = Cursor("{}", NOW, "login_refused", NOW)
    drawn = frame.encode(source_health.drawn(found, {"not_json": 3}, kept, source, names)).decode()
    for said in (words.text("sources.away.login_refused"), "+3600", words.text("health.pull.away"), "h20"):
        assert said in drawn


def test_trying_says_the_report_or_the_refusal_in_words() -> None:
    source = Source("a", "a")
    good = normalise(report(face_id="x"), source, TAXONOMY, NOW)
    assert isinstance(good, Report)
    told = " ".join(f"{row.name} {row.said}" for row in source_try.rows(good, Located(), NAMES))
    assert "燃气" in told and WORDS.text("try.no_grid") in told and WORDS.text("try.dropped_face") in told
    bad = normalise(report(occurred_at="soon"), source, TAXONOMY, NOW)
    assert isinstance(bad, Refusal)
    assert WORDS.text("streams.reason.time_unreadable") in source_try.refused(bad, WORDS)
    tested = frame.encode(source_try.tested(Tried("", {}, 1, ["{}"], [good]), NAMES, lambda _: Located())).decode()
    assert "燃气" in tested
    assert WORDS.text("sources.away.timeout") in str(source_try.tested(Tried("timeout"), NAMES, None))


def test_what_is_copied_runs(tmp_path: Any) -> None:
    body = '{"title": "it\'s"}'
    compile(source_try.python("http://x", body), "example", "exec")
    compile(source_try.websocket("https://x", body), "example", "exec")
    assert "wss://x/api" in source_try.websocket("https://x", body)
    assert "it'\\''s" in source_try.curl("http://x", body)
    assert list(source_try.examples(Source("a", "a", kind="redis_stream"), "", body)) == ["redis"]
    assert source_try.examples(Source("a", "a", kind="database"), "", body) == {"item": body}


def test_what_was_typed_stays_when_another_kind_is_chosen() -> None:
    given = filled("http_pull", url="http://d.example/", secret="s3cret", period_s=60, timeout_s=9)
    kept = source_form.typed("http_pull", given)
    assert kept["id"] == "dept" and kept["url"] == "http://d.example/" and kept["timeout_s"] == 9
    assert "period_s" not in kept and "secret" not in kept
    drawn = frame.encode(source_form.body("folder", kept, None, WORDS, may=True, kept=False, mappings=[])).decode()
    assert '"dept"' in drawn and "某部门" in drawn


@pytest.mark.parametrize("kind", OWN)
def test_a_new_source_says_what_comes_next(kind: str) -> None:
    drawn = frame.encode(source_form.following(kind, WORDS)).decode()
    tabs = [tab for tab in source_list.TABS if f'"data-open-tab":"{tab}"' in drawn]
    assert tabs and ("files" in tabs) == (kind == "file")


def test_serial_numbers_are_shown_as_the_dates_they_mean() -> None:
    at = source_mapping._column(Column(("t",), 2, ["46349.39583", "46350"]))
    assert at["samples"] == ["2026-11-23 09:30:00", "2026-11-24 00:00:00"]
    assert source_mapping._column(Column(("n",), 1, ["一二三"]))["samples"] == ["一二三"]
