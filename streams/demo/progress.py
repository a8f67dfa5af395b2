"""How a report goes on after its first word: new revisions, statuses (also backwards), vanishing, returning."""

import random
from collections.abc import Iterator
from typing import Any

from streams.demo.sources import DemoSource

Step = tuple[float, dict[str, Any]]

PENDING, EN_ROUTE, ON_SCENE, DONE = "待出动", "赶赴途中", "已到场", "处置完成"
FIRST = ((PENDING, 0.4507), (ON_SCENE, 0.3197), (EN_ROUTE, 0.2095), (DONE, 0.0201))
NEXT: dict[str, tuple[tuple[str, int], ...]] = {
    PENDING: ((ON_SCENE, 21033), (EN_ROUTE, 17243), (DONE, 1998)),
    EN_ROUTE: ((ON_SCENE, 40359), (PENDING, 1761), (DONE, 1706)),
    ON_SCENE: ((DONE, 9498), (PENDING, 595), (EN_ROUTE, 45)),
    DONE: ((DONE, 333), (PENDING, 69)),
}
"""Changes of status with their counts in a real feed (152,643 incidents); some go backwards."""
OFFICE = {PENDING: "待受理", EN_ROUTE: "已派单", ON_SCENE: "现场处置", DONE: "处理完毕"}
MACHINE = {PENDING: "告警", EN_ROUTE: "告警确认", ON_SCENE: "持续", DONE: "恢复"}
FIELD_TYPES = ("02", "03", "07")
MEAN_CHANGES = 17.0
CHANGE_MEAN_S = 160.0
READINGS = (20, 60)


def progress(kind: str, source: DemoSource, chance: random.Random) -> Iterator[Step]:
    """(seconds since the step before, fields that change) for each report of an incident, the first with 0 seconds."""
    if source.voice == "sensor":
        yield from _readings(chance)
    else:
        yield from _changes(_words(kind, source), source, chance)


def _words(kind: str, source: DemoSource) -> dict[str, str]:
    if source.voice == "platform":
        return MACHINE
    return {} if kind[:2] in FIELD_TYPES else OFFICE


def _changes(words: dict[str, str], source: DemoSource, chance: random.Random) -> Iterator[Step]:
    state = chance.choices([word for word, _ in FIRST], [share for _, share in FIRST])[0]
    revision = 1
    yield 0.0, _step(revision, words.get(state, state))
    while chance.random() < MEAN_CHANGES / (MEAN_CHANGES + 1):
        following = NEXT[state]
        state = chance.choices([word for word, _ in following], [count for _, count in following])[0]
        revision += 1
        yield 20 + chance.expovariate(1 / CHANGE_MEAN_S), _step(revision, words.get(state, state))
    if source.feed and chance.random() < 0.7:
        yield from _vanish(revision, words.get(state, state), chance)


def _vanish(revision: int, status: str, chance: random.Random) -> Iterator[Step]:
    """Gone from the feed, which is not closed; one in twenty returns."""
    yield 60 + chance.expovariate(1 / 900), _step(revision + 1, status) | {"presence": "gone"}
    if chance.random() < 0.05:
        yield 60 + chance.expovariate(1 / 600), _step(revision + 2, status)


def _readings(chance: random.Random) -> Iterator[Step]:
    """A measuring point sends every minute or two until it is quiet again."""
    count = chance.randint(*READINGS)
    for revision in range(1, count + 1):
        wait = 0.0 if revision == 1 else chance.uniform(45, 130)
        yield wait, _step(revision, "告警" if revision < count else "恢复正常")


def _step(revision: int, status: str) -> dict[str, Any]:
    return {"revision": str(revision), "status": status}
