from config.pictures import Judging
from streams.health.measure import Finding
from streams.health.rounds import Verdict, after
from streams.health.signals import CATALOGUE_LIFE, KEEPALIVE_LIFE, PICTURE_LIFE, SECOND, Joined, Signals, joined

JUDGING = Judging.load()
BLACK, LOST = Finding("black", 8.0, 30.0), Finding("lost", 0.0, 0.0)
MINUTE = 60 * SECOND
NOW = 1_800_000_000 * SECOND


def rounds(*said: Finding | None, verdict: Verdict = Verdict()) -> list[str]:  # noqa: B008 - a tuple
    words = []
    for n, one in enumerate(said):
        verdict = after(verdict, (one,) if one else (), JUDGING, NOW + n * MINUTE)
        words.append(verdict.word)
    return words


def test_a_fault_counts_after_two_bad_rounds_and_is_over_after_two_good_ones() -> None:
    assert rounds(None, BLACK, None, BLACK, BLACK) == ["good", "good", "good", "good", "black"]
    assert rounds(BLACK, BLACK, None, BLACK, None, None) == ["unknown", "black", "black", "black", "black", "good"]


def test_bad_stays_bad_when_its_kind_changes_and_the_figures_are_kept() -> None:
    assert rounds(None, BLACK, LOST) == ["good", "good", "lost"]
    told = after(after(Verdict(), (BLACK,), JUDGING, NOW), (BLACK,), JUDGING, NOW + MINUTE)
    assert told == Verdict("black", NOW + MINUTE, NOW + MINUTE, 8.0, 30.0)


def test_all_agree_and_each_disagreement_is_told_as_such() -> None:
    good = Signals(True, NOW, "on", NOW, "good", NOW)
    assert joined(good, NOW) == Joined("online", "", ("picture", "keepalive", "catalogue"), (), False)
    assert joined(good._replace(picture="black"), NOW)[:2] == ("faulty", "black")
    lost = joined(good._replace(picture="lost"), NOW)
    assert (lost.state, lost.against) == ("offline", ("keepalive", "catalogue"))
    assert joined(good._replace(catalogue="off"), NOW)[:1] + joined(good._replace(catalogue="off"), NOW)[3:4] == (
        "online",
        ("catalogue",),
    )
    gone = joined(good._replace(keepalive_at=NOW - KEEPALIVE_LIFE - 1), NOW)
    assert (gone.state, gone.against) == ("online", ("keepalive",))


def test_without_a_fresh_picture_a_silent_platform_takes_its_cameras_with_it() -> None:
    signals = Signals(True, NOW, "on", NOW, "good", NOW - PICTURE_LIFE - 1)
    assert joined(signals, NOW).state == "online"
    silent = joined(signals._replace(keepalive_at=NOW - KEEPALIVE_LIFE - 1), NOW)
    assert (silent.state, silent.against) == ("offline", ("catalogue",))
    old = Signals(False, 0, "on", NOW - CATALOGUE_LIFE - 1)
    assert joined(old, NOW) == Joined("unknown", "", (), (), False)
    assert joined(Signals(True, NOW), NOW).state == "unknown"  # a platform that lives says nothing of one camera


def test_maintenance_is_planned_only_until_its_end() -> None:
    signals = Signals(picture="lost", picture_at=NOW, maintenance_until=NOW + 1)
    assert (joined(signals, NOW).state, joined(signals, NOW + 1).state) == ("maintenance", "offline")
