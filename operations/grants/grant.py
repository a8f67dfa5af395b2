"""A grant 授权 as it stands: who may look through which cameras, why, by whose leave, and until when. Pure."""

from msgspec import Struct

from operations.policy import Identity

REQUEST, STANDING, BREAKGLASS = "request", "standing", "breakglass"
KINDS = (REQUEST, STANDING, BREAKGLASS)
"""By a decision 审批, by a standing authorisation 常态授权, by breaking the glass 应急直开."""
HOWS = ("time", "revoked", "returned", "incident", "post", "unratified", "replaced")
"""How a grant ended: its time, who may revoke it, its holder, its incident, its holder's post, never ratified,
another grant in its place."""


class Held(Struct, frozen=True, omit_defaults=True, kw_only=True):
    """The whole of a grant. Times: UTC microseconds.

    `holder`: "account:ID" or "wall:ID", `who`: its name; `unit`: its department; `department`: the cameras' owner;
    `walls`: ids of walls that may show the pictures too, `wall_names`: theirs.
    `until_at` is what was granted; `ended_at` that it is over, and `ended_how` why.
    """

    id: str
    number: str
    revision: int = 1
    kind: str
    request: str = ""
    standing: str = ""
    holder: str
    who: str
    role: str = ""
    unit: str = ""
    duty: str = ""  # the house in whose roster the holder was on duty, and has to stay
    department: str = ""
    purpose: str = ""
    basis: str = ""
    text: str = ""
    incident: str = ""
    incident_number: str = ""
    modes: tuple[str, ...] = ("live",)
    cameras: tuple[str, ...] = ()
    names: tuple[str, ...] = ()
    walls: tuple[str, ...] = ()
    wall_names: tuple[str, ...] = ()
    path: str = ""
    viewers: int = 1
    from_at: int
    until_at: int
    given_by: tuple[str, ...] = ()  # names of who decided, or signed in advance
    warned_at: int | None = None  # its incident has closed: it ends soon unless somebody extends it
    warned_until: int = 0  # what `until_at` was before
    extended_at: int = 0  # by somebody who knew whether its incident had closed
    ratify_by: int | None = None
    ratified_by: str = ""
    ratified_at: int | None = None
    unratified: bool = False  # nobody ratified in time
    ended_at: int | None = None
    ended_how: str = ""
    ended_by: str = ""

    @property
    def by_time(self) -> str:
        """How it ends once its time is over: of a closed incident, by that."""
        return "time" if self.warned_at is None else "incident"

    @property
    def loud(self) -> bool:
        """Whether everybody has to hear of it: the glass was broken, and nobody has said that it was right."""
        return self.kind == BREAKGLASS and self.ratified_at is None


def lives(grant: Held, now: int) -> bool:
    """Say whether a grant lets anybody look now."""
    return grant.ended_at is None and grant.from_at <= now < grant.until_at


def holder_of(identity: Identity) -> str:
    """Return who an identity is as grants name it."""
    return f"{identity.kind}:{identity.id}"


def common(paths: list[str]) -> str:
    """Return the grids that several places share, root first, as a path."""
    chains = [path.split("/") for path in paths] or [[]]
    shared = []
    for level in zip(*chains, strict=False):
        if len(set(level)) > 1:
            break
        shared.append(level[0])
    return "/".join(shared)
