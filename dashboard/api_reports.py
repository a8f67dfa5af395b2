"""`POST /api/v1/reports` and `WS /api/v1/reports/stream`: the doors of `streams`, mounted."""

from collections.abc import Mapping
from contextlib import suppress

from fastapi import APIRouter, Request, Response
from starlette.websockets import WebSocket, WebSocketDisconnect

from dashboard.answers import JSON
from dashboard.parts import asker, parts
from streams import door
from streams.item import LARGEST_REQUEST

router = APIRouter(prefix="/api/v1", tags=["reports"])

ANSWERS = {
    202: "All accepted items are on disk; bad items are in quarantine, named by index.",
    413: "A report over 1 MiB, or a request over 8 MiB.",
    415: "Not JSON, not UTF-8, or compressed.",
    422: "No report can be read in it; its bytes are in quarantine.",
    429: "Faster than the source may send.",
    503: "Cannot be made durable now; send it again after Retry-After seconds.",
}
BODY = {
    "required": True,
    "content": {
        media: {"schema": {"oneOf": [{"type": "object"}, {"type": "array", "items": {"type": "object"}}]}}
        for media in (JSON, "application/cloudevents+json", "application/cloudevents-batch+json")
    },
}


@router.post(
    "/reports",
    status_code=202,
    response_class=Response,
    responses={
        status: {"description": why, "content": {JSON: {"schema": {"type": "object"}}}}
        for status, why in ANSWERS.items()
    },
    openapi_extra={"requestBody": BODY},
)
async def reports(request: Request) -> Response:
    """Take one report, an array of at most 1,000, or CloudEvents 1.0 (structured, batched, binary)."""
    shared = parts(request)
    source = await shared.senders.find(asker(request).id)
    if source is None:
        return response(door.refused(503, "source_unknown", retry_after=30))
    body = await whole(request)
    if body is None:
        return response(door.refused(413, "request_too_large", most=LARGEST_REQUEST))
    headers: Mapping[str, str] = dict(request.headers)
    return response(await door.post(shared.port.intake, source, headers, body))


async def whole(request: Request) -> bytes | None:
    """Return the body, or None once it passes the bound; the rest is then not read."""
    taken = bytearray()
    async for chunk in request.stream():
        taken += chunk
        if len(taken) > LARGEST_REQUEST:
            return None
    return bytes(taken)


def response(answer: door.Answer) -> Response:
    """Return a door's answer as a response."""
    status, headers, body = answer
    return Response(body, status, headers)


@router.websocket("/reports/stream")
async def stream(socket: WebSocket) -> None:
    """Take reports one message at a time, acknowledged by id after fsync; back-pressure by withheld answers."""
    shared = parts(socket)
    source = await shared.senders.find(socket.scope["state"]["identity"].id)
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

    try:
        await door.serve(shared.port.intake, source, receive, socket.send_text)
    except* door.StreamClosed as group:
        closed = leaves(group)[0]
        with suppress(RuntimeError):
            await socket.close(closed.code, closed.reason)
    except* (WebSocketDisconnect, RuntimeError):
        pass  # the sender has gone; what was not acknowledged it sends again


def leaves(group: BaseExceptionGroup[door.StreamClosed]) -> list[door.StreamClosed]:
    """Return the exceptions of a group of groups."""
    found: list[door.StreamClosed] = []
    for one in group.exceptions:
        found += leaves(one) if isinstance(one, BaseExceptionGroup) else [one]
    return found
