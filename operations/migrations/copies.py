"""Copies of the database, taken before it is changed: a SQLite file by its backup interface, PostgreSQL by pg_dump."""

import os
import shutil
import sqlite3
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from sqlalchemy import URL

from config.settings import child_environment
from operations.errors import CopyFailed

KEPT = 10
DETAIL_MOST = 300


def of_file(file: Path, folder: Path, name: str) -> Path:
    """Copy a live SQLite file and return the copy's path."""
    with _finished(folder / f"{name}.db") as partial:
        copy_file(file, partial)
    return folder / f"{name}.db"


def copy_file(file: Path, target: Path) -> None:
    """Copy a live SQLite file as it is at one moment."""
    with _closing(file) as source, _closing(target) as sink:
        source.backup(sink)


def of_server(url: URL, folder: Path, name: str) -> Path:
    """Copy a PostgreSQL database into a file for pg_restore and return its path. Raises CopyFailed."""
    with _finished(folder / f"{name}.dump") as partial:
        run("pg_dump", url, "--format=custom", f"--file={partial}")
    return folder / f"{name}.dump"


def run(program: str, url: URL, *options: str, code: str = CopyFailed.code) -> None:
    """Run pg_dump or pg_restore on a database; its password goes by the environment. Raises CopyFailed with `code`."""
    path = shutil.which(program)
    if path is None:
        raise CopyFailed(code, detail=f"{program}: not found")
    address = URL.create("postgresql", url.username, None, url.host, url.port, url.database, url.query)
    environment = child_environment() | ({"PGPASSWORD": url.password} if url.password else {})
    command = [path, "--no-password", *options, f"--dbname={address.render_as_string()}"]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    if done.returncode:
        raise CopyFailed(code, detail=" ".join(done.stderr.split())[:DETAIL_MOST] or f"{program}: {done.returncode}")


@contextmanager
def _finished(target: Path) -> Iterator[Path]:
    """A file to write, readable by us alone, which gets its name when it is whole; only the newest copies stay."""
    target.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    partial = target.with_name(target.name + ".partial")
    os.close(os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600))
    try:
        yield partial
        partial.rename(target)
    finally:
        partial.unlink(missing_ok=True)
    copies = [*target.parent.glob("*.db"), *target.parent.glob("*.dump")]
    for old in sorted(copies, key=lambda path: path.stat().st_mtime)[:-KEPT]:
        old.unlink()


@contextmanager
def _closing(file: Path) -> Iterator[sqlite3.Connection]:
    connection = sqlite3.connect(file)
    try:
        yield connection
    finally:
        connection.close()
