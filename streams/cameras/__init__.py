"""Cameras from ledgers 一机一档: rows of files into the catalogue."""
