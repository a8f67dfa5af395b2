"""`/attachments`: files of incidents and orders (附件). Never shown inline but for the small picture that we drew."""

import asyncio
from typing import Annotated
from urllib.parse import quote

import msgspec
from fastapi import APIRouter, Query, Request, Response

from dashboard.answers import REFUSALS, json_answer, problem
from dashboard.parts import Asker, Parts, Shared
from operations.attachments import Attached
from operations.errors import Refused
from operations.media import LARGEST, MEBI
from operations.policy import Identity

router = APIRouter(tags=["attachments"], include_in_schema=False)

Name = Annotated[str, Query(max_length=1_000)]
ONE_BY_ONE = asyncio.Semaphore(2)
"""Files read and written anew at once in this process: each may take some 200 MB for a moment."""
CLOSED = {"content-security-policy": "sandbox; default-src 'none'", "cache-control": "private, no-store"}


class Told(msgspec.Struct, frozen=True):
    """What a page is told of an attachment; times in UTC microseconds."""

    id: str
    kind: str
    name: str
    size: int
    at: int
    by: str


def told(one: Attached) -> Told:
    """Return what a page is told of an attachment."""
    return Told(one.id, one.kind, one.name, one.size, one.added_at, one.added_by)


@router.post("/attachments/incident/{subject_id}", responses=REFUSALS)
async def to_incident(request: Request, shared: Shared, asker: Asker, subject_id: str, name: Name) -> Response:
    """Attach the body to an incident."""
    return await take(request, shared, asker, ("incident", subject_id), name)


@router.post("/attachments/order/{subject_id}", responses=REFUSALS)
async def to_order(request: Request, shared: Shared, asker: Asker, subject_id: str, name: Name) -> Response:
    """Attach the body to an order."""
    return await take(request, shared, asker, ("order", subject_id), name)


@router.get("/attachments/{attachment_id}", responses=REFUSALS)
async def whole(shared: Shared, asker: Asker, attachment_id: str) -> Response:
    """Send a file to be kept, not to be shown."""
    found, content = await asyncio.to_thread(shared.actions.attachments.open, asker, attachment_id)
    headers = CLOSED | {"content-disposition": f"attachment; filename*=UTF-8''{quote(found.name, safe='')}"}
    return Response(content, media_type="application/octet-stream", headers=headers)


@router.get("/attachments/{attachment_id}/small", responses=REFUSALS)
async def small(shared: Shared, asker: Asker, attachment_id: str) -> Response:
    """Send a small picture of a photo, made by us."""
    async with ONE_BY_ONE:
        content = await asyncio.to_thread(shared.actions.attachments.small, asker, attachment_id)
    return Response(content, media_type="image/jpeg", headers=CLOSED | {"cache-control": "private, max-age=3600"})


@router.delete("/attachments/{attachment_id}", responses=REFUSALS)
async def remove(shared: Shared, asker: Asker, attachment_id: str) -> Response:
    """Take an attachment away."""
    try:
        await asyncio.to_thread(shared.actions.attachments.remove, asker, attachment_id)
    except Refused as error:
        return problem(409, error)
    return Response(status_code=204)


async def take(request: Request, shared: Parts, asker: Identity, subject: tuple[str, str], name: str) -> Response:
    """Attach what the request holds; what it may not hold is told in both languages."""
    parts: list[bytes] = []
    size = 0
    async with ONE_BY_ONE:
        async for piece in request.stream():
            size += len(piece)
            if size > LARGEST:
                return problem(413, Refused("attachments.too_large", kind="", most=LARGEST // MEBI))
            parts.append(piece)
        try:
            made = await asyncio.to_thread(shared.actions.attachments.add, asker, subject, name, b"".join(parts))
        except Refused as error:
            return problem(422, error)
    return json_answer(told(made))
