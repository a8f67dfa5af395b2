"""The engine's clients: whoever serves until it is cancelled ends when it is cancelled."""

import asyncio
from collections.abc import Iterable

import pytest
from redis.asyncio.connection import AbstractConnection

from streams import engine

pytestmark = pytest.mark.stream


def test_a_cancellation_just_as_a_command_was_sent_is_not_lost(valkey: str, monkeypatch: pytest.MonkeyPatch) -> None:
    sent = AbstractConnection._send_packed_command

    async def serve() -> None:
        async with engine.connect(valkey) as client:
            await client.ping()
            serving = asyncio.current_task()
            assert serving is not None

            async def sent_and_cancelled(self: AbstractConnection, command: Iterable[bytes]) -> None:
                await sent(self, command)
                serving.cancel()

            monkeypatch.setattr(AbstractConnection, "_send_packed_command", sent_and_cancelled)
            await client.ping()
            raise AssertionError("it would have served for ever")

    with pytest.raises(asyncio.CancelledError):
        asyncio.run(serve())
