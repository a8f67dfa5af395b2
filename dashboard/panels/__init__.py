"""The panels of each page, in the order they stand in; a panel is one module."""

from types import ModuleType

from dashboard.panels import alerts, departments, figures, header, map, sources, trend, unplaced

PAGES: dict[str, tuple[ModuleType, ...]] = {
    "wall": (header, figures, alerts, map, unplaced, sources, departments, trend),
}
