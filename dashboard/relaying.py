"""The role `relay`: the relay's process, and how it and the pages find a camera's streams and place."""

import asyncio
import signal
import ssl
from collections.abc import Mapping
from contextlib import closing
from pathlib import Path

import uvloop

from config.settings import Settings
from operations import journal
from operations.cameras import reading
from operations.database import Database
from operations.errors import DatabaseTrouble
from operations.grants import rows as grants
from operations.looks import Whereabouts
from streams.source_secrets import SourceSecrets
from streams.video import relay
from streams.video.address import StreamSource
from streams.video.errors import CameraAway
from streams.video.guard import Leave
from streams.video.listed import StreamList

LISTED = Path("keys") / "streams.toml"
TRUSTED = Path("keys") / "cameras.crt"
"""Certificates of cameras and media servers that no public authority signed."""


class Cameras:
    """What the live picture asks of the catalogue, and of the streams listed by hand.

    A list's addresses count before the catalogue's, which may be a media server in front of the camera; where a camera
    is, the catalogue knows. User and password lie in DATA/keys/cameras, one file a camera: `user:password`.
    """

    def __init__(self, data: Path, database: Database) -> None:
        self._listed = StreamList(data / LISTED)
        self._secrets = SourceSecrets(data / "keys", "cameras")
        self._database = database
        self._heard = -1

    def source(self, camera: str) -> StreamSource | None:
        """Return how a camera's pictures are had. Raises CameraAway while the catalogue cannot be asked."""
        if (listed := self._listed.get(camera)) is not None:
            return listed.source
        try:
            with self._database.read() as connection:
                found = reading.addresses(connection, camera)
        except DatabaseTrouble as error:
            raise CameraAway("the catalogue of cameras cannot be asked now") from error
        if found is None or not any(found):
            return None
        username, _, password = self._secrets.get(camera).partition(":")
        return StreamSource(*found, username, password)

    def leaves(self) -> Mapping[str, Leave] | None:
        """Return the grants in force, None when nothing was written since the last question. Raises CameraAway."""
        try:
            with self._database.read() as connection:
                seq = journal.head_on(connection).seq
                if seq == self._heard:
                    return None
                found = grants.living(connection)
        except DatabaseTrouble as error:
            raise CameraAway("the grants cannot be asked now") from error
        self._heard = seq
        return {one.id: Leave(one.from_at, one.until_at, frozenset(one.cameras)) for one in found}

    def place(self, camera: str) -> Whereabouts | None:
        """Return where a camera is and whose it is. Raises DatabaseTrouble."""
        with self._database.read() as connection:
            found = reading.whereabouts(connection, camera)
        if found is None and (listed := self._listed.get(camera)) is not None:
            return Whereabouts(listed.chain, listed.department)
        return found


def main(settings: Settings) -> None:
    """Relay until told to stop."""
    with closing(Database(settings.database_url)) as database:
        uvloop.run(_run(settings.data, Cameras(settings.data, database)))


async def _run(data: Path, cameras: Cameras) -> None:
    over = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, over.set)
    await relay.serve(relay.place(data), cameras.source, _trust(data), over, cameras.leaves)


def _trust(data: Path) -> ssl.SSLContext:
    """Public authorities, and those certificates that lie with the keys."""
    trust = ssl.create_default_context()
    if (data / TRUSTED).is_file():
        trust.load_verify_locations(data / TRUSTED)
    return trust
