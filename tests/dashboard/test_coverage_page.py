"""The tab of coverage: within one's reach, the gravest first, and an export that is an entry."""

from types import SimpleNamespace
from typing import Any

from config.city import City
from config.words import Words
from dashboard.coveragebook import SHOWN, Found
from dashboard.panels import camera_coverage as panel
from operations.cameras.coverage import DARK, ENOUGH, FEW, NONE, Covered, Tally, Void
from operations.errors import Forbidden
from tests.dashboard.panel_board import NOW

WORDS = Words("zh", City())


def area(code: str, standing: str, *, leaf: bool = True, rule: str = "", least: int = 0) -> Covered:
    tally = {NONE: Tally(0, 0, 0), DARK: Tally(2, 0, 0)}.get(standing, Tally(3, 2, 0))
    return Covered(code, ("c", code), leaf, standing, tally, rule, least)


FOUND = Found(
    [area("a", NONE), area("b", DARK, rule="estate", least=6), area("v", FEW, leaf=False, rule="village", least=4),
     area("d", ENOUGH)],
    {"b": Void("b", "c/b", DARK, NOW, NOW)}, NOW,
)  # fmt: skip


class Book:
    def __init__(self, found: Found | None) -> None:
        self.found = found

    def look(self) -> Found:
        if self.found is None:
            raise Forbidden(permission="camera.browse")
        return self.found

    def names(self, chain: Any) -> list[str]:
        return list(chain)

    def shares(self, areas: Any) -> dict[str, float | None]:
        return {one.code: 0.25 if one.code == "b" else None for one in areas}


def said(component: Any) -> str:
    return str([one.to_plotly_json() if hasattr(one, "to_plotly_json") else one for one in component])


def test_the_choices_leave_what_they_say() -> None:
    codes = {only: [one.code for one in panel.rows(FOUND, only)] for only in panel.CHOICES}
    assert codes.pop("lacking") == ["a", "b", "v"]
    assert codes == {"told": ["b"], "none": ["a"], "dark": ["b"], "few": ["v"], "enough": ["d"]}


def test_a_line_says_how_many_how_many_live_what_is_due_the_share_and_since_when() -> None:
    told = panel.values(FOUND.areas[1], FOUND, ["甲", "乙"], WORDS)
    assert told[0] == "甲 · 乙" and told[3:6] == [2, 0, 6] and told[6] == panel.when(NOW, WORDS)
    (line,) = panel.lines([told], [FOUND.areas[1]], {"b": 0.25})
    assert line[-2] == "25%" and panel.lines([told], [FOUND.areas[1]], {})[0][-2] == "—"


def test_figures_carry_their_denominator_and_time() -> None:
    text = said(panel.summary(FOUND, WORDS))
    assert "1 / 3" in text and "0 / 2" in text and panel.when(NOW, WORDS) in text


def test_more_than_the_page_holds_is_said_and_a_refusal_too() -> None:
    many = FOUND._replace(areas=[area(str(n), NONE) for n in range(SHOWN + 5)])
    _, listed = panel.answer(SimpleNamespace(coverage=Book(many)), WORDS, "lacking")
    assert WORDS.text("coverage.more", n="5") in said(listed)
    summary, refused = panel.answer(SimpleNamespace(coverage=Book(None)), WORDS, "anything")
    assert summary == [] and "wrong" in str(refused.to_plotly_json())
