"""`run.py test` itself: what it installs or asks for, and how its passes add up."""

from pathlib import Path

import pytest

from tests import marked, runner, tools
from tests.runner import Tally
from tests.tools import Tools

REPORT = '<testsuites><testsuite tests="{}" failures="{}" errors="{}" skipped="{}"/></testsuites>'
NOTHING = Tools(chromium="", chinese_font="", postgres="", redis="", gst="", sipp="")
EVERYTHING = Tools(chromium="/c", chinese_font="Noto", postgres="/p", redis="/r", gst="/g", sipp="/s")


def _machine(monkeypatch: pytest.MonkeyPatch, *found: Tools, may_install: bool) -> list[tuple[str, ...]]:
    """A machine on which one look after the other finds these; returns the apt-get calls it will see."""
    looks, calls = iter(found), list[tuple[str, ...]]()
    monkeypatch.setattr(tools, "find", lambda _chromium: next(looks))
    monkeypatch.setattr(tools, "_may_install", lambda: may_install)
    monkeypatch.setattr(tools, "_apt_get", lambda *arguments: calls.append(arguments))
    return calls


def test_root_on_debian_gets_what_is_missing(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    calls = _machine(monkeypatch, NOTHING, EVERYTHING, may_install=True)
    assert tools.provide("") == EVERYTHING
    assert [call[0] for call in calls] == ["update", "install"]
    assert calls[1][2:7] == ("--no-install-recommends", "chromium", "fonts-noto-cjk", "postgresql", "redis-server")
    assert "not run" not in capsys.readouterr().out


def test_anybody_else_is_told_what_to_install(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    calls = _machine(monkeypatch, NOTHING, may_install=False)
    assert tools.provide("") == NOTHING
    assert calls == []
    said = capsys.readouterr().out
    for package in ("chromium", "fonts-noto-cjk", "postgresql", "redis-server"):
        assert f"apt-get install {package}\n" in said
    assert said.count("not run: ") == len(tools.PACKAGES)


def test_nothing_is_installed_where_all_is_there(monkeypatch: pytest.MonkeyPatch) -> None:
    assert _machine(monkeypatch, EVERYTHING, may_install=True) == []
    assert tools.provide("") == EVERYTHING


def test_passes_add_up_to_one_closing_line(tmp_path: Path) -> None:
    tally = Tally()
    for number, counts in enumerate([(10, 0, 0, 2), (5, 1, 1, 0)]):
        report = tmp_path / f"{number}.xml"
        report.write_text(REPORT.format(*counts), encoding="utf-8")
        tally.add(report, code=1 if counts[1] else 0)
    tally.add(tmp_path / "none.xml", code=runner.NOTHING_COLLECTED)
    assert tally.code == 1
    assert " 1 failed, 11 passed, 2 skipped, 1 error in 61.50s (1 min 1 s) " in tally.line(61.5)


def test_a_pass_that_could_not_run_fails_the_whole(tmp_path: Path) -> None:
    tally = Tally()
    tally.add(tmp_path / "none.xml", code=4)
    assert tally.code == 4


@pytest.mark.parametrize(
    ("text", "mark"),
    [
        ("pytestmark = pytest.mark.browser", "browser"),
        ("pytestmark = [pytest.mark.whole, pytest.mark.stream]", "stream"),
        ("def test_it(running: Running) -> None:", "whole"),
    ],
)
def test_a_pass_looks_only_into_the_files_that_say_its_mark(tmp_path: Path, text: str, mark: str) -> None:
    said, silent = tmp_path / "said.py", tmp_path / "silent.py"
    said.write_text(text, encoding="utf-8")
    silent.write_text("def test_it(server: object) -> None:", encoding="utf-8")
    assert marked.holds(said, mark) and not marked.holds(silent, mark)
    assert 0 < len(marked.files([mark])) < len(marked.files(marked.NAMED)) < len(list(marked.TESTS.rglob("test_*.py")))
