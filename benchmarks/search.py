"""`run.py bench search`: search over a million incidents and the picker over 20,000 people, beside `LIKE '%…%'`.

Both ask the functions the screens ask, over a database of its own that is gone afterwards: SQLite, and PostgreSQL too
where DATABASE_URL says where a new database may be made or its programs are installed. The usual way is a plain table
of number, title and address, asked in the same run for what holds the typed text, the newest 20 of it.
"""

from __future__ import annotations

import os
import random
import shutil
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, closing, contextmanager
from datetime import UTC
from functools import partial
from pathlib import Path
from typing import Any
from uuid import uuid4

import msgspec
import sqlalchemy as sa
from msgspec import structs

from config import clock, taxonomy
from config.settings import Settings
from operations import journal, search
from operations.contacts.index import Directory
from operations.contacts.spelling import spelled
from operations.database import Database
from operations.deadlines import NONE
from operations.decision import Rules, opened
from operations.entry import Draft, path
from operations.incident import Incident
from operations.policy import Identity
from operations.report import Located, Report
from operations.scope import Scope
from operations.tables import person

INCIDENTS, PEOPLE = 1_000_000, 20_000
BLOCK = 10_000
APART, A_DAY = 30_000_000, 360
"""Microseconds between two incidents, a million in a year; how many a county has a day."""
ROUNDS = 7
DISK_EACH = 4_000
"""Bytes a million's row may need at most, all indexes and the log included."""
GOALS = {"search": 200, "picker": 50}
COUNTIES, STREETS = 8, 2_000
OPERATOR = Identity("account", "bench", "bench", "operator")
TOWN = Identity("account", "town", "town", "operator", Scope("990103002"))
POLICE = Identity("account", "police", "police", "liaison", Scope(department="police"))
SURNAMES = "赵钱孙李周吴郑王冯陈褚卫蒋沈韩杨朱秦尤许何吕施张孔曹严华金魏陶姜"
GIVEN = "伟芳娜敏静丽强磊军洋勇艳杰娟涛明超秀霞平刚桂英华玉兰红梅建国志文武林海波云飞龙凤山川春夏秋冬晨光辉东南西北"
PLACES = "东西南北中新安平和兴华光明长青山河湖海云龙凤金银玉石桥门园林江泉春秋文武德仁义礼智信福寿康宁永昌"
CITED = "古塔巷"
"""A street that one incident alone names."""


def run(settings: Settings, incidents: int = INCIDENTS) -> list[dict[str, Any]]:
    """The table's rows; `incidents` as many as fit the disk beside the data folder."""
    folder = settings.data if settings.data.exists() else Path(tempfile.gettempdir())
    room = shutil.disk_usage(folder).free // 2 // DISK_EACH
    figures = []
    with tempfile.TemporaryDirectory(prefix="bench-search-", dir=folder) as inside:
        for name, url in _engines(Path(inside)):
            figures += _measured(name, url, min(incidents, room), Path(inside))
    return figures


def _engines(folder: Path) -> Iterator[tuple[str, str]]:
    yield "SQLite", f"sqlite:///{folder}/gridwall.db"
    with ExitStack() as stack:
        url = stack.enter_context(_postgres())
        if url:
            yield "PostgreSQL", url


@contextmanager
def _postgres() -> Iterator[str]:
    """URL of a new PostgreSQL database that is gone afterwards, "" where there is no PostgreSQL."""
    given = os.environ.get("DATABASE_URL", "")
    if given.startswith("postgresql"):
        engine = sa.create_engine(given, isolation_level="AUTOCOMMIT")
        name = f"gridwall_bench_{uuid4().hex[:8]}"
        with engine.connect() as connection:
            connection.exec_driver_sql(f"CREATE DATABASE {name}")
        try:
            yield engine.url.set(database=name).render_as_string(hide_password=False)
        finally:
            with engine.connect() as connection:
                connection.exec_driver_sql(f"DROP DATABASE {name} WITH (FORCE)")
            engine.dispose()
        return
    from tests import engines, tools

    programs = tools.find("").postgres
    if not programs:
        yield ""
        return
    with engines.postgres(programs) as url:
        yield url


def _measured(engine: str, url: str, many: int, folder: Path) -> list[dict[str, Any]]:
    with closing(Database(url)) as database:
        database.migrate(folder)
        began = time.perf_counter()
        _fill(database, many)
        filled = time.perf_counter()
        _index(database)
        indexed = time.perf_counter()
        _people(database)
        _settle(database)
        told = f"{engine}, {many:,} incidents; by the clock, the middle and the longest of {ROUNDS} each"
        figures = _searched(database, engine, told)
        rate = f"{many / (indexed - filled):,.0f} a second; the incidents themselves {filled - began:.0f} s"
        figures.append(_figure(f"index made, {engine}", indexed - filled, "s", "", rate))
        return figures + _picked(database, engine)


# ---- what is there ----


def _fill(database: Database, many: int) -> None:
    """Incidents as reports open them, the oldest first, in blocks; with them the usual way's plain table."""
    dice = random.Random(5)
    types = list(taxonomy.current().types.values())
    streets = [f"{''.join(dice.sample(PLACES, 2))}{dice.choice('路街巷')}" for _ in range(STREETS)]
    start = clock.now() - many * APART
    model = opened("0" * 32, _report(start), Located(), Rules({}, "centre", "990101", UTC, NONE), str, start)
    with database.write() as transaction:
        transaction.connection.exec_driver_sql(
            "CREATE TABLE usual (id TEXT PRIMARY KEY, number TEXT, title TEXT, address TEXT)"
        )
    for first in range(0, many, BLOCK):
        made = [
            _incident(model, number, start, dice, types, streets) for number in range(first, min(first + BLOCK, many))
        ]
        if first <= many // 2 < first + BLOCK:
            made[many // 2 - first] = structs.replace(made[many // 2 - first], address=f"{CITED}7号")
        with database.write() as transaction:
            transaction.many(_INSERT, [_row(one) for one in made])
            transaction.many(
                "INSERT INTO usual VALUES (?, ?, ?, ?)", [(one.id, one.number, one.title, one.address) for one in made]
            )


_INSERT = (
    "INSERT INTO incident (id, origin, number, county, step, urgency, type, department, grid, path, opened_at,"
    " acknowledged_at, escalated_at, body, report, received_at)"
    " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, NULL, NULL, ?, ?, ?)"
)


def _incident(
    model: Incident, number: int, start: int, dice: random.Random, types: Sequence[Any], streets: Sequence[str]
) -> Incident:
    kind = types[int(len(types) * dice.random() ** 2)]
    county = f"9901{1 + number % COUNTIES:02d}"
    leaf = f"{county}{1 + dice.randrange(12):03d}{1 + dice.randrange(20):03d}"
    street = dice.choice(streets)
    what = dice.choice(("", "，已影响通行", "，附近有人围观", "，请派人查看", "，第二次反映", "，夜间发生"))
    at = start + number * APART
    return structs.replace(
        model,
        id=f"{at // 1000:012x}7{number:019x}",
        number=f"{time.strftime('%m%d', time.gmtime(at / 1e6))}-{number // COUNTIES % A_DAY:04d}",
        county=county,
        type=kind.code,
        title=f"{street}{kind.zh}{what}",
        address=f"{street}{1 + dice.randrange(200)}号",
        department=kind.department,
        chain=(county, leaf[:9], leaf),
        grid=leaf,
        opened_at=at,
        received_at=at,
    )


def _row(one: Incident) -> tuple[object, ...]:
    return (
        *(one.id, f"hotline {one.id}", one.number, one.county, "closed", one.urgency, one.type, one.department),
        *(one.grid, path(one.chain), one.opened_at, msgspec.json.encode(one), b"{}", one.received_at),
    )


def _people(database: Database) -> None:
    dice, departments = random.Random(6), sorted({one.department for one in taxonomy.current().types.values()})
    posts = ("科长", "值班员", "网格员", "中队长", "副局长", "驾驶员")
    rows = []
    for number in range(PEOPLE):
        name = dice.choice(SURNAMES) + "".join(dice.sample(GIVEN, dice.choice((1, 2, 2))))
        spelling = spelled(name)
        rows.append(
            {"id": f"{number:032x}", "name": name, "pinyin": spelling.pinyin, "initials": spelling.initials}
            | {"post": dice.choice(posts), "department": dice.choice(departments)}
        )
    now = clock.now()
    with database.write() as transaction:
        transaction.connection.execute(sa.insert(person), rows)
        draft = Draft(at=now, actor="system:bench", action="person.added", subject_type="person", subject_id="0" * 32)
        journal.append(transaction, [draft])


def _index(database: Database) -> None:
    """By what keeps it; in PostgreSQL the rows first and GIN over them, which would take most of an hour row by row."""
    search.step(database)
    with database.write() as transaction:
        if database.file is None:
            transaction.connection.exec_driver_sql("DROP INDEX search_terms")
    while search.step(database):
        pass
    with database.write() as transaction:
        if database.file is None:
            transaction.connection.exec_driver_sql("CREATE INDEX search_terms ON search_item USING gin (terms)")


def _settle(database: Database) -> None:
    """What a database does by itself in the hours a million incidents take."""
    with database.engine.connect() as connection:
        free = connection.execution_options(isolation_level="AUTOCOMMIT")
        free.exec_driver_sql("ANALYZE" if database.file else "VACUUM ANALYZE")


# ---- what is asked ----

ASKED: tuple[tuple[str, Identity, str], ...] = (
    ("two characters, many", OPERATOR, "围观"),
    ("two characters, one alone", OPERATOR, CITED),
    ("nothing holds it", OPERATOR, "鲸鱼搁浅"),
    ("first letters", OPERATOR, "yjfs"),
    ("one letter", OPERATOR, "p"),
    ("one character", OPERATOR, "灯"),
    ("a number's end", OPERATOR, "0031"),
    ("a whole number", OPERATOR, "0315-0031"),
    ("two words, each common", OPERATOR, "青山 夜间"),
    ("a common word in one town", TOWN, "路"),
    ("a rare word in one town", TOWN, CITED),
    ("a common word of one department", POLICE, "夜间"),
)


def _searched(database: Database, engine: str, told: str) -> list[dict[str, Any]]:
    figures = []
    ours_all: list[float] = []
    usual_all: list[float] = []
    for name, who, typed in ASKED:
        found, ours = _times(partial(_ours, database, who, typed))
        same, usual = _times(partial(_usual, database, typed))
        ours_all += ours
        usual_all += usual
        method = f"{typed}: {found} found (usual way {same}, {_ms(usual)}), longest {max(ours):.1f} ms"
        figures.append(_figure(f"{name}, {engine}", statistics.median(ours), "ms", "", method))
    usual_worst = f"{told}; usual way: middle {statistics.median(usual_all):.0f} ms, longest {max(usual_all):,.0f} ms"
    goal = f"< {GOALS['search']}"
    return [_figure(f"search, longest of all, {engine}", max(ours_all), "ms", goal, usual_worst), *figures]


def _ours(database: Database, who: Identity, typed: str) -> int:
    return len(search.find(database, who, typed, 16))


def _usual(database: Database, typed: str) -> int:
    """What holds every word in its number, title or address, the newest first; it knows no sounds and no scope."""
    words = typed.split()
    one = "(number LIKE :w{0} OR title LIKE :w{0} OR address LIKE :w{0})"
    where = " AND ".join(one.format(at) for at in range(len(words)))
    given = {f"w{at}": f"%{word}%" for at, word in enumerate(words)}
    with database.read() as connection:
        query = f"SELECT id, number, title, address FROM usual WHERE {where} ORDER BY id DESC LIMIT 16"
        return len(connection.execute(sa.text(query), given).all())


def _picked(database: Database, engine: str) -> list[dict[str, Any]]:
    directory = Directory(database)
    began = time.perf_counter()
    directory.find(OPERATOR, "w")
    first = (time.perf_counter() - began) * 1e3
    ours: list[float] = []
    usual: list[float] = []
    kept: list[str] = []
    for typed in ("王", "wang", "zw", "zhangw", "王 科长", "x", "qqqq", "孙秀英", "shan"):
        found, times = _times(partial(_pick, directory, typed))
        same, others = _times(partial(_usual_pick, database, typed))
        ours, usual, kept = ours + times, usual + others, [*kept, f"{typed} {found}/{same}"]
    method = f"{engine}, {PEOPLE:,} people; found by ours/the usual way: {', '.join(kept)}; middle"
    method += (
        f" {statistics.median(ours):.1f} ms; usual way {_ms(usual)}; made anew at the first search in {first:.0f} ms"
    )
    return [_figure(f"picker, longest of all, {engine}", max(ours), "ms", f"< {GOALS['picker']}", method)]


def _pick(directory: Directory, typed: str) -> int:
    return len(directory.find(OPERATOR, typed))


def _usual_pick(database: Database, typed: str) -> int:
    query = "SELECT id, name FROM person WHERE name LIKE :t OR pinyin LIKE :t OR initials LIKE :t OR post LIKE :t"
    with database.read() as connection:
        return len(connection.execute(sa.text(f"{query} ORDER BY pinyin LIMIT 20"), {"t": f"%{typed}%"}).all())


def _times(ask: Callable[[], int]) -> tuple[int, list[float]]:
    """What was found and how long each took, in ms."""
    found, times = 0, []
    for _ in range(ROUNDS):
        began = time.perf_counter()
        found = ask()
        times.append((time.perf_counter() - began) * 1e3)
    return found, times


def _ms(times: Sequence[float]) -> str:
    return f"middle {statistics.median(times):.1f}, longest {max(times):.1f} ms"


def _report(at: int) -> Report:
    return Report(
        source="hotline",
        id="0",
        revision="1",
        type="0304",
        title="路口红灯不亮",
        urgency="routine",
        occurred_at=at,
        received_at=at,
        content_sha256="",
        raw_sha256="",
    )


def _figure(name: str, value: float, unit: str, goal: str, method: str) -> dict[str, Any]:
    return {"name": name, "value": float(value), "unit": unit, "goal": goal, "method": method}
