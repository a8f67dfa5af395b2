"""What is wrong with grids somebody wants to import: one finding, where it is, and which text tells what to do."""

from dataclasses import dataclass, field
from typing import Any

ERROR, WARNING, REPAIRED, NOTE = "error", "warning", "repaired", "note"
KINDS = (ERROR, WARNING, REPAIRED, NOTE)
MAX_PROBLEMS = 1000  # kept; the rest is counted


@dataclass(frozen=True, slots=True)
class Problem:
    """`kind`: ERROR (nothing is imported), WARNING, REPAIRED (what was changed), NOTE (how the file was understood).

    `code` is the grid's, "" for a whole file.
    `text_code` names the text in `config/i18n`, to be filled with `parameters()`; `lon`, `lat` (WGS-84) the place.
    """

    kind: str
    code: str
    text_code: str
    lon: float | None = None
    lat: float | None = None
    params: dict[str, Any] = field(default_factory=dict)

    def parameters(self) -> dict[str, Any]:
        """Everything a text may mention."""
        return {"code": self.code, **self.params}


class Findings:
    """Collects problems, errors first, within a bound."""

    def __init__(self) -> None:
        self._kept: dict[str, list[Problem]] = {kind: [] for kind in KINDS}
        self._more = dict.fromkeys(KINDS, 0)

    def error(self, name: str, code: str = "", at: tuple[float, float] | None = None, **params: Any) -> None:
        self._add(ERROR, name, code, at, params)

    def warning(self, name: str, code: str = "", at: tuple[float, float] | None = None, **params: Any) -> None:
        self._add(WARNING, name, code, at, params)

    def repaired(self, name: str, code: str = "", at: tuple[float, float] | None = None, **params: Any) -> None:
        self._add(REPAIRED, name, code, at, params)

    def note(self, name: str, code: str = "", at: tuple[float, float] | None = None, **params: Any) -> None:
        self._add(NOTE, name, code, at, params)

    def _add(self, kind: str, name: str, code: str, at: tuple[float, float] | None, params: dict[str, Any]) -> None:
        if len(self._kept[kind]) >= MAX_PROBLEMS:
            self._more[kind] += 1
            return
        lon, lat = at or (None, None)
        self._kept[kind].append(Problem(kind, code, f"geo.problems.{name}", lon, lat, params))

    @property
    def fatal(self) -> bool:
        return bool(self._kept[ERROR])

    def problems(self) -> list[Problem]:
        """All that was kept, errors first, each kind ended by how many more there were."""
        result = []
        for kind, kept in self._kept.items():
            result += kept
            if self._more[kind]:
                result.append(Problem(kind, "", "geo.problems.more", params={"count": self._more[kind]}))
        return result
