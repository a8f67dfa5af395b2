"""What every wall panel promises: pure, all it fills is laid out, no inline style, raw sizes in the tokens only."""

import ast
import re
from pathlib import Path
from types import ModuleType
from unittest.mock import MagicMock

import pytest

from config.settings import ROOT
from config.words import LANGUAGES, Words
from dashboard import frame
from dashboard.pages import build
from dashboard.panels import PAGES
from dashboard.picture import Picture
from operations.policy import actions_for
from tests.dashboard.panel_board import NOW, WORDS, board, incident

WALL = PAGES["wall"]
SHEETS = sorted((ROOT / "assets/panels").glob("*.css"))
OURS = {"wall", *(panel.__name__.rpartition(".")[2] for panel in WALL)}
BUSY = (
    incident("a", urgency="critical", minutes=9, escalated=True),
    incident("b", urgency="urgent", placed=False),
    incident("c", acknowledged=True),
)


def ids(component: object) -> set[str]:
    return {found.decode() for found in re.findall(rb'"id":"([^"]+)"', frame.encode(component))}


@pytest.mark.parametrize("panel", WALL, ids=lambda panel: panel.__name__)
@pytest.mark.parametrize("lang", LANGUAGES)
def test_a_panel_fills_only_what_it_laid_out(panel: ModuleType, lang: str) -> None:
    words = Words(lang, WORDS.city)
    laid_out = ids(panel.layout(words))
    for found in (board(), board(*BUSY)):
        rendered = panel.render(found, NOW, words)
        assert set(rendered) <= laid_out
        assert frame.flatten_props(rendered) == frame.flatten_props(panel.render(found, NOW, words))


def test_only_panels_that_change_with_the_board_are_drawn() -> None:
    drawn = {page: set(Picture(panels, WORDS).costs()) for page, panels in PAGES.items()}
    assert drawn["wall"] == OURS - {"wall"}
    assert drawn["desk"] == {
        *("desk_header", "desk_orders", "desk_queue", "desk_doubles", "desk_warnings", "granted", "map"),
    }
    assert drawn["quarantine"] == {"desk_header"}


@pytest.mark.parametrize("panel", WALL, ids=lambda panel: panel.__name__)
def test_keyed_rows_of_all_are_those_of_each(panel: ModuleType) -> None:
    found = board(*BUSY)
    for name, keyed in getattr(panel, "KEYED", {}).items():
        whole = keyed(found, NOW, None)
        keys = [one.grid for one in found.incidents.values() if one.grid] if name == "heat" else list(found.incidents)
        assert {key: row for key, row in keyed(found, NOW, keys).items() if row is not None} == whole


def test_no_panel_has_an_inline_style() -> None:
    for panel in WALL:
        assert b'"style":' not in frame.encode(panel.layout(WORDS))
        assert b'"style":' not in frame.encode(panel.render(board(*BUSY), NOW, WORDS))


def tokens() -> dict[str, str]:
    return dict(re.findall(r"--([\w-]+): (#[0-9a-f]{6});", (ROOT / "assets/tokens.css").read_text("utf-8")))


def luminance(colour: str) -> float:
    """WCAG 2.2 relative luminance."""
    parts = [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    red, green, blue = (part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(one: str, other: str) -> float:
    lighter, darker = sorted((luminance(tokens()[one]), luminance(tokens()[other])), reverse=True)
    return (lighter + 0.05) / (darker + 0.05)


@pytest.mark.parametrize("text", ["text", "text-2", "text-3", "critical", "urgent", "routine", "stale"])
@pytest.mark.parametrize("ground", ["ground", "raised"])
def test_text_has_the_contrast_of_wcag(text: str, ground: str) -> None:
    assert contrast(text, ground) >= 4.5


@pytest.mark.parametrize(
    ("text", "ground"),
    [("on-critical", "critical-solid"), ("text-2", "critical-ground"), ("critical", "critical-ground"),
     ("on-stale", "stale"), ("on-heat", "heat-4"), ("on-heat", "heat-6"), ("text", "heat-3")],
)  # fmt: skip
def test_text_on_colour_has_it_too(text: str, ground: str) -> None:
    assert contrast(text, ground) >= 4.5


@pytest.mark.parametrize("mark", ["critical", "urgent", "routine"])
@pytest.mark.parametrize("step", [0, 1, 2, 3])
def test_marks_stand_out_from_the_heat_below(mark: str, step: int) -> None:
    """Above, the dark rim of a mark parts it from the heat."""
    assert contrast(mark, f"heat-{step}") >= (3 if step < 2 else 1.5)


@pytest.mark.parametrize("sheet", [one for one in SHEETS if one.stem in OURS], ids=lambda sheet: sheet.name)
def test_raw_colours_and_sizes_stand_in_the_tokens_only(sheet: Path) -> None:
    rules = re.sub(r"/\*.*?\*/", "", sheet.read_text("utf-8"), flags=re.S)
    assert re.findall(r":[^;{]*#[0-9a-fA-F]{3,8}\b", rules) == []
    assert re.findall(r"\b\d*\.?\d+(?:px|rem|em|pt)\b", rules) == []
    assert re.findall(r"\b(?:rgba?|hsla?)\(", rules) == []


PANELS = {panel.__name__.rpartition(".")[2]: panel for panels in PAGES.values() for panel in panels}


@pytest.mark.parametrize("name", PANELS)
def test_a_panel_imports_no_other_panel(name: str) -> None:
    tree = ast.parse(Path(str(PANELS[name].__file__)).read_text(encoding="utf-8"))
    of_modules = {node.module for node in ast.walk(tree) if isinstance(node, ast.ImportFrom) and node.module}
    named = {
        alias.name
        for node in ast.walk(tree)
        if isinstance(node, ast.ImportFrom) and node.module == "dashboard.panels"
        for alias in node.names
    }
    taken = named | {one.removeprefix("dashboard.panels.") for one in of_modules}
    assert not taken & PANELS.keys()


@pytest.mark.parametrize("page", PAGES)
def test_every_callback_of_a_page_has_a_line_in_the_table_of_callbacks(page: str) -> None:
    made = build(page, WORDS, PAGES[page], MagicMock()).callback_map.items()
    without = {key for key, one in made if "callback" in one and actions_for(page, key) is None}
    assert without == set(), "add a line to operations.policy.CALLBACKS"
