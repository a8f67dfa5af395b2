"""The hub (实时中枢): follows the journal once, draws each channel once, and hands every screen the same frame.

All work on the board happens in one thread of its own, in order; the event loop only publishes and sends. The loop
flushes at once when it was idle, then at most every `PACE` seconds, and what came in between goes out together.
"""

import asyncio
import logging
import uuid
from collections.abc import AsyncIterator, Callable, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from math import inf
from types import ModuleType
from typing import Any, Protocol, TypeVar

import orjson

from config import clock
from config.city import City
from config.words import Words
from dashboard import frame, measures
from dashboard.channel import Channel, Topic
from dashboard.frame import Delta
from dashboard.lens import WIDE
from dashboard.picture import Picture, Touch, Touched
from dashboard.screen import Screen
from dashboard.watch import Tell, Watch
from operations import board as boards
from operations import journal, snapshot
from operations.board import Board
from operations.database import Database
from operations.scope import WHOLE, Scope

log = logging.getLogger(__name__)

PACE = 0.05
PACE_CROWDED = 0.1
CROWDED = 100
"""Screens above which frames go out every `PACE_CROWDED` seconds instead of every `PACE`."""
POLL = 1.0
"""Seconds between looks at the journal when no doorbell rings."""
BEAT = 2.0
PATIENCE = 1.2
"""Seconds the engine has to answer."""
MISSES = 2
"""Answers that come too late, in a row, before it counts as away, asked at once; with `BEAT` it is said within 5 s."""
BATCH = 2_000
MOST_CHANNELS = 256
"""Thirty scopes on three pages in two languages, and lenses; each may keep `channel.RING_BYTES`."""
MOST_LENSES = 32
"""Channels of these that may look through a lens of their own: walls as they come always find room beside them."""
IDLE_CHANNEL = 60.0
"""Seconds a channel without screens is kept, for those that come back."""
SECOND = 1_000_000

T = TypeVar("T")


class Doorbell(Protocol):
    """What the hub needs of the port of `streams`."""

    def doorbell(self) -> AsyncIterator[int]:
        """Yield the journal's seq whenever somebody wrote."""

    async def gauges(self) -> Mapping[str, Any]:
        """Return what is measured and not journaled, by name."""


class Crowded(Exception):
    """The hub has as many channels as it can draw."""


@dataclass
class Drawn:
    """A channel with what draws it."""

    channel: Channel
    picture: Picture
    idle_since: float | None = None


class Hub:
    """One per web process. `board` is written by the hub's thread only; use `ask` to read it."""

    def __init__(
        self,
        database: Database,
        doorbell: Doorbell,
        pages: Mapping[str, Sequence[ModuleType]],
        *,
        city: City,
        walls: Tell = lambda action, wall: None,
        grids: Callable[[], str] = str,
        cameras: Callable[[Scope], str] | None = None,
    ) -> None:
        self._database = database
        self._doorbell = doorbell
        self._pages = pages
        self._city = city
        self._watch = Watch(walls)
        self._grids = grids
        self._cameras = cameras
        self._thread = ThreadPoolExecutor(1, "hub")
        self._bell = asyncio.Event()
        self._tasks: list[asyncio.Task[None]] = []
        self._run = uuid.uuid4().hex[:12]
        self._views: dict[Scope, Board] = {}
        self._drawn: dict[Topic, Drawn] = {}
        self._ended: dict[Topic, int] = {}
        self._gauges: Delta = {}
        self._read_at = 0
        self._measured_at = 0
        self._oldest_at: int | None = None
        self._away_at: int | None = None
        self._missed = 0
        self._epoch = 0
        self.board: Board = Board()
        self.screens: set[Screen] = set()
        self.lag = -1
        self.fault = ""

    # ---- life ----

    async def start(self) -> None:
        """Load the board, see how far it is behind, and follow the journal until `stop`."""
        await self._call(self._load)
        self.lag = await self._call(self._behind)
        self._measured_at = self.board.at  # all that is known until the engine has answered once
        await self._ask_engine()
        self._tasks = [
            asyncio.create_task(task, name=name)
            for name, task in (
                ("follow", self._follow()),
                ("listen", self._listen()),
                ("beat", self._beat()),
                ("gauges", self._measure()),
            )
        ]

    async def stop(self) -> None:
        """End following and tell the screens to come back elsewhere."""
        await ended(self._tasks)
        for screen in list(self.screens):
            screen.closing = 1012
            screen.wake.set()
        self._thread.shutdown(wait=True)

    @property
    def epoch(self) -> str:
        """The journal's epoch and this run of this process: a counter `n` means something only within both."""
        return f"{self._epoch}.{self._run}"

    @property
    def looked_at(self) -> int:
        """When the journal's end was looked at last, in UTC microseconds."""
        return self._read_at

    async def ask(self, question: Callable[[Board], T], scope: Scope = WHOLE) -> T:
        """Return the answer to a question about the board as `scope` sees it, between two entries."""
        return await self._call(lambda: question(self._view(scope)))

    async def _call(self, work: Callable[[], T]) -> T:
        return await asyncio.get_running_loop().run_in_executor(self._thread, work)

    # ---- the journal ----

    def _load(self) -> None:
        self._epoch = journal.head(self._database).epoch
        self.board = snapshot.load(self._database)
        self._views = {WHOLE: self.board}

    def _fold(self) -> dict[Scope, Touched] | None:
        """Fold what is new; return what it touched in each view, or None when there was nothing."""
        now = clock.now()
        entries = journal.read(self._database, self.board.seq, BATCH)
        if len(entries) < BATCH:
            self._read_at = now
        if not entries:
            return None
        touched = {scope: Touch() for scope in self._views}
        for entry in entries:
            change = boards.apply(self.board, entry)
            for scope, view in self._views.items():
                touched[scope].add(change if scope == WHOLE else boards.apply_scoped(view, entry, change))
        return {scope: touch.done() for scope, touch in touched.items()}

    def _view(self, scope: Scope) -> Board:
        if scope not in self._views:
            self._views[scope] = boards.project(self.board, scope)
        return self._views[scope]

    def _behind(self) -> int:
        head = journal.head(self._database)
        if head.epoch != self._epoch or head.seq < self.board.seq:
            self._load()
            return -1
        return int(head.seq - self.board.seq)

    # ---- following ----

    async def _listen(self) -> None:
        while True:
            try:
                async for _ in self._doorbell.doorbell():
                    self._bell.set()
            except Exception as error:  # noqa: BLE001 process edge: the bell is a convenience, the poll below finds every entry
                log.warning("the doorbell is away: %s", error)
            await asyncio.sleep(POLL)

    async def _follow(self) -> None:
        flushed = 0.0
        while True:
            await self._until_something(flushed)
            try:
                await self._flush()
                self._clear_fault()
            except Exception as error:  # noqa: BLE001 process edge: one bad moment must not freeze every wall for good
                self._note_fault(error)
                await asyncio.sleep(POLL)
            flushed = clock.monotonic()

    async def _until_something(self, flushed: float) -> None:
        due = min((drawn.picture.due_in() for drawn in self._drawn.values()), default=POLL)
        with suppress(TimeoutError):
            async with asyncio.timeout(min(due, POLL)):  # wait_for of 3.11 can swallow a cancellation
                await self._bell.wait()
        pause = flushed + self.pace() - clock.monotonic()
        if pause > 0:
            await asyncio.sleep(pause)
        self._bell.clear()

    def pace(self) -> float:
        """Return the least seconds between two frames."""
        return PACE_CROWDED if len(self.screens) > CROWDED else PACE

    async def _flush(self) -> None:
        epoch = self._epoch
        touched, now, more = await self._call(self._advance)
        if self._epoch != epoch:
            self._restart()
        if more:
            self._bell.set()
        for drawn in list(self._drawn.values()):
            await self._draw(drawn, touched.get(drawn.channel.topic.scope, Touched()), now)
        self._forget_idle()

    def _advance(self) -> tuple[dict[Scope, Touched], int, bool]:
        """Fold one batch; return what it touched, the time to draw at, and whether there is more."""
        touched = self._fold()
        self.lag = self._behind() if touched is None or self.lag < 0 else max(self.lag - BATCH, 0)
        measures.SEQ.set(self.board.seq)
        measures.LAG.set(max(self.lag, 0))
        measures.STUCK.set(len(self.board.walls))
        return touched or {}, clock.now(), touched is not None

    async def _draw(self, drawn: Drawn, touched: Touched, now: int) -> None:
        channel, picture = drawn.channel, drawn.picture
        scope = channel.topic.scope
        delta = await self._call(lambda: picture.draw(self._view(scope), now, channel.state, touched))
        if channel.publish(delta | self._age() | self._seen(channel.topic) | (self._gauges if scope.city else {}), now):
            measures.FRAMES.inc()
            for screen in self.screens:
                if screen.channel is channel:
                    screen.wake.set()

    def _age(self) -> Delta:
        """The moment a picture stands for, nothing accepted before it is missing; and since when the engine is away.

        With it which grids are in force, so that maps load their shapes again when others are.

        Scopes hear no more than that of what is measured.
        """
        waiting = self._oldest_at
        as_of = min(self._read_at, self._measured_at, waiting or self._read_at) // SECOND * SECOND
        moments = {"as_of": as_of, "oldest_at": waiting, "engine_away": self._away_at, "grids": self._grids()}
        return {("gauges", name, ""): frame.encode(value) for name, value in moments.items()}

    def _seen(self, topic: Topic) -> Delta:
        """For pages with a map: what changes when a camera within their scope does, so that they ask for them again."""
        if self._cameras is None or not any(getattr(panel, "CAMERAS", False) for panel in self._pages[topic.page]):
            return {}
        return {("gauges", "cameras", ""): frame.encode(self._cameras(topic.scope))}

    def _restart(self) -> None:
        """Another epoch (a restored database): every screen starts again."""
        log.warning("the journal has another epoch: all screens start again")
        self._drawn.clear()
        for screen in self.screens:
            screen.closing = 1012
            screen.wake.set()

    def _note_fault(self, error: Exception) -> None:
        if not self.fault:
            log.exception("the hub cannot follow the journal", exc_info=error)
        self.fault = f"{type(error).__name__}: {error}"

    def _clear_fault(self) -> None:
        if self.fault:
            log.warning("the hub follows the journal again")
        self.fault = ""

    def _forget_idle(self) -> None:
        watched = {screen.channel.topic for screen in self.screens}
        now = clock.monotonic()
        for topic, drawn in list(self._drawn.items()):
            drawn.idle_since = None if topic in watched else drawn.idle_since or now
            if drawn.idle_since is not None and now - drawn.idle_since > IDLE_CHANNEL:
                self._forget(drawn)
        kept = {topic.scope for topic in self._drawn} | {WHOLE}
        for scope in [scope for scope in self._views if scope not in kept]:
            del self._views[scope]

    # ---- beats and gauges ----

    async def _beat(self) -> None:
        while True:
            await asyncio.sleep(BEAT)
            beat = orjson.dumps({"beat": clock.now()}).decode()
            for screen in list(self.screens):
                screen.beat = beat
                screen.wake.set()
            self._watch.look(self.screens, self.board.walls, clock.monotonic())
            if self.lag == 0:
                self._watch.sweep(self.screens, self.board.walls)

    async def _measure(self) -> None:
        while True:
            await asyncio.sleep(0 if 0 < self._missed < MISSES else BEAT)
            await self._ask_engine()

    async def _ask_engine(self) -> None:
        """Take what the engine measures now; one that does not answer is away, and the screens are told."""
        asked_at = clock.now()
        try:
            async with asyncio.timeout(PATIENCE):
                gauges = dict(await self._doorbell.gauges())
        except Exception as error:  # noqa: BLE001 process edge: whatever keeps the engine from answering, it is away
            self._missed += 1
            if self._missed >= MISSES or not isinstance(error, TimeoutError):
                self._note_away(error, asked_at)
            return
        self._missed = 0
        self._oldest_at = (gauges.pop("oldest_at", None) or {}).get("value")
        self._gauges = {("gauges", name, ""): frame.encode(value) for name, value in gauges.items()}
        self._measured_at = asked_at
        if self._away_at is not None:
            log.warning("the engine answers again")
            self._away_at = None
            self._bell.set()

    def _note_away(self, error: Exception, at: int) -> None:
        if self._away_at is None:
            log.warning("the engine is away: %s", str(error) or type(error).__name__)
            self._away_at = at
            self._bell.set()

    # ---- screens ----

    def lensed(self, page: str) -> bool:
        """Return whether a page shows anything through a lens; screens of the others share the default one."""
        return any(getattr(panel, "LENSED", False) for panel in self._pages[page])

    async def join(self, topic: Topic, make: Callable[[Channel], Screen]) -> Screen:
        """Return a new screen on the channel of `topic`, which is drawn now if nobody watched it yet."""
        drawn = self._drawn.get(topic)
        if drawn is None:
            self._make_room(topic)
            picture = Picture(self._pages[topic.page], Words(topic.lang, self._city), topic.lens)
            drawn = self._drawn[topic] = Drawn(Channel(topic, self._ended.pop(topic, 0)), picture)
            await self._draw(drawn, Touched(), clock.now())
        screen = make(drawn.channel)
        self.screens.add(screen)
        measures.SCREENS.set(len(self.screens))
        return screen

    def _make_room(self, topic: Topic) -> None:
        """Let an idle channel go where there are as many as can be drawn; raises Crowded when all are watched."""
        own = [drawn for drawn in self._drawn.values() if drawn.channel.topic.lens != WIDE]
        if topic.lens != WIDE and len(own) >= MOST_LENSES:
            self._let_go(own)
        if len(self._drawn) >= MOST_CHANNELS:
            self._let_go(list(self._drawn.values()))

    def _let_go(self, channels: list[Drawn]) -> None:
        watched = {screen.channel.topic for screen in self.screens}
        idle = [one for one in channels if one.channel.newest and one.channel.topic not in watched]
        if not idle:
            raise Crowded
        self._forget(min(idle, key=lambda one: one.idle_since or inf))

    def _forget(self, drawn: Drawn) -> None:
        """Forget a channel but for its counter, so that screens that come back see a gap."""
        self._ended[drawn.channel.topic] = drawn.channel.n
        del self._drawn[drawn.channel.topic]

    def leave(self, screen: Screen) -> None:
        """Forget a screen that has gone."""
        self.screens.discard(screen)
        self._watch.left(screen, self.screens, self.board.walls)
        measures.SCREENS.set(len(self.screens))
        measures.SKIPPED.inc(screen.skipped)

    def costs(self) -> dict[str, dict[str, float]]:
        """Return the rendering cost in seconds of each panel, by channel."""
        return {f"{topic.page}/{topic.lang}": drawn.picture.costs() for topic, drawn in self._drawn.items()}


async def ended(tasks: Iterable[asyncio.Task[None]]) -> None:
    """Cancel tasks until they have ended; a library may swallow the first cancellation."""
    pending = set(tasks)
    while pending:
        for task in pending:
            task.cancel()
        _, pending = await asyncio.wait(pending, timeout=1.0)


def changed_since(at: int) -> Callable[[Board], int]:
    """Return the question how many incidents changed after `at` (UTC microseconds)."""

    def question(board: Board) -> int:
        incidents: Iterable[Any] = board.incidents.values()
        return sum(incident.updated_at > at for incident in incidents)

    return question
