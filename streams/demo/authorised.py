"""The demonstration's standing authorisations 演示常态授权: every owner lets the centre and its walls look."""

from datetime import tzinfo

import sqlalchemy as sa

from config import access as rules
from config.calendar import Workdays
from operations.calendar import Calendar
from operations.database import AfterCommit, Database
from operations.grants.standing import Standings, Terms
from operations.policy import SYSTEM
from operations.tables import access_standing, camera

ROLES = ("duty_commander", "operator", "leader", "wall")


def furnish(database: Database, zone: tzinfo, now: int, ring: AfterCommit | None = None) -> int:
    """Sign them once for every owner of cameras that has signed nothing yet; returns how many that were."""
    with database.read() as connection:
        signed = sa.select(access_standing.c.department)
        owners = sa.select(camera.c.owner).where(camera.c.gone_at.is_(None), camera.c.owner.not_in(signed)).distinct()
        found = sorted(connection.execute(owners).scalars())
    standings = Standings(database, Calendar(Workdays.load(), zone), ring, zone=zone, now=lambda: now)
    return sum(sign(standings, department) for department in found)


def sign(standings: Standings, department: str) -> int:
    """Sign for one owner what lets every post of the centre look; returns how many that were."""
    access = rules.current()
    terms = [
        Terms(
            role=role,
            purposes=tuple(one.code for one in access.purpose if one.standing),
            urgencies=("routine", "urgent", "critical"),
            classes=(0, 1, 2, 3),
            minutes=access.limits.standing_minutes,
        )
        for role in ROLES
    ]
    for one in terms:
        standings.sign(SYSTEM, one, department=department)
    return len(terms)
