"""The hash chain over the journal, as pure functions. docs/journal.md describes it for whoever checks it elsewhere.

body_digest = HMAC-SHA256(salt, len(body) as 8 bytes, body, sealed); hash = SHA-256(canonical header with both digests).
"""

from hashlib import sha256

import msgspec
import orjson

from operations.entry import Body, Draft

GENESIS = bytes(32)  # prev_hash of the first entry
SALT_BYTES = 16
_INNER = bytes(byte ^ 0x36 for byte in range(256))
_OUTER = bytes(byte ^ 0x5C for byte in range(256))
_BLOCK = 64
_CANONICAL = msgspec.json.Encoder(order="sorted")


def canonical(body: Body) -> bytes:
    """Return the body as it is stored and digested: JSON with sorted keys, no spaces, UTF-8."""
    return _CANONICAL.encode(body)


def body_digest(salt: bytes, body: bytes, sealed: bytes | None) -> bytes:
    """Return the digest (32 bytes) that stands for the body in the chain.

    HMAC as RFC 2104 defines it, for a key of at most a block; `hmac.digest` takes half as long again for so little.
    """
    key = salt.ljust(_BLOCK, b"\0")
    inner = sha256(b"".join((key.translate(_INNER), len(body).to_bytes(8, "big"), body, sealed or b"")))
    return sha256(key.translate(_OUTER) + inner.digest()).digest()


def entry_hash(seq: int, header: tuple[object, ...], digest: bytes, previous: bytes) -> bytes:
    """Return an entry's hash; `header` is at, actor, action … schema in the order of `header_of`."""
    return sha256(orjson.dumps([seq, *header, digest.hex(), previous.hex()])).digest()


def header_of(draft: Draft) -> tuple[object, ...]:
    """Return what the hash covers beside seq and the digests, in the order of the journal's columns."""
    return (
        draft.at,
        draft.actor,
        draft.action,
        draft.subject_type,
        draft.subject_id,
        draft.revision,
        draft.scope_grid,
        draft.scope_grid_before,
        draft.scope_department,
        draft.scope_department_before,
        draft.reason,
        draft.schema,
    )
