"""JSON answers of the API and how they are described (应答)."""

from collections.abc import Mapping
from typing import Any

import msgspec
import orjson
from fastapi import Request, Response
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException

from config.words import LANGUAGES, Words
from dashboard import jurisdiction
from operations.errors import DatabaseTrouble, Forbidden, Locked, NotFound, OperationsError
from operations.policy import ANONYMOUS, Identity

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


def problem(
    status: int, error: OperationsError, headers: dict[str, str] | None = None, asker: Identity = ANONYMOUS
) -> Response:
    """Return the response that says why an operation was refused; to the `asker` also what their jurisdiction is."""
    text = {
        lang: said(Words(lang), error.code, error.params) + jurisdiction.note(asker, Words(lang)) for lang in LANGUAGES
    }
    params = {name: value if isinstance(value, (int, float)) else str(value) for name, value in error.params.items()}
    body = orjson.dumps({"code": error.code, "text": text, "params": params})
    return Response(body, status, headers=headers, media_type=JSON)


async def unavailable(request: Request, error: Exception) -> Response:
    """Return the 503 for a database that is locked, full or away while a request needs it."""
    return refusal(503, "access.unavailable", headers={"retry-after": str(RETRY_SECONDS)})


async def denied(request: Request, error: Exception) -> Response:
    """Return the answer to who may not: 423 on a desk that has stood idle, 404 for what is not there or not theirs."""
    assert isinstance(error, OperationsError)
    if isinstance(error, Locked):
        return refusal(423, "access.locked")
    identity: Identity = request.scope.get("state", {}).get("identity", ANONYMOUS)
    return problem(404 if isinstance(error, NotFound) else 403, error, asker=identity)


async def wrong(request: Request, error: Exception) -> Response:
    """Return the 422 for parameters that are not what the description asks for; what was sent is not told again."""
    assert isinstance(error, RequestValidationError)
    params = {str(one["loc"][-1]): str(one["msg"]) for one in error.errors()}
    return refusal(422, "refused.parameter", params, names=", ".join(params))


async def unserved(request: Request, error: Exception) -> Response:
    """Return the answer to a request that no route takes: unknown, of another method, or unreadable."""
    assert isinstance(error, HTTPException)
    key = UNSERVED.get(error.status_code, "refused.unreadable")
    return refusal(error.status_code, key, headers=dict(error.headers or {}))


UNSERVED = {404: "refused.not_found", 405: "refused.method"}
TROUBLES = {
    DatabaseTrouble: unavailable,
    Forbidden: denied,
    NotFound: denied,
    RequestValidationError: wrong,
    HTTPException: unserved,
}
"""What answers instead of a route that raised."""


def refusal(
    status: int,
    key: str,
    params: Mapping[str, str] | None = None,
    headers: Mapping[str, str] | None = None,
    **values: object,
) -> Response:
    """Return a Problem with the text of `key` in each language; its code is the key, as the gate tells it too."""
    text = {lang: Words(lang).text(key, **values) for lang in LANGUAGES}
    body = msgspec.json.encode(Problem(key.removeprefix("access."), text, dict(params or {})))
    return Response(body, status, headers=headers, media_type=JSON)


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
