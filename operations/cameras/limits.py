"""View limits of cameras 视场限制 (Decree 799, articles 8 and 10): nobody, only with a named consent, or parts hidden.

One limit a camera, registered by people with a reason; an entry each. Whoever may add one may not always take it away:
the owner's liaison tightens, the duty commander and the system administrator loosen too.
"""

from collections.abc import Collection, Sequence
from typing import Any

import msgspec
import sqlalchemy as sa
from msgspec import Struct
from sqlalchemy import Connection

from config.access import Access
from operations import journal
from operations.cameras.reading import within
from operations.database import AfterCommit, Database, Transaction
from operations.entry import Draft
from operations.errors import NotFound, Refused
from operations.policy import Identity, allowed, reach
from operations.scope import Scope
from operations.tables import camera, camera_limit
from operations.wording import cleaned

FORBIDDEN, RESTRICTED, MASKED = "forbidden", "restricted", "masked"
KINDS = (FORBIDDEN, RESTRICTED, MASKED)
ADD, LOOSEN = "camera.limit", "camera.unlimit"
MASKS_MOST, CORNERS_LEAST, CORNERS_MOST = 16, 3, 24
AREA_LEAST = 0.0001
"""Of the picture: 14 × 14 pixels of a full-HD one."""
REASON_LEAST, REASON_MOST = 2, 200
CONSENT_MOST, BY_MOST = 200, 60
PLACES = 4
"""Decimals of a corner: a tenth of a pixel."""

Corner = tuple[float, float]
Mask = tuple[Corner, ...]


class Wish(Struct, frozen=True, kw_only=True):
    """What is to be registered; `consent`: number or text of the consent, `by`: who gave it; `masks`: polygons whose
    corners are fractions (0-1) of the picture's width and height, from its upper left; `why`: what is there.
    """

    kind: str
    why: str
    consent: str = ""
    by: str = ""
    masks: tuple[Mask, ...] = ()


class Limit(Struct, frozen=True, kw_only=True):
    """A registered limit. `revision` rises with each change; times: UTC microseconds."""

    camera: str
    kind: str
    why: str
    consent: str
    by: str
    masks: tuple[Mask, ...]
    revision: int
    changed_at: int
    changed_by: str

    @property
    def barred(self) -> bool:
        """Whether nobody may look: forbidden, or restricted without a named consent."""
        return self.kind == FORBIDDEN or (self.kind == RESTRICTED and not self.consent)


def of(connection: Connection, ids: Collection[str]) -> dict[str, Limit]:
    """Return {camera: limit} of those that have one."""
    wanted = [id for id in ids if id.isascii() and id.isprintable()]
    query = sa.select(camera_limit).where(camera_limit.c.camera.in_(wanted))
    return {row.camera: _limit(row) for row in connection.execute(query)} if wanted else {}


def by_rules(access: Access, name: str, position: str) -> str:
    """Return the code of the rule by which a camera of that name or capture position must not be, "" for none."""
    for rule in access.forbidden:
        if any(word in name for word in rule.words) or (rule.positions and position.startswith(rule.positions)):
            return rule.code
    return ""


def put(
    database: Database,
    identity: Identity,
    id: str,
    wish: Wish,
    *,
    revision: int,
    now: int,
    after_commit: AfterCommit | None = None,
) -> Limit:
    """Register a limit; `revision`: of the limit it replaces, 0 for none. Raises Forbidden, NotFound, Refused."""
    scope, wish = reach(identity, ADD), checked(wish)
    with database.write(after_commit) as transaction:
        row = _camera(transaction, scope, id)
        before = _before(transaction, id, revision)
        if loosens(before, wish) and not allowed(identity, LOOSEN):
            raise Refused("limits.loosened")
        kept = Limit(
            camera=id,
            kind=wish.kind,
            why=wish.why,
            consent=wish.consent,
            by=wish.by,
            masks=wish.masks,
            revision=revision + 1,
            changed_at=now,
            changed_by=identity.actor,
        )
        _keep(transaction, kept)
        body: dict[str, Any] = {"kind": wish.kind, "consent": wish.consent, "by": wish.by, "masks": wish.masks}
        body |= {"before": before.kind if before is not None else "", "revision": kept.revision}
        journal.append(transaction, [_draft(identity, "camera.limited", row, wish.why, body, now)])
    return kept


def clear(
    database: Database,
    identity: Identity,
    id: str,
    *,
    reason: str,
    revision: int,
    now: int,
    after_commit: AfterCommit | None = None,
) -> None:
    """Take a limit away. Raises Forbidden, NotFound, Refused."""
    scope, reason = reach(identity, LOOSEN), _reason(reason)
    with database.write(after_commit) as transaction:
        row = _camera(transaction, scope, id)
        before = _before(transaction, id, revision)
        if before is None:
            raise Refused("limits.none")
        transaction.connection.execute(sa.delete(camera_limit).where(camera_limit.c.camera == id))
        body = {"before": before.kind, "consent": before.consent, "by": before.by, "masks": before.masks}
        journal.append(transaction, [_draft(identity, "camera.unlimited", row, reason, body, now)])


# ---- pure ------------------------------------------------------------------------------------------------------------


def checked(wish: Wish) -> Wish:
    """Return a wish as it is kept. Raises Refused: what is wrong with it."""
    kind, consent, by = wish.kind, cleaned(wish.consent), cleaned(wish.by)
    if kind not in KINDS:
        raise Refused("limits.kind_wrong")
    if len(consent) > CONSENT_MOST or len(by) > BY_MOST or bool(consent) != bool(by):
        raise Refused("limits.consent_wrong", most=CONSENT_MOST, by_most=BY_MOST)
    if consent and kind != RESTRICTED:
        raise Refused("limits.consent_elsewhere")
    if len(wish.masks) > MASKS_MOST:
        raise Refused("limits.masks_many", most=MASKS_MOST)
    if kind == MASKED and not wish.masks:
        raise Refused("limits.masks_missing")
    if kind == FORBIDDEN and wish.masks:
        raise Refused("limits.masks_elsewhere")
    masks = tuple(_mask(mask, number) for number, mask in enumerate(wish.masks, 1))
    return Wish(kind=kind, why=_reason(wish.why), consent=consent, by=by, masks=masks)


def loosens(before: Limit | None, after: Wish) -> bool:
    """Say whether somebody could see through a camera afterwards what nobody could before."""
    if before is None or after.kind == FORBIDDEN:
        return False
    if before.kind == FORBIDDEN or (before.kind == RESTRICTED and after.kind != RESTRICTED):
        return True
    consented = bool(after.consent) and (after.consent, after.by) != (before.consent, before.by)
    if before.kind == RESTRICTED and consented:
        return True
    return not set(before.masks) <= set(after.masks)


def _mask(mask: Mask, number: int) -> Mask:
    if not CORNERS_LEAST <= len(mask) <= CORNERS_MOST:
        raise Refused("limits.corners", n=number, least=CORNERS_LEAST, most=CORNERS_MOST)
    if not all(0 <= x <= 1 and 0 <= y <= 1 for x, y in mask):
        raise Refused("limits.outside", n=number)
    corners = tuple((round(x, PLACES), round(y, PLACES)) for x, y in mask)
    if _crossed(corners):
        raise Refused("limits.crossed", n=number)
    if _area(corners) < AREA_LEAST:
        raise Refused("limits.small", n=number)
    return corners


def _area(corners: Sequence[Corner]) -> float:
    return abs(sum(a[0] * b[1] - b[0] * a[1] for a, b in _sides(corners))) / 2


def _sides(corners: Sequence[Corner]) -> list[tuple[Corner, Corner]]:
    return list(zip(corners, [*corners[1:], corners[0]], strict=True))


def _crossed(corners: Sequence[Corner]) -> bool:
    """Whether sides cross: what such a polygon has inside is a matter of opinion, and a hole in it shows."""
    sides = _sides(corners)
    return any(
        _cross(*one, *other)
        for at, one in enumerate(sides)
        for other in sides[at + 1 :]
        if not {*one} & {*other}  # neighbours meet in a corner
    ) or len(set(corners)) < len(corners)


def _cross(a: Corner, b: Corner, c: Corner, d: Corner) -> bool:
    """Whether two sides meet."""
    turns = _turn(a, b, c), _turn(a, b, d), _turn(c, d, a), _turn(c, d, b)
    if turns[0] * turns[1] < 0 and turns[2] * turns[3] < 0:
        return True
    ends = ((a, b, c, turns[0]), (a, b, d, turns[1]), (c, d, a, turns[2]), (c, d, b, turns[3]))
    return any(turn == 0 and _between(one, other, point) for one, other, point, turn in ends)


def _turn(a: Corner, b: Corner, c: Corner) -> float:
    return round((b[0] - a[0]) * (c[1] - a[1]) - (b[1] - a[1]) * (c[0] - a[0]), PLACES * 3)


def _between(a: Corner, b: Corner, point: Corner) -> bool:
    return min(a[0], b[0]) <= point[0] <= max(a[0], b[0]) and min(a[1], b[1]) <= point[1] <= max(a[1], b[1])


def _reason(text: str) -> str:
    reason = cleaned(text)
    if not REASON_LEAST <= len(reason) <= REASON_MOST:
        raise Refused("cameras.reason_missing", least=REASON_LEAST, most=REASON_MOST)
    return reason


# ---- rows ------------------------------------------------------------------------------------------------------------


def _camera(transaction: Transaction, scope: Scope, id: str) -> sa.Row[Any]:
    columns = camera.c
    query = sa.select(columns.id, columns.path, columns.owner, columns.code)
    query = query.where(columns.id == id, columns.gone_at.is_(None), *within(scope)).with_for_update()
    row: Any = None
    if id.isascii() and id.isprintable():
        row = transaction.connection.execute(query).one_or_none()
    if row is None:
        raise NotFound()
    found: sa.Row[Any] = row
    return found


def _before(transaction: Transaction, id: str, revision: int) -> Limit | None:
    found = of(transaction.connection, [id]).get(id)
    if revision != (found.revision if found is not None else 0):
        raise Refused("cameras.changed_meanwhile")
    return found


def _keep(transaction: Transaction, kept: Limit) -> None:
    body = {"why": kept.why, "consent": kept.consent, "by": kept.by, "masks": kept.masks}
    values = {"kind": kept.kind, "revision": kept.revision, "changed_at": kept.changed_at}
    values |= {"changed_by": kept.changed_by, "body": msgspec.json.encode(body)}
    transaction.connection.execute(sa.delete(camera_limit).where(camera_limit.c.camera == kept.camera))
    transaction.connection.execute(sa.insert(camera_limit).values(camera=kept.camera, **values))


def _limit(row: sa.Row[Any]) -> Limit:
    told: dict[str, Any] = msgspec.json.decode(bytes(row.body))
    told["masks"] = msgspec.convert(told["masks"], tuple[Mask, ...])
    kept = {name: getattr(row, name) for name in ("camera", "kind", "revision", "changed_at", "changed_by")}
    return Limit(**told, **kept)


def _draft(identity: Identity, action: str, row: sa.Row[Any], reason: str, body: dict[str, Any], now: int) -> Draft:
    return Draft(
        at=now,
        actor=identity.actor,
        action=action,
        subject_type="camera",
        subject_id=row.id,
        scope_grid=row.path,
        scope_grid_before=row.path,
        scope_department=row.owner,
        scope_department_before=row.owner,
        reason=reason,
        body={"code": row.code, **body},
    )
