"""Surveys 网格检查 of uploaded files: each runs in a process of its own beside the file, and is asked how far it is."""

import os
import shutil
import signal
import subprocess
import sys
import threading
from collections import OrderedDict
from pathlib import Path
from typing import Any

import msgspec
import shapely

from config.settings import ROOT, child_environment
from geo import survey
from geo.importing import PHASES, Imported
from geo.neighbourhood import Drawing
from geo.survey import FOUND, PHASE, SHAPES, TASK, Found, Shaped, Task
from operations.errors import NotFound, Refused

MOST_AT_ONCE = 2
KEPT = 2
"""Results held in memory; the next look at another one reads its file again."""
SECONDS = 900
NAME = "survey"


class Surveys:
    """One per web process. What is asked for lies in the upload's folder, so that any process can answer."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._running: dict[Path, subprocess.Popen[bytes]] = {}
        self._results: OrderedDict[tuple[str, int], tuple[Imported, Drawing]] = OrderedDict()

    def begin(self, folder: Path, paths: list[Path], how: dict[str, Any], county: str, reference: list[Shaped]) -> None:
        """Begin to look at files; what was found before is forgotten. Raises Refused when too much is under way."""
        with self._lock:
            self._end(folder)
            self._running = {at: child for at, child in self._running.items() if child.poll() is None}
            if len(self._running) >= MOST_AT_ONCE:
                raise Refused("operations.surveys_busy", most=MOST_AT_ONCE)
            place = folder / NAME
            shutil.rmtree(place, ignore_errors=True)
            place.mkdir(mode=0o700)
            task = Task([str(path) for path in paths], how, county, reference)
            survey.write(place / TASK, msgspec.msgpack.encode(task))
            self._running[folder] = self._child(place)

    def _child(self, place: Path) -> subprocess.Popen[bytes]:
        with (place / "log").open("wb") as log:
            child = subprocess.Popen(
                [sys.executable, "-m", "geo.survey", str(place)],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                cwd=ROOT,
                env=child_environment(),
                start_new_session=True,
            )
        survey.write(place / "process", str(child.pid).encode())
        watch = threading.Timer(SECONDS, _kill, [child])
        watch.daemon = True
        watch.start()
        threading.Thread(target=_reap, args=(child, watch), daemon=True).start()
        return child

    def _end(self, folder: Path) -> None:
        """End what is still looking at the same file."""
        child = self._running.pop(folder, None)
        if child is not None and child.poll() is None:
            _kill(child)

    def phase(self, folder: Path) -> str:
        """Return how far it is: "" never begun, a phase of `geo.importing`, "done" or "broken"."""
        place = folder / NAME
        if not (place / TASK).exists():
            return ""
        if (place / FOUND).exists():
            return "done"
        try:
            phase = (place / PHASE).read_text()
        except OSError:
            phase = "read"
        if _alive(place):
            return PHASES[-2] if phase == PHASES[-1] else phase  # it says so a moment before the result lies there
        return PHASES[-1] if (place / FOUND).exists() else "broken"

    def result(self, folder: Path) -> tuple[Imported, Drawing]:
        """Return what was found. Raises NotFound as long as nothing was."""
        path = folder / NAME / FOUND
        try:
            key = str(path), path.stat().st_mtime_ns
            with self._lock:
                if key in self._results:
                    self._results.move_to_end(key)
                    return self._results[key]
            made = _loaded(path)
        except OSError:
            raise NotFound() from None
        with self._lock:
            self._results[key] = made
            while len(self._results) > KEPT:
                self._results.popitem(last=False)
        return made


def _loaded(path: Path) -> tuple[Imported, Drawing]:
    imported = survey.imported(msgspec.msgpack.decode(path.read_bytes(), type=Found))
    drawn = msgspec.msgpack.decode(path.with_name(SHAPES).read_bytes(), type=list[tuple[str, bytes]])
    shapes = shapely.from_wkb([raw for _, raw in drawn], on_invalid="ignore").tolist() if drawn else []
    kept = [(code, shape) for (code, _), shape in zip(drawn, shapes, strict=True) if shape is not None]
    return imported, Drawing([code for code, _ in kept], [shape for _, shape in kept])


def _alive(place: Path) -> bool:
    """Whether the process that was begun here still runs; a zombie does not."""
    try:
        number = int((place / "process").read_text())
        command = Path(f"/proc/{number}/cmdline").read_bytes()
    except (OSError, ValueError):
        return False
    return os.fsencode(str(place)) in command


def _kill(child: subprocess.Popen[bytes]) -> None:
    try:
        os.killpg(child.pid, signal.SIGKILL)
    except ProcessLookupError:
        return


def _reap(child: subprocess.Popen[bytes], watch: threading.Timer) -> None:
    child.wait()
    watch.cancel()
