"""Python's collector of reference cycles, set for a process that runs for months and makes many records at once."""

import gc

YOUNG = 10_000
"""New containers before the young ones are looked through; Python's 700 is one look for each hundred reports."""


def settle() -> None:
    """Call once at the end of start-up: what has been made by then stays, and is not looked through again."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(YOUNG)
