"""The base map 底图 of the settings: where its tiles are, how they are cut, whose they are. Standard library only."""

import re
from pathlib import Path
from typing import NamedTuple

MATRICES = ("mercator", "degrees")
DATUMS = ("WGS84", "CGCS2000", "GCJ02")
FILE = "file:"
DEEPEST = 22
_NAMES = {"{TileMatrix}": "{z}", "{TileCol}": "{x}", "{TileRow}": "{y}"}  # OGC 07-057r7, 10.2.1
_TEMPLATE = re.compile(r"(https?://[^/{}\s]+/|file:(?!/)(?!.*\.\.))\S*")


class BaseMap(NamedTuple):
    """`url` has {z}, {x} and {y}, and {key} where its server wants one; "file:…" is a path under DATA/tiles."""

    url: str
    matrix: str
    datum: str
    attribution: str
    approval: str
    min_zoom: int
    max_zoom: int

    @property
    def local(self) -> bool:
        """Whether the tiles are files of ours."""
        return self.url.startswith(FILE)

    def holds(self, z: int, x: int, y: int) -> bool:
        """Say whether there is such a tile; in degrees the world is half as high as wide."""
        if not self.min_zoom <= z <= self.max_zoom:
            return False
        rows = 1 << (z - 1 if self.matrix == "degrees" and z else z)
        return 0 <= x < 1 << z and 0 <= y < rows

    def path(self, folder: Path, z: int, x: int, y: int) -> Path:
        """Return where a tile of ours lies."""
        return folder / self.url.removeprefix(FILE).format(z=z, x=x, y=y)

    def address(self, key: str, z: int, x: int, y: int) -> str:
        """Return where a tile is fetched; it may hold the key and is never logged."""
        filled = {"{z}": z, "{x}": x, "{y}": y, "{key}": key}
        return re.sub(r"\{(?:z|x|y|key)\}", lambda found: str(filled[found[0]]), self.url)


def plain(template: str) -> str:
    """Return a template with WMTS's names of the tile's place as ours."""
    for theirs, ours in _NAMES.items():
        template = template.replace(theirs, ours)
    return template


def is_template(text: str) -> bool:
    """Say whether a text is empty or the address of tiles: a host without placeholders, then z, x, y once or more."""
    found = plain(text)
    known = set(re.findall(r"\{[^}]*\}", found))
    whole = {"{z}", "{x}", "{y}"}
    return not text or (_TEMPLATE.fullmatch(found) is not None and whole <= known <= whole | {"{key}"})
