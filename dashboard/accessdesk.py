"""What the page of video access asks 视频调阅页: one deed at a time, answered with what it then shows."""

import base64
from collections.abc import Callable, Sequence
from datetime import datetime, tzinfo
from typing import Any

import msgspec
from msgspec import ValidationError

from config import access as rules
from config import clock, departments
from config.words import Words
from dashboard.accessbook import Accessbook
from dashboard.asked import Asked, Unclear, number, serial_of, text, word, words_of
from dashboard.errand import explain
from dashboard.names import names_of
from dashboard.panels.camera_tree import name as branch_name
from dashboard.panels.grant_shell import median
from operations.board import Board
from operations.cameras.reading import Camera
from operations.cameras.tree import AXES, CIVIL
from operations.errors import OperationsError
from operations.grants import request as deeds
from operations.grants.delegates import DAY, DAYS_MOST
from operations.grants.grant import Held
from operations.grants.request import Request, Seat
from operations.grants.requests import Form
from operations.grants.standing import Standing, Terms
from operations.incident import Incident
from operations.looked import Asked as Looked
from operations.policy import Identity, allowed

CAMERAS_MOST, FOUND_MOST, REASONS_MOST, PAST_MOST = 200, 60, 60, 60
LEDGER_MOST = 100
METRES = 150.0
METRES_MOST = 2_000.0
MINUTE = 60_000_000
RIGHTS = {name: f"access.{name}" for name in ("ask", "decide", "authorise", "break")}


class Said:
    """One question: in whose name, in which words, and what was asked."""

    def __init__(self, commands: Any, words: Words, asked: Asked) -> None:
        self.commands, self.words, self.asked = commands, words, asked
        self.identity: Identity = commands.identity()
        self.book: Accessbook = commands.accessbook


def answer(commands: Any, words: Words, asked: Asked) -> dict[str, Any]:
    """Return what was asked; never raises for a refusal."""
    try:
        told = {"ok": True, **DOES[word(asked, "do", tuple(DOES))](Said(commands, words, asked))}
    except OperationsError as error:
        told = {"ok": False, "code": error.code, "text": explain(error, words)}
    except (Unclear, ValidationError):
        told = {"ok": False, "text": words.text("access.asked_wrong")}
    return {"serial": serial_of(asked), **told}


# ---- reading ----


def begin(said: Said) -> dict[str, Any]:
    """Return what the page chooses from."""
    access, words = rules.current(), said.words
    return {
        "purposes": [
            {**msgspec.to_builtins(one), "name": words.pick(one.zh, one.en)} for one in access.purpose
        ],
        "bases": [{"code": one.code, "name": words.pick(one.zh, one.en)} for one in access.basis],
        "limits": msgspec.to_builtins(access.limits),
        "can": {name: allowed(said.identity, action) for name, action in RIGHTS.items()},
        "me": {"id": said.identity.id, "name": said.identity.name, "unit": said.identity.scope.department},
        "reads": allowed(said.identity, "look.read"),
        "holds": allowed(said.identity, "evidence.hold"),
        "walls": msgspec.to_builtins(said.book.walls(said.identity)) if allowed(said.identity, RIGHTS["ask"]) else [],
        "breaks": said.identity.role in access.breakglass.roles,
    }  # fmt: skip


def listed(said: Said) -> dict[str, Any]:
    """Return what waits, one's own requests, grants in force and past, and how long deciding takes."""
    book, identity = said.book, said.identity
    can_ask, can_decide = (allowed(identity, RIGHTS[name]) for name in ("ask", "decide"))
    waits = book.requests.inbox(identity) if can_decide else []
    return {
        "inbox": [{**card(one, said.words), "seat": seat.key} for one, seat in waits],
        "mine": [card(one, said.words) for one in (book.requests.mine(identity) if can_ask else [])[:PAST_MOST]],
        "past": [card(one, said.words) for one in (book.requests.past(identity) if can_decide else [])[:PAST_MOST]],
        "grants": [granted(one, said) for one in book.grants.living(identity)],
        "ended": [granted(one, said) for one in book.grants.past(identity, PAST_MOST)],
        "loud": [granted(one, said) for one in book.grants.unratified(identity)],
        "median": said.commands.ask(lambda board: median([one.seconds for one in board.decided])),
    }


def opened(said: Said) -> dict[str, Any]:
    """Return one request with everything that is needed to decide it."""
    one = said.book.requests.find(said.identity, word(said.asked, "id"))
    whole = card(one, said.words)
    whole["list"] = _cameras(said, [each.id for each in one.cameras], one)
    whole["seats"] = [_seat(one, each, said.words) for each in one.seats]
    whole["place"] = _place(said.book.about(one.incident)) if one.incident else None
    if one.applicant != said.identity.id:
        whole["used"] = msgspec.to_builtins(said.book.past(one.applicant))
    return {"request": whole, "seat": said.book.requests.seat(said.identity, one)}


def incidents(said: Said) -> dict[str, Any]:
    """Return the open incidents a request can be about, the gravest and newest first; `wanted`: the one of a link."""
    incident, order = text(said.asked, "incident"), text(said.asked, "order")

    def found(board: Board) -> dict[str, Any]:
        about = board.orders.get(order)
        wanted = incident or (about.incident if about is not None else "")
        return {"incidents": reasons(board, wanted), "wanted": wanted}

    told: dict[str, Any] = said.commands.ask(found)
    return told


def reasons(board: Board, wanted: str) -> list[dict[str, Any]]:
    """Return open incidents with their place; the one wanted first."""
    grave = {"critical": 2, "urgent": 1}
    found = [one for one in board.incidents.values() if one.is_open or one.id == wanted]
    found.sort(key=lambda one: (one.id == wanted, grave.get(one.urgency, 0), one.received_at), reverse=True)
    return [{"text": f"{one.number} {one.title}".strip(), **(_place(one) or {})} for one in found[:REASONS_MOST]]


def found(said: Said) -> dict[str, Any]:
    """Return the cameras that a text finds: by name, pinyin or code."""
    _, ids = said.commands.catalogue.asked_for(CIVIL, "", text(said.asked, "text")[:60], FOUND_MOST)
    return {"cameras": [_camera(one, said.words) for one in said.book.offered(said.identity, ids)]}


def branch(said: Said) -> dict[str, Any]:
    """Return what lies below a branch of the tree of cameras: branches, and cameras where there are none."""
    axis, words = word(said.asked, "axis", AXES), said.words
    below, ids = said.commands.catalogue.asked_for(axis, text(said.asked, "key"), "", CAMERAS_MOST)
    names = names_of(said.commands, words)
    cameras = said.book.offered(said.identity, ids) if not below else []
    return {
        "branches": [{"key": one.key, "name": branch_name(axis, one.code, names, words), "total": one.total}
                     for one in below],
        "cameras": [_camera(one, words) for one in cameras],
    }  # fmt: skip


def named(said: Said) -> dict[str, Any]:
    """Return cameras by their ids, as far as they may be asked for."""
    cameras = said.book.of(said.identity, words_of(said.asked, "ids", CAMERAS_MOST))
    return {"cameras": [_camera(one, said.words) for one in cameras]}


def around(said: Said) -> dict[str, Any]:
    """Return the cameras around a place, and the fewest that cover it."""
    lon, lat, metres = _spot(said.asked)
    book = said.book
    there = book.near(said.identity, lon, lat, metres + 150)
    made = book.proposal(said.identity, lon, lat, metres, int(number(said.asked, "most")))
    named = [one for one in made.ids if one not in {each.id for each in there}]
    there += book.of(said.identity, named) if named else []
    told = {"ids": list(made.ids), "share": round(made.share, 3), "exact": made.exact, "unsure": list(made.unsure)}
    return {"cameras": [_camera(one, said.words) for one in there], "proposal": told}


# ---- asking ----


def form_of(asked: Asked) -> Form:
    """Return what a form says. Raises ValidationError."""
    return msgspec.convert(asked.get("form"), Form)


def sent(said: Said) -> dict[str, Any]:
    """Send a request."""
    one = said.book.requests.ask(said.identity, form_of(said.asked))
    return {"text": said.words.text("access.told.sent", number=one.number), "id": one.id}


def drafted(said: Said) -> dict[str, Any]:
    """Keep a draft."""
    one = said.book.requests.draft(said.identity, form_of(said.asked), id=text(said.asked, "id"))
    return {"text": said.words.text("access.told.drafted"), "id": one.id}


def sent_draft(said: Said) -> dict[str, Any]:
    """Send a draft that was kept."""
    one = said.book.requests.send(said.identity, word(said.asked, "id"))
    return {"text": said.words.text("access.told.sent", number=one.number), "id": one.id}


def withdrawn(said: Said) -> dict[str, Any]:
    """Withdraw a request."""
    said.book.requests.withdraw(said.identity, word(said.asked, "id"))
    return {"text": said.words.text("access.told.withdrawn")}


def answered(said: Said) -> dict[str, Any]:
    """Answer what was asked back."""
    said.book.requests.answer(said.identity, word(said.asked, "id"), text(said.asked))
    return {"text": said.words.text("access.told.answered")}


def copied(said: Said) -> dict[str, Any]:
    """Make a draft of an old request."""
    one = said.book.requests.copy(said.identity, word(said.asked, "id"))
    return {"text": said.words.text("access.told.copied"), "id": one.id}


def extended(said: Said) -> dict[str, Any]:
    """Ask for a grant to go on."""
    minutes = int(number(said.asked, "minutes"))
    one = said.book.requests.extend(said.identity, word(said.asked, "id"), minutes, text(said.asked))
    return {"text": said.words.text("access.told.sent", number=one.number), "id": one.id}


# ---- deciding ----


def approved(said: Said) -> dict[str, Any]:
    """Approve, all or fewer, as long or shorter."""
    cameras = words_of(said.asked, "cameras", CAMERAS_MOST) if said.asked.get("cameras") is not None else None
    minutes = int(number(said.asked, "minutes")) if said.asked.get("minutes") else 0
    one = said.book.requests.approve(
        said.identity, word(said.asked, "id"), word(said.asked, "seat"), cameras=cameras, minutes=minutes,
        text=text(said.asked),
    )  # fmt: skip
    told = "approved" if one.is_open else "decided"
    return {"text": said.words.text(f"access.told.{told}", number=one.number)}


def refused(said: Said) -> dict[str, Any]:
    """Refuse, with a reason."""
    one = said.book.requests.refuse(
        said.identity, word(said.asked, "id"), word(said.asked, "seat"), text(said.asked)
    )  # fmt: skip
    return {"text": said.words.text("access.told.refused", number=one.number)}


def asked_back(said: Said) -> dict[str, Any]:
    """Ask the applicant something."""
    one = said.book.requests.ask_back(
        said.identity, word(said.asked, "id"), word(said.asked, "seat"), text(said.asked)
    )  # fmt: skip
    return {"text": said.words.text("access.told.asked_back", number=one.number)}


# ---- grants ----


def revoked(said: Said) -> dict[str, Any]:
    """End a grant at once."""
    one = said.book.grants.revoke(said.identity, word(said.asked, "id"), text(said.asked))
    return {"text": said.words.text("access.told.revoked", number=one.number)}


def prolonged(said: Said) -> dict[str, Any]:
    """Let a grant go on."""
    one = said.book.grants.extend(said.identity, word(said.asked, "id"), int(number(said.asked, "minutes")))
    return {"text": said.words.text("access.told.prolonged", number=one.number)}


def ratified(said: Said) -> dict[str, Any]:
    """Say of a broken glass whether it was right."""
    right = said.asked.get("right") is True
    one = said.book.grants.ratify(said.identity, word(said.asked, "id"), right=right, text=text(said.asked))
    return {"text": said.words.text(f"access.told.{'ratified' if right else 'rejected'}", number=one.number)}


def broken(said: Said) -> dict[str, Any]:
    """Break the glass."""
    cameras = words_of(said.asked, "cameras", CAMERAS_MOST)
    made = said.book.admission.break_glass(said.identity, cameras, word(said.asked, "incident"), text(said.asked))
    return {"text": said.words.text("access.told.broken", n=len(cameras)), "ids": [one.id for one in made]}


def standings(said: Said) -> dict[str, Any]:
    """Return what is authorised in advance."""
    return {"standings": [_standing(one, said.words) for one in said.book.standings.listed(said.identity)]}


def signed(said: Said) -> dict[str, Any]:
    """Sign a standing authorisation, or one anew."""
    terms = msgspec.convert(said.asked.get("terms"), Terms)
    said.book.standings.sign(
        said.identity, terms, department=_house_of(said.identity), id=text(said.asked, "id")
    )  # fmt: skip
    return {"text": said.words.text("access.told.signed"), **standings(said)}


def unsigned(said: Said) -> dict[str, Any]:
    """Take a standing authorisation back."""
    said.book.standings.end(said.identity, word(said.asked, "id"))
    return {"text": said.words.text("access.told.unsigned"), **standings(said)}


def ruled(said: Said) -> dict[str, Any]:
    """Return every rule in words: purposes, who decides when, what is forbidden, who may break the glass."""
    access, words = rules.current(), said.words
    return {
        "rules": [
            {"code": one.code, "if": conditions(one, words), "then": [_decider(each, words) for each in one.deciders]}
            for one in access.rule
        ],
        "forbidden": [
            {"code": one.code, "words": list(one.words), "positions": list(one.positions)} for one in access.forbidden
        ],
        "breakglass": {
            "roles": [words.text(f"desk.role.{one}") for one in access.breakglass.roles],
            "urgencies": [words.text(f"common.urgency.{one}") for one in access.breakglass.urgencies],
            "classes": list(access.breakglass.classes),
        },
    }


Does = Callable[[Said], dict[str, Any]]
# ---- standing in ----


def delegates(said: Said) -> dict[str, Any]:
    """Return who stands in for whom, and who could."""
    book = said.book.delegates
    mine = said.identity.id
    return {
        "delegates": [{**msgspec.to_builtins(one), "mine": one.giver == mine} for one in book.listed(said.identity)],
        "colleagues": [{"id": id, "name": name} for id, name in book.colleagues(said.identity)],
    }


def delegated(said: Said) -> dict[str, Any]:
    """Let a colleague decide for some days."""
    now = clock.now()
    days = number(said.asked, "days")
    if not 0 < days <= DAYS_MOST:
        raise Unclear("days")
    said.book.delegates.give(said.identity, word(said.asked, "taker"), now, now + int(days * DAY))
    return {"text": said.words.text("access.told.delegated"), **delegates(said)}


def undelegated(said: Said) -> dict[str, Any]:
    """Take that back."""
    said.book.delegates.end(said.identity, word(said.asked, "id"))
    return {"text": said.words.text("access.told.undelegated"), **delegates(said)}


# ---- the ledger ----


def ledger(said: Said) -> dict[str, Any]:
    """Return what a month came to, what was refused in it, and what was taken along."""
    words, book = said.words, said.commands.evidencebook
    since, until = month_of(text(said.asked, "month"), words.city.zone)
    months, denied, kept = book.month(since, until)
    return {
        "fingerprint": book.fingerprint,
        "months": [{**msgspec.to_builtins(one), "owner": _house(one.owner, words)} for one in months],
        "denied": [
            {
                "at": one.at, "who": one.actor.partition(":")[2], "camera": one.name or one.camera,
                "mode": words.text(f"grants.mode.{one.mode or 'live'}"), "why": refusal(one.code, words),
            }
            for one in denied[:LEDGER_MOST]
        ],
        "kept": [
            {
                **msgspec.to_builtins(one), "who": one.actor.partition(":")[2], "owner": _house(one.department, words),
                "kind": words.text(f"grants.mode.{one.kind}"), "said": words.text(f"ledger.states.{one.state}"),
            }
            for one in kept[:LEDGER_MOST]
        ],
    }  # fmt: skip


def packed(said: Said) -> dict[str, Any]:
    """Return a signed package of a month's ledger."""
    since, until = month_of(text(said.asked, "month"), said.words.city.zone)
    name, data = said.commands.evidencebook.package(Looked(since=since), until, said.words)
    return {"name": name, "content": base64.b64encode(data).decode()}


def settled(said: Said) -> dict[str, Any]:
    """Confirm that something taken was returned or destroyed."""
    said.commands.evidencebook.settle(word(said.asked, "id"), word(said.asked, "state"))
    return {"text": said.words.text("access.told.settled")}


def published(said: Said) -> dict[str, Any]:
    """Confirm that something taken is masked and published."""
    said.commands.evidencebook.publish(word(said.asked, "id"), text(said.asked))
    return {"text": said.words.text("access.told.published")}


def held(said: Said) -> dict[str, Any]:
    """Hold something for a case, or let go of it."""
    said.commands.evidencebook.hold(word(said.asked, "id"), kept=said.asked.get("kept") is True)
    return {"text": said.words.text("access.told.held")}


def month_of(text: str, zone: tzinfo) -> tuple[int, int]:
    """Return from when to when a month ("2026-11", "" for this one) lasts (UTC microseconds). Raises Unclear."""
    try:
        today = datetime.fromtimestamp(clock.now() / 1e6, zone)
        year, month = map(int, text.split("-")) if text else (today.year, today.month)
        first = datetime(year, month, 1, tzinfo=zone)
        following = datetime(year + month // 12, month % 12 + 1, 1, tzinfo=zone)
    except ValueError:
        raise Unclear("month") from None
    return int(first.timestamp() * 1e6), int(following.timestamp() * 1e6)


def refusal(code: str, words: Words) -> str:
    """Return why a look was denied, in the words of a tile."""
    state = f"desk.cameras.state.refused_{code.rpartition('.')[2]}"
    return words.text(state) if state in words else code


DOES: dict[str, Does] = {
    "begin": begin,
    "list": listed,
    "open": opened,
    "incidents": incidents,
    "find": found,
    "branch": branch,
    "named": named,
    "around": around,
    "send": sent,
    "draft": drafted,
    "send_draft": sent_draft,
    "withdraw": withdrawn,
    "answer": answered,
    "copy": copied,
    "extend": extended,
    "approve": approved,
    "refuse": refused,
    "ask_back": asked_back,
    "revoke": revoked,
    "prolong": prolonged,
    "ratify": ratified,
    "break": broken,
    "standings": standings,
    "sign": signed,
    "unsign": unsigned,
    "rules": ruled,
    "delegates": delegates,
    "delegate": delegated,
    "undelegate": undelegated,
    "ledger": ledger,
    "package": packed,
    "settle": settled,
    "publish": published,
    "hold": held,
}

# ---- in words ----


def card(one: Request, words: Words) -> dict[str, Any]:
    """Return what a list shows of a request."""
    access = rules.current()
    purpose, basis = access.purpose_of(one.purpose), access.basis_of(one.basis)
    return {
        "id": one.id,
        "number": one.number,
        "state": one.state,
        "applicant": one.name,
        "unit": _house(one.unit, words),
        "purpose": words.pick(purpose.zh, purpose.en) if purpose else one.purpose,
        "basis": words.pick(basis.zh, basis.en) if basis else one.basis,
        "form": msgspec.to_builtins(_form(one)),
        "text": one.text,
        "urgency": one.urgency,
        "incident": one.incident,
        "incident_number": one.incident_number,
        "cameras": len(one.cameras),
        "surplus": list(one.surplus),
        "modes": [words.text(f"grants.mode.{mode}") for mode in one.modes],
        "walls": list(one.wall_names),
        "from_at": one.from_at,
        "until_at": one.until_at,
        "minutes": one.minutes,
        "sent_at": one.sent_at,
        "decided_at": one.decided_at,
        "due_at": min((seat.due_at for seat in one.waiting if seat.due_at), default=None),
        "asked": one.asked if one.state == deeds.ASKED else "",
        "let": sum(len(_let(one, owner)) for owner in one.grants),
        "extends": bool(one.extends),
        "turns": [_where(seat, words) for seat in one.waiting],
    }


def granted(one: Held, said: Said) -> dict[str, Any]:
    """Return what a list shows of a grant."""
    words = said.words
    purpose = rules.current().purpose_of(one.purpose)
    told = {
        name: getattr(one, name)
        for name in ("id", "number", "kind", "who", "incident", "incident_number", "from_at", "until_at", "ended_at")
    }
    return told | {
        "mine": one.holder == f"account:{said.identity.id}",
        "may": one.ended_at is None and said.book.grants.may_end(said.identity, one),
        "unit": _house(one.unit, words),
        "owner": _house(one.department, words),
        "purpose": words.pick(purpose.zh, purpose.en) if purpose else one.purpose,
        "text": one.text,
        "modes": [words.text(f"grants.mode.{mode}") for mode in one.modes],
        "walls": list(one.wall_names),
        "cameras": [{"id": id, "name": name or id} for id, name in zip(one.cameras, one.names, strict=False)],
        "how": words.text(f"grants.how.{one.ended_how}") if one.ended_how else "",
        "warned": one.warned_at is not None and one.ended_at is None,
        "loud": one.loud,
        "late": one.unratified,
        "ratify_by": one.ratify_by,
        "given_by": list(one.given_by),
    }


def conditions(rule: rules.Rule, words: Words) -> list[str]:
    """Return in words when a rule holds."""
    access = rules.current()
    purposes = [access.purpose_of(code) for code in rule.purposes]
    listed: dict[str, list[str]] = {
        "purposes": [words.pick(one.zh, one.en) for one in purposes if one],
        "modes": [words.text(f"grants.mode.{one}") for one in rule.modes],
        "urgencies": [words.text(f"common.urgency.{one}") for one in rule.urgencies],
        "classes": [str(one) for one in rule.classes],
        "positions": list(rule.positions),
        "units": [_house(one, words) for one in rule.units],
    }
    said = [words.text(f"access.when.{name}", values=" / ".join(values)) for name, values in listed.items() if values]
    if rule.restricted is not None:
        said.append(words.text("access.when.restricted" if rule.restricted else "access.when.unrestricted"))
    if rule.longer_minutes:
        said.append(words.text("access.when.longer", n=rule.longer_minutes))
    return said or [words.text("access.when.always")]


def _decider(told: str, words: Words) -> str:
    kind, _, count = told.partition(":")
    name = words.text(f"grants.decider.{kind}")
    return f"{name} × {count}" if count == "2" else name


def _where(seat: Seat, words: Words) -> str:
    return _house(seat.department, words) if seat.kind == "owner" else words.text(f"grants.decider.{seat.kind}")


def _seat(one: Request, seat: Seat, words: Words) -> dict[str, Any]:
    return {
        "key": seat.key,
        "where": _where(seat, words),
        "state": seat.state,
        "said": words.text(f"grants.seat.{seat.state}"),
        "cameras": list(deeds.left_for(one, seat) if seat.state in (deeds.OPEN, deeds.LATER) else seat.cameras),
        "approved": list(seat.approved),
        "by": words.text("access.by_for", who=seat.name, giver=seat.for_name) if seat.for_name else seat.name,
        "at": seat.at,
        "text": seat.text,
        "level": seat.level,
        "until_at": seat.until_at,
    }


def _let(one: Request, owner: str) -> list[str]:
    ready = [each.id for each in one.cameras if each.owner == owner]
    seats = [seat for seat in one.seats if set(ready) & set(seat.cameras)]
    return [id for id in ready if all(id in seat.approved for seat in seats if id in seat.cameras)]


def _form(one: Request) -> Form:
    return Form(
        purpose=one.purpose, basis=one.basis, text=one.text, urgency=one.urgency, incident=one.incident,
        order=one.order, cameras=tuple(each.id for each in one.cameras), needed=one.needed, modes=one.modes,
        from_at=one.from_at, minutes=one.minutes, walls=one.walls,
    )  # fmt: skip


def _cameras(said: Said, ids: Sequence[str], one: Request) -> list[dict[str, Any]]:
    there = {each.id: each for each in said.book.of(said.identity, ids)}
    limits = said.book.limits(ids)
    told = []
    for wanted in one.cameras:
        known = there.get(wanted.id)
        own = _camera(known, said.words) if known else {"id": wanted.id, "name": wanted.name, "code": wanted.code}
        beside = {"owner": _house(wanted.owner, said.words), "owner_code": wanted.owner}
        told.append({**own, **beside, "restricted": wanted.restricted, "limit": limits.get(wanted.id, "")})
    return told


def _camera(one: Camera, words: Words) -> dict[str, Any]:
    item = one.item
    return {
        "id": one.id, "name": item.name, "code": item.code, "owner": _house(item.owner, words),
        "owner_code": item.owner, "lon": one.lon, "lat": one.lat, "direction": item.direction,
        "angle": item.field_angle, "metres": item.view_distance, "class": item.point_class,
        "restricted": item.restricted,
    }  # fmt: skip


def _standing(one: Standing, words: Words) -> dict[str, Any]:
    access = rules.current()
    purposes = [access.purpose_of(code) for code in one.terms.purposes]
    role = words.text(f"desk.role.{one.terms.role}") if one.terms.role != "wall" else words.text("policy.role.wall")
    return {
        "id": one.id,
        "owner": _house(one.department, words) or words.text("access.unowned"),
        "department": one.department,
        "role": role,
        "unit": _house(one.terms.unit, words),
        "purposes": [words.pick(each.zh, each.en) for each in purposes if each],
        "urgencies": [words.text(f"common.urgency.{each}") for each in one.terms.urgencies],
        "classes": list(one.terms.classes),
        "minutes": one.terms.minutes,
        "signed_by": one.signed_by,
        "signed_at": one.signed_at,
        "until_at": one.until_at,
        "over": one.ended_at is not None or one.until_at <= clock.now(),
        "terms": msgspec.to_builtins(one.terms),
    }


def _house(code: str, words: Words) -> str:
    known = departments.current()
    return words.pick(known[code].short, known[code].en) if code in known else code


def _house_of(identity: Identity) -> str:
    """Whose cameras somebody signs for: their department's, or those that have no owner."""
    return identity.scope.department if identity.role == "liaison" else ""


def _place(one: Incident | None) -> dict[str, Any] | None:
    if one is None:
        return None
    return {
        "id": one.id, "number": one.number, "title": one.title, "urgency": one.urgency, "lon": one.lon, "lat": one.lat,
        "open": one.is_open,
    }  # fmt: skip


def _spot(asked: Asked) -> tuple[float, float, float]:
    lon, lat, metres = (number(asked, name) for name in ("lon", "lat", "metres"))
    if abs(lon) > 180 or abs(lat) > 90 or not 5 <= metres <= METRES_MOST:
        raise Unclear("metres")
    return lon, lat, metres
