from collections.abc import Iterator
from dataclasses import replace

import msgspec
import numpy as np
import pytest
import sqlalchemy as sa

from config import clock
from config.pictures import Judging
from operations.cameras.item import Item
from operations.cameras.keeping import take
from operations.database import Database
from operations.tables import camera, journal, journal_body
from streams.demo import scenes
from streams.health.keyframe import KeyFrame, NotShown
from streams.health.service import Service

pytestmark = pytest.mark.database
JUDGING = replace(Judging.load(), percent_of_core=100)
CODES = {name: f"9901010000132000000{n}" for n, name in enumerate(("good", "dark", "unlisted", "closed"))}


def moments() -> Iterator[int]:
    start = clock.now()
    yield from range(start, start + 1_000)


async def test_changed_verdicts_are_kept_and_told_in_one_entry(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    items = [Item(code=code, name=name, url_main="rtsp://h/x") for name, code in CODES.items()]
    with database.write() as transaction:
        take(transaction, "s", items, complete=True, now=1)
        late = sa.update(camera).where(camera.c.code == CODES["closed"])
        transaction.connection.execute(late.values(maintenance_until=clock.now() * 2))
    with database.read() as connection:
        ids = {id: code for id, code in connection.execute(sa.select(camera.c.id, camera.c.code))}
    at, seen = moments(), set()
    scene, shown = scenes.Scene(1, "x", size=scenes.SUB), iter(range(0, 9_999, scenes.GROUP))

    async def ask(id: str) -> KeyFrame | None:
        seen.add(ids[id])
        if ids[id] == CODES["unlisted"]:
            raise NotShown
        return KeyFrame(ids[id].encode(), next(at))

    def decoded(film: bytes) -> np.ndarray:
        image = scene.image(next(shown))
        return image if film.decode() == CODES["good"] else (image * 0.05).astype(np.uint8)

    monkeypatch.setattr("streams.health.judge.decoded", decoded)
    service = Service(database, JUDGING, ask)
    assert [await service.step() for _ in range(3)] == [1, 1, 0]
    assert seen == {CODES["good"], CODES["dark"], CODES["unlisted"]}
    assert await Service(database, JUDGING, ask).step() == 0  # a restart forgets nothing
    with database.read() as connection:
        kept = dict(connection.execute(sa.select(camera.c.code, camera.c.picture)).all())
        query = sa.select(journal_body.c.body).join(journal, journal.c.seq == journal_body.c.seq)
        bodies = connection.execute(query.where(journal.c.action == "camera.signalled").order_by(journal.c.seq))
        told = [list(msgspec.json.decode(body)["cameras"].values()) for (body,) in bodies]
    assert kept == {CODES["good"]: "good", CODES["dark"]: "black", CODES["unlisted"]: "", CODES["closed"]: ""}
    assert told == [["good"], ["black"]]
