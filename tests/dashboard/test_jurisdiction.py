"""What a screen, a page and an answer say of a jurisdiction: names, whom to ask, and nothing of what is outside."""

from collections.abc import Iterator
from types import ModuleType

import pytest

from config import departments
from config.departments import Department
from config.words import LANGUAGES, Words
from dashboard import frame, jurisdiction
from dashboard.panels import alerts, desk_queue, desk_warnings, header, map, trend
from dashboard.panels import departments as wall_departments
from operations.board import Board, project
from operations.policy import Identity
from operations.scope import CONFIGURATION, NOWHERE, WHOLE, Scope
from tests.dashboard.panel_board import NOW, WORDS, board, incident

EN = Words("en", WORDS.city)
CHAINS = {
    "99": ("99",), "9901": ("99", "9901"), "9902": ("99", "9902"),
    "990101": ("99", "9901", "990101"), "990201": ("99", "9902", "990201"),
}  # fmt: skip
NAMES = {"99": "云岭区", "9901": "临河镇", "9902": "柳林镇", "990101": "一网格", "990201": "一网格"}
TOWN = Scope("9901", "police")
SCREENS = (header, alerts, map, trend, wall_departments, desk_queue, desk_warnings)


@pytest.fixture(autouse=True)
def grids() -> Iterator[None]:
    jurisdiction.put(NAMES, CHAINS)
    yield
    jurisdiction.put({}, {})
    departments.put({})


def said(panel: ModuleType, found: Board, words: Words = WORDS) -> str:
    return frame.encode(panel.render(found, NOW, words)).decode()


def test_a_scope_is_called_by_the_names_of_its_grid_and_department() -> None:
    assert jurisdiction.named(TOWN, WORDS) == "临河镇 · 公安"
    assert jurisdiction.named(TOWN, EN) == "临河镇 · Police"
    assert jurisdiction.named(Scope("", "police"), WORDS) == "公安"


def test_a_name_that_several_grids_bear_has_what_lies_above_before_it() -> None:
    assert jurisdiction.named(Scope("990201"), WORDS) == "柳林镇 › 一网格"


def test_new_grids_and_a_renamed_department_are_told_at_once() -> None:
    jurisdiction.put({"9901": "新河镇"}, {"9901": ("9901",)})
    departments.put({"police": Department("police", "公安分局", "Police branch", "公安")})
    assert "新河镇 · 公安分局" in said(header, project(board(), TOWN))
    assert jurisdiction.named(Scope("9902"), WORDS) == "9902"


@pytest.mark.parametrize("scope", [WHOLE, NOWHERE, CONFIGURATION])
@pytest.mark.parametrize("panel", SCREENS, ids=lambda panel: panel.__name__)
def test_who_has_no_jurisdiction_reads_no_note(panel: ModuleType, scope: Scope) -> None:
    for lang in LANGUAGES:
        words = Words(lang, WORDS.city)
        told = said(panel, project(board(), scope), words)
        assert words.text("jurisdiction.wall") not in told and words.text("jurisdiction.within", text="") not in told
        assert words.text("jurisdiction.rule_what") not in told and '"-"' not in told


@pytest.mark.parametrize("panel", [header, map, desk_queue, desk_warnings], ids=lambda panel: panel.__name__)
@pytest.mark.parametrize("words", [WORDS, EN], ids=LANGUAGES)
def test_a_scoped_screen_names_its_scope_whatever_lies_outside(panel: ModuleType, words: Words) -> None:
    empty, busy = project(board(), TOWN), project(board(incident("a"), incident("b", urgency="critical")), TOWN)
    assert jurisdiction.named(TOWN, words) in said(panel, empty, words)
    assert said(panel, empty, words) == said(panel, busy, words)


@pytest.mark.parametrize("panel", [alerts, trend, wall_departments, desk_queue, desk_warnings])
def test_an_empty_list_of_a_scoped_screen_says_that_it_is_of_the_scope(panel: ModuleType) -> None:
    assert "管辖范围内" in said(panel, project(board(incident("a")), TOWN))
    assert "管辖范围内" not in said(panel, board())


def test_a_wall_tells_the_rule_that_hides_types_and_never_how_much_it_hides() -> None:
    scope = Scope(hidden=("04",))
    none, some = project(board(), scope), project(board(incident("a"), incident("b")), scope)
    assert header.render(none, NOW, WORDS)[header.RULE]["title"] == "按规定有些类型 不上大屏"
    assert said(header, none) == said(header, some)
    assert header.render(none, NOW, WORDS)[header.SCOPE]["hidden"] is True


def test_a_refusal_says_names_and_whom_to_ask() -> None:
    asker = Identity("account", name="li", role="operator", scope=TOWN)
    assert jurisdiction.note(asker, WORDS) == " 你的管辖范围：临河镇 · 公安；如需查看其他，请联系安全管理员。"
    assert jurisdiction.note(asker, EN).endswith("临河镇 · Police; to see more, ask the security administrator.")
