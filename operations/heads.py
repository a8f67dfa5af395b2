"""The journal's head, signed (Ed25519) and kept outside the database: DATA/heads.jsonl, one JSON object a line.

{"at": UTC µs, "epoch": n, "seq": n, "hash": hex, "key": hex of the public key, "signature": hex}. The signature is over
the ASCII lines "gridwall-head-1", epoch, seq, hash, at, each ended by a newline.
"""

import os
from pathlib import Path

import msgspec
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from msgspec import Struct

from operations.entry import Head


class SignedHead(Struct, frozen=True):
    """One line of the file."""

    at: int
    epoch: int
    seq: int
    hash: str
    key: str
    signature: str


class Heads(Struct, frozen=True):
    """What the file holds: heads whose signature fits, and the numbers of the lines that do not."""

    signed: list[SignedHead]
    bad_lines: list[int]


def message(epoch: int, seq: int, digest: str, at: int) -> bytes:
    """Return the bytes that are signed."""
    return f"gridwall-head-1\n{epoch}\n{seq}\n{digest}\n{at}\n".encode()


def sign(key: Ed25519PrivateKey, head: Head, at: int) -> SignedHead:
    """Sign a head."""
    signature = key.sign(message(head.epoch, head.seq, head.hash, at)).hex()
    public = key.public_key().public_bytes_raw().hex()
    return SignedHead(at, head.epoch, head.seq, head.hash, public, signature)


def append(file: Path, signed: SignedHead) -> None:
    """Add a line and wait until it is on disk; a line torn by a crash is ended first."""
    with file.open("ab+") as out:
        if out.tell() and not _ends_with_newline(out.fileno()):
            out.write(b"\n")
        out.write(msgspec.json.encode(signed) + b"\n")
        out.flush()
        os.fsync(out.fileno())


def load(file: Path, public_key: Ed25519PublicKey) -> Heads:
    """Read the file and check every signature against our public key."""
    signed, bad = [], []
    lines = file.read_bytes().splitlines() if file.exists() else []
    for number, line in enumerate(lines, 1):
        head = _checked(line, public_key)
        if head is None:
            bad.append(number)
        else:
            signed.append(head)
    return Heads(signed, bad)


def _checked(line: bytes, public_key: Ed25519PublicKey) -> SignedHead | None:
    try:
        head = msgspec.json.decode(line, type=SignedHead)
        public_key.verify(bytes.fromhex(head.signature), message(head.epoch, head.seq, head.hash, head.at))
    except (msgspec.DecodeError, InvalidSignature, ValueError):
        return None
    return head


def _ends_with_newline(descriptor: int) -> bool:
    return os.pread(descriptor, 1, os.fstat(descriptor).st_size - 1) == b"\n"
