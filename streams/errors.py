"""What can go wrong between a source and the journal; one base, one class per cause."""

from redis.exceptions import RedisError


class StreamsError(Exception):
    """Base of all errors of this package; the message is for the person who must act."""


class IntakeRefused(StreamsError):
    """Nothing of the request was taken; send it again after `retry_after` seconds. `code` names the reason."""

    def __init__(self, code: str, message: str, *, retry_after: int = 2) -> None:
        super().__init__(message)
        self.code = code
        self.retry_after = retry_after


class EngineAway(IntakeRefused):
    """The engine cannot be reached, is full or refuses writes; whether the last write was kept is unknown."""

    def __init__(self, message: str, *, code: str = "engine_away", retry_after: int = 2) -> None:
        super().__init__(code, message, retry_after=retry_after)


class EngineMisconfigured(StreamsError, RedisError):
    """The engine would lose what it acknowledged; names the setting, its value and the one needed.

    Also a RedisError, so that redis-py closes the connection on which it was found.
    """


class BacklogFull(IntakeRefused):
    """The bound of accepted and undecided reports is reached; nothing more is taken until workers catch up."""


class RateExceeded(IntakeRefused):
    """The source sends faster than its rate limit allows."""


class Unreadable(StreamsError):
    """A request or an item cannot be decoded; `code` and `field` say why."""

    def __init__(self, code: str, field: str = "", **params: object) -> None:
        super().__init__(f"{code} {field}".strip())
        self.code = code
        self.field = field
        self.params = params


class MappingError(StreamsError):
    """A mapping is wrong; the message names where it stands, the key and what is allowed."""

    def __init__(self, message: str, *, key: str = "", problem: str = "") -> None:
        super().__init__(message)
        self.key = key
        self.problem = problem


class SealBroken(StreamsError):
    """A packet cannot be opened with our transit keys: written by another installation, or changed."""


class SettingsWrong(StreamsError):
    """A setting of a pulled source is not allowed; `field` names it, `code` says why (no value: it may be a secret)."""

    def __init__(self, field: str, code: str, **params: object) -> None:
        super().__init__(f"{field}: {code}")
        self.field = field
        self.code = code
        self.params = params


class SourceAway(StreamsError):
    """A source cannot be pulled from now; `code` says why, never with an address or a secret in it.

    `retry_after`: seconds the source itself asked for. `certain`: it will not pass by itself, so it is said at once.
    """

    def __init__(self, code: str, *, retry_after: float = 0.0, certain: bool = False, **params: object) -> None:
        super().__init__(" ".join([code, *(str(value) for value in params.values())]))
        self.code = code
        self.retry_after = retry_after
        self.certain = certain
        self.params = params
