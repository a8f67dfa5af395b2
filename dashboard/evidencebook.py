"""The ledger of video access for the pages 调阅台账: a month's sums, and evidence packages, as whoever asks."""

import csv
import io
from collections.abc import Callable, Iterable, Sequence
from datetime import datetime, tzinfo

from config import clock
from config.words import Words
from dashboard import access
from dashboard.moment import shown_moment
from dashboard.spreadsheet import harmless
from dashboard.trail import Trail
from operations import audit, evidence, journal, ledger, looked, taken
from operations.database import AfterCommit, Database
from operations.evidence import FORMAT, Manifest
from operations.ledger import Denied, Kept, Month
from operations.looked import Asked, Look
from operations.policy import Identity
from operations.seal import KeyStore

MARK = "\ufeff"
"""Tells spreadsheets that a CSV is UTF-8."""


class Evidencebook:
    """One per web process."""

    def __init__(self, database: Database, keys: KeyStore, trail: Trail, city: str, ring: AfterCommit) -> None:
        self._database, self._keys, self._trail, self._city, self._ring = database, keys, trail, city, ring

    @property
    def fingerprint(self) -> str:
        """SHA-256 (hex) of the public key that signs, as DER."""
        return evidence.fingerprint(self._keys.public_key())

    def month(self, since: int, until: int) -> tuple[list[Month], list[Denied], list[Kept]]:
        """Return what a time came to by owner, what was refused, and what was taken along. Raises Forbidden."""
        identity = access.current()
        self._trail.note(audit.searched(identity, "ledger", "", since=since, until=until))
        return (
            ledger.monthly(self._database, identity, since, until),
            ledger.denied(self._database, identity, since, until),
            ledger.kept(self._database, identity, since, until),
        )

    def package(self, asked: Asked, until: int, words: Words) -> tuple[str, bytes]:
        """Return the name and the bytes of a signed package of the ledger. Raises Forbidden."""
        identity, now = access.current(), clock.now()
        looks = [one for one in looked.every(self._database, identity, asked) if one.began_at < until]
        denied = ledger.denied(self._database, identity, asked.since, until)
        kept = ledger.kept(self._database, identity, asked.since, until)
        zone = words.city.zone
        files = {
            "looks.csv": written("looks", [_look(one, words) for one in looks], words),
            "denied.csv": written("denied", [_denied(one, words) for one in denied], words),
            "taken.csv": written("taken", [_kept(one, words) for one in kept], words),
        }
        facts = {name: str(value) for name in ("camera", "who", "incident", "grant") if (value := getattr(asked, name))}
        facts |= {"since": shown_moment(asked.since, zone), "until": shown_moment(until, zone)}
        self._trail.note(audit.exported(identity, "ledger", "zip", count=len(looks), since=asked.since, until=until))
        return f"ledger-{stamp(now, zone)}.zip", self.packed("ledger", files, facts, identity, now)

    def packed(self, kind: str, files: dict[str, bytes], facts: dict[str, str], identity: Identity, now: int) -> bytes:
        """Return files as a signed evidence package."""
        head = journal.head(self._database)
        told = Manifest(FORMAT, kind, now, identity.actor, self._city, head.seq, head.hash, facts, ())
        return evidence.pack(files, told, self._keys.signature, self._keys.public_key())

    def settle(self, id: str, state: str) -> None:
        """Confirm that something taken was returned or destroyed. Raises Forbidden, NotFound, Refused."""
        taken.settle(self._database, access.current(), id, state, now=clock.now(), after_commit=self._ring)

    def publish(self, id: str, text: str) -> None:
        """Confirm that something taken is masked and published. Raises Forbidden, NotFound, Refused."""
        taken.publish(self._database, access.current(), id, text, now=clock.now(), after_commit=self._ring)

    def hold(self, id: str, *, kept: bool) -> None:
        """Hold something for a case, or let go of it. Raises Forbidden, NotFound, Refused."""
        taken.hold(self._database, access.current(), id, kept=kept, now=clock.now(), after_commit=self._ring)


HEADS: dict[str, tuple[str, ...]] = {
    "looks": (
        *("began", "ended", "how", "mode", "camera", "code", "owner", "who", "unit", "why", "incident", "grant"),
        *("kind", "reason", "given_by"),
    ),
    "denied": ("at", "who", "camera", "mode", "why", "incident", "refused"),
    "taken": ("at", "taken_as", "who", "camera", "owner", "grant", "sha256", "state", "kept", "published"),
}


def written(name: str, lines: Iterable[Sequence[str]], words: Words) -> bytes:
    """Return lines as CSV that no spreadsheet takes for formulas."""
    out = io.StringIO()
    writer = csv.writer(out)
    writer.writerow([words.text(f"ledger.{head}") for head in HEADS[name]])
    writer.writerows([harmless(cell) for cell in line] for line in lines)
    return (MARK + out.getvalue()).encode()


def stamp(at: int, zone: tzinfo) -> str:
    """Return a moment for a file's name."""
    return datetime.fromtimestamp(at / 1e6, zone).strftime("%Y%m%dT%H%M%S")


def _time(words: Words) -> Callable[[int | None], str]:
    return lambda at: shown_moment(at, words.city.zone) if at is not None else ""


def _look(one: Look, words: Words) -> list[str]:
    time = _time(words)
    how = words.text(f"lookers.how.{one.ended_how}") if one.ended_how else words.text("lookers.still")
    kind = words.text(f"grants.kind.{one.kind}") if one.kind else words.text("ledger.own")
    return [
        time(one.began_at), time(one.ended_at), how, words.text(f"grants.mode.{one.mode}"), one.name, one.camera,
        one.department, one.who or one.actor, one.unit, words.text(f"lookers.why.{one.why}"),
        one.number or one.incident, one.grant, kind, one.reason, " ".join(one.given_by),
    ]  # fmt: skip


def _denied(one: Denied, words: Words) -> list[str]:
    state = f"desk.cameras.state.refused_{one.code.rpartition('.')[2]}"
    said = words.text(state) if state in words else one.code
    return [
        _time(words)(one.at), one.actor, one.name or one.camera, words.text(f"grants.mode.{one.mode or 'live'}"),
        one.why, one.incident, said,
    ]  # fmt: skip


def _kept(one: Kept, words: Words) -> list[str]:
    mark = words.text("ledger.yes") if one.kept else ""
    return [
        _time(words)(one.at), words.text(f"grants.mode.{one.kind}"), one.actor, one.name, one.department, one.grant,
        one.sha256, words.text(f"ledger.states.{one.state}"), mark, _time(words)(one.published_at),
    ]  # fmt: skip
