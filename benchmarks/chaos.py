"""Thirty kill -9 under load: what was sent must equal what was decided, nothing twice, and every screen comes back."""

from __future__ import annotations

import random
import signal
import subprocess
from collections import Counter
from time import sleep
from typing import Any

import orjson
import psutil

from benchmarks import program, wall
from benchmarks.program import Program
from config import clock
from config.settings import ROOT, Settings
from operations.database import Database

KILLS = 30
EACH = 4.0
RATE = 1000.0
BATCH = 10
SCREENS = 20
SETTLE_SECONDS = 180.0
CATCH_UP_SECONDS = 30.0  # a snapshot of 120,000 open incidents is some 20 MB a screen
VICTIMS = ("worker", "web", "sources", "valkey")


def run(_settings: Settings) -> list[dict[str, Any]]:
    """Sends for two minutes while killing; returns counts, with what was found wrong as figures of their own."""
    draw = random.Random(30)
    with program.running() as (gridwall, box):
        gridwall.add_source("bench")
        cookie = gridwall.sign_in()
        with wall.others(gridwall, cookie, SCREENS, 900) as screens:
            words = wall.generator(gridwall, box, RATE, KILLS * EACH, BATCH, "C")
            with subprocess.Popen(words, stdout=subprocess.PIPE, cwd=ROOT) as generator:
                killed = kill_at_random(gridwall, draw)
                printed, _ = generator.communicate(timeout=900)
            sent, closing = wall.read_sent(printed)
            settled = settle(gridwall, len(sent))
            with wall.others(gridwall, cookie, 1, 900) as fresh:
                sleep(CATCH_UP_SECONDS)
        found = decided(gridwall)
    return figures(sent, closing, found, settled, killed, recovered(screens.result, fresh.result))


def kill_at_random(gridwall: Program, draw: random.Random) -> Counter[str]:
    """Kills one process after another, each `EACH` seconds; returns how often which."""
    killed: Counter[str] = Counter()
    while killed.total() < KILLS:
        sleep(EACH)
        victim = draw.choice(VICTIMS)
        process = gridwall.roles().get(victim)
        if process is None:
            continue  # it is just being started again
        try:
            process.send_signal(signal.SIGKILL)
            killed[victim] += 1
        except psutil.NoSuchProcess:
            continue
    return killed


def settle(gridwall: Program, sent: int) -> float:
    """Waits until the outcomes stop growing at `sent` or the time is over; returns the seconds it took."""
    begun = clock.monotonic()
    while clock.monotonic() - begun < SETTLE_SECONDS:
        if decided(gridwall)["outcomes"] >= sent:
            break
        sleep(1.0)
    took = clock.monotonic() - begun
    sleep(3.0)
    return took


def decided(gridwall: Program) -> dict[str, Any]:
    """Counts outcomes, incidents per report id, and looks whether the journal is gapless."""
    database = Database(f"sqlite:///{gridwall.data / 'gridwall.db'}")
    try:
        with database.read() as connection:
            ask = connection.exec_driver_sql
            outcomes = ask("SELECT count(*) FROM outcome").scalar_one()
            entries, last = ask("SELECT count(*), max(seq) FROM journal").one()
            opened = ask("SELECT count(*) FROM journal WHERE action = 'incident.opened'").scalar_one()
            bodies = ask("SELECT body FROM incident").scalars().all()
    finally:
        database.close()
    ids = Counter(orjson.loads(body)["report_id"] for body in bodies)
    return {
        "outcomes": outcomes,
        "gapless": entries == last,
        "opened": opened,
        "ids": ids,
        "doubled": sum(count > 1 for count in ids.values()),
    }


def recovered(screens: dict[str, Any], fresh: dict[str, Any]) -> tuple[int, int]:
    """Returns how many screens ended where a fresh one stands, and how many probes hold the same markers."""
    standing = sum(abs(n - fresh["last_n"][0]) <= 2 for n in screens["last_n"])
    same = sum(markers == fresh["markers"][0] for markers in screens["markers"])
    return standing, same


def figures(
    sent: dict[str, int],
    closing: dict[str, Any],
    found: dict[str, Any],
    settled: float,
    killed: Counter[str],
    screens: tuple[int, int],
) -> list[dict[str, Any]]:
    """Returns what there is to say; each loss is a figure with goal 0."""
    lost = sum(one not in found["ids"] for one in sent)
    method = (
        f"{KILLS} kill -9 ({', '.join(f'{role} {n}' for role, n in sorted(killed.items()))}), one each {EACH:.0f} s, "
        f"at {RATE:.0f} reports/s in requests of {BATCH}, repeated until their 202; {closing['refused']} repeats"
    )

    def figure(name: str, value: object, goal: str, how: str = "same run") -> dict[str, Any]:
        return {"name": name, "value": value, "unit": "", "goal": goal, "method": how}

    return [
        figure("reports answered with 202", len(sent), "", method),
        figure("outcomes in the database", found["outcomes"], f"{len(sent)}"),
        figure("lost", lost, "0", "answered with 202 and without an incident"),
        figure(
            "doubled",
            found["doubled"] + found["opened"] - len(found["ids"]),
            "0",
            "incidents sharing a report id, entries opened twice",
        ),
        figure("journal gapless", found["gapless"], "True", "count of entries = last seq"),
        figure("screens that came back", screens[0], f"{SCREENS}", "hold the frame a fresh screen holds"),
        figure("probes with the same markers", screens[1], "4", "every marker equal to a fresh screen's"),
        figure("seconds to settle", settled, "", "after the last report was answered, until all were decided"),
    ]
