"""The panels of each page, in the order they stand in; a panel is one module."""

from types import ModuleType

from dashboard.panels import (
    alerts,
    departments,
    desk_drawer,
    desk_header,
    desk_help,
    desk_queue,
    desk_register,
    desk_start,
    figures,
    header,
    map,
    quarantine,
    sources,
    trend,
    unplaced,
)

PAGES: dict[str, tuple[ModuleType, ...]] = {
    "wall": (header, figures, alerts, map, unplaced, sources, departments, trend),
    "desk": (desk_header, desk_queue, map, desk_drawer, desk_register, desk_help, desk_start),
    "quarantine": (desk_header, quarantine, desk_help, desk_start),
}
