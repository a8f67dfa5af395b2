"""`/engines/NAME` (引擎鉴权): what media engines ask before they play; each proves itself by its own key."""

from typing import Any

import orjson
from fastapi import APIRouter, Request, Response

from dashboard.enginebook import key_fits
from dashboard.parts import Shared
from operations.errors import DatabaseTrouble
from streams.video import engines
from streams.video.engines import MEDIAMTX, ZLMEDIAKIT

router = APIRouter(include_in_schema=False)
BODY_MOST = 64 * 1024
YES, NO = {"code": 0, "msg": "success"}, {"code": -1, "msg": "not granted"}


@router.post("/engines/{name}")
async def mediamtx(name: str, request: Request, shared: Shared) -> Response:
    """Answer MediaMTX: 204 lets it play, 401 does not, 503 while nobody can say."""
    engine = shared.enginebook.engine(name, request.query_params.get("key", ""))
    if not key_fits(MEDIAMTX, engine):
        return Response(status_code=403)
    try:
        yes = await shared.enginebook.admit(name, engines.mediamtx(await _body(request)))
    except DatabaseTrouble:
        return Response(status_code=503)
    return Response(status_code=204 if yes else 401)


@router.post("/engines/{name}/{hook}")
async def zlmediakit(name: str, hook: str, request: Request, shared: Shared) -> Response:
    """Answer ZLMediaKit: on_play by its ticket, on_flow_report ends a look, anything else is refused."""
    book = shared.enginebook
    if not key_fits(ZLMEDIAKIT, book.engine(name, request.query_params.get("key", ""))):
        return Response(status_code=403)
    body = await _body(request)
    try:
        if hook == "on_flow_report":
            await book.gone(name, str(body.get("id", "")))
            return _told(YES)
        yes = hook == "on_play" and await book.admit(name, engines.zlmediakit(body))
    except DatabaseTrouble:
        return _told(NO)
    return _told(YES if yes else NO)


async def _body(request: Request) -> dict[str, Any]:
    """Return what was sent as JSON; nothing for what is none, or too much."""
    data = b""
    async for part in request.stream():
        data += part
        if len(data) > BODY_MOST:
            return {}
    try:
        told = orjson.loads(data)
    except orjson.JSONDecodeError:
        return {}
    return told if isinstance(told, dict) else {}


def _told(answer: dict[str, Any]) -> Response:
    return Response(orjson.dumps(answer), media_type="application/json")
