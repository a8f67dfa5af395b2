"""The signature of a webhook: HMAC-SHA256 over id, time and body, as Standard Webhooks has it. Pure.

Headers: webhook-id, webhook-timestamp (seconds), webhook-signature "v1,BASE64". Source: standardwebhooks.com, spec 1.0.
"""

import base64
import binascii
import hmac
import secrets

PREFIX = "whsec_"
TOLERANCE_S = 300
"""Seconds a signed message may be old, or ahead."""


def make_secret() -> str:
    """Return a new key to sign with, as receivers write it down."""
    return PREFIX + base64.b64encode(secrets.token_bytes(32)).decode()


def signed(secret: str, message_id: str, seconds: int, body: bytes) -> dict[str, str]:
    """Return the headers of a message; without a secret it goes unsigned."""
    headers = {"webhook-id": message_id, "webhook-timestamp": str(seconds)}
    return headers | ({"webhook-signature": _mark(secret, message_id, str(seconds), body)} if secret else {})


def verified(secret: str, headers: dict[str, str], body: bytes, now: float) -> bool:
    """Say whether a message is signed with `secret` and recent; `headers`: names in small letters."""
    stamp = headers.get("webhook-timestamp", "")
    if not secret or not stamp.isdecimal() or len(stamp) > 12 or abs(now - int(stamp)) > TOLERANCE_S:
        return False
    ours = _mark(secret, headers.get("webhook-id", ""), stamp, body)
    return any(hmac.compare_digest(ours, theirs) for theirs in headers.get("webhook-signature", "").split(" "))


def _mark(secret: str, message_id: str, stamp: str, body: bytes) -> str:
    content = f"{message_id}.{stamp}.".encode() + body
    return "v1," + base64.b64encode(hmac.digest(_key(secret), content, "sha256")).decode()


def _key(secret: str) -> bytes:
    if secret.startswith(PREFIX):
        try:
            return base64.b64decode(secret.removeprefix(PREFIX), validate=True)
        except binascii.Error:
            pass
    return secret.encode()
