"""From where on a fault of a picture counts, as data (`pictures.toml`)."""

import tomllib
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any, Self

FILE = Path(__file__).with_name("pictures.toml")


class PicturesError(ValueError):
    """The file contradicts itself; the message names the file and the line at fault."""


@dataclass(frozen=True)
class Bounds:
    """The bounds by day or by night. Grey 0-255; `covered` a share; `frozen` grey."""

    black_mean: float
    bright_mean: float
    contrast: float
    blur: float
    noise: float
    covered: float
    frozen: float


@dataclass(frozen=True)
class Judging:
    """The whole file."""

    bad_rounds: int
    good_rounds: int
    round_seconds: int
    at_once: int
    percent_of_core: int
    mask_top: float
    mask_bottom: float
    day: Bounds
    night: Bounds

    @classmethod
    def load(cls, path: Path = FILE) -> Self:
        """Read and check the file; raises PicturesError."""
        try:
            given = tomllib.loads(path.read_text(encoding="utf-8"))
        except (OSError, tomllib.TOMLDecodeError) as error:
            raise PicturesError(f"{path}: cannot be read: {error}") from error
        parts = {name: _bounds(path, name, given.pop(name, None)) for name in ("day", "night")}
        numbers = {name: _number(path, name, given.pop(name, None)) for name in _MOST}
        if given:
            raise PicturesError(
                f"{path}: {sorted(given)[0]} is not known; known are {', '.join(_MOST)}, [day], [night]"
            )
        whole = {name: int(value) for name, value in numbers.items() if not name.startswith("mask")}
        masks = {name: value for name, value in numbers.items() if name.startswith("mask")}
        return cls(**whole, **masks, **parts)  # type: ignore[arg-type]


_MOST: dict[str, tuple[float, float]] = {
    "bad_rounds": (1, 20),
    "good_rounds": (1, 20),
    "round_seconds": (5, 86_400),
    "at_once": (1, 64),
    "percent_of_core": (1, 100),
    "mask_top": (0, 0.4),
    "mask_bottom": (0, 0.4),
}


def _number(path: Path, name: str, value: Any) -> float:
    least, most = _MOST[name]
    if isinstance(value, bool) or not isinstance(value, int | float) or not least <= value <= most:
        raise PicturesError(f"{path}: {name} must be a number from {least} to {most}, not {value!r}")
    return float(value)


def _bounds(path: Path, part: str, given: Any) -> Bounds:
    names = {field.name for field in fields(Bounds)}
    if not isinstance(given, dict) or set(given) != names:
        raise PicturesError(f"{path}: [{part}] must give exactly {', '.join(sorted(names))}")
    for name, value in given.items():
        if isinstance(value, bool) or not isinstance(value, int | float) or value < 0:
            raise PicturesError(f"{path}: [{part}] {name} must be a number from 0 on, not {value!r}")
    bounds = Bounds(**{name: float(value) for name, value in given.items()})
    if bounds.black_mean >= bounds.bright_mean or bounds.covered > 1:
        raise PicturesError(f"{path}: [{part}] black_mean must lie below bright_mean, and covered is a share up to 1")
    return bounds
