"""One journey: a phone number is looked at with a reason at the desk, and the auditor finds who saw it."""

from collections.abc import Iterator
from contextlib import closing
from typing import TYPE_CHECKING

import pytest

from config import clock
from config.settings import Settings
from operations.database import Database
from operations.seal import KeyStore
from tests.dashboard.web import Web, signed_in, until
from tests.operations.desk import Desk, report

if TYPE_CHECKING:
    from playwright.sync_api import Page

pytestmark = pytest.mark.browser
PHONE = "13800001234"


@pytest.fixture
def web(settings: Settings, valkey: str, furnished: Database) -> Iterator[Web]:
    with closing(KeyStore(settings.data / "keys")) as keys:
        desk, now = Desk(furnished, keys, now=clock.now()), clock.now()
        desk.send(report("near", occurred_at=now, received_at=now, reporter={"name": "张三", "phone": PHONE}))
    made = Web(settings)
    made.start()
    yield made
    made.stop()


def test_who_saw_a_phone_number_is_found_in_three_steps(page: "Page", web: Web, furnished: Database) -> None:
    page.clock.install()
    signed_in(page, web, furnished, "duty_commander", "/desk")
    until(page, "document.querySelector('[role=listbox] [role=option]')")
    page.clock.resume()
    page.click(".desk-row")
    page.wait_for_selector("#desk-details")
    number = page.locator("#desk-head").inner_text().split()[1]
    page.keyboard.press("v")
    page.keyboard.press("Control+Enter")
    page.wait_for_selector("#desk-toast:has-text('请写明阅看理由')")
    page.keyboard.type("回访核实")
    page.keyboard.press("Control+Enter")
    page.wait_for_selector(f"#desk-sealed:has-text('{PHONE}')")
    page.wait_for_selector("#desk-sealed-left:has-text('秒后自动收起')")
    page.clock.fast_forward(61_000)
    page.wait_for_selector("#desk-sealed", state="detached")
    assert PHONE not in page.content()

    page.context.clear_cookies()
    signed_in(page, web, furnished, "audit_admin", "/audit")
    page.click("[data-tab=subject]")
    page.fill("#audit-name", number)
    page.keyboard.press("Enter")
    seen = page.wait_for_selector("#audit-told article section:first-of-type .audit-row")
    assert seen is not None
    told = seen.inner_text()
    assert "duty_commander" in told and "回访核实" in told and "电话" in told
    assert PHONE not in page.content() and "张三" not in page.content()

    page.click("[data-tab=verify]")
    page.click("#verify-go")
    page.wait_for_selector("#verify-shown .admin-notice")
    with page.expect_download() as taken:
        page.click("[data-tab=export]")
        page.click("#audit-csv")
    assert taken.value.suggested_filename.endswith(".zip")
