"""What pages ask of the board from their threads: a server that does not answer in time is said, not thrown."""

import asyncio
from typing import Any

import pytest

from config.words import LANGUAGES, Words
from dashboard import access, actions
from dashboard.actions import Actions, Slow
from operations.policy import SYSTEM


async def test_a_server_that_does_not_answer_in_time_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    never = asyncio.Event()

    async def unanswered(*_: object) -> Any:
        await never.wait()

    made = Actions.__new__(Actions)
    made._loop, made._ask = asyncio.get_running_loop(), unanswered
    monkeypatch.setattr(actions, "WAIT_SECONDS", 0.01)
    monkeypatch.setattr(access, "current", lambda: SYSTEM)
    with pytest.raises(Slow) as slow:
        await asyncio.to_thread(made.ask, lambda board: board)
    never.set()
    assert all(slow.value.code in Words(lang) for lang in LANGUAGES)
