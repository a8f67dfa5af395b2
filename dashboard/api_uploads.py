"""`POST /uploads/KIND?name=NAME`: takes a file as it is; the answer names it by an id for later requests (上传文件)."""

import asyncio
import shutil
from hashlib import sha256
from pathlib import Path
from typing import Annotated

from fastapi import APIRouter, Query, Request, Response

from config import clock
from dashboard.answers import REFUSALS, json_answer, problem
from dashboard.parts import Asker, Parts, Shared
from dashboard.uploads import KINDS, MEBI, Upload, Uploads, plain
from operations import policy
from operations.errors import Refused
from operations.policy import Identity

router = APIRouter(tags=["uploads"], include_in_schema=False)


Name = Annotated[str, Query(max_length=1_000)]


@router.post("/uploads/table", responses=REFUSALS)
async def table(request: Request, shared: Shared, asker: Asker, name: Name) -> Response:
    """Take a table or list of reports; 413 when it is too large."""
    return await take(request, shared, asker, "table", name)


@router.post("/uploads/grids", responses=REFUSALS)
async def grids(request: Request, shared: Shared, asker: Asker, name: Name) -> Response:
    """Take a file of grids; 413 when it is too large."""
    return await take(request, shared, asker, "grids", name)


@router.post("/uploads/cameras", responses=REFUSALS)
async def cameras(request: Request, shared: Shared, asker: Asker, name: Name) -> Response:
    """Take a ledger of cameras; 413 when it is too large."""
    return await take(request, shared, asker, "cameras", name)


@router.post("/uploads/accounts", responses=REFUSALS)
async def accounts(request: Request, shared: Shared, asker: Asker, name: Name) -> Response:
    """Take a list of accounts; 413 when it is too large."""
    return await take(request, shared, asker, "accounts", name)


@router.post("/uploads/departments", responses=REFUSALS)
async def departments(request: Request, shared: Shared, asker: Asker, name: Name) -> Response:
    """Take a list of departments; 413 when it is too large."""
    return await take(request, shared, asker, "departments", name)


@router.post("/uploads/person", responses=REFUSALS)
async def people(request: Request, shared: Shared, asker: Asker, name: Name) -> Response:
    """Take a list of people of the directory; 413 when it is too large."""
    return await take(request, shared, asker, "person", name)


@router.post("/uploads/team", responses=REFUSALS)
async def teams(request: Request, shared: Shared, asker: Asker, name: Name) -> Response:
    """Take a list of teams; 413 when it is too large."""
    return await take(request, shared, asker, "team", name)


@router.post("/uploads/shift", responses=REFUSALS)
async def shifts(request: Request, shared: Shared, asker: Asker, name: Name) -> Response:
    """Take a duty roster; 413 when it is too large."""
    return await take(request, shared, asker, "shift", name)


@router.post("/uploads/duty", responses=REFUSALS)
async def duties(request: Request, shared: Shared, asker: Asker, name: Name) -> Response:
    """Take a duty list; 413 when it is too large."""
    return await take(request, shared, asker, "duty", name)


async def take(request: Request, shared: Parts, asker: Identity, kind: str, name: str) -> Response:
    """Keep a file of some kind and tell its id."""
    permission, most = KINDS[kind]
    policy.require(asker, permission)
    uploads, now = Uploads(shared.settings.data / "uploads"), clock.now()
    folder = await asyncio.to_thread(uploads.begin, now)
    name = plain(name)
    try:
        size, digest = await _written(request, folder / name, most)
    except _TooLarge:
        await asyncio.to_thread(shutil.rmtree, folder, ignore_errors=True)
        return problem(413, Refused("operations.file_too_large", name=name, most=most // MEBI))
    except BaseException:
        shutil.rmtree(folder, ignore_errors=True)
        raise
    upload = Upload(folder.name, kind, name, size, digest, asker.actor, now)
    await asyncio.to_thread(uploads.keep, folder, upload)
    return json_answer(upload)


class _TooLarge(Exception):
    """More bytes than the kind may have."""


async def _written(request: Request, path: Path, most: int) -> tuple[int, str]:
    """Write the request's body to `path` piece by piece; (bytes, SHA-256 in hex). Its folder is ours alone (0700)."""
    size, digest = 0, sha256()
    with path.open("xb") as file:
        async for piece in request.stream():
            size += len(piece)
            if size > most:
                raise _TooLarge
            digest.update(piece)
            await asyncio.to_thread(file.write, piece)
    return size, digest.hexdigest()
