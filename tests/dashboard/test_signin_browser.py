"""The journey of a first start in Chromium: link, password, second factor, recovery codes, home, one's own account."""

import dataclasses
from collections.abc import Iterator
from typing import TYPE_CHECKING

import pyotp
import pytest

from config import clock
from config.settings import Settings
from dashboard import first_start
from operations.database import Database
from operations.rules import MINUTE
from tests.dashboard.web import Web, until

if TYPE_CHECKING:
    from playwright.sync_api import Page

pytestmark = pytest.mark.browser
CHOSEN = "quite another 口令"


@pytest.fixture
def strict(settings: Settings, valkey: str, furnished: Database) -> Iterator[Web]:
    """The application as it is by default: administrators need a second factor."""
    made = Web(dataclasses.replace(settings, totp_roles="security_admin", idle_minutes=1))
    made.start()
    yield made
    made.stop()


def test_from_the_first_link_to_a_desk_that_locks(page: "Page", strict: Web, furnished: Database) -> None:
    told: dict[str, dict[str, str]] = {}
    first_start.welcome(strict.settings, strict.url, lambda key, **params: told.update({key: params}))
    page.goto(told["terminal.first_link"]["link"] + "&lang=en")
    assert "Choose your own password" in page.inner_text("main")
    page.fill("#password", "security 2026 !")
    page.fill("#again", "security 2026 !")
    page.click("button")
    assert "account's name" in page.inner_text("[role=alert]")
    page.fill("#password", CHOSEN)
    page.fill("#again", CHOSEN)
    page.click("button")
    secret = page.inner_text(".signin-secret").replace(" ", "")
    assert page.locator(".signin-qr svg").bounding_box()["width"] > 150  # type: ignore[index]
    page.fill("#code", pyotp.TOTP(secret).at(clock.now() // 1_000_000))
    page.click("button")
    assert page.locator(".signin-codes li").count() == 10
    page.click("text=I have kept them")
    page.wait_for_url("**/accounts*")

    page.goto(f"{strict.url}/me?lang=en")
    until(page, "document.querySelectorAll('#me-body tbody tr').length === 1")
    assert "10 recovery codes are left" in page.inner_text("#me-body")
    page.goto(f"{strict.url}/accounts?lang=en")
    until(page, "document.getElementById('desk-me')?.textContent.includes('security')")
    with furnished.write() as transaction:
        transaction.connection.exec_driver_sql(f"UPDATE session SET seen_at = {clock.now() - 2 * MINUTE}")
    page.goto(f"{strict.url}/me?lang=en")
    page.wait_for_url("**/session/unlock*")
    page.fill("#password", CHOSEN)
    page.click("button")
    until(page, "document.querySelectorAll('#me-body tbody tr').length === 1")

    now = clock.now()
    with furnished.write() as transaction:
        transaction.connection.exec_driver_sql(f"UPDATE session SET seen_at = {now - 2 * MINUTE}")
    page.evaluate("() => { const was = Date.now; Date.now = () => was() + 120000; }")
    until(page, "document.getElementById('lock')?.open")
    page.fill("#lock input[type=password]", "wrong wrong")
    page.keyboard.press("Enter")
    until(page, "document.querySelector('.lock-said')?.textContent.includes('wrong')")
    page.fill("#lock input[type=password]", CHOSEN)
    page.keyboard.press("Enter")
    until(page, "!document.getElementById('lock')")
