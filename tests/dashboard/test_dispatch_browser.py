"""An order from the desk in a real Chromium: planned, sent by a few keys, signed by a liaison, seen at once."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest
import sqlalchemy as sa

from config import clock
from config.settings import Settings
from operations import accounts, sessions
from operations.database import Database
from operations.policy import SYSTEM
from operations.report import Place
from operations.scope import Scope
from operations.seal import KeyStore
from operations.tables import responsibility
from tests.dashboard.web import PASSWORD, Web, signed_in, until
from tests.operations.desk import Desk, report

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

pytestmark = pytest.mark.browser

LIVE = "document.documentElement.dataset.link === 'live'"
CELLS = "[...document.querySelectorAll('.desk-receipt')].map((one) => one.dataset.look).sort().join()"


@pytest.fixture
def web(settings: Settings, valkey: str, furnished: Database) -> Iterator[Web]:
    keys = KeyStore(settings.data / "keys")
    now = clock.now()
    place = Place(120.005, 30.005, 120.005, 30.005)
    Desk(furnished, keys, now=now).send(report("near", title="积水", place=place, occurred_at=now, received_at=now))
    with furnished.write() as transaction:
        for number, code in enumerate(("fire", "health", "police")):
            part = "support" if number else "lead"
            line = {"id": f"r{number}", "department": code, "type": "0304", "part": part, "grid": "", "basis": ""}
            transaction.connection.execute(sa.insert(responsibility).values(**line, changed_at=now, changed_by="x"))
    found = Web(settings)
    found.start()
    yield found
    found.stop()
    keys.close()


def test_an_order_to_three_departments_is_sent_by_few_keys_and_its_receipt_is_seen_at_once(
    web: Web, furnished: Database, page: "Page", chromium: "Browser"
) -> None:
    signed_in(page, web, furnished, "operator", "/desk")
    until(page, LIVE)
    until(page, "document.querySelector('.desk-row')")
    begun, pressed = clock.monotonic(), 0

    def press(*keys: str) -> None:
        nonlocal pressed
        for key in keys:
            page.keyboard.press(key)
            pressed += 1

    press("j", "l")
    page.wait_for_selector("#desk-compose-pick")
    whys = page.locator("#desk-composer .desk-addressee small").all_inner_texts()
    assert whys == ["责任清单"] * 3, "each is there by the duty list, and says so"
    assert page.locator(".desk-addressee[data-role=lead]").count() == 1
    press("Enter")
    until(page, "document.querySelectorAll('.desk-receipt').length === 3")
    assert pressed < 6 and clock.monotonic() - begun < 10
    until(page, f"{CELLS} === 'waiting,waiting,waiting'")
    until(page, "document.querySelectorAll('#desk-toast button').length === 2")  # it can be taken back

    code = page.evaluate("gridwall.desk.orders.rows.values().next().value.to[0].department")
    accounts.add(
        furnished, SYSTEM, "liaison", "liaison", now=clock.now(), scope=Scope(department=code), password=PASSWORD
    )
    other = chromium.new_context(viewport={"width": 360, "height": 800}).new_page()
    link = sessions.issue_one_time(furnished, "liaison", clock.now())
    other.goto(f"{web.url}/signin?once={link}&next=/orders")
    until(other, LIVE)
    other.click("text=积水")
    other.click("[data-deed=signed]")
    until(page, f"{CELLS} === 'signed,waiting,waiting'")
    other.context.close()

    page.keyboard.press("z")
    page.wait_for_selector("#desk-toast.bad")  # somebody has signed: it is no longer taken back, only called back
    press("p", "Enter")
    page.wait_for_selector("#desk-order-body .desk-history-item >> nth=1")
    page.reload()
    until(page, f"{CELLS} === 'signed,waiting,waiting'")
