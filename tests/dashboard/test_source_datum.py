"""The tab of the datum check: what is said and who may decide; the note for administrators on every page."""

import pytest
from msgspec import structs

from config.words import Words
from dashboard import frame
from dashboard.panels import desk_header, source_datum
from operations.board import apply
from operations.datums import Proposal, Standing
from operations.sources import Source
from tests.dashboard.panel_board import NOW, WORDS, board, entry
from tests.operations.story import EVIDENCE

SOURCE = Source("worker", "网格员上报")
WAITING = Standing(Proposal(NOW, EVIDENCE))


def said(standing: Standing, left: int = 0, *, may: bool = True, words: Words = WORDS) -> str:
    return frame.encode(source_datum.shown(SOURCE, standing, left, words, may=may)).decode()


def test_a_proposal_says_how_many_how_far_where_to_and_both_shares() -> None:
    told = said(WAITING)
    assert "80 件写明地点的来件" in told and "向西移动 560 米" in told
    assert "11 / 80" in told and "13.8 %" in told and "76 / 80" in told and "95.0 %" in told
    assert '"datum":"confirm"' in told and '"datum":"keep"' in told and '"disabled":true' not in told


def test_who_may_not_manage_sources_sees_it_and_decides_nothing() -> None:
    told = said(WAITING, may=False)
    assert told.count('"disabled":true') == 2 and "由系统管理员决定" in told


def test_without_a_proposal_it_says_why_and_offers_the_way_back() -> None:
    assert "没有发现问题" in said(Standing()) and '"datum":' not in said(Standing())
    assert "已维持原坐标系" in said(Standing(refused_at=NOW))
    told = said(Standing(previous="WGS84"), left=1234)
    assert '"datum":"back"' in told and "1,234 起" in told


@pytest.mark.parametrize("bearing,name", [(0, "n"), (44, "ne"), (91, "e"), (180, "s"), (269.8, "w"), (359, "n")])
def test_a_bearing_is_one_of_eight_points(bearing: float, name: str) -> None:
    assert source_datum.point(bearing) == name


def test_every_datum_and_point_has_its_words_in_both_languages() -> None:
    for lang in ("zh", "en"):
        words = Words(lang, WORDS.city)
        for datum in ("WGS84", "CGCS2000", "GCJ02", "BD09"):
            evidence = structs.replace(EVIDENCE, datum=datum, bearing=200.0)
            assert said(Standing(Proposal(NOW, evidence)), words=words)
        for name in source_datum.ACTS:
            assert words.text(f"datums.{name}") and words.text(f"datums.{name}_done")


def test_administrators_are_told_on_every_page_until_somebody_decides() -> None:
    made = board()

    apply(made, entry(1, "source.added", ("source", "w"), {"set": {"name": "网格员上报", "kind": "http"}}))
    assert desk_header.render(made, NOW, WORDS)["desk-datums"]["hidden"]
    apply(made, entry(2, "source.datum_proposed", ("source", "w"), {"set": {"proposed": "GCJ02"}}))
    told = desk_header.render(made, NOW, WORDS)["desk-datums"]
    assert not told["hidden"] and told["children"] == "坐标系待确认：网格员上报"
    apply(made, entry(3, "source.datum_kept", ("source", "w"), {"set": {"proposed": ""}}))
    assert desk_header.render(made, NOW, WORDS)["desk-datums"]["hidden"]
