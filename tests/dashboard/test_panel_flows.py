"""The page of flows: every flow with its moves and who may; a wrong file is said, never a crash."""

from pathlib import Path

import pytest

from config import flows as files
from config.words import LANGUAGES, Words
from dashboard.names import Names
from dashboard.panels import flow_list


@pytest.mark.parametrize("lang", LANGUAGES)
def test_every_flow_is_drawn_with_its_moves_and_who_may(lang: str) -> None:
    flows = files.load()
    names = Names.load(Words(lang), {}, (), {})
    shown = str(flow_list.drawn(flows, names))
    for flow in flows.by_code.values():
        assert flow.name(lang) in shown
        assert all(step.name(lang) in shown for step in flow.steps)
        assert all(move.name(lang) in shown for move in flow.moves)
    assert "admin-notice wrong" not in shown


def test_ways_say_where_they_lead_who_may_and_what_they_need() -> None:
    stations = flow_list.rows(files.load().default, Words("zh"))
    ways = {way.name: way for station in stations for way in station.ways}
    assert (ways["反馈结果"].to, ways["反馈结果"].who) == ("反馈", "值班员、值班长、部门联络员")
    assert ways["退回重办"].back and ways["退回重办"].needs == "说明"
    assert [station.short for station in stations] == [True] * 6 + [False]


def test_what_is_wrong_is_said_and_the_rest_is_drawn(tmp_path: Path) -> None:
    (tmp_path / "whistle.toml").write_text("[[step", "utf-8")
    shown = str(flow_list.drawn(files.load(tmp_path), Names.load(Words("zh"), {}, (), {})))
    assert "whistle.toml: cannot be read" in shown and "six_steps.toml: is missing" in shown and "登记" in shown
