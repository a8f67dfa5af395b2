"""Views that somebody keeps 保存的视图, of the desk's queue and of the tiles: one's own alone, found by a name."""

from collections.abc import Callable
from typing import Any, NamedTuple

import msgspec
import sqlalchemy as sa
from msgspec import Struct

from operations import journal
from operations.database import AfterCommit, Database
from operations.entry import Draft
from operations.errors import NotFound, Refused
from operations.policy import Identity, require
from operations.tables import picture_view, saved_view
from operations.uuid7 import uuid7
from operations.wording import cleaned

VIEWS_MOST, NAME_MOST = 20, 40
TILES = (1, 4, 9, 16)
ID_MOST = 60


class Filter(Struct, frozen=True, omit_defaults=True, forbid_unknown_fields=True):
    """What a view shows: the queue's own filter."""

    text: str = ""
    urgency: tuple[str, ...] = ()
    type: str = ""
    step: str = "open"
    department: str = ""
    grid: str = ""
    unplaced: bool = False
    mine: bool = False
    newest: bool = False


class Tiles(Struct, frozen=True, forbid_unknown_fields=True):
    """What a view of the page of pictures shows: so many tiles, and the cameras in them by id ("": none)."""

    tiles: int
    cameras: tuple[str, ...]


class View(Struct, frozen=True):
    """One view: its name and what it shows."""

    id: str
    name: str
    shown: Filter | Tiles


class Kind(NamedTuple):
    """Views of one page: where they are kept, how one is read and checked, and what is said of a wrong one."""

    table: sa.Table
    read: Callable[[Any], Filter | Tiles]
    sound: Callable[[Any], bool]
    wrong: str


def _sound_filter(found: Filter) -> bool:
    texts = (found.text, found.type, found.step, found.department, found.grid, *found.urgency)
    return len(found.urgency) <= 3 and all(len(one) <= 80 and one.isprintable() for one in texts)


def _sound_tiles(found: Tiles) -> bool:
    ids = found.cameras
    return found.tiles in TILES and len(ids) <= found.tiles and all(len(i) <= ID_MOST and i.isprintable() for i in ids)


QUEUE = Kind(saved_view, lambda told: msgspec.convert(told, Filter), _sound_filter, "views.wrong")
PICTURES = Kind(picture_view, lambda told: msgspec.convert(told, Tiles), _sound_tiles, "views.pictures_wrong")


def listed(database: Database, identity: Identity, kind: Kind = QUEUE) -> list[View]:
    """Return one's own views by name. Raises Forbidden."""
    require(identity, "view.keep")
    table = kind.table
    query = sa.select(table.c.id, table.c.name, table.c.body).where(table.c.account == identity.id)
    with database.read() as connection:
        rows = connection.execute(query.order_by(table.c.name).limit(VIEWS_MOST)).all()
    return [View(row.id, row.name, kind.read(msgspec.json.decode(row.body))) for row in rows]


def keep(
    database: Database,
    identity: Identity,
    name: str,
    shown: Any,
    *,
    now: int,
    kind: Kind = QUEUE,
    after_commit: AfterCommit | None = None,
) -> View:
    """Keep what a page shows under a name, in the place of the view of that name. Raises Forbidden, Refused."""
    require(identity, "view.keep")
    name = " ".join(cleaned(name).split())
    if not 0 < len(name) <= NAME_MOST:
        raise Refused("views.name_wrong", most=NAME_MOST)
    table, found = kind.table, _read(shown, kind)
    body = msgspec.json.encode(found).decode()
    with database.write(after_commit) as transaction:
        transaction.alone("views")
        mine = table.c.account == identity.id
        rows = transaction.connection.execute(sa.select(table.c.id, table.c.name).where(mine)).all()
        known = next((row.id for row in rows if row.name == name), None)
        if known is None and len(rows) >= VIEWS_MOST:
            raise Refused("views.most", most=VIEWS_MOST)
        view_id = known or uuid7(now)
        if known:
            change = sa.update(table).where(table.c.id == known)
            transaction.connection.execute(change.values(body=body, changed_at=now))
        else:
            values = {"id": view_id, "account": identity.id, "name": name, "body": body, "changed_at": now}
            transaction.connection.execute(sa.insert(table).values(values))
        journal.append(transaction, [_draft(identity, view_id, "view.kept", now)])
    return View(view_id, name, found)


def drop(
    database: Database,
    identity: Identity,
    view_id: str,
    *,
    now: int,
    kind: Kind = QUEUE,
    after_commit: AfterCommit | None = None,
) -> None:
    """Forget one's own view. Raises Forbidden, NotFound."""
    require(identity, "view.keep")
    table = kind.table
    with database.write(after_commit) as transaction:
        where = (table.c.id == view_id, table.c.account == identity.id)
        if not transaction.connection.execute(sa.delete(table).where(*where)).rowcount:
            raise NotFound()
        journal.append(transaction, [_draft(identity, view_id, "view.dropped", now)])


def _read(shown: Any, kind: Kind) -> Filter | Tiles:
    try:
        found = kind.read(shown)
    except msgspec.ValidationError:
        raise Refused(kind.wrong) from None
    if not kind.sound(found):
        raise Refused(kind.wrong)
    return found


def _draft(identity: Identity, view_id: str, action: str, now: int) -> Draft:
    return Draft(at=now, actor=identity.actor, action=action, subject_type="view", subject_id=view_id)
