"""The rules of video access: the file shipped holds the agreed bounds, and every fault is told with where it stands."""

from pathlib import Path

import pytest

from config import access
from config.access import FILE, Access, AccessError

SHIPPED = FILE.read_text(encoding="utf-8")


def told(folder: Path, text: str) -> str:
    """Return what is said about a file with this text, without where the folder is."""
    path = folder / "access.toml"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(AccessError) as error:
        Access.load(path)
    return str(error.value).replace(str(folder) + "/", "")


def line_of(text: str, begins: str, number: int = 1) -> int:
    """Return the line on which something begins for the n-th time."""
    lines = [at for at, line in enumerate(text.splitlines(), 1) if line.startswith(begins)]
    return lines[number - 1]


def swapped(old: str, new: str, count: int = 1) -> str:
    """Return the shipped file with something else in a place."""
    assert old in SHIPPED
    return SHIPPED.replace(old, new, count)


def test_the_shipped_file_holds_the_agreed_bounds() -> None:
    found = access.current()
    limits = found.limits
    assert (limits.urgent_minutes, limits.normal_hours) == (10, 4)
    assert (limits.live_minutes, limits.longest_minutes, limits.cameras) == (120, 1_440, 16)
    assert (limits.breakglass_minutes, limits.ratify_hours) == (30, 24)
    assert (limits.standing_months, limits.closing_minutes) == (6, 5)
    assert all(one.minutes <= limits.longest_minutes for one in found.purpose)
    assert found.purpose_of("incident") is not None and found.purpose_of("none") is None
    assert found.basis_of("decree799_20") is not None and found.basis_of("none") is None


def test_sensitive_and_restricted_places_want_two_persons_and_long_windows_the_leader() -> None:
    rules = {one.code: one for one in access.current().rule}
    assert "centre:2" in rules["sensitive_place"].deciders and "centre:2" in rules["restricted"].deciders
    assert "leader" in rules["long"].deciders and rules["long"].longer_minutes < access.current().limits.longest_minutes
    assert "owner" in rules["ordinary"].deciders


def test_the_glass_is_broken_by_those_in_charge_in_what_is_critical_alone() -> None:
    rule = access.current().breakglass
    assert set(rule.roles) == {"duty_commander", "leader"} and rule.urgencies == ("critical",)


WRONG = [
    ("viewers = 4", "viewers = 0", "viewers", 1),
    ("live_minutes = 120 ", "live_minutes = 1441 ", "live_minutes", 1),
    ("longest_minutes = 1440 ", "longest_minutes = 9999 ", "longest_minutes", 1),
    ("urgent_minutes = 10 ", 'urgent_minutes = "ten" ', "urgent_minutes", 1),
    ("normal_hours = 4 ", "normal_hours = 4.5 ", "normal_hours", 1),
    ("levels = 2 ", "levels = -1 ", "levels", 1),
    ('modes = ["live", "playback", "snapshot", "export"]', 'modes = ["film"]', "modes", 2),
    ("minutes = 480\ncameras", "minutes = 0\ncameras", "minutes", 3),
    ("standing = false", "standing = 3", "standing =", 2),
    ('deciders = ["centre:2", "owner"]', 'deciders = ["centre:3", "owner"]', "deciders", 2),
    ('deciders = ["leader"]', 'deciders = ["mayor"]', "deciders", 4),
    ('positions = ["011"', 'positions = ["01a"', "positions", 1),
    ("restricted = true", 'restricted = "yes"', "restricted = ", 1),
    ("longer_minutes = 480", "longer_minutes = 2000", "longer_minutes", 1),
    ('code = "long"', 'code = "Long One"', "code = \"Long", 1),
    ('zh = "《消防法》"', 'zh = ""', "zh = \"\"", 1),
    ('words = ["客房"', 'words = ["房"', "words", 1),
    ('roles = ["duty_commander", "leader"]', 'roles = ["liaison"]', "roles", 1),
    ('urgencies = ["critical"]', 'urgencies = ["high"]', "urgencies", 1),
    ("classes = [0, 1, 2, 3]", "classes = [4]", "classes", 1),
]  # fmt: skip


@pytest.mark.parametrize(("old", "new", "begins", "number"), WRONG, ids=[one[1][:24] for one in WRONG])
def test_a_wrong_value_is_told_with_its_line(folder: Path, old: str, new: str, begins: str, number: int) -> None:
    text = swapped(old, new)
    assert told(folder, text).startswith(f"access.toml, line {line_of(text, begins, number)}: ")


def test_what_is_missing_or_unknown_is_named(folder: Path) -> None:
    text = swapped('en = "Patrol by picture"\n', "")
    said = told(folder, text)
    assert said.startswith(f"access.toml, line {line_of(text, '[[purpose]]', 3)}: ") and "`en`" in said
    text = swapped("[breakglass]\n", "[breakglass]\nsilent = true\n")
    said = told(folder, text)
    assert said.startswith(f"access.toml, line {line_of(text, '[breakglass]')}: ") and "silent" in said
    assert "`ratify_hours`" in told(folder, swapped("ratify_hours", "# ratify_hours"))
    assert "`breakglass`" in told(folder, SHIPPED.partition("[breakglass]")[0])
    assert "stray" in told(folder, "stray = 1\n" + SHIPPED)


def test_a_file_that_cannot_be_read_is_named(folder: Path) -> None:
    with pytest.raises(AccessError, match=r"nowhere\.toml: cannot be read"):
        Access.load(folder / "nowhere.toml")
    assert told(folder, SHIPPED + "\n[[rule\n").startswith("access.toml: cannot be read: ")
    path = folder / "access.toml"
    path.write_bytes(b"\xff\xfe" + SHIPPED.encode())
    with pytest.raises(AccessError, match="cannot be read"):
        Access.load(path)


def _without(kind: str) -> str:
    """Return the shipped file without any [[kind]]."""
    parts = SHIPPED.split("\n[")
    return "\n[".join(one for one in parts if not one.startswith(f"[{kind}]]"))


CONTRADICTIONS = [
    ('code = "patrol"', 'code = "incident"', "purpose incident stands there twice"),
    ('code = "local"', 'code = "people_police"', "basis people_police stands there twice"),
    ('code = "long"', 'code = "ordinary"', "rule ordinary stands there twice"),
    ("restricted = true", 'restricted = true\npurposes = ["fun"]', "rule restricted: there is no purpose fun"),
    ('modes = ["export"]\ndeciders = ["leader"]', 'modes = ["export"]\ndeciders = []',
     "rule taken_away: deciders is empty; nobody would decide"),
    ('code = "ordinary"', 'code = "ordinary"\nclasses = [1]',
     "no rule holds always; write one without conditions, or something would be undecided"),
    ("longest_minutes = 1440", "longest_minutes = 480", "purpose evidence: minutes is more than longest_minutes"),
    ('modes = ["playback", "export"]', "modes = []", "purpose person_concerned: modes is empty"),
    ("positions = []", "positions = []\n[[forbidden]]\ncode = \"empty\"",
     "forbidden empty: neither words nor positions"),
]  # fmt: skip


@pytest.mark.parametrize(("old", "new", "said"), CONTRADICTIONS)
def test_what_contradicts_itself_is_told_with_its_key(folder: Path, old: str, new: str, said: str) -> None:
    assert told(folder, swapped(old, new)) == f"access.toml: {said}"


def test_what_is_asked_for_by_default_is_not_longer_than_anything_may_be(folder: Path) -> None:
    text = SHIPPED.replace("longest_minutes = 1440", "longest_minutes = 60")
    for minutes in ("240", "1440", "480", "120"):
        text = text.replace(f"\nminutes = {minutes}\n", "\nminutes = 60\n")
    assert told(folder, text) == "access.toml: live_minutes is more than longest_minutes"


@pytest.mark.parametrize("kind", ["purpose", "basis"])
def test_a_kind_of_which_there_is_none_is_told(folder: Path, kind: str) -> None:
    assert f"`{kind}`" in told(folder, _without(kind))
    assert told(folder, f"{kind} = []\n" + _without(kind)).startswith("access.toml: ")


def test_a_file_without_rules_lets_nothing_be_decided(folder: Path) -> None:
    assert (
        told(folder, "rule = []\n" + _without("rule")) == "access.toml: there is no rule; write at least one [[rule]]"
    )


def test_forbidden_places_may_be_none(folder: Path) -> None:
    path = folder / "access.toml"
    path.write_text(_without("forbidden"), encoding="utf-8")
    assert Access.load(path).forbidden == ()
