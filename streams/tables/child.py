"""Reading a file in a process of its own: what is native, slow or hostile cannot hurt whoever asks. Blocking."""

import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

import msgspec

from config.settings import ROOT, child_environment
from streams.item import Item
from streams.tables.finding import TableUnreadable
from streams.tables.reading import ROWS, Summary

SECONDS = 150.0
SUMMARY = "table.json"
MODULE = "streams.tables"
_LINE = msgspec.json.Decoder(tuple[int, str, str])


class Row(NamedTuple):
    """A row of a file: its number, and what goes to intake."""

    number: int
    item: Item


def examine(path: Path, folder: Path) -> Summary:
    """Read a file into FOLDER, which must not be there yet; says what was found. Raises TableUnreadable.

    The folder comes to be as a whole: whoever reads the same file at the same time finds one or the other.
    """
    work = Path(tempfile.mkdtemp(prefix=f"{folder.name}-", dir=folder.parent))
    try:
        told = _read(path, work)
        (work / SUMMARY).write_bytes(msgspec.json.encode(told))
        with suppress(OSError):  # somebody else was faster with the same file
            work.rename(folder)
    finally:
        shutil.rmtree(work, ignore_errors=True)
    return told


def _read(path: Path, folder: Path) -> Summary:
    command = [sys.executable, "-m", MODULE, str(path), str(folder)]
    try:
        done = subprocess.run(
            command, cwd=ROOT, env=child_environment(), stdin=subprocess.DEVNULL, capture_output=True, timeout=SECONDS
        )
    except subprocess.TimeoutExpired:
        raise TableUnreadable("time", most=SECONDS) from None
    return _told(done.stdout)


def known(folder: Path) -> Summary | None:
    """Return what `examine` found in that folder, or None when it has not looked yet."""
    try:
        return msgspec.json.decode((folder / SUMMARY).read_bytes(), type=Summary)
    except (OSError, msgspec.MsgspecError):
        return None


def rows(folder: Path) -> Iterator[Row]:
    """Yield the rows of a file that was examined; the file is read as they are asked for."""
    with (folder / ROWS).open("rb") as file:
        for line in file:
            number, fault, text = _LINE.decode(line)
            yield Row(number, Item(text.encode(), fault=fault))


def _told(said: bytes) -> Summary:
    """The child's last words; when it had none, what it read was too much for it."""
    try:
        told = msgspec.json.decode(said)
    except msgspec.MsgspecError:
        raise TableUnreadable("memory") from None
    if isinstance(told, dict) and "unreadable" in told:
        raise TableUnreadable(told["unreadable"], **told["params"])
    return msgspec.convert(told, Summary)
