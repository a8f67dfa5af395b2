"""The web process (网页进程): one ASGI application of API, pages and the live channel, behind one gate."""

import asyncio
import hashlib
import logging
import socket
import ssl
from functools import partial
from pathlib import Path

import uvicorn
from fastapi import FastAPI
from starlette.staticfiles import StaticFiles
from starlette.websockets import WebSocket

from config import certificate, clock, collector
from config.city import City
from config.settings import ROOT, Settings, oidc_secret
from config.tickets import Tickets
from dashboard import (
    api,
    api_attachments,
    api_cameras,
    api_engines,
    api_reports,
    api_tiles,
    api_uploads,
    discretion,
    door,
    idle,
    oidc,
    pairing,
    renewal,
    stages,
    video,
)
from dashboard.access import Access
from dashboard.accessbook import Accessbook
from dashboard.accountbook import Accountbook
from dashboard.actions import Actions
from dashboard.answers import TROUBLES
from dashboard.area import Areas
from dashboard.asgi import ASGI, Receive, Scope, Send
from dashboard.auditbook import Auditbook
from dashboard.camerabook import Camerabook
from dashboard.cameramap import Cameramap
from dashboard.catalogue import Catalogue
from dashboard.clipbook import Clipbook
from dashboard.contactbook import Contactbook
from dashboard.coveragebook import Coveragebook
from dashboard.departmentbook import Departmentbook
from dashboard.directory import Directory
from dashboard.enginebook import Enginebook
from dashboard.enlistbook import Enlistbook
from dashboard.evidencebook import Evidencebook
from dashboard.filebook import Filebook
from dashboard.gate import PATIENCE_SECONDS, Gate
from dashboard.gridbook import Gridbook
from dashboard.gridcard import Gridcards
from dashboard.inventory import Inventory
from dashboard.ledgerbook import Ledgerbook
from dashboard.limits import Limits
from dashboard.live import Hub
from dashboard.lookbook import Lookbook
from dashboard.lookers import Lookers
from dashboard.mapbook import Mapbook
from dashboard.masking import Masking
from dashboard.outletbook import Outletbook
from dashboard.own import own
from dashboard.pages import Pages
from dashboard.panels import PAGES
from dashboard.parts import Parts
from dashboard.platformbook import Platformbook
from dashboard.provider import Provider
from dashboard.quarantine import Quarantine
from dashboard.ratebook import Ratebook
from dashboard.relaying import Cameras
from dashboard.repairs import Repairs
from dashboard.searchbook import Searchbook
from dashboard.senders import Senders
from dashboard.shiftbook import Shiftbook
from dashboard.snapshotbook import Snapshotbook
from dashboard.socket import Live
from dashboard.standing import Standing
from dashboard.tiles import Tiles
from dashboard.tokenbook import Tokenbook
from dashboard.trail import trail
from dashboard.viewbook import Viewbook
from dashboard.wallbook import Wallbook
from dashboard.wallpictures import Wallpictures
from operations import deadlines, policy, walls
from operations.attachments import Attachments
from operations.attachments import Limits as Bounds
from operations.commands import Commands
from operations.database import Database
from operations.media import KINDS, MEBI
from operations.orders.calling import Calls
from operations.orders.dispatch import Orders
from operations.policy import Identity
from operations.rules import Rules
from operations.seal import KeyStore
from operations.shelf import Shelf
from operations.upward import Reports
from streams.item import LARGEST_REQUEST
from streams.port import Port
from streams.source_secrets import SourceSecrets
from streams.ticket_keeping import rules_of
from streams.video import engines, relay
from streams.video.port import RelayPort
from streams.warnings import Warnings

log = logging.getLogger(__name__)

BACKLOG = 2_048
GRACE_SECONDS = 5
LARGEST_MESSAGE = LARGEST_REQUEST + 65_536
"""Bytes of one WebSocket message: a whole request of reports and its envelope."""


class Server:
    """The whole application. It does not hand on lifespan: Dash would then answer every unknown path with a page."""

    def __init__(self, settings: Settings) -> None:
        database = Database(settings.database_url)
        port = Port(settings)
        keys = KeyStore(settings.data / "keys")
        database.snapshot_key = keys.snapshot_key()
        senders = Senders(database, settings, port.intake)
        areas = Areas(database, settings.data / "cache")
        times = deadlines.of(settings.zone)
        commands = Commands(database, keys, port.ring, locate=areas.located, zone=settings.zone, deadlines=times)
        warnings = Warnings(database, port.intake, clock.now, port.ring)
        quarantine = Quarantine(database, keys, port.ring, port.intake, warnings)
        directory = Directory(database, port, SourceSecrets(settings.data / "keys"))
        gridbook = Gridbook(database, port.ring, settings)
        filebook = Filebook(database, port.ring, port.intake, settings.data / "uploads", lambda: areas.current)
        notes = trail(database, port.ring)
        code = version()
        self._wallbook = Wallbook(
            database, port.ring, screens=lambda: hub.screens, area=lambda: areas.current, version=code
        )
        rules = Rules.of(settings)
        mine = own(database, keys, rules, settings.session_hours, port.ring)
        city = City.of(settings)
        orders = Orders(database, keys, port.ring, zone=city.zone, county=settings.county_code, deadlines=times)
        contacts = Contactbook(database, port.ring, lambda: areas.current, settings.data / "uploads", city.zone)
        ticketed = partial(rules_of, Tickets.load(), demo=settings.demo)
        accessbook = Accessbook(database, port.ring, settings, notes)
        evidencebook = Evidencebook(database, keys, notes, settings.city_name, port.ring)
        actions = Actions(
            commands,
            orders,
            Attachments(database, keys, Shelf(settings.data / "attachments"), commands, attached(settings), port.ring),
            Reports(database, keys, port.ring, zone=city.zone),
            desk=senders.register,
            quarantine=quarantine,
            directory=directory,
            gridbook=gridbook,
            ledgerbook=Ledgerbook(database, port.ring, settings),
            filebook=filebook,
            mapbook=Mapbook(database, port.ring, port.shelf, settings.data / "sources"),
            repairs=Repairs(database, keys, port.ring, port.intake),
            gridcards=Gridcards(database, port.ring, settings.data / "uploads"),
            accounts=Accountbook(database, keys, port.ring, Rules.of(settings)),
            inventory=Inventory(settings, database),
            departments=Departmentbook(database, port.ring),
            contacts=contacts,
            search=Searchbook(database, keys, port.ring, contacts.directory, lambda: areas.current),
            enlistbook=Enlistbook(
                database,
                port.ring,
                settings.data / "uploads",
                lambda: areas.current,
                City.of(settings),
                Rules.of(settings),
            ),
            tokens=Tokenbook(database, port.ring),
            area=lambda: areas.current,
            located=areas.located,
            time_zone=settings.city_time_zone,
            trail=notes,
            wallbook=self._wallbook,
            camerabook=Camerabook(database),
            lookers=Lookers(database, notes, port.ring),
            accessbook=accessbook,
            evidencebook=evidencebook,
            catalogue=Catalogue(database, port.ring, areas.located, port.last_position),
            auditbook=Auditbook(
                database,
                keys,
                settings.data / "heads.jsonl",
                notes,
                port.ring,
                Path(settings.heads_copy) if settings.heads_copy else None,
            ),
            own=mine,
            outlets=Outletbook(database, port.ring, settings.data / "keys"),
            calls=Calls(database, orders),
            views=Viewbook(database, port.ring),
            coverage=Coveragebook(database, lambda: areas.current, notes),
            rates=Ratebook(database, lambda: areas.current, notes, ticketed),
            platforms=Platformbook(database, port.ring, settings.data / "keys", settings.redis_url),
            shifts=Shiftbook(database, keys, port.ring, zone=city.zone, area=lambda: areas.current),
        )
        cameras = Cameramap(database)
        hub = Hub(database, port, PAGES, city=City.of(settings), walls=self._tell, grids=areas.key, cameras=cameras.key)
        gate = Gate(Database(settings.database_url, busy_timeout_s=PATIENCE_SECONDS), rules.idle)
        tiles = Tiles(settings.base_map, settings.data, lambda path: clock.now() / 1e6 - path.stat().st_mtime)
        standing = Standing(gate.standing)
        where = Cameras(settings.data, database).place
        self._relay = RelayPort(relay.place(settings.data))
        self._masking = Masking(database, self._relay, city)
        lookbook = Lookbook(database, keys.snapshot_key(), where, port.ring, accessbook.admission)
        provider = Provider(settings, lambda: oidc_secret(settings.data))
        self.parts = Parts(
            settings,
            database,
            port,
            senders,
            gate,
            standing,
            hub,
            areas,
            tiles,
            actions,
            warnings,
            notes,
            provider,
            mine,
            lookbook,
            cameras,
            Snapshotbook(database, self._relay, self._masking, lookbook, evidencebook, city.zone, port.ring),
            Clipbook(database, self._relay, self._masking, lookbook, standing, evidencebook, city.zone, port.ring),
            Wallpictures(actions.camerabook, hub.ask, discretion.shown(settings)),
            Enginebook(database, lookbook, engines.listed(settings.data), accessbook.limits),
            code,
        )
        self.pages = Pages(PAGES, City.of(settings), actions, code)
        self.app = self._application()
        self._reports = api_reports.Reports(self.parts)
        self._served: ASGI = Access(
            self._route,
            self.parts.gate,
            scripts=lambda: self.pages.hashes,
            note=notes.note,
            limits=Limits(port.attempts),
        )
        self._telling: set[asyncio.Task[None]] = set()
        self._in_turn = asyncio.Lock()
        self._following: list[asyncio.Task[None]] = []
        self.tls: ssl.SSLContext | None = None
        """What handshakes are answered with; None where somebody else does that, or nobody."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one connection, or start and stop with the server."""
        if scope["type"] == "lifespan":
            await lifespan(self, receive, send)
        else:
            await self._served(scope, receive, send)

    async def _route(self, scope: Scope, receive: Receive, send: Send) -> None:
        served: ASGI = self.app
        if scope["type"] == "http":
            if scope["path"] == api_reports.PATH:  # the gate lets nothing but POST come here
                served = self._reports
            elif self.pages.holds(scope["path"]) and scope["path"] != pairing.ROTATE:
                served = self.pages
        await served(scope, receive, send)

    def _application(self) -> FastAPI:
        app = FastAPI(title="Gridwall", openapi_url=None, docs_url=None, redoc_url=None)
        app.state.parts = self.parts
        for trouble, answer in TROUBLES.items():
            app.add_exception_handler(trouble, answer)
        api.mount(app)
        for router in (door.router, stages.router, idle.router, pairing.router, oidc.router):
            app.include_router(router)
        app.include_router(api_uploads.router)
        app.include_router(api_tiles.router)
        app.include_router(api_cameras.router)
        app.include_router(api_attachments.router)
        app.include_router(video.router)
        app.include_router(api_engines.router)
        live = Live(
            self.parts.hub,
            version=self.parts.version,
            standing=self.parts.standing,
            may_watch=may_watch,
            shown=discretion.shown(self.parts.settings),
        )

        @app.websocket("/live")
        async def channel(socket: WebSocket) -> None:
            await live(socket)

        pictures = video.Video(self.parts.lookbook, self._masking, self.parts.standing, City.of(self.parts.settings))

        @app.websocket("/video/{camera}")
        async def picture(socket: WebSocket) -> None:
            await pictures(socket)

        app.mount("/assets", StaticFiles(directory=ROOT / "assets"), name="assets")
        return app

    async def start(self) -> None:
        """Start following the journal, the doorbell and the grids."""
        self.parts.actions.started(self.parts.hub.ask)
        self.parts.trail.start()
        await self.parts.areas.start()
        await self.parts.cameras.start()
        following = self.parts.port.shelf.follow(self.parts.database)
        departments = self.parts.actions.departments.follow()
        self._following = [
            asyncio.create_task(following, name="mappings"),
            asyncio.create_task(departments, name="departments"),
            asyncio.create_task(self._wallbook.keep(), name="walls"),
        ]
        if self.tls is not None:
            renewing = renewal.follow(self.tls, self.parts.settings.data)
            self._following.append(asyncio.create_task(renewing, name="certificate"))
        await self.parts.hub.start()
        self.parts.standing.start()
        self.parts.lookbook.start()
        self.parts.enginebook.start()

    async def stop(self) -> None:
        """Let what is under way finish."""
        for task in self._following:
            task.cancel()
        self.parts.standing.stop()
        await self.parts.enginebook.stop()
        await self.parts.lookbook.stop()
        await self._masking.stop()
        await self.parts.hub.stop()
        await self.parts.areas.stop()
        await self.parts.cameras.stop()
        await self.parts.tiles.close()
        await asyncio.gather(*self._telling, return_exceptions=True)
        await asyncio.to_thread(self.parts.trail.stop)
        await self.parts.port.close()
        await self.parts.gate.close()
        self.parts.database.close()

    def _tell(self, action: str, wall: str) -> None:
        """Write a wall's trouble into the journal, beside the loop and in turn; what cannot be written is logged."""
        log.warning("%s: %s", action, wall)
        task = asyncio.create_task(self._mark(action, wall))
        self._telling.add(task)
        task.add_done_callback(self._told)

    async def _mark(self, action: str, wall: str) -> None:
        database, ring = self.parts.database, self.parts.port.ring
        async with self._in_turn:
            await asyncio.to_thread(walls.mark, database, wall, action, now=clock.now(), after_commit=ring)

    def _told(self, task: asyncio.Task[None]) -> None:
        self._telling.discard(task)
        if not task.cancelled() and task.exception() is not None:
            log.error("a wall's trouble could not be written: %s", task.exception())


def attached(settings: Settings) -> Bounds:
    """Return how large and how many attachments may be, by the settings."""
    by_kind = {kind: getattr(settings, f"attachment_{kind}_mb") * MEBI for kind in KINDS}
    return Bounds(by_kind, settings.attachments_most, settings.attachment_place)


def may_watch(identity: Identity, page: str) -> bool:
    """Say whether an identity may watch a page's channel."""
    return page in PAGES and policy.allowed(identity, policy.PAGES.get(page, ""))


def version() -> str:
    """Return what changes whenever browsers must load their code again: a digest of assets and panels."""
    total = hashlib.sha256()
    files = [path for folder in ("assets", "dashboard") for path in (ROOT / folder).rglob("*") if path.is_file()]
    for path in sorted(path for path in files if path.suffix in (".py", ".js", ".css")):
        total.update(path.relative_to(ROOT).as_posix().encode() + b"\0" + path.read_bytes())
    return total.hexdigest()[:12]


async def lifespan(server: Server, receive: Receive, send: Send) -> None:
    """Answer the ASGI lifespan messages."""
    await receive()
    try:
        await server.start()
    except Exception as error:  # process edge: uvicorn is told why the start failed
        log.exception("the web process cannot start")
        await send({"type": "lifespan.startup.failed", "message": str(error)})
        raise
    await send({"type": "lifespan.startup.complete"})
    await receive()
    await server.stop()
    await send({"type": "lifespan.shutdown.complete"})


def create(settings: Settings) -> Server:
    """Return the ASGI application."""
    return Server(settings)


def main(settings: Settings) -> None:
    """Serve until told to stop."""
    config = configured(create(settings), settings)
    collector.settle()
    uvicorn.Server(config).run(sockets=[listening(settings)])


def configured(server: Server, settings: Settings) -> uvicorn.Config:
    """Return how it is served: over TLS where the settings say so, a proxy believed only where one was named."""
    config = uvicorn.Config(
        server,
        loop="uvloop",
        http="httptools",
        ws="websockets-sansio",
        ws_per_message_deflate=False,
        ws_max_size=LARGEST_MESSAGE,
        server_header=False,
        access_log=False,
        log_level="warning",
        timeout_graceful_shutdown=GRACE_SECONDS,
        proxy_headers=settings.tls == "proxy",
        forwarded_allow_ips=settings.proxies,
    )
    if settings.https:
        certificate.ready(settings, clock.now())
        config.load()
        config.ssl = server.tls = certificate.serving(settings.data)
    return config


def listening(settings: Settings) -> socket.socket:
    """Return the socket to accept on; several web processes share its port, the kernel deals the connections out."""
    family = socket.AF_INET6 if ":" in settings.host else socket.AF_INET
    made = socket.socket(family, socket.SOCK_STREAM)
    made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    if settings.web_processes > 1:
        made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
    made.bind((settings.host, settings.port))
    made.listen(BACKLOG)
    made.set_inheritable(False)
    return made
