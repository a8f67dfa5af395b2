"""Logs stay within their bound."""

from pathlib import Path

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
