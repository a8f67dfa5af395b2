"""Archives (归档): a tar of files, closed by a manifest of their digests and its signature.

The manifest is the last member but one, so that files are read once while they are written; an archive that was cut has
none. `manifest.sig` is the hex of an Ed25519 signature over the bytes of `manifest.json`.
"""

import hashlib
import os
import tarfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from io import BytesIO
from pathlib import Path, PurePosixPath
from typing import IO

import msgspec
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from msgspec import Struct

from operations.errors import ArchiveDamaged

FORMAT = 1
MANIFEST, SIGNATURE = "manifest.json", "manifest.sig"
CLOSING_MOST = 64 * 1024 * 1024  # bytes of a manifest
PIECE = 1024 * 1024
SECRET = 0o600

Sign = Callable[[bytes], bytes]


class Content(Struct, frozen=True):
    """One file of an archive."""

    size: int
    sha256: str


class Manifest(Struct, frozen=True):
    """What an archive holds and of which moment; `kind`: sqlite, postgresql, keys or segment; `key`: the public key;

    `schema` is the revision of the tables, `server` and `tool` the versions of PostgreSQL and pg_dump. Of a segment of
    the journal also its `first` entry and the hash `before` it.
    """

    format: int
    kind: str
    made_at: int
    key: str
    seq: int = 0
    hash: str = ""
    epoch: int = 0
    schema: str = ""
    server: str = ""
    tool: str = ""
    first: int = 0
    before: str = ""
    files: dict[str, Content] = {}


class Writer:
    """Adds files to an archive being written."""

    def __init__(self, out: IO[bytes]) -> None:
        self._tar = tarfile.open(fileobj=out, mode="w|", format=tarfile.PAX_FORMAT)  # noqa: SIM115
        self.files: dict[str, Content] = {}

    def file(self, name: str, path: Path) -> None:
        """Add a file as it is now; what is written to it meanwhile is left out, one that is gone too."""
        try:
            source = path.open("rb")
        except FileNotFoundError:
            return
        with source:
            self._add(name, source, os.fstat(source.fileno()).st_size)

    def content(self, name: str, data: bytes) -> None:
        """Add bytes as a file."""
        self._add(name, BytesIO(data), len(data))

    def close(self, manifest: Manifest, sign: Sign) -> Manifest:
        """Add the manifest of all that was added, and its signature; returns it."""
        whole = msgspec.structs.replace(manifest, files=dict(self.files))
        data = msgspec.json.encode(whole)
        self.content(MANIFEST, data)
        self.content(SIGNATURE, sign(data).hex().encode())
        self._tar.close()
        return whole

    def _add(self, name: str, source: IO[bytes], size: int) -> None:
        info = tarfile.TarInfo(name)
        info.size, info.mode = size, SECRET
        digested = _Digested(source)
        self._tar.addfile(info, digested)
        self.files[name] = Content(size, digested.sha256.hexdigest())


class _Digested:
    """A file that digests what is read of it."""

    def __init__(self, source: IO[bytes]) -> None:
        self._source, self.sha256 = source, hashlib.sha256()

    def read(self, size: int = -1) -> bytes:
        data = self._source.read(size)
        self.sha256.update(data)
        return data


@contextmanager
def writing(target: Path) -> Iterator[Writer]:
    """An archive readable by us alone, which gets its name when it is whole and on disk."""
    partial = target.with_name(target.name + ".partial")
    descriptor = os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, SECRET)
    try:
        with os.fdopen(descriptor, "wb") as out:
            yield Writer(out)
            out.flush()
            os.fsync(out.fileno())
        partial.rename(target)
    finally:
        partial.unlink(missing_ok=True)


def unpack(file: Path, folder: Path) -> Manifest:
    """Write an archive's files into `folder` and return its manifest once every digest and the signature fit.

    Raises ArchiveDamaged; nothing of the folder may be used then.
    """
    found: dict[str, Content] = {}
    try:
        with tarfile.open(file, mode="r|") as tar:
            for member in tar:
                found[member.name] = _unpacked(file, tar, member, folder)
    except (tarfile.TarError, EOFError, OSError) as error:
        raise ArchiveDamaged(file=file.name, detail=str(error)) from error
    return _checked(file, found, folder)


def _unpacked(file: Path, tar: tarfile.TarFile, member: tarfile.TarInfo, folder: Path) -> Content:
    parts = PurePosixPath(member.name).parts
    source = tar.extractfile(member) if member.isreg() else None
    if source is None or not parts or member.name.startswith("/") or ".." in parts:
        raise ArchiveDamaged(file=file.name, detail=member.name)
    path = folder.joinpath(*parts)
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    digested = _Digested(source)
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, SECRET), "wb") as out:
        while data := digested.read(PIECE):
            out.write(data)
        out.flush()
        os.fsync(out.fileno())
    return Content(member.size, digested.sha256.hexdigest())


def _checked(file: Path, found: dict[str, Content], folder: Path) -> Manifest:
    if MANIFEST not in found or SIGNATURE not in found or found[MANIFEST].size > CLOSING_MOST:
        raise ArchiveDamaged(file=file.name, detail=MANIFEST)
    data = (folder / MANIFEST).read_bytes()
    try:
        manifest = msgspec.json.decode(data, type=Manifest)
        signature = bytes.fromhex((folder / SIGNATURE).read_text(encoding="ascii"))
        Ed25519PublicKey.from_public_bytes(bytes.fromhex(manifest.key)).verify(signature, data)
    except (msgspec.MsgspecError, InvalidSignature, ValueError) as error:
        raise ArchiveDamaged(file=file.name, detail=SIGNATURE) from error
    if manifest.format != FORMAT:
        raise ArchiveDamaged(file=file.name, detail=f"format {manifest.format}")
    wrong = [name for name in manifest.files.keys() | found.keys() if manifest.files.get(name) != found.get(name)]
    wrong = sorted(set(wrong) - {MANIFEST, SIGNATURE})
    if wrong:
        raise ArchiveDamaged(file=file.name, detail=wrong[0])
    for name in (MANIFEST, SIGNATURE):
        (folder / name).unlink()
    return manifest
