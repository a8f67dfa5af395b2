"""`POST /api/v1/reports` and `WS /api/v1/reports/stream`: the doors of `streams`, mounted.

The POST is plain ASGI, called by `dashboard.server` before FastAPI: routing, dependencies and response objects cost
more than all the rest of a single report.
"""

import asyncio
from collections.abc import Mapping
from contextlib import suppress
from typing import Any

from fastapi import APIRouter
from starlette.websockets import WebSocket, WebSocketDisconnect

from dashboard.access import lasting, refuse_for_now
from dashboard.answers import JSON, RETRY_SECONDS
from dashboard.asgi import Receive, Scope, Send, respond
from dashboard.parts import Parts, parts
from operations.errors import DatabaseTrouble
from streams import door
from streams.item import LARGEST_REQUEST

PATH = "/api/v1/reports"
router = APIRouter(prefix="/api/v1", tags=["reports"])

ANSWERS = {
    202: "All accepted items are on disk; bad items are in quarantine, named by index.",
    413: "A report over 1 MiB, or a request over 8 MiB.",
    415: "Not JSON, not UTF-8, or compressed.",
    422: "No report can be read in it; its bytes are in quarantine.",
    429: "Faster than the source may send.",
    503: "Cannot be made durable now; send it again after Retry-After seconds.",
}
MEDIA = (JSON, "application/cloudevents+json", "application/cloudevents-batch+json")
ONE_OR_MANY = {"oneOf": [{"type": "object"}, {"type": "array", "items": {"type": "object"}}]}
DESCRIBED: dict[str, Any] = {
    "tags": ["reports"],
    "summary": "Reports",
    "description": "Take one report, an array of at most 1,000, or CloudEvents 1.0 (structured, batched, binary).",
    "operationId": "reports_api_v1_reports_post",
    "requestBody": {"required": True, "content": {media: {"schema": ONE_OR_MANY} for media in MEDIA}},
    "responses": {
        str(status): {"description": why, "content": {JSON: {"schema": {"type": "object"}}}}
        for status, why in ANSWERS.items()
    },
}
"""The POST in the OpenAPI description."""


class Reports:
    """`POST /api/v1/reports` as plain ASGI, behind the access gate like everything else."""

    def __init__(self, shared: Parts) -> None:
        self._senders = shared.senders
        self._intake = shared.port.intake

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Take what a source sends and answer."""
        try:
            source = await self._senders.find(scope["state"]["identity"].id)
        except DatabaseTrouble:
            await answer(send, door.refused(503, "database_away", retry_after=RETRY_SECONDS))
            return
        if source is None:
            await answer(send, door.refused(503, "source_unknown", retry_after=30))
            return
        try:
            body = await whole(receive)
        except SenderGone:
            return
        if body is None:
            await answer(send, door.refused(413, "request_too_large", most=LARGEST_REQUEST))
            return
        headers: Mapping[str, str] = {
            name.decode("latin-1"): value.decode("latin-1") for name, value in scope["headers"]
        }
        await answer(send, await door.post(self._intake, source, headers, body))


class SenderGone(Exception):
    """The sender hung up before its request was whole."""


async def whole(receive: Receive) -> bytes | None:
    """Return the body, or None once it passes the bound; the rest is then not read. Raises SenderGone."""
    taken = bytearray()
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise SenderGone
        taken += message.get("body", b"")
        if len(taken) > LARGEST_REQUEST:
            return None
        if not message.get("more_body", False):
            return bytes(taken)


async def answer(send: Send, answered: door.Answer) -> None:
    """Send a door's answer."""
    status, headers, body = answered
    await respond(send, status, body, [(name.encode(), value.encode()) for name, value in headers.items()])


@router.websocket("/reports/stream")
async def stream(socket: WebSocket) -> None:
    """Take reports one message at a time, acknowledged by id after fsync; back-pressure by withheld answers."""
    shared = parts(socket)
    try:
        source = await shared.senders.find(socket.scope["state"]["identity"].id)
    except DatabaseTrouble:
        await refuse_for_now(socket.scope, socket.receive, socket.send)
        return
    if source is None:
        await socket.close(1008)
        return
    await socket.accept()

    async def receive() -> str | bytes | None:
        message = await socket.receive()
        if message["type"] == "websocket.disconnect":
            return None
        text: str | bytes | None = message.get("text")
        return message.get("bytes") or b"" if text is None else text

    ended: asyncio.Future[int] = asyncio.get_running_loop().create_future()
    serving = asyncio.create_task(door.serve(shared.port.intake, source, receive, socket.send_text))
    try:
        identity = socket.scope["state"]["identity"]
        with shared.standing.hold(lasting(socket.scope, identity), identity, ended.set_result):
            either: set[asyncio.Future[Any]] = {serving, ended}
            await asyncio.wait(either, return_when=asyncio.FIRST_COMPLETED)
        if ended.done():
            await socket.close(ended.result())
        else:
            await serving
    except* door.StreamClosed as group:
        closed = leaves(group)[0]
        with suppress(RuntimeError):
            await socket.close(closed.code, closed.reason)
    except* (WebSocketDisconnect, RuntimeError):
        pass  # the sender has gone; what was not acknowledged it sends again
    finally:
        serving.cancel()
        await asyncio.gather(serving, return_exceptions=True)


def leaves(group: BaseExceptionGroup[door.StreamClosed]) -> list[door.StreamClosed]:
    """Return the exceptions of a group of groups."""
    found: list[door.StreamClosed] = []
    for one in group.exceptions:
        found += leaves(one) if isinstance(one, BaseExceptionGroup) else [one]
    return found
