"""`/healthz`, `/readyz` and `/metrics`: alive, able to serve, and in figures."""

import asyncio
import shutil
from typing import Any

import orjson
from fastapi import APIRouter, Response
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest

from dashboard import measures
from dashboard.answers import JSON
from dashboard.parts import Asker, Parts, Shared
from operations import journal, policy
from operations.errors import OperationsError

router = APIRouter(tags=["health"])

LAG_MOST = 10_000
"""Entries this process may be behind the journal and still call itself ready."""
WAIT_SECONDS = 2.0
LEAST_FREE = 256 * 2**20
"""Bytes free on the disk below which it is called missing; by then somebody should have come."""
NOT_NEEDED = ("grids", "disk")
"""What may be missing while reports are still taken."""


@router.get("/healthz", response_class=Response, responses={200: {"content": {JSON: {"schema": {"type": "object"}}}}})
async def healthz() -> Response:
    """Say that the process lives; nothing else is looked at."""
    return Response(b'{"ok":true}', media_type=JSON)


@router.get(
    "/readyz",
    response_class=Response,
    responses={
        status: {"description": why, "content": {JSON: {"schema": {"type": "object"}}}}
        for status, why in ((200, "Ready."), (503, "Not ready; says what is missing."))
    },
)
async def readyz(shared: Shared, asker: Asker) -> Response:
    """Say whether database, engine, hub, grids and room on the disk are there; what is wrong is not for all."""
    checks = await asyncio.gather(database(shared), engine(shared), asyncio.to_thread(disk, shared))
    found = {"database": checks[0], "engine": checks[1], "hub": hub(shared), "grids": shared.areas.ready()}
    found["disk"] = checks[2]
    ready = all(check["ok"] for name, check in found.items() if name not in NOT_NEEDED)
    said: dict[str, Any] = {"ready": ready, "missing": [name for name, check in found.items() if not check["ok"]]}
    if policy.allowed(asker, "metrics.read"):
        said |= found
    return Response(orjson.dumps(said), 200 if ready else 503, media_type=JSON)


async def database(shared: Parts) -> dict[str, Any]:
    """Return whether the journal can be read, and its end."""
    try:
        async with asyncio.timeout(WAIT_SECONDS):
            head = await asyncio.to_thread(journal.head, shared.database)
    except (OperationsError, TimeoutError) as error:
        return {"ok": False, "why": str(error) or type(error).__name__}
    return {"ok": True, "seq": head.seq}


async def engine(shared: Parts) -> dict[str, Any]:
    """Return what the port says of the engine."""
    try:
        async with asyncio.timeout(WAIT_SECONDS):
            said: dict[str, Any] = await shared.port.ready()
    except TimeoutError:
        return {"ok": False, "why": "timeout"}
    return said


def disk(shared: Parts) -> dict[str, Any]:
    """Return how much room is left where the data lies: with none the engine ends, and reports are refused."""
    folders = {shared.settings.data, (shared.database.file or shared.settings.data / "gridwall.db").parent}
    try:
        free = min(shutil.disk_usage(folder).free for folder in folders)
    except OSError as error:
        return {"ok": False, "why": str(error)}
    return {"ok": free >= LEAST_FREE, "free_mb": free // 2**20}


def hub(shared: Parts) -> dict[str, Any]:
    """Return whether the hub follows the journal."""
    live = shared.hub
    ok = not live.fault and 0 <= live.lag <= LAG_MOST
    return {"ok": ok, "lag": live.lag, "screens": len(live.screens), "why": live.fault}


@router.get(
    "/metrics", response_class=Response, responses={200: {"content": {"text/plain": {"schema": {"type": "string"}}}}}
)
async def metrics(shared: Shared) -> Response:
    """Return the figures of this process in Prometheus' text format."""
    for page, costs in shared.hub.costs().items():
        for panel, seconds in costs.items():
            measures.RENDER.labels(page, panel).set(seconds)
    measures.follow(await shared.port.metrics())
    return Response(generate_latest(measures.REGISTRY), media_type=CONTENT_TYPE_LATEST)
