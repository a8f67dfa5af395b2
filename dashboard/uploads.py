"""Uploaded files 上传文件: kept under DATA/uploads for a day, found again only by the account that sent them.

Nothing here looks inside: whoever reads a file checks it.
"""

import re
import secrets
import shutil
from pathlib import Path

import msgspec

from operations import policy
from operations.errors import NotFound
from operations.policy import Identity

MEBI = 1024 * 1024
KINDS = {
    "table": ("source.manage", 64 * MEBI),
    "grids": ("grid.import", 512 * MEBI),
    "cameras": ("camera.import", 64 * MEBI),
    "accounts": ("account.manage", 8 * MEBI),
    "departments": ("department.manage", 8 * MEBI),
    "person": ("directory.manage", 8 * MEBI),
    "team": ("directory.manage", 8 * MEBI),
    "shift": ("roster.manage", 8 * MEBI),
    "duty": ("responsibility.manage", 8 * MEBI),
}
"""What may be sent → (the permission it wants, its largest size in bytes)."""
KEPT_SECONDS = 86_400
MOST_FILES = 200
"""Files kept at once; the oldest go first."""
NAME_MOST = 120
_ID = re.compile(r"[0-9a-f]{32}")


class Upload(msgspec.Struct, frozen=True):
    """One file as it was sent: `name` is the sender's, without folders; `at` in UTC microseconds."""

    id: str
    kind: str
    name: str
    size: int
    sha256: str
    by: str
    at: int


class Uploads:
    """The folder of uploads."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def begin(self, now: int) -> Path:
        """Return a new empty folder for one file; files that are too old or too many are removed."""
        self.sweep(now)
        made = self._folder / secrets.token_hex(16)
        made.mkdir(mode=0o700, parents=True)
        return made

    def keep(self, folder: Path, upload: Upload) -> None:
        """Write down whose file it is; without that it does not exist."""
        (folder / "upload.json").write_bytes(msgspec.json.encode(upload))

    def find(self, upload_id: str, identity: Identity) -> tuple[Upload, Path]:
        """Return a file and its path. Raises NotFound for one that is not there, too old, or somebody else's."""
        folder = self._folder / upload_id
        if not _ID.fullmatch(upload_id):
            raise NotFound()
        try:
            upload = msgspec.json.decode((folder / "upload.json").read_bytes(), type=Upload)
        except (OSError, msgspec.MsgspecError):
            raise NotFound() from None
        if upload.by != identity.actor or not policy.allowed(identity, KINDS[upload.kind][0]):
            raise NotFound()
        return upload, folder / upload.name

    def sweep(self, now: int) -> None:
        """Remove what is older than a day, and the oldest of too many."""
        if not self._folder.is_dir():
            return
        found = sorted((one.stat().st_mtime, one) for one in self._folder.iterdir() if one.is_dir())
        surplus = max(0, len(found) - MOST_FILES + 1)
        for number, (at, folder) in enumerate(found):
            if number < surplus or now / 1e6 - at > KEPT_SECONDS:
                shutil.rmtree(folder, ignore_errors=True)


def plain(name: str) -> str:
    """Return a file name without folders and without characters that mean something to a disk."""
    last = re.split(r"[/\\]", name)[-1]
    kept = "".join(one for one in last if one.isprintable()).strip(" .")
    stem, dot, ending = kept.rpartition(".")
    short = f"{stem[: NAME_MOST - len(ending) - 1]}.{ending}" if dot and len(ending) < 12 else kept[:NAME_MOST]
    return "file" if not short or short == "upload.json" else short
