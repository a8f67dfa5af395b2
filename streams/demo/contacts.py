"""The demonstration's address book, roster and duty list 演示通讯录: so that proposals and escalation have somebody.

Names are the stand-ins of textbooks (赵甲, 钱乙 …), numbers begin with 000 and ring nowhere. The roster is planned a
week ahead and goes on while the demonstration runs.
"""

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta, tzinfo

import sqlalchemy as sa

from config import departments as shipped
from config.taxonomy import Taxonomy
from operations.contacts import cards, dutylist, roster
from operations.contacts.cards import Card, Person, Team
from operations.contacts.dutylist import Line
from operations.contacts.roster import Shift
from operations.database import AfterCommit, Database
from operations.policy import SYSTEM
from operations.scope import WHOLE
from operations.tables import person

SURNAMES = "赵钱孙李周吴郑王冯陈褚卫蒋沈韩杨朱秦尤许单曾"
STEMS = "甲乙丙丁戊己庚辛壬癸"
POSTS = ("带班领导", "值班员", "副班", "部门联络员")
"""Of each department; the first three are on the roster, called in the order of RANKS."""
RANKS = {"值班员": 1, "副班": 2, "带班领导": 3}
SHIFT_HOURS, DAY_BEGINS, DAYS_AHEAD = 12, 8, 7
MICROSECONDS = 1_000_000
TEAMS = (
    *(("城东消防中队", "消防中队", "fire"), ("城西消防中队", "消防中队", "fire"), ("水上救援队", "救援队", "fire")),
    *(("巡特警一队", "巡逻队", "police"), ("巡特警二队", "巡逻队", "police"), ("交警机动队", "巡逻队", "police")),
    *(("应急抢险队", "抢险队", "emergency"), ("防汛抢险队", "抢险队", "water"), ("供水抢修队", "抢修队", "water")),
    *(
        ("电力抢修一队", "抢修队", "power"),
        ("市容巡查队", "巡查队", "city_management"),
        ("急救一组", "急救组", "health"),
    ),
    *(("公路养护队", "养护队", "transport"), ("环境监测队", "监测队", "environment")),
)
SUPPORT = {
    "01": ("justice",),
    "02": ("street",),
    "03": ("fire", "police"),
    "04": ("street",),
    "05": ("street",),
    "06": ("civil_affairs",),
    "07": ("fire", "police", "health"),
}
"""Groups of types and the departments that support their lead."""


def furnish(
    database: Database, places: Sequence[tuple[str, str]], zone: tzinfo, now: int, ring: AfterCommit | None = None
) -> None:
    """Write address book and duty list where there is no address book yet, and plan the roster to a week ahead.

    `places`: (code, name) of the streets and towns, which have somebody on duty each.
    """
    with database.read() as connection:
        empty = connection.execute(sa.select(person.c.id).limit(1)).first() is None
        listed = bool(dutylist.listed(connection))
    if empty:
        cards.take(database, SYSTEM, list(book(places)), now=now, after_commit=ring)
    if not listed:
        dutylist.take(database, SYSTEM, list(duties()), now=now, after_commit=ring)
    plan(database, zone, now, ring)


def plan(database: Database, zone: tzinfo, now: int, ring: AfterCommit | None = None) -> int:
    """Plan the demonstration's shifts of today and the days ahead that nobody planned; return how many."""
    with database.read() as connection:
        people = [one for one in cards.living(connection, "person") if isinstance(one, Person)]
        until = now + DAYS_AHEAD * 24 * 3600 * MICROSECONDS
        planned = roster.planned(connection, WHOLE, now, until)
    held = {(one.department, one.grid, one.post, one.starts_at) for one in planned}
    made = [
        one
        for one in shifts([one for one in people if is_ours(one)], zone, now)
        if (one.department, one.grid, one.post, one.starts_at) not in held
    ]
    if made:
        roster.plan(database, SYSTEM, made, now=now, after_commit=ring)
    return len(made)


def book(places: Sequence[tuple[str, str]]) -> Iterator[Card]:
    """Return people and teams: four of each department, one of each street and town, and the teams."""
    number = 0
    for code in shipped.load():
        for post in (*POSTS, "值班员"):
            yield _person(number, post, code, "")
            number += 1
    for grid, name in places:
        for post in ("值班员", "副班"):
            yield _person(number, f"{name}{post}", "street", grid)
            number += 1
    for serial, (name, kind, department) in enumerate(TEAMS):
        yield Team(name=name, kind=kind, department=department, phone=f"000 0001 {serial:04}")


def duties() -> Iterator[Line]:
    """Return the duty list: what the types say, with the departments that support."""
    taxonomy, basis = Taxonomy.load(), "演示责任清单（虚构）"
    for one in taxonomy.types.values():
        if one.code == one.group or one.department != taxonomy.types[one.group].department:
            yield Line(department=one.department, type=one.code, basis=basis)
            for support in SUPPORT.get(one.group, ()):
                if support != one.department:
                    yield Line(department=support, type=one.code, part="support", basis=basis)


def shifts(people: Sequence[Person], zone: tzinfo, now: int) -> Iterator[Shift]:
    """Return who of the demonstration is on duty today and in the days ahead: day and night by turns."""
    today = datetime.fromtimestamp(now / MICROSECONDS, zone).replace(hour=DAY_BEGINS, minute=0, second=0, microsecond=0)
    groups: dict[tuple[str, str, str], list[Person]] = {}
    for one in people:
        post = next((name for name in RANKS if one.post.endswith(name)), "")
        if post:
            groups.setdefault((one.department, one.grid, post), []).append(one)
    for day in range(-1, DAYS_AHEAD):
        for half in range(24 // SHIFT_HOURS):
            begins = today + timedelta(days=day, hours=half * SHIFT_HOURS)
            at = int(begins.timestamp()) * MICROSECONDS
            ends = int((begins + timedelta(hours=SHIFT_HOURS)).timestamp()) * MICROSECONDS
            if ends <= now:
                continue
            turn = begins.toordinal() * 2 + half
            for (department, grid, post), group in groups.items():
                one = group[turn % len(group)]
                yield Shift(
                    department=department,
                    grid=grid,
                    post=post,
                    person=one.id,
                    rank=RANKS[post],
                    starts_at=at,
                    ends_at=ends,
                )


def is_ours(one: Person) -> bool:
    """Say whether a card is the demonstration's: its number rings nowhere."""
    return one.phone.startswith("000 ")


def _person(number: int, post: str, department: str, grid: str) -> Person:
    ring, stem = divmod(number, len(SURNAMES))
    name = SURNAMES[stem] + STEMS[(number + ring) % len(STEMS)] + ("" if ring < 5 else STEMS[ring % len(STEMS)])
    return Person(name=name, post=post, department=department, grid=grid, phone=f"000 0000 {number:04}")
