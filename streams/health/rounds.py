"""When a fault counts: so many bad rounds one after another, and so many good ones before it is over. Pure."""

from typing import NamedTuple

from config.pictures import Judging
from streams.health.measure import Finding

GOOD, UNKNOWN = "good", "unknown"


class Verdict(NamedTuple):
    """What counts about a camera's picture now: good, unknown or a fault, with its figures, since when (UTC us).

    `leaning` and `rounds` are what the last rounds say instead, and how many they were.
    """

    word: str = UNKNOWN
    since: int = 0
    looked: int = 0
    value: float = 0.0
    bound: float = 0.0
    leaning: str = ""
    rounds: int = 0


def after(verdict: Verdict, findings: tuple[Finding, ...], judging: Judging, now: int) -> Verdict:
    """Return the verdict after one more round. The first good picture counts at once; a fault never does."""
    first = findings[0] if findings else None
    said = first.fault if first else GOOD
    if said == verdict.word:
        return _told(verdict._replace(looked=now, leaning="", rounds=0), first)
    rounds = verdict.rounds + 1 if _same_side(said, verdict.leaning) else 1
    needed = judging.bad_rounds if first else judging.good_rounds
    if verdict.word == UNKNOWN and not first:
        needed = 1
    if rounds < needed:
        return verdict._replace(looked=now, leaning=said, rounds=rounds)
    return _told(Verdict(said, since=now, looked=now), first)


def _told(verdict: Verdict, finding: Finding | None) -> Verdict:
    return verdict._replace(value=finding.value if finding else 0.0, bound=finding.bound if finding else 0.0)


def _same_side(said: str, leaning: str) -> bool:
    """Bad is bad: a camera that goes from dark to lost has been bad for two rounds."""
    return leaning != "" and (said == GOOD) == (leaning == GOOD)
