"""A receiver for Gridwall's signed webhooks, in nothing but Python's own library: the ground the gateways stand on.

    GRIDWALL_SECRET=whsec_… python examples/outlets/sms_gateway.py 8091

It checks the signature (Standard Webhooks: HMAC-SHA256 over "id.timestamp.body"), refuses what is older than five
minutes, hands each id on once, and answers 200 only when the gateway has taken it: then Gridwall sends it no more.
"""

import base64
import hashlib
import hmac
import json
import os
import sys
import threading
import time
from collections import OrderedDict
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

LARGEST = 256 * 1024
REMEMBERED = 10_000
TOLERANCE_SECONDS = 300

Deliver = Callable[[dict], str]
"""Hands a message to the gateway; returns "sent", or "delivered" when it has reached the person. May raise OSError."""


def verified(secret: str, headers: dict[str, str], body: bytes, now: float) -> bool:
    """Say whether a message is from Gridwall and recent; `headers`: names in small letters."""
    stamp = headers.get("webhook-timestamp", "")
    if not stamp.isdecimal() or abs(now - int(stamp)) > TOLERANCE_SECONDS:
        return False
    key = base64.b64decode(secret.removeprefix("whsec_"))
    content = f"{headers.get('webhook-id', '')}.{stamp}.".encode() + body
    ours = "v1," + base64.b64encode(hmac.new(key, content, hashlib.sha256).digest()).decode()
    return any(hmac.compare_digest(ours, theirs) for theirs in headers.get("webhook-signature", "").split(" "))


class Once:
    """Remembers what was taken, so that a message that comes again is taken once. Keep it on disk in earnest."""

    def __init__(self) -> None:
        self._known: OrderedDict[str, str] = OrderedDict()
        self._lock = threading.Lock()

    def take(self, message: dict, deliver: Deliver) -> str:
        """Return what became of a message, delivering it the first time only."""
        with self._lock:
            known = self._known.get(message["id"])
            if known is None:
                known = self._known[message["id"]] = deliver(message)
                while len(self._known) > REMEMBERED:
                    self._known.popitem(last=False)
        return known


def serve(deliver: Deliver, secret: str, port: int) -> ThreadingHTTPServer:
    """Return a server on 127.0.0.1; `serve_forever()` runs it."""
    once = Once()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            size = int(self.headers.get("content-length") or 0)
            if size > LARGEST:
                return self.answer(413, {"error": "too large"})
            body = self.rfile.read(size)
            headers = {name.lower(): value for name, value in self.headers.items()}
            if not verified(secret, headers, body, time.time()):
                return self.answer(401, {"error": "signature"})
            message = json.loads(body)
            if message["type"] == "test":
                return self.answer(200, {"state": "sent"})
            try:
                return self.answer(200, {"state": once.take(message, deliver)})
            except OSError:
                return self.answer(503, {"error": "the gateway is away"})  # Gridwall tries again
            except (KeyError, ValueError):
                return self.answer(422, {"error": "cannot be delivered"})  # Gridwall keeps it as a dead letter

        def answer(self, status: int, said: dict) -> None:
            body = json.dumps(said).encode()
            self.send_response(status)
            self.send_header("content-type", "application/json")
            self.send_header("content-length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: object) -> None:
            """Say nothing of whom a message was for."""

    return ThreadingHTTPServer(("127.0.0.1", port), Handler)


def main(deliver: Deliver) -> None:
    """Serve until Ctrl-C; the port is the first argument."""
    server = serve(deliver, os.environ["GRIDWALL_SECRET"], int(sys.argv[1]) if len(sys.argv) > 1 else 8091)
    print(f"listening on 127.0.0.1:{server.server_address[1]}", flush=True)
    server.serve_forever()
