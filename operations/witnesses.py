"""What sources said of where something is: raw coordinates with the words and codes beside them."""

from collections.abc import Iterator, Sequence

import msgspec
from msgspec import Struct

from operations.database import Database, select_in
from operations.decision import Said

_said = msgspec.json.Decoder(Said)


class Testimony(Struct, frozen=True):
    """Degrees as received, the source's datum they were read in, and what else names the place."""

    lon: float
    lat: float
    datum: str
    grid_code: str
    address: str
    title: str


def testimonies(database: Database, ids: Sequence[str]) -> Iterator[Testimony]:
    """Yield what was said of those incidents that have raw coordinates in their source's datum."""
    with database.read() as connection:
        rows = list(select_in(connection, "SELECT report FROM incident WHERE id IN", sorted(ids)))
    for said in (_said.decode(row.report) for row in rows):
        if said.datum and said.raw_lon is not None and said.raw_lat is not None:
            yield Testimony(said.raw_lon, said.raw_lat, said.datum, said.grid_code, said.address, said.title)
