"""What signing in asks for: lengths, ages, waiting times, second factors (GB/T 22239-2019 §8.1.4.1)."""

from pathlib import Path

from msgspec import Struct

from config.settings import Settings

DAY = 86_400_000_000
MINUTE = 60_000_000


class Rules(Struct, frozen=True):
    """The rules in force; the defaults are those of config/default.toml."""

    password_least: int = 10
    password_days: int = 0
    """Days after which a password has to be changed; 0: never."""
    leaked: Path | None = None
    """A file of SHA-1 digests in hexadecimal, one a line and sorted, of passwords nobody may take."""
    tries: int = 5
    """Failures after which the next try has to wait."""
    wait_s: int = 30
    longest_wait_s: int = 1_800
    totp_roles: tuple[str, ...] = ("system_admin", "security_admin", "audit_admin", "liaison")
    idle: int = 15 * MINUTE
    """Microseconds after which a desk nobody touches is locked; 0: never."""

    @classmethod
    def of(cls, settings: Settings) -> "Rules":
        """Return the rules that the settings ask for."""
        return cls(
            password_least=settings.password_least,
            password_days=settings.password_days,
            leaked=Path(settings.leaked_passwords) if settings.leaked_passwords else None,
            tries=settings.lockout_tries,
            wait_s=settings.lockout_seconds,
            longest_wait_s=settings.lockout_longest_seconds,
            totp_roles=tuple(settings.totp_roles.split(",")) if settings.totp_roles else (),
            idle=settings.idle_minutes * MINUTE,
        )


DEFAULT = Rules()
