"""Logs stay within their bound."""

import errno
from io import RawIOBase
from pathlib import Path

import pytest
from typing_extensions import Buffer

from config.rolling import RollingFile


def test_the_newest_lines_are_kept_and_the_oldest_go(tmp_path: Path) -> None:
    log = RollingFile(tmp_path / "log" / "web.log", limit=100, count=3)
    for number in range(100):
        log.write(b"line %03d\n" % number)
    log.close()
    files = sorted((tmp_path / "log").iterdir())
    assert [file.name for file in files] == ["web.log", "web.log.1", "web.log.2"]
    assert all(file.stat().st_size <= 109 for file in files)
    kept = b"".join(file.read_bytes() for file in reversed(files)).split(b"\n")
    assert kept[-2] == b"line 099"
    assert kept[:-1] == [b"line %03d" % number for number in range(101 - len(kept), 100)]


def test_an_earlier_log_is_continued(tmp_path: Path) -> None:
    for _start in range(2):
        log = RollingFile(tmp_path / "web.log", limit=100, count=2)
        log.write(b"started\n")
        log.close()
    assert (tmp_path / "web.log").read_bytes() == b"started\n" * 2


class FullDisk(RawIOBase):
    """A file that takes `room` bytes and then says that the disk is full, also when it is closed."""

    def __init__(self, room: int) -> None:
        self.room, self.taken = room, bytearray()

    def tell(self) -> int:
        return len(self.taken)

    def write(self, data: Buffer) -> int:
        part = bytes(data)[: self.room]
        if not part:
            raise OSError(errno.ENOSPC, "No space left on device")
        self.taken += part
        self.room -= len(part)
        return len(part)

    def close(self) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")


def test_a_full_disk_loses_lines_and_says_how_many_when_there_is_room_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    disk = FullDisk(room=6)
    monkeypatch.setattr(RollingFile, "_opened", lambda *_: disk)
    log = RollingFile(tmp_path / "web.log", limit=1000, count=2)
    for line in (b"first\n", b"second\n", b"third\n"):
        log.write(line)
    assert (bytes(disk.taken), log.lost) == (b"first\n", 13)
    disk.room = 1000
    log.write(b"fourth\n")
    assert bytes(disk.taken).startswith(b"first\n[13 bytes of log lost")
    assert bytes(disk.taken).endswith(b"]\nfourth\n")
    assert log.lost == 0
    log.close()


def test_a_file_that_cannot_be_rolled_or_opened_is_tried_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    log = RollingFile(tmp_path / "web.log", limit=5, count=2)
    log.write(b"first\n")
    opened = RollingFile._opened

    def refused(*_: object) -> RawIOBase:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(RollingFile, "_opened", refused)
    log.write(b"second\n")
    log.write(b"third\n")
    monkeypatch.setattr(RollingFile, "_opened", opened)
    log.write(b"fourth\n")
    log.close()
    assert (tmp_path / "web.log.1").read_bytes() == b"first\n"
    assert (tmp_path / "web.log").read_bytes().endswith(b"fourth\n")
