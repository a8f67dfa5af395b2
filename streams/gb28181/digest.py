"""Digest 摘要认证 of REGISTER (GB/T 28181 9.1, RFC 2617 and 7616): MD5, and SM3 where it is offered. Pure.

Nonces carry their time and our signature, so nothing is kept for who only knocks; one is good once and for minutes.
"""

import hashlib
import hmac
import secrets
from collections import OrderedDict

from streams.gb28181.sip import parameters

MD5, SM3 = "MD5", "SM3"
KNOWN = (MD5, SM3) if "sm3" in hashlib.algorithms_available else (MD5,)
"""Which this machine's OpenSSL can do."""
NONCE_SECONDS = 300.0
USED_MOST = 20_000
GOOD, WRONG, STALE = "good", "wrong", "stale"


def response(password: str, given: dict[str, str], method: str = "REGISTER", *, user: str | None = None) -> str:
    """Return what `response` has to be; uri, nc and the rest exactly as they came."""
    algorithm = given.get("algorithm", MD5).upper()
    first = _hash(
        algorithm, f"{given.get('username', '') if user is None else user}:{given.get('realm', '')}:{password}"
    )
    second = _hash(algorithm, f"{method}:{given.get('uri', '')}")
    if given.get("qop"):
        middle = f"{given.get('nonce', '')}:{given.get('nc', '')}:{given.get('cnonce', '')}:{given['qop']}"
    else:
        middle = given.get("nonce", "")
    return _hash(algorithm, f"{first}:{middle}:{second}")


def _hash(algorithm: str, text: str) -> str:
    name = "sm3" if algorithm == SM3 else "md5"
    return hashlib.new(name, text.encode("utf-8", "surrogatepass"), usedforsecurity=False).hexdigest()


class Challenges:
    """Makes challenges and judges answers to them; `key` is this process's own, so none outlives it."""

    def __init__(self, realm: str, key: bytes) -> None:
        self._realm = realm
        self._key = key
        self._used: OrderedDict[str, None] = OrderedDict()

    def make(self, code: str, now: float, algorithms: tuple[str, ...] = (MD5,), *, stale: bool = False) -> list[str]:
        """Return the values of WWW-Authenticate, one an algorithm. `algorithm` is always said: some wait for it."""
        moment = f"{int(now * 1000):x}-{secrets.token_hex(4)}"
        nonce = f"{moment}.{self._sign(moment, code)}"
        end = ", stale=true" if stale else ""
        return [
            f'Digest realm="{self._realm}", nonce="{nonce}", algorithm={one}{end}' for one in algorithms if one in KNOWN
        ]

    def judge(self, header: str, code: str, password: str, now: float, method: str = "REGISTER") -> str:
        """Return GOOD, WRONG, or STALE for a nonce that is old, used, or not ours."""
        given = parameters(header)
        if given.get("username") != code or given.get("algorithm", MD5).upper() not in KNOWN:
            return WRONG
        if given.get("realm") != self._realm:
            return WRONG
        if not self._fresh(given.get("nonce", ""), code, now):
            return STALE
        right = response(password, given, method)
        if not hmac.compare_digest(right.encode(), given.get("response", "").lower().encode("utf-8", "replace")):
            return WRONG
        self._used[given["nonce"]] = None
        while len(self._used) > USED_MOST:
            self._used.popitem(last=False)
        return GOOD

    def _fresh(self, nonce: str, code: str, now: float) -> bool:
        moment, dot, signed = nonce.partition(".")
        if (
            not dot
            or nonce in self._used
            or not hmac.compare_digest(signed.encode(), self._sign(moment, code).encode())
        ):
            return False
        return 0 <= now - int(moment.partition("-")[0], 16) / 1000 + 0.001 <= NONCE_SECONDS

    def _sign(self, moment: str, code: str) -> str:
        return hmac.new(self._key, f"{moment}:{code}".encode("utf-8", "replace"), hashlib.sha256).hexdigest()[:24]
