"""Video access in short 视频调阅概况, for wall and desk: what waits, what is open and for how long, broken glass."""

import statistics
from collections.abc import Sequence
from dataclasses import dataclass

from config import departments
from config.words import Words
from operations.board import Board
from operations.grants.held import Granted

CENTRE = "centre"


@dataclass(frozen=True)
class Viewing:
    """Requests that wait and since when the oldest does, grants in force and when the next ends (UTC us), the median
    time to decide (seconds), and glass that was broken and not ratified, the newest first."""

    waiting: int
    since: int
    granted: int
    ends: int
    median_s: float | None
    broken: tuple[tuple[str, Granted], ...]


def viewing(board: Board, now: int) -> Viewing:
    """Return what a scope's screens show of video access."""
    turns = [since for one in board.asked.values() for since in one.turns.values()]
    living = [one.until_at for one in board.granted.values() if one.until_at > now]
    broken = sorted((pair for pair in board.granted.items() if pair[1].loud), key=lambda pair: -pair[1].from_at)
    return Viewing(
        waiting=sum(bool(one.turns) for one in board.asked.values()),
        since=min(turns, default=0),
        granted=len(living),
        ends=min(living, default=0),
        median_s=median([one.seconds for one in board.decided]),
        broken=tuple(broken),
    )


def mine(board: Board) -> int:
    """Return how many requests wait for the post that looks: its department's, or the centre's."""
    post = board.scope.department or CENTRE
    return sum(post in one.turns for one in board.asked.values())


def median(seconds: Sequence[float]) -> float | None:
    """Return the median, None of nothing."""
    return statistics.median(seconds) if seconds else None


def parties(one: Granted, words: Words) -> str:
    """Return who looks through whose cameras: "centre → Transport"."""
    known = departments.current()

    def called(code: str) -> str:
        return words.pick(known[code].short, known[code].en) if code in known else words.text("grants.short.centre")

    return f"{called(one.unit)} → {called(one.department)}"
