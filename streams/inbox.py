"""A watched folder 收件文件夹: what lies in it, which files are whole, where they go. Blocking; no clock.

A file counts as whole when its size and time of change were the same at two looks; names that programs give to files
they are still writing (.tmp, .part, …) are never taken. A taken file moves to `done`, one that cannot be read to
`failed` with a .txt beside it that says why.
"""

import os
from fnmatch import fnmatchcase
from pathlib import Path
from typing import NamedTuple

from streams.errors import SourceAway

DONE, FAILED = "done", "failed"
UNFINISHED = (".tmp", ".part", ".partial", ".crdownload", ".filepart", ".swp", "~")
MOST_FILES = 1_000
"""Files looked at in one go; the others have their turn when these are gone."""
DAY_SECONDS = 86_400
LONGEST_NAME = 230
"""Bytes of a moved file's name: a disk takes 255, and a number and ".txt" may come behind it."""


class Look(NamedTuple):
    """One file as it stood: bytes, and time of change in nanoseconds."""

    size: int
    changed: int


class Inbox:
    """One folder; `root` is where all of them lie, and no path leads out of it."""

    def __init__(self, root: Path, path: str, pattern: str) -> None:
        self.folder = _inside(root, path)
        self._pattern = pattern
        self._before: dict[str, Look] = {}

    def open(self) -> None:
        """Make the folders where they are not there. Raises SourceAway."""
        try:
            for folder in (self.folder, self.folder / DONE, self.folder / FAILED):
                folder.mkdir(mode=0o770, parents=True, exist_ok=True)
        except OSError as error:
            raise SourceAway("folder_denied", certain=True, detail=error.strerror) from error

    def whole(self) -> list[Path]:
        """Look, and return the files that are as they were at the look before, oldest first. Raises SourceAway."""
        now = self._looked()
        ready = [name for name, look in now.items() if self._before.get(name) == look]
        self._before = now
        return [self.folder / name for name in sorted(ready, key=lambda name: (now[name].changed, name))]

    def seen(self, path: Path) -> Look | None:
        """Return how a file stood at the last look."""
        return self._before.get(path.name)

    def unchanged(self, path: Path) -> bool:
        """Say whether a file is still as it was at the last look."""
        try:
            return self._before.get(path.name) == _look(path)
        except OSError:
            return False

    def put(self, path: Path, where: str, now: int, why: str = "") -> Path:
        """Move a file to `done` or `failed`, with a text beside it; its time becomes `now` (microseconds)."""
        target = _free(self.folder / where, path.name)
        if why:
            target.with_name(f"{target.name}.txt").write_text(why, encoding="utf-8-sig")
        path.rename(target)
        os.utime(target, (now / 1e6, now / 1e6))
        self._before.pop(path.name, None)
        return target

    def sweep(self, now: int, keep_days: int) -> None:
        """Remove what was taken more than so many days ago; 0 keeps everything."""
        if not keep_days:
            return
        for where in (DONE, FAILED):
            for path in (self.folder / where).iterdir():
                if path.is_file() and now / 1e6 - path.stat().st_mtime > keep_days * DAY_SECONDS:
                    path.unlink(missing_ok=True)

    def _looked(self) -> dict[str, Look]:
        try:
            with os.scandir(self.folder) as entries:
                found = (one for one in entries if self._wanted(one))
                return {one.name: _look(Path(one.path)) for one, _ in zip(found, range(MOST_FILES), strict=False)}
        except FileNotFoundError:  # a file went while we looked, or the folder did
            self.open()
            return {}
        except OSError as error:
            raise SourceAway("folder_denied", certain=True, detail=error.strerror) from error

    def _wanted(self, one: os.DirEntry[str]) -> bool:
        name = one.name.lower()
        unfinished = name.startswith((".", "~$")) or name.endswith(UNFINISHED)
        return not unfinished and one.is_file(follow_symlinks=False) and fnmatchcase(name, self._pattern.lower())


def _inside(root: Path, path: str) -> Path:
    root = root.resolve()
    folder = (root / path).resolve()
    if not folder.is_relative_to(root) or folder == root:
        raise SourceAway("folder_outside", certain=True)
    return folder


def _look(path: Path) -> Look:
    found = path.stat(follow_symlinks=False)
    return Look(found.st_size, found.st_mtime_ns)


def _free(folder: Path, name: str) -> Path:
    """A path that nothing has yet: "a.csv", else "a (2).csv" and so on."""
    ending = Path(name).suffix
    stem = Path(name).stem.encode()[: LONGEST_NAME - len(ending.encode())].decode(errors="ignore")
    path, number = folder / f"{stem}{ending}", 1
    while path.exists():
        number += 1
        path = folder / f"{stem} ({number}){ending}"
    return path
