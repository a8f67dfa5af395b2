"""Flows: those shipped hold; a file that contradicts itself says what is wrong, and takes nothing out of force."""

from pathlib import Path

import pytest

from config import flow, flows
from config.taxonomy import Taxonomy
from operations.incident import STEPS
from operations.policy import POLICY

SIX = (flows.FOLDER / "six_steps.toml").read_text("utf-8")
SHIPPED = {"six_steps", "four_steps", "whistle", "strike_off", "two_way", "mediation", "three_gates", "patrol"}


def test_the_shipped_flows_hold_and_take_known_types() -> None:
    found = flows.load()
    assert (found.by_code.keys(), found.faults) == (SHIPPED, ())
    taxonomy = Taxonomy.load()
    for one in found.by_code.values():
        assert all(taxonomy.known(code) for code in (*one.types, *one.follow_up.mandatory))
    assert found.taking("0304").code == found.taking("nothing").code == "six_steps"
    flow.check(flows.BARE)


def test_kinds_and_rights_are_those_of_the_domain() -> None:
    assert flow.KINDS == STEPS
    assert all(f"incident.{action}" in POLICY for action in flow.ACTIONS)


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ('to = "triage"', 'to = "nowhere"', "move 'triage': step 'nowhere' is unknown"),
        ('kind = "reply"', 'kind = "answer"', "step 'reply': kind 'answer' is unknown"),
        ('kind = "reply"', 'kind = "handle"', "step 'reply' is called as another kind"),
        ('code = "handle"\nkind', 'code = "triage"\nkind', "step 'triage' is given twice"),
        ('from = ["register"]\nto = "triage"', 'from = ["handle"]\nto = "triage"', ""),
        ('from = ["register", "triage"]\nto = "handle"', 'from = ["register"]\nto = "handle"', ""),
        ('from = ["handle"]\nto = "reply"', 'from = ["review"]\nto = "reply"', "step 'reply' is never reached"),
        ('needs = ["result", "follow_up"]', 'needs = ["result"]', "follow_up: no move needs follow_up"),
        ('needs = ["result", "follow_up"]', 'needs = ["money"]', "move 'followed': need 'money' is unknown"),
        ('action = "handle"', 'action = "rule"', "move 'reply': action 'rule' is unknown"),
        ('zh = "六步闭环"', 'zh = ""', "the flow: zh is empty"),
        ('zh = "六步闭环"', "zh = 6", "the flow: zh has to be a text"),
        ('zh = "六步闭环"', 'colour = "red"', "the flow: unknown field 'colour'"),
        ('zh = "分流"\nen = "Triage"\n\n[[step]]', 'zh = "分流"\n\n[[step]]', "step 'triage': 'en' is missing"),
        ("sampled = 0", "sampled = 101", "sampled has to be from 0 to 100"),
        ("sampled = 0", "sampled = true", "sampled has to be a whole number"),
        ('short = ["register"', 'short = ["begin"', "short: step 'begin' is unknown"),
        ("types = []", 'types = ["1"]', "type '1': two digits"),
        ("types = []", "types = [", "cannot be read"),
    ],
)
def test_a_file_that_contradicts_itself_says_what_is_wrong_and_where(
    tmp_path: Path, old: str, new: str, said: str
) -> None:
    assert old in SIX
    path = tmp_path / "six_steps.toml"
    path.write_text(SIX.replace(old, new, 1), "utf-8")
    if not said:
        assert flow.read(path).code == "six_steps"
        return
    with pytest.raises(flow.FlowError) as wrong:
        flow.read(path)
    assert "six_steps.toml: " in str(wrong.value) and said in str(wrong.value)


def test_a_step_without_a_way_to_the_end_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "six_steps.toml"
    cut = SIX.replace('from = ["register", "triage"]\nto = "handle"', 'from = ["register"]\nto = "handle"')
    path.write_text(cut.replace('from = ["triage", "handle"]', 'from = ["handle"]'), "utf-8")
    with pytest.raises(flow.FlowError, match="step 'triage' has no way to the end once a follow-up is due"):
        flow.read(path)


def test_a_bad_file_leaves_the_last_good_flow_in_force_and_says_so(tmp_path: Path) -> None:
    shelf = flows.Shelf(tmp_path, every_s=0.0)
    assert shelf.current().default is flows.BARE and shelf.current().faults == ("six_steps.toml: is missing",)
    path = tmp_path / "six_steps.toml"
    path.write_text(SIX, "utf-8")
    good = shelf.current().default
    assert (good.zh, shelf.current().faults) == ("六步闭环", ())
    path.write_text("[[step", "utf-8")
    assert shelf.current().default is good
    assert "six_steps.toml: cannot be read" in shelf.current().faults[0]
    (tmp_path / "own.toml").write_text(SIX.replace("types = []", 'types = ["0304", "02"]'), "utf-8")
    assert [shelf.current().taking(kind).code for kind in ("0304", "0201", "0101")] == ["own", "own", "six_steps"]
    (tmp_path / "same.toml").write_text(SIX.replace("types = []", 'types = ["02"]'), "utf-8")
    assert "same.toml: type 02 is already taken by own.toml" in shelf.current().faults


def test_statuses_of_sources_move_no_further_than_the_reply(tmp_path: Path) -> None:
    path = tmp_path / "sources.toml"
    path.write_text('[canberra]\nFinished = "closed"\n', "utf-8")
    with pytest.raises(flow.FlowError, match="'closed' is none of"):
        flows.sources(path)
    path.write_text('canberra = "x"\n', "utf-8")
    assert "has to be a table" in flows.load(tmp_path).faults[-1]
