"""The panels of each page, in the order they stand in; a panel is one module."""

from types import ModuleType

from dashboard.panels import (
    alerts,
    departments,
    desk_doubles,
    desk_drawer,
    desk_header,
    desk_help,
    desk_queue,
    desk_register,
    desk_start,
    desk_warnings,
    figures,
    grids_difference,
    grids_import,
    grids_versions,
    header,
    heat,
    map,
    quarantine,
    source_files,
    source_form,
    source_list,
    source_mapping,
    sources,
    trend,
    unplaced,
    warnings,
)

PAGES: dict[str, tuple[ModuleType, ...]] = {
    "wall": (header, figures, alerts, map, warnings, unplaced, sources, departments, trend),
    "desk": (
        desk_header,
        desk_queue,
        desk_doubles,
        map,
        desk_warnings,
        desk_drawer,
        desk_register,
        desk_help,
        desk_start,
    ),
    "heat": (desk_header, heat, desk_help, desk_start),
    "quarantine": (desk_header, quarantine, desk_help, desk_start),
    "grids": (desk_header, grids_import, grids_versions, grids_difference, desk_help, desk_start),
    "sources": (desk_header, source_list, source_form, source_files, source_mapping, desk_help, desk_start),
}
