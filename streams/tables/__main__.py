"""The child process that reads one file: `python -m streams.tables FILE FOLDER`, under limits it sets itself.

Its last words are one line of JSON on standard output: a Summary, or {"unreadable": code, "params": {…}}.
"""

import errno
import resource
import sys
from pathlib import Path

import msgspec

from streams.tables.finding import NO_ROOM, TableUnreadable
from streams.tables.reading import read

ROOMLESS = (errno.ENOSPC, errno.EDQUOT, errno.EROFS)
MEBI = 1024 * 1024
MEMORY = 1_536 * MEBI
CPU_SECONDS = 120
LARGEST_WRITTEN = 1_024 * MEBI


def main(path: Path, folder: Path) -> None:
    """Read one file and say what was found."""
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    resource.setrlimit(resource.RLIMIT_CPU, (CPU_SECONDS, CPU_SECONDS))
    resource.setrlimit(resource.RLIMIT_FSIZE, (LARGEST_WRITTEN, LARGEST_WRITTEN))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    try:
        told: object = read(path, folder)
    except TableUnreadable as error:
        told = {"unreadable": error.code, "params": error.params}
    except OSError as error:
        told = {"unreadable": NO_ROOM if error.errno in ROOMLESS else "memory", "params": {}}
    except MemoryError:
        told = {"unreadable": "memory", "params": {}}
    sys.stdout.buffer.write(msgspec.json.encode(told))


main(Path(sys.argv[1]), Path(sys.argv[2]))
