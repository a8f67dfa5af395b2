"""Testing a connection 测试连接: fetches once from a pulled source and says what came and what intake would make of it.

Takes nothing, keeps nothing, moves no cursor.
"""

import asyncio
from pathlib import Path
from typing import Any

import msgspec
from websockets.exceptions import InvalidStatus, WebSocketException

from operations.report import Refusal, Report
from operations.sources import Source
from streams import cap_pull, database_pull, http_pull, websocket_pull
from streams.errors import MappingError, SourceAway
from streams.intake import Intake
from streams.pull_settings import CapPull, DatabasePull, FolderWatch, HttpPull, WebsocketPull, checked
from streams.pulling import as_item

SECONDS = 8.0
"""For all of it: somebody waits."""
FIRST = 3
"""Items shown."""
LONGEST_SHOWN = 4_000
"""Characters of one item."""


class Tried(msgspec.Struct, frozen=True):
    """What a test came to. `code`: "" when it worked, else why not; `items`: the first ones as JSON texts.

    `made`: what intake would make of each: a report, or the refusal of one.
    """

    code: str = ""
    params: dict[str, Any] = {}
    count: int = 0
    items: list[str] = []
    made: list[Report | Refusal] = []


async def tried(source: Source, secret: str, intake: Intake, data: Path) -> Tried:
    """Return what one fetch comes to. Raises SettingsWrong."""
    settings = checked(source.kind, source.settings)
    if isinstance(settings, FolderWatch):  # nothing to connect to: what is wrong with a folder its health page says
        return Tried()
    try:
        if isinstance(settings, CapPull):
            async with asyncio.timeout(SECONDS):
                return Tried("", {}, len(await cap_pull.listed(settings, secret)))
        async with asyncio.timeout(SECONDS):
            found = await _fetched(settings, secret, data)
        made = [intake.examine(source, as_item(one)) for one in found[:FIRST]]
    except TimeoutError:
        return Tried("timeout")
    except SourceAway as error:
        return Tried(error.code, {name: str(value) for name, value in error.params.items()})
    except MappingError:
        return Tried("mapping_missing")
    return Tried("", {}, len(found), [_shown(one) for one in found[:FIRST]], made)


async def _fetched(settings: HttpPull | DatabasePull | WebsocketPull, secret: str, data: Path) -> list[object]:
    if isinstance(settings, HttpPull):
        return await _http(settings, secret)
    if isinstance(settings, WebsocketPull):
        return await _websocket(settings, secret)
    few = msgspec.structs.replace(settings, batch=min(settings.batch, 20))
    return list((await asyncio.to_thread(database_pull.read, few, secret, {}, data)).rows)


async def _http(settings: HttpPull, secret: str) -> list[object]:
    fetcher = http_pull.Fetcher(settings)
    try:
        return (await fetcher.page(fetcher.first(""), secret)).items
    finally:
        await fetcher.close()


async def _websocket(settings: WebsocketPull, secret: str) -> list[object]:
    """The items of the first message; none when the feed says nothing just now, which is no fault."""
    try:
        async with websocket_pull.opened(settings, secret, "") as socket:
            await websocket_pull.greet(socket, settings, "")
            said = await websocket_pull.heard(socket, SECONDS / 2)
    except InvalidStatus as error:
        raise websocket_pull.refusal(error.response.status_code, "") from error
    except (WebSocketException, OSError) as error:
        raise SourceAway("unreachable") from error
    return [] if said is None else websocket_pull.read(said, settings)[0]


def _shown(found: object) -> str:
    """An item as JSON in lines, cut where it is long."""
    item = as_item(found)
    raw = getattr(item, "raw", None)
    try:
        text = msgspec.json.format(raw if raw is not None else msgspec.json.encode(item), indent=2).decode()
    except (msgspec.MsgspecError, UnicodeDecodeError, TypeError):
        text = repr(raw)[:LONGEST_SHOWN]
    return text if len(text) <= LONGEST_SHOWN else text[:LONGEST_SHOWN] + " …"
