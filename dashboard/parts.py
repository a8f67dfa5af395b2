"""What the routes of a web process share."""

from dataclasses import dataclass
from typing import Annotated

from fastapi import Depends, Request
from starlette.requests import HTTPConnection

from config.settings import Settings
from dashboard.actions import Actions
from dashboard.area import Areas
from dashboard.cameramap import Cameramap
from dashboard.clipbook import Clipbook
from dashboard.enginebook import Enginebook
from dashboard.gate import Gate
from dashboard.live import Hub
from dashboard.lookbook import Lookbook
from dashboard.own import Own
from dashboard.provider import Provider
from dashboard.senders import Senders
from dashboard.snapshotbook import Snapshotbook
from dashboard.standing import Standing
from dashboard.tiles import Tiles
from dashboard.trail import Trail
from dashboard.wallpictures import Wallpictures
from operations.database import Database
from operations.policy import Identity
from streams.port import Port
from streams.warnings import Warnings


@dataclass(frozen=True)
class Parts:
    """Made once by `dashboard.server`, found by routes in `app.state.parts`."""

    settings: Settings
    database: Database
    port: Port
    senders: Senders
    gate: Gate
    standing: Standing
    hub: Hub
    areas: Areas
    tiles: Tiles
    actions: Actions
    warnings: Warnings
    trail: Trail
    provider: Provider
    own: Own
    lookbook: Lookbook
    cameras: Cameramap
    snapshots: Snapshotbook
    clips: Clipbook
    wallpictures: Wallpictures
    enginebook: Enginebook
    version: str


def parts(connection: HTTPConnection) -> Parts:
    """Return the parts of the application that serves this request."""
    found: Parts = connection.app.state.parts
    return found


def asker(request: Request) -> Identity:
    """Return who sent the request, as the access middleware found it."""
    found: Identity = request.scope["state"]["identity"]
    return found


async def _parts(connection: HTTPConnection) -> Parts:
    """The same for FastAPI, which would send a plain function to a thread."""
    return parts(connection)


async def _asker(request: Request) -> Identity:
    return asker(request)


Shared = Annotated[Parts, Depends(_parts)]
Asker = Annotated[Identity, Depends(_asker)]
