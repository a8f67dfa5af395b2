"""The doors of intake without a transport: what `POST /api/v1/reports` and `WS /api/v1/reports/stream` answer.

The dashboard mounts both: it finds the source of a token, hands over headers (names in lower case) and body, and sends
what comes back. Every answer is JSON with `code` (for programs) and, when refused, `text` in both languages.

    POST   202  {"accepted", "duplicates", "quarantined": [{"index", "field", "reason", "params"}]}
           413  a report over 1 MiB, a request over 8 MiB        415  not JSON, not UTF-8, or compressed
           422  no report can be read in it, or the only one is refused (its bytes are quarantined)
           429  faster than the source's limit                   503  not durable now; send it again after Retry-After
    WS     → {"id": …, "reports": [...]} or {"id": …, "report": {...}}
           ← {"ack": id, "accepted", "duplicates", "quarantined"}   after fsync, in order of completion
           ← {"nack": id or null, "code", "text", "quarantined"}    will never be taken as it is; its bytes are kept
"""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from functools import partial
from typing import Any

import msgspec

from config.words import LANGUAGES, Words
from operations.sources import Source
from streams import cloudevents, message
from streams.errors import EngineMisconfigured, IntakeRefused, MappingError, RateExceeded, Unreadable
from streams.intake import Intake, Receipt
from streams.item import LARGEST_REPORT, LARGEST_REQUEST, Item, split

Answer = tuple[int, dict[str, str], bytes]
Receive = Callable[[], Awaitable[str | bytes | None]]
Send = Callable[[str], Awaitable[None]]

JSON = {"content-type": "application/json"}
UTF8 = ("", "utf-8", "utf8", "us-ascii")
WINDOW = 32
"""Messages of one WebSocket under way at once; while it is full, no more are read."""
PATIENCE = 60
"""Tries, `Retry-After` apart, before a message that cannot be made durable closes the WebSocket."""
TOO_LARGE, UNSUPPORTED, UNREADABLE, TOO_FAST, NOT_NOW, ACCEPTED = 413, 415, 422, 429, 503, 202
TOO_MUCH = ("too_many_items", "request_too_large")
"""Codes of what is not even quarantined: the sender has it and can send it in parts."""

_ENCODE = msgspec.json.Encoder().encode


async def post(intake: Intake, source: Source, headers: Mapping[str, str], body: bytes) -> Answer:
    """The answer to `POST /api/v1/reports`: (status, headers, JSON bytes). Never raises for what a client sends."""
    try:
        items, many = _items(headers, body)
        if not many and len(body) > LARGEST_REPORT:
            return refused(TOO_LARGE, "report_too_large", most=LARGEST_REPORT)
        receipt = await intake.accept(source, items)
        return _told(receipt) if many or receipt.accepted else _set_aside(receipt)
    except _Refused as error:
        return error.answer
    except Unreadable as error:
        return await set_aside(intake, source, body, error)
    except (IntakeRefused, EngineMisconfigured, MappingError) as error:
        return _not_taken(error)


class _Refused(Exception):
    def __init__(self, answer: Answer) -> None:
        super().__init__()
        self.answer = answer


def refused(status: int, code: str, *, retry_after: int = 0, **params: object) -> Answer:
    """An answer that takes nothing, with its text in both languages."""
    body = {"code": code, "text": {lang: Words(lang).text(f"streams.refused.{code}", **params) for lang in LANGUAGES}}
    headers = JSON | ({"retry-after": str(retry_after)} if retry_after else {})
    return status, headers, _ENCODE(body | {"params": params})


def _items(headers: Mapping[str, str], body: bytes) -> tuple[list[Item], bool]:
    """The items of a request by its media type; raises _Refused or Unreadable."""
    if len(body) > LARGEST_REQUEST:
        raise _Refused(refused(TOO_LARGE, "request_too_large", most=LARGEST_REQUEST))
    if headers.get("content-encoding", "identity").lower() != "identity":
        raise _Refused(refused(UNSUPPORTED, "compressed"))
    essence, charset = _media_type(headers.get("content-type", ""))
    if charset not in UTF8:
        raise _Refused(refused(UNSUPPORTED, "not_utf8_charset", charset=charset[:40]))
    if essence == cloudevents.BATCHED:
        return cloudevents.batched(body), True
    if essence == cloudevents.STRUCTURED:
        return [cloudevents.structured(body)], False
    if essence != "application/json" and not (essence.endswith("+json") and "/" in essence):
        raise _Refused(refused(UNSUPPORTED, "not_json_type", given=essence[:80]))
    if cloudevents.is_binary(headers):
        return [cloudevents.binary(headers, body)], False
    return split(body)


def _media_type(value: str) -> tuple[str, str]:
    essence, *parameters = (part.strip().lower() for part in value.split(";"))
    charset = next((one.partition("=")[2].strip('" ') for one in parameters if one.startswith("charset=")), "")
    return essence, charset


async def set_aside(intake: Intake, source: Source, body: bytes, error: Unreadable) -> Answer:
    """Keep what could not be read at all: the bytes go to quarantine, the answer says why."""
    if error.code in TOO_MUCH:
        return _too_much(error)
    try:
        receipt = await intake.quarantine(source, body, error)
    except (IntakeRefused, EngineMisconfigured) as away:
        return _not_taken(away)
    return _set_aside(receipt)


def _too_much(error: Unreadable) -> Answer:
    params: dict[str, Any] = error.params
    return refused(UNREADABLE, error.code, **params)


def _told(receipt: Receipt) -> Answer:
    return ACCEPTED, JSON, _ENCODE(receipt)


def _set_aside(receipt: Receipt) -> Answer:
    """The one thing that was sent is in quarantine."""
    status, headers, body = refused(UNREADABLE, "unreadable", reason=receipt.quarantined[0].reason)
    return status, headers, _ENCODE(msgspec.json.decode(body) | {"quarantined": receipt.quarantined})


def _not_taken(error: Exception) -> Answer:
    if isinstance(error, RateExceeded):
        return refused(TOO_FAST, error.code, retry_after=error.retry_after)
    if isinstance(error, IntakeRefused):
        return refused(NOT_NOW, error.code, retry_after=error.retry_after)
    code = "mapping_missing" if isinstance(error, MappingError) else "engine_misconfigured"
    return refused(NOT_NOW, code, retry_after=30)


class StreamClosed(Exception):
    """The WebSocket should be closed with this code (RFC 6455, 7.4.1) and reason."""

    def __init__(self, code: int, reason: str) -> None:
        super().__init__(reason)
        self.code = code
        self.reason = reason


async def serve(intake: Intake, source: Source, receive: Receive, send: Send) -> None:
    """Serve one WebSocket until `receive` returns None; raises StreamClosed when it should be closed with a code.

    Acknowledgements are withheld while the engine is away, the bound is reached or the source is too fast; as at most
    WINDOW messages are under way, reading then stops and the sender feels it. What is not acknowledged may be repeated.
    """
    room = asyncio.Semaphore(WINDOW)
    tasks: set[asyncio.Task[None]] = set()
    closed: BaseException | None = None
    try:
        async with asyncio.TaskGroup() as group:
            while True:
                await room.acquire()
                given = await receive()
                if given is None:  # nobody is left to acknowledge to
                    for task in tasks:
                        task.cancel()
                    return
                task = group.create_task(_one(intake, source, given, send, room))
                tasks.add(task)
                task.add_done_callback(tasks.discard)
    except* StreamClosed as group:
        closed = group.exceptions[0]
    if closed is not None:
        raise closed


async def _one(intake: Intake, source: Source, given: str | bytes, send: Send, room: asyncio.Semaphore) -> None:
    try:
        await send(_ENCODE(await _reply(intake, source, given)).decode())
    finally:
        room.release()


async def _reply(intake: Intake, source: Source, given: str | bytes) -> dict[str, Any]:
    data = given.encode("utf-8", "surrogatepass") if isinstance(given, str) else given
    name: str | int | None = None
    try:
        found = message.members(data)
        name = message.name(found)
        receipt = await _durable(partial(intake.accept, source, message.items(found)))
    except Unreadable as error:
        return {"nack": name, **await _nack(intake, source, data, error)}
    return {"ack": name, **msgspec.structs.asdict(receipt)}


async def _nack(intake: Intake, source: Source, data: bytes, error: Unreadable) -> dict[str, Any]:
    """What is said of a message that carries nothing readable; its bytes go to quarantine."""
    if error.code in TOO_MUCH:
        answer = _too_much(error)
    else:
        answer = _set_aside(await _durable(partial(intake.quarantine, source, data, error)))
    told: dict[str, Any] = msgspec.json.decode(answer[2])
    return told


async def _durable(attempt: Callable[[], Awaitable[Receipt]]) -> Receipt:
    """Try until it is on disk; raises StreamClosed when patience ends or the settings are wrong."""
    for _ in range(PATIENCE):
        try:
            return await attempt()
        except IntakeRefused as error:
            await asyncio.sleep(error.retry_after)
        except (EngineMisconfigured, MappingError) as error:
            raise StreamClosed(1011, str(error)[:100]) from error
    raise StreamClosed(1013, "try again later")
