"""`POST /api/v1/warnings`: a warning 预警 as CAP, recorded before it is answered."""

from typing import Any

from fastapi import APIRouter, Request, Response
from starlette.requests import ClientDisconnect

from dashboard.answers import JSON, RETRY_SECONDS
from dashboard.parts import Asker, Shared
from operations.errors import DatabaseTrouble
from streams.door import Answer, refused
from streams.markup import LARGEST
from streams.warnings import MEDIA

router = APIRouter(prefix="/api/v1", tags=["warnings"])

ANSWERS = {
    202: "Recorded. Outcome: in_force, expired, older, cancelled, replaced, recorded or duplicate.",
    413: "Over 1 MiB.",
    415: "No XML, or compressed.",
    422: "Cannot be read; its bytes are in quarantine, the reason names element and line.",
    429: "Too many warnings of this source are in force.",
    503: "Cannot be recorded now; send it again after Retry-After seconds.",
}
DESCRIBED: dict[str, Any] = {
    "requestBody": {"required": True, "content": {media: {"schema": {"type": "string"}} for media in MEDIA}},
    "responses": {
        str(status): {"description": why, "content": {JSON: {"schema": {"type": "object"}}}}
        for status, why in ANSWERS.items()
    },
}


@router.post("/warnings", openapi_extra=DESCRIBED, status_code=202)
async def post(request: Request, shared: Shared, asker: Asker) -> Response:
    """Take one CAP document (1.0, 1.1, 1.2, GB/T 35965): an alert, an update, or the end of earlier ones."""
    try:
        source = await shared.senders.find(asker.id)
    except DatabaseTrouble:
        return sent(refused(503, "database_away", retry_after=RETRY_SECONDS))
    if source is None:
        return sent(refused(503, "source_unknown", retry_after=30))
    try:
        body = await whole(request)
    except ClientDisconnect:
        return Response(status_code=400)
    return sent(await shared.warnings.post(source, dict(request.headers), body))


async def whole(request: Request) -> bytes:
    """Return the body; of one that is too large just so much that the door can tell."""
    taken = bytearray()
    async for piece in request.stream():
        taken += piece
        if len(taken) > LARGEST:
            break
    return bytes(taken)


def sent(answer: Answer) -> Response:
    """Return a door's answer as a response."""
    status, headers, body = answer
    return Response(body, status, headers=headers)
