"""Media engines 流媒体引擎 beside us: what MediaMTX and ZLMediaKit ask before they play, and how a session is ended.

Contracts: MediaMTX 1.x, `authMethod: http` (POST of user, password, token, ip, action, path, protocol, id, query; 2xx
lets through, others not) and its control API v3; ZLMediaKit hooks `on_play`, `on_publish`, `on_flow_report` (POST of
app, stream, schema, vhost, params, id, ip; answered {"code": 0}) and its `/index/api`. Hooks are read here without
trust: what is not understood lets nobody through.
"""

import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, quote, urlsplit

import httpx
from msgspec import Struct, ValidationError, convert

FILE = Path("keys") / "engines.toml"
MEDIAMTX, ZLMEDIAKIT = "mediamtx", "zlmediakit"
KINDS = (MEDIAMTX, ZLMEDIAKIT)
ENDED_BY = {"rtsp": "rtspsessions", "rtsps": "rtspssessions", "webrtc": "webrtcsessions", "rtmp": "rtmpconns",
            "srt": "srtconns"}  # fmt: skip
"""MediaMTX protocols whose sessions can be ended, and where the control API lists them; HLS has none."""
LISTED_MOST, PAGES_MOST = 1_000, 100
SECONDS = 3.0


class EngineWrong(ValueError):
    """A line of engines.toml that cannot be used."""


class EngineAway(Exception):
    """An engine's control API gives no answer."""


class Engine(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """An engine: where viewers play (`{camera}` stands for the id), where it is controlled, and both secrets.

    `key` comes with every hook; `secret` is ZLMediaKit's, or the password of MediaMTX's control API for `user`.
    """

    kind: str
    play: str
    control: str
    key: str
    user: str = ""
    secret: str = ""


class Play(Struct, frozen=True):
    """Somebody wants to play. `ticket`: theirs; `session`: the engine's own id; `path`: the stream, as it names it."""

    path: str
    ticket: str
    session: str
    protocol: str
    ip: str


class Session(Struct, frozen=True):
    """Somebody plays; `ticket` where the engine tells it, else "", `where` it is listed."""

    id: str
    ticket: str
    where: str = ""


def listed(data: Path) -> dict[str, Engine]:
    """Return the engines of DATA/keys/engines.toml by name; none without the file. Raises EngineWrong."""
    file = data / FILE
    try:
        tables = tomllib.loads(file.read_text("utf-8"))
    except FileNotFoundError:
        return {}
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise EngineWrong(f"{file}: {error}") from error
    return {name: _engine(file, name, table) for name, table in tables.items()}


def _engine(file: Path, name: str, table: object) -> Engine:
    try:
        made = convert(table, Engine)
    except ValidationError as error:
        raise EngineWrong(f"{file}: [{name}] {error}") from error
    control = urlsplit(made.control)
    fit = made.kind in KINDS and "{camera}" in made.play and control.scheme in ("http", "https") and control.hostname
    if not fit or len(made.key) < 16:
        detail = f"[{name}] wants kind ({', '.join(KINDS)}), play with {{camera}}, control (http), a key of 16 or more"
        raise EngineWrong(f"{file}: {detail}")
    return made


def path_of(engine: Engine, camera: str) -> str:
    """Return how an engine names a camera's stream: the path of its address, without the leading slash."""
    return urlsplit(engine.play.replace("{camera}", quote(camera, safe=""))).path.strip("/")


def address(engine: Engine, camera: str, ticket: str) -> str:
    """Return where somebody plays a camera by a ticket, once."""
    whole = engine.play.replace("{camera}", quote(camera, safe=""))
    return f"{whole}{'&' if '?' in whole else '?'}ticket={ticket}"


# ---- hooks ----


def mediamtx(body: Mapping[str, Any]) -> Play | None:
    """Return who wants to play, None for what is no playing, or cannot be ended again."""
    if body.get("action") != "read" or body.get("protocol") not in ENDED_BY:
        return None
    return _play(body.get("path"), body.get("query"), body.get("id"), body.get("protocol"), body.get("ip"))


def zlmediakit(body: Mapping[str, Any]) -> Play | None:
    """Return who wants to play, None for what makes no sense."""
    app, stream = body.get("app"), body.get("stream")
    if not isinstance(app, str) or not isinstance(stream, str):
        return None
    return _play(f"{app}/{stream}", body.get("params"), body.get("id"), body.get("schema"), body.get("ip"))


def _play(*said: object) -> Play | None:
    if not all(isinstance(one, str) and len(one) <= 4_096 for one in said):
        return None
    path, query, session, protocol, ip = (str(one) for one in said)
    given = parse_qs(query.lstrip("?"), max_num_fields=20).get("ticket", [])
    if len(given) != 1 or not session:
        return None
    return Play(path.strip("/"), given[0], session, protocol, ip)


# ---- control ----


class Control:
    """The control APIs of engines; `transport` for tests alone."""

    def __init__(self) -> None:
        self._client = httpx.AsyncClient(timeout=SECONDS, trust_env=False, follow_redirects=False)

    async def close(self) -> None:
        """Close what is open."""
        await self._client.aclose()

    async def sessions(self, engine: Engine) -> list[Session]:
        """Return who plays. Raises EngineAway."""
        return await (self._mediamtx(engine) if engine.kind == MEDIAMTX else self._zlmediakit(engine))

    async def end(self, engine: Engine, session: Session) -> None:
        """End a session; one that is gone already is no fault. Raises EngineAway."""
        if engine.kind == MEDIAMTX:
            await self._asked(engine, "POST", f"/v3/{session.where}/kick/{quote(session.id)}", gone=True)
        else:
            await self._asked(engine, "GET", "/index/api/kick_session", secret=engine.secret, id=session.id)

    async def _mediamtx(self, engine: Engine) -> list[Session]:
        found = []
        for where in ENDED_BY.values():
            page, pages = 0, 1
            while page < min(pages, PAGES_MOST):
                given = {"itemsPerPage": str(LISTED_MOST), "page": str(page)}
                told = await self._asked(engine, "GET", f"/v3/{where}/list", gone=True, **given)
                for one in told.get("items") or []:
                    tickets = parse_qs(str(one.get("query") or "")).get("ticket", [""])
                    found.append(Session(str(one.get("id")), tickets[0], where))
                page, pages = page + 1, int(told.get("pageCount") or 1)
        return found

    async def _zlmediakit(self, engine: Engine) -> list[Session]:
        told = await self._asked(engine, "GET", "/index/api/getAllSession", secret=engine.secret)
        if told.get("code") != 0:
            raise EngineAway(str(told.get("msg", ""))[:100])
        return [Session(str(one.get("id")), "") for one in told.get("data") or []]

    async def _asked(
        self, engine: Engine, method: str, path: str, *, gone: bool = False, **given: str
    ) -> dict[str, Any]:
        auth = (engine.user, engine.secret) if engine.kind == MEDIAMTX and engine.user else None
        try:
            answer = await self._client.request(method, engine.control.rstrip("/") + path, params=given, auth=auth)
            if gone and answer.status_code == 404:
                return {}
            answer.raise_for_status()
            told = answer.json() if answer.content else {}
        except (httpx.HTTPError, ValueError) as error:
            raise EngineAway(type(error).__name__) from error
        return told if isinstance(told, dict) else {}
