"""What is said of a file of grids in one line, and the offer to mend what is safe."""

from dashboard import frame
from dashboard.panels.faults_shell import MEND, summary
from dashboard.panels.grids_import import mended
from geo.importing import Imported
from geo.problem import ERROR, Problem
from tests.dashboard.panel_board import WORDS


def found(*names: str) -> Imported:
    return Imported((), tuple(Problem(ERROR, "A", f"geo.problems.{name}") for name in names), "", {})


def test_what_a_repair_would_mend_is_offered_with_its_number() -> None:
    drawn = frame.encode(summary(found("self_crossing", "no_code", "duplicate_code"), WORDS)).decode()
    assert f'"id":"{MEND}"' in drawn and WORDS.text("findings.mend", count=2) in drawn
    assert mended(1, None) == (["repair"], 1)


def test_nothing_is_offered_that_would_do_nothing() -> None:
    assert MEND not in frame.encode(summary(found("no_code"), WORDS)).decode()
    assert MEND not in frame.encode(summary(found("self_crossing"), WORDS, repaired=True)).decode()
