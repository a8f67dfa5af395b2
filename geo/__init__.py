"""Datums, grids, exact point to grid, shapes and heat; pure and file-based."""
