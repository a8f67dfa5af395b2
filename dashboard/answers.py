"""JSON answers of the API and how they are described (应答)."""

from typing import Any

import msgspec
import orjson
from fastapi import Request, Response

from config.words import LANGUAGES, Words
from operations.errors import OperationsError

JSON = "application/json"
RETRY_SECONDS = 5


class Problem(msgspec.Struct):
    """Why a request was refused: a code for programs, a text for people in each language, and the values in it."""

    code: str
    text: dict[str, str]
    params: dict[str, Any] = {}


def json_answer(value: object, status: int = 200) -> Response:
    """Return a JSON response of a struct; times are UTC microseconds."""
    return Response(msgspec.json.encode(value), status, media_type=JSON)


def problem(status: int, error: OperationsError, headers: dict[str, str] | None = None) -> Response:
    """Return the response that says why an operation was refused."""
    text = {lang: said(Words(lang), error.code, error.params) for lang in LANGUAGES}
    params = {name: value if isinstance(value, (int, float)) else str(value) for name, value in error.params.items()}
    body = orjson.dumps({"code": error.code, "text": text, "params": params})
    return Response(body, status, headers=headers, media_type=JSON)


async def unavailable(request: Request, error: Exception) -> Response:
    """Return the 503 for a database that is locked, full or away while a request needs it."""
    text = {lang: Words(lang).text("access.unavailable") for lang in LANGUAGES}
    body = orjson.dumps({"code": "unavailable", "text": text, "params": {}})
    return Response(body, 503, headers={"retry-after": str(RETRY_SECONDS)}, media_type=JSON)


def said(words: Words, code: str, params: dict[str, object]) -> str:
    """Return the text of an error; a code without a text is told as it is."""
    return words.text(code, **params) if code in words else code


REFUSALS: dict[int | str, dict[str, Any]] = {
    status: {"description": why, "content": {JSON: {"schema": {"type": "object"}}}}
    for status, why in (
        (401, "Not signed in."),
        (403, "Not allowed."),
        (404, "Not found or not yours."),
        (422, "A parameter is wrong."),
        (503, "The database is locked, full or away; try again after Retry-After seconds."),
    )
}
