"""The Dash pages (页面): one Dash application for each page and language, routed by path.

Dash 4.4 runs here on its FastAPI backend, one small FastAPI each, so two pages can never mix their callbacks and a
language needs no request to be known. `/wall` is shown by the application that lives under `/wall/zh/` or `/wall/en/`.
"""

import asyncio
import html
import logging
import threading
from collections.abc import Callable, Mapping, Sequence
from contextvars import copy_context
from types import ModuleType
from typing import Any

import orjson
from dash import Dash
from dash import html as tags
from dash.backends._fastapi import FastAPIDashServer
from dash.exceptions import DependencyException, PreventUpdate
from fastapi import FastAPI, Request, Response

from config.city import City
from config.settings import ROOT
from config.words import LANGUAGES, Words, choose
from dashboard.answers import TROUBLES, refusal
from dashboard.asgi import ASGI, Message, Receive, Send, address, cookies, query, respond
from dashboard.signin import refused_page
from operations import audit, policy
from operations.errors import DatabaseTrouble
from operations.policy import Identity

log = logging.getLogger(__name__)

TEMPLATE = """<!DOCTYPE html>
<html lang="{language}" data-page="{page}" data-lang="{lang}" data-version="{version}" data-link="stale">
<head>
<meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
{{%metas%}}<title>{{%title%}}</title><link rel="icon" href="/assets/icon.svg" type="image/svg+xml">{{%css%}}
<script type="application/json" id="gridwall-words">{words}</script>
</head>
<body>{{%app_entry%}}<footer>{{%config%}}{{%scripts%}}{{%renderer%}}</footer></body>
</html>"""
LANGUAGE_TAGS = {"zh": "zh-CN", "en": "en"}
LANGUAGE_SECONDS = 365 * 86_400
"""How long a browser remembers the language that was asked for."""


class Backend(FastAPIDashServer):  # type: ignore[misc]  # Dash ships no types for its backends
    """Dash's FastAPI backend, with callbacks in threads and assets left to the server that holds all pages."""

    websocket_capability = False  # Dash's own socket stays closed: our channel resumes, its does not

    @staticmethod
    def create_app(name: str = "__main__", config: dict[str, Any] | None = None) -> FastAPI:
        """Return a FastAPI that publishes no description of itself."""
        return FastAPI(openapi_url=None, docs_url=None, redoc_url=None)

    def register_assets_blueprint(self, blueprint_name: str, assets_url_path: str, assets_folder: str) -> None:
        """Leave the assets to `/assets`, one copy for all pages."""

    def serve_callback(self, dash_app: Dash) -> Callable[[Request], Any]:
        """Return the callback route; Dash would run a plain function on the event loop and hold up every screen."""

        async def dispatch(request: Request) -> Any:
            body = self.request_adapter().get_json()
            if not isinstance(body, dict):
                return Response(status_code=400)
            if (refused := withheld(dash_app, body, request)) is not None:
                return refused
            try:
                return await called(dash_app, body)
            except (PreventUpdate, DatabaseTrouble):
                raise  # each has an answer of its own
            except Exception:  # process edge: Dash answers 500 and tells nobody why
                log.exception("the callback for %s failed", body["output"])
                raise

        return dispatch


FOLLOWING = frozenset({"source-chosen.data", "source-pulse.data", "source-done.children", "form-mode.data"})
"""What changes when a page of several roles shows something else; its other panels then ask by themselves."""


def acted(body: Mapping[str, Any]) -> bool:
    """Say whether a person asked for this callback, rather than the page for what it would show."""
    changed = body.get("changedPropIds")
    return not isinstance(changed, list) or not FOLLOWING.issuperset(map(str, changed))


def withheld(dash_app: Dash, body: Mapping[str, Any], request: Request) -> Response | None:
    """Return the answer to who may not call a callback, the same as for one that is not there; None: they may.

    What a shared page asks for by itself stays empty for them, and is no refusal that anybody has to look into.
    """
    output = str(body.get("output"))
    identity: Identity = request.scope.get("state", {}).get("identity", policy.ANONYMOUS)
    there = "callback" in dash_app.callback_map.get(output, {})
    wanted = policy.actions_for(dash_app.page, output) if there else None
    missing = [None] if wanted is None else [action for action in wanted if not policy.allowed(identity, action)]
    if not missing:
        return None
    locked = all(action is not None and policy.locked_out(identity, action) for action in missing)
    if wanted is not None and not locked and not acted(body):
        return Response(status_code=204)
    if dash_app.note is not None and acted(body):
        reason = "locked" if locked else "unknown" if wanted is None else "forbidden"
        dash_app.note(audit.refused(identity, "POST", request.scope.get("path", ""), reason, address(request.scope)))
    return refusal(423, "access.locked") if locked else refusal(403, "refused.callback")


async def called(dash_app: Dash, body: dict[str, Any]) -> Any:
    """Run the callback that `body` asks for in a thread and return its response."""
    context = dash_app._initialize_context(body)
    function = dash_app._prepare_callback(context, body)
    values = dash_app._inputs_to_vals(context.inputs_list + context.states_list)
    call = dash_app._execute_callback(function, values, context.outputs_list, context)
    data = await asyncio.to_thread(copy_context().run, call)
    if asyncio.iscoroutine(data):
        data = await data
    return context.dash_response.set_response(data=data)


class Pages:
    """ASGI application of all Dash pages, each built when it is first asked for.

    `hashes` are those of the inline scripts of the pages there are, for the security policy.
    """

    def __init__(
        self, pages: Mapping[str, Sequence[ModuleType]], city: City, actions: object, version: str = ""
    ) -> None:
        self._panels, self._city, self._actions, self._version = pages, city, actions, version
        self._apps: dict[tuple[str, str], Dash] = {}
        self._building = threading.Lock()  # Dash keeps a page's callbacks in one list until its server is set up
        self.names = frozenset(pages)
        self.hashes: frozenset[str] = frozenset()

    def holds(self, path: str) -> bool:
        """Return whether `path` belongs to a page."""
        return path.strip("/").partition("/")[0] in self.names

    def app(self, page: str, lang: str) -> Dash:
        """Return the Dash application of one page in one language."""
        with self._building:
            if (page, lang) not in self._apps:
                words = Words(lang, self._city)
                built = build(page, words, self._panels[page], self._actions, self._version)
                self.hashes |= frozenset(built.csp_hashes())
                self._apps[page, lang] = built
        return self._apps[page, lang]

    async def __call__(self, scope: dict[str, Any], receive: Receive, send: Send) -> None:
        """Hand the request to the application of its page and language; to an address without one answer 404."""
        page, _, rest = scope["path"].strip("/").partition("/")
        lang, _, inner = rest.partition("/")
        if not rest:
            lang = language(scope)
            send = remembering(scope, send)
        elif lang not in LANGUAGES or (inner and not inner.startswith("_")):  # Dash's own addresses begin with "_"
            await not_found(send, lang if lang in LANGUAGES else language(scope))
            return
        if not inner:
            scope = {**scope, "path": f"/{page}/{lang}/"}
        if (page, lang) not in self._apps:
            await asyncio.to_thread(self.app, page, lang)
        served: ASGI = self._apps[page, lang].server
        await served(scope, receive, send)


def build(page: str, words: Words, panels: Sequence[ModuleType], actions: object, version: str = "") -> Dash:
    """Return the Dash application of one page in one language, its callbacks registered."""
    lang = words.lang
    app = Dash(
        f"gridwall.{page}.{lang}",
        backend=Backend,
        title=f"{words.text('page.' + page)} · {words.text('signin.product')}",
        update_title="",
        requests_pathname_prefix=f"/{page}/{lang}/",
        routes_pathname_prefix=f"/{page}/{lang}/",
        assets_folder=str(ROOT / "assets"),
        assets_external_path="/",
        serve_locally=True,
        add_log_handler=False,
        suppress_callback_exceptions=True,
        index_string=index(page, words, version),
    )
    app.words, app.page = words, page
    trail = getattr(actions, "trail", None)
    app.note = None if trail is None else trail.note
    app.layout = tags.Main([panel.layout(words) for panel in panels], id="page", className=f"page {page}")
    for panel in panels:
        if hasattr(panel, "register"):
            panel.register(app, actions)
    for trouble, answer in {**TROUBLES, DependencyException: no_library}.items():
        app.server.add_exception_handler(trouble, answer)
    app._setup_server()
    return app


async def no_library(request: Request, error: Exception) -> Response:
    """Return the 404 for a script that no page loads."""
    return refusal(404, "refused.not_found")


def index(page: str, words: Words, version: str = "") -> str:
    """Return the page's frame for Dash to fill, with the texts that the browser code says and that code's version."""
    said = words.under("live") | words.under("common.ago")
    texts = orjson.dumps(said).decode().replace("<", "\\u003c")
    tag = LANGUAGE_TAGS[words.lang]
    return TEMPLATE.format(language=tag, page=html.escape(page), lang=words.lang, version=version, words=texts)


async def not_found(send: Send, lang: str) -> None:
    """Answer 404 with a page that says so."""
    words = Words(lang)
    body = refused_page(words, words.text("refused.not_found")).encode()
    await respond(send, 404, body, [(b"content-type", b"text/html; charset=utf-8")])


def language(scope: Mapping[str, Any]) -> str:
    """Return the language a request asks for: `?lang=`, else the cookie `lang`, else Chinese."""
    return choose(query(scope).get("lang") or cookies(scope).get("lang"))


def language_cookie(scope: Mapping[str, Any]) -> str:
    """Return the cookie that keeps the language a request asks for; it is no secret."""
    return f"lang={language(scope)}; Path=/; Max-Age={LANGUAGE_SECONDS}; HttpOnly; SameSite=lax"


def remembering(scope: Mapping[str, Any], send: Send) -> Send:
    """Return `send` that has the browser keep the language, if the request asked for one by `?lang=`."""
    if "lang" not in query(scope):
        return send

    async def sending(message: Message) -> None:
        if message["type"] == "http.response.start":
            message["headers"] = [*message.get("headers", []), (b"set-cookie", language_cookie(scope).encode())]
        await send(message)

    return sending
