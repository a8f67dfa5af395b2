"""How a camera asks for user and password, and what it is answered: Basic, Digest by MD5 or SHA-256 (RFC 7616)."""

import base64
import hashlib
import re
from typing import NamedTuple

from streams.video.errors import PasswordWrong

_DIGESTS = {"": "md5", "MD5": "md5", "SHA-256": "sha256", "MD5-SESS": "md5", "SHA-256-SESS": "sha256"}
_PAIR = re.compile(r'([A-Za-z_-]{1,40})\s{0,9}=\s*(?:"((?:[^"\\]|\\.)*)"|([^\s,"]*))')


class Challenge(NamedTuple):
    """What was asked for. `algorithm`: upper case; `qop`: whether a count and a nonce of ours belong in the answer."""

    scheme: str
    realm: str
    nonce: str
    algorithm: str
    qop: bool
    opaque: str


def best(header: str) -> Challenge:
    """Return the strongest of the challenges in WWW-Authenticate headers (one a line). Raises PasswordWrong."""
    known = [one for line in header.splitlines() for one in _challenges(line) if one.algorithm in _DIGESTS]
    if not known:
        raise PasswordWrong(401, "the camera asks for user and password in a way that is not known here")
    return max(known, key=_strength)


def answer(
    challenge: Challenge, method: str, url: str, username: str, password: str, *, count: int = 1, own: str = ""
) -> str:
    """Return the Authorization header of a request; `count` and `own` (a nonce of ours) are for `qop`."""
    if challenge.scheme == "basic":
        return "Basic " + base64.b64encode(f"{username}:{password}".encode()).decode()
    name = _DIGESTS[challenge.algorithm]

    def digest(text: str) -> str:
        return hashlib.new(name, text.encode(), usedforsecurity=False).hexdigest()

    secret = digest(f"{username}:{challenge.realm}:{password}")
    if challenge.algorithm.endswith("-SESS"):
        secret = digest(f"{secret}:{challenge.nonce}:{own}")
    counted = f"{count:08x}:{own}:auth:" if challenge.qop else ""
    proof = digest(f"{secret}:{challenge.nonce}:{counted}{digest(f'{method}:{url}')}")
    fields = {"username": username, "realm": challenge.realm, "nonce": challenge.nonce, "uri": url, "response": proof}
    words = [f'{field}="{_quoted(value)}"' for field, value in fields.items()]
    if challenge.algorithm:
        words.append(f"algorithm={challenge.algorithm}")
    if challenge.opaque:
        words.append(f'opaque="{_quoted(challenge.opaque)}"')
    if challenge.qop:
        words.append(f'qop=auth, nc={count:08x}, cnonce="{own}"')
    return "Digest " + ", ".join(words)


def _challenges(line: str) -> list[Challenge]:
    scheme, _, rest = line.strip().partition(" ")
    if scheme.lower() not in ("basic", "digest"):
        return []
    found = {one[1].lower(): one[2] if one[2] is not None else one[3] for one in _PAIR.finditer(rest[:4_096])}
    given = {name: re.sub(r"\\(.)", r"\1", value) for name, value in found.items()}
    if scheme.lower() == "digest" and not given.get("nonce"):
        return []
    qop = "auth" in [word.strip().lower() for word in given.get("qop", "").split(",")]
    algorithm = given.get("algorithm", "").upper() if scheme.lower() == "digest" else ""
    return [
        Challenge(
            scheme.lower(), given.get("realm", ""), given.get("nonce", ""), algorithm, qop, given.get("opaque", "")
        )
    ]


def _strength(challenge: Challenge) -> int:
    if challenge.scheme == "basic":
        return 0
    return 2 if challenge.algorithm.startswith("SHA-256") else 1


def _quoted(value: str) -> str:
    return value.replace("\\", "\\\\").replace('"', '\\"')
