"""Secrets we hand out (tokens, sessions, one-time links): 256 random bits, of which only the SHA-256 is stored."""

import hashlib
import secrets

BYTES = 32


def make() -> str:
    """Return a new secret, safe in URLs and headers."""
    return secrets.token_urlsafe(BYTES)


def digest(secret: str) -> bytes:
    """Return what is stored of it; it needs no salt or stretching, because it cannot be guessed."""
    return hashlib.sha256(secret.encode("utf-8", "surrogatepass")).digest()
