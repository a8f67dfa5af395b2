"""The page of quarantined reports in a real Chromium: more than one page of them, by keys alone."""

from typing import TYPE_CHECKING

import pytest

from operations.database import Database
from tests.dashboard.test_api import set_aside
from tests.dashboard.web import Web, signed_in, until

if TYPE_CHECKING:
    from playwright.sync_api import Page

pytestmark = pytest.mark.browser
ROWS = "document.querySelectorAll('#quarantine-list [role=option]').length"
CHOSEN = "document.querySelector('#quarantine-list [aria-selected=true]')?.dataset.id"


def test_older_ones_are_reached_by_keys_and_the_total_is_told(web: Web, page: "Page", furnished: Database) -> None:
    set_aside(furnished, 250)
    signed_in(page, web, furnished, "duty_commander", "/quarantine")
    until(page, f"{ROWS} === 100")
    assert page.inner_text("#quarantine-total") == "共 250 件，已列出 100 件，新的在前"
    page.keyboard.press("j")
    assert page.evaluate(CHOSEN) == f"{249:032x}"
    for _ in range(100):
        page.keyboard.press("j")
    until(page, f"{ROWS} === 200 && {CHOSEN} === '{149:032x}'")
    page.keyboard.press("e")
    until(page, f"{ROWS} === 250")
    assert not page.is_visible("#quarantine-more")
    assert page.evaluate(CHOSEN) == f"{149:032x}"
    page.evaluate("document.getElementById('desk-quarantined').textContent += ' '")  # as when the number changes
    page.keyboard.press("k")
    until(page, f"{ROWS} === 250 && {CHOSEN} === '{150:032x}'")
