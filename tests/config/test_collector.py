"""The collector of cycles as long-running processes set it."""

import gc

from config import collector


def test_what_start_up_made_is_not_looked_through_again() -> None:
    before = gc.get_threshold()
    try:
        collector.settle()
        assert gc.get_freeze_count() > 0 and gc.get_threshold()[0] == collector.YOUNG
    finally:
        gc.unfreeze()
        gc.set_threshold(*before)
