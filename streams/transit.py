"""The transit key: what lies in the engine is sealed (AES-256-GCM) with a key of DATA/keys, outside the engine.

Every machine that runs `web`, `sources` or `worker` needs the same DATA/keys/transit-*.key files. To rotate, add a
newer file; the newest by name seals, all of them open.
"""

import os
import secrets
from hashlib import sha256
from pathlib import Path

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from streams.errors import SealBroken

KEY_BYTES = 32
NONCE_BYTES = 12
NAME_BYTES = 4
VERSION = b"\x01"


class TransitSeal:
    """Seals and opens packets; the first use on a machine makes the key."""

    def __init__(self, folder: Path) -> None:
        keys = [_read(path) for path in _files(folder)]
        self._ciphers = {_name(key): AESGCM(key) for key in keys}
        self._newest = _name(keys[-1])

    def seal(self, plain: bytes, place: bytes) -> bytes:
        """Sealed bytes that open only at the same place (partition)."""
        nonce = secrets.token_bytes(NONCE_BYTES)
        return VERSION + self._newest + nonce + self._ciphers[self._newest].encrypt(nonce, plain, place)

    def open(self, sealed: bytes, place: bytes) -> bytes:
        """The plain bytes; raises SealBroken."""
        name, rest = sealed[1 : 1 + NAME_BYTES], sealed[1 + NAME_BYTES :]
        cipher = self._ciphers.get(name)
        if sealed[:1] != VERSION or cipher is None or len(rest) < NONCE_BYTES:
            raise SealBroken("not sealed with one of our transit keys")
        try:
            return cipher.decrypt(rest[:NONCE_BYTES], rest[NONCE_BYTES:], place)
        except InvalidTag as error:
            raise SealBroken("changed after it was sealed") from error


def _files(folder: Path) -> list[Path]:
    """The key files, oldest first; makes the first one."""
    folder.mkdir(parents=True, exist_ok=True)
    folder.chmod(0o700)
    found = sorted(folder.glob("transit-*.key"))
    return found or [_made(folder)]


def _made(folder: Path) -> Path:
    """A new key file, complete or absent; when two processes start at once the first one's is used."""
    path, draft = folder / "transit-0001.key", folder / f".transit-{secrets.token_hex(4)}"
    handle = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(handle, "wb") as file:
        file.write(secrets.token_bytes(KEY_BYTES))
        file.flush()
        os.fsync(file.fileno())
    try:
        os.link(draft, path)
    except FileExistsError:
        pass
    finally:
        draft.unlink()
    return path


def _read(path: Path) -> bytes:
    key = path.read_bytes()
    if len(key) != KEY_BYTES:
        raise SealBroken(f"{path} holds {len(key)} bytes; a transit key has {KEY_BYTES}")
    return key


def _name(key: bytes) -> bytes:
    return sha256(b"gridwall transit" + key).digest()[:NAME_BYTES]
