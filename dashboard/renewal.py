"""A renewed or imported certificate is served without a restart: its file is looked at once a minute."""

import asyncio
import logging
import ssl
from pathlib import Path

from config import certificate

LOOK_SECONDS = 60.0

log = logging.getLogger(__name__)


async def follow(context: ssl.SSLContext, data: Path) -> None:
    """Load the certificate again whenever its file is another one, until cancelled."""
    file = data / "keys" / "tls.crt"
    served = _mark(file)
    while True:
        await asyncio.sleep(LOOK_SECONDS)
        found = _mark(file)
        if found != served:
            try:
                certificate.load(context, data)
            except (ssl.SSLError, OSError) as error:  # between two files, or a spoilt one: the old one is still served
                log.error("the new certificate cannot be loaded: %s", error)
                continue
            served = found
            log.info("a new certificate is served")


def _mark(file: Path) -> tuple[int, int]:
    try:
        told = file.stat()
    except OSError:
        return (0, 0)
    return told.st_ino, told.st_mtime_ns
