"""Cameras whose pictures are to be judged 图像诊断: those that have a picture and are not being worked on."""

from typing import NamedTuple

import sqlalchemy as sa
from sqlalchemy import Connection

from operations.tables import camera as table

MOST = 50_000


class Watched(NamedTuple):
    """A camera with what counts about its picture so far ("" nothing yet) and since when (UTC us)."""

    id: str
    source: str
    code: str
    picture: str
    picture_at: int


def watched(connection: Connection, now: int) -> list[Watched]:
    """Return the cameras to look at, by id."""
    columns = table.c
    query = sa.select(columns.id, columns.source, columns.code, columns.picture, columns.picture_at)
    query = query.where(columns.gone_at.is_(None), columns.maintenance_until <= now)
    query = query.where((columns.url_main != "") | (columns.url_sub != ""))
    return [Watched(*row) for row in connection.execute(query.order_by(columns.id).limit(MOST))]
