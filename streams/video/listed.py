"""Streams listed by hand (DATA/keys/streams.toml): what ZLMediaKit, MediaMTX, go2rtc and such give out.

A table a camera, by its id: `main` and `sub` (rtsp:// or rtsps://), `username`, `password`, `grids` (codes from the
root to the leaf) and `department`. The file holds passwords, so it lies with the keys and nobody else may read it.
"""

import tomllib
from pathlib import Path
from typing import NamedTuple

from streams.video.address import StreamSource, parse
from streams.video.errors import AddressWrong

FIELDS = frozenset({"main", "sub", "username", "password", "grids", "department", "via"})
VIAS = ("", "ffmpeg")
CAMERAS_MOST = 10_000


class Listed(NamedTuple):
    """One camera's streams, and where it is."""

    source: StreamSource
    chain: tuple[str, ...]
    department: str


class StreamList:
    """The file, read again when it has changed. It need not be there."""

    def __init__(self, file: Path) -> None:
        self._file = file
        self._known: dict[str, Listed] = {}
        self._stamp: tuple[int, int] | None = None

    def get(self, camera: str) -> Listed | None:
        """Return a camera's line, or None. Raises AddressWrong: what is wrong in the file."""
        try:
            stat = self._file.stat()
        except FileNotFoundError:
            return None
        stamp = (stat.st_mtime_ns, stat.st_size)
        if stamp != self._stamp:
            self._known, self._stamp = read(self._file), stamp
        return self._known.get(camera)


def read(file: Path) -> dict[str, Listed]:
    """Return what a file lists. Raises AddressWrong."""
    try:
        tables = tomllib.loads(file.read_text(encoding="utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise AddressWrong(f"{file} is no TOML: {error}") from error
    if len(tables) > CAMERAS_MOST:
        raise AddressWrong(f"{file} lists more than {CAMERAS_MOST} cameras")
    return {camera: _listed(file, camera, table) for camera, table in tables.items()}


def _listed(file: Path, camera: str, table: object) -> Listed:
    if not isinstance(table, dict) or not set(table) <= FIELDS:
        raise AddressWrong(f"{file}: [{camera}] holds {', '.join(sorted(FIELDS))} and nothing else")
    grids = table.get("grids", [])
    words = [table.get(name, "") for name in ("main", "sub", "username", "password", "department", "via")]
    if not isinstance(grids, list) or not all(isinstance(one, str) for one in (*grids, *words)):
        raise AddressWrong(f"{file}: [{camera}] holds something that is no text")
    main, sub, username, password, department, via = (str(one) for one in words)
    if via not in VIAS:
        raise AddressWrong(f"{file}: [{camera}] via is ffmpeg, or left away")
    for url in filter(None, (main, sub)):
        try:
            parse(url)
        except AddressWrong as error:
            raise AddressWrong(f"{file}: [{camera}] {error}") from error
    return Listed(StreamSource(main, sub, username, password, via), tuple(str(one) for one in grids), department)
