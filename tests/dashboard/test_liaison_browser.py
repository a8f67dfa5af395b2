"""A liaison's telephone in Chromium: an order comes by itself, is signed, photographed, arrived at and done."""

import io
from typing import TYPE_CHECKING

import pytest
from PIL import Image

from config import clock
from operations import accounts, sessions
from operations.attachments import Attachments
from operations.database import Database
from operations.orders.dispatch import OrderDraft, Orders, Wanted
from operations.policy import SYSTEM, Identity
from operations.scope import Scope
from tests.dashboard.web import PASSWORD, Web, until

if TYPE_CHECKING:
    from playwright.sync_api import Page

pytestmark = pytest.mark.browser
OPERATOR = Identity("account", "o1", "operator", "operator")
FIRE = Wanted("department", "fire", "消防救援", "fire")


def photo() -> bytes:
    """A small photo."""
    out = io.BytesIO()
    Image.new("RGB", (64, 48), (9, 99, 9)).save(out, "JPEG")
    return out.getvalue()


def test_an_order_in_one_hand(page: "Page", web: Web, furnished: Database) -> None:
    page.set_viewport_size({"width": 360, "height": 800})
    scope = Scope(department="fire")
    accounts.add(furnished, SYSTEM, "fireman", "liaison", now=clock.now(), password=PASSWORD, scope=scope)
    once = sessions.issue_one_time(furnished, "fireman", clock.now())
    page.goto(f"{web.url}/signin?once={once}&next=/orders?lang=zh")
    until(page, "document.querySelector('.mine-empty')?.textContent.includes('没有要你办的')")
    orders: Orders = web.ask(lambda server: server.parts.actions.orders)
    files: Attachments = web.ask(lambda server: server.parts.actions.attachments)
    made = orders.send(OPERATOR, OrderDraft(title="气体泄漏", text="先疏散", recipients=(FIRE,), sign_minutes=5))

    until(page, "document.querySelectorAll('.mine-card[data-level=new]').length === 1")
    until(page, "document.title.startsWith('（1）')")
    assert page.evaluate("document.documentElement.scrollWidth") == 360
    page.click(".mine-card .mine-button.primary")
    until(page, "document.querySelector('.mine-state')?.textContent.includes('已签收')")
    page.click(".mine-open")
    until(page, "document.querySelector('.mine-text')?.textContent === '先疏散'")
    page.click("[data-deed=progress]")
    page.fill(".mine-form textarea", "水带已铺好")
    with page.expect_file_chooser() as choosing:
        page.click(".mine-form .attach-add")
    choosing.value.set_files({"name": "现场.jpg", "mimeType": "image/jpeg", "buffer": photo()})
    until(page, "document.querySelector('.attach-note')?.textContent.includes('现场.jpg')")
    page.context.set_offline(True)
    page.click("[data-send]")
    until(page, "document.querySelector('.mine-detail .mine-unsent') !== null")
    page.context.set_offline(False)
    page.click(".mine-detail .mine-unsent .primary")
    until(page, "document.querySelector('.mine-history')?.textContent.includes('水带已铺好')")
    until(page, "document.querySelector('.attach-small')?.naturalWidth === 64")
    page.click("[data-deed=arrived]")
    page.click("[data-send]")
    until(page, "document.querySelector('.mine-top .mine-state')?.textContent.includes('已到场')")
    page.click("[data-deed=done]")
    page.fill(".mine-form textarea", "已处置")
    page.click("[data-send]")
    until(page, "document.querySelector('.mine-foot') === null")
    assert orders.dossier(OPERATOR, made.id).order.recipients[0].state == "done"
    [kept] = files.listed(OPERATOR, ("order", made.id))
    answer = page.request.get(f"{web.url}/attachments/{kept.id}")
    assert answer.headers["content-disposition"].startswith("attachment;")
    assert (
        answer.headers["x-content-type-options"] == "nosniff" and "sandbox" in answer.headers["content-security-policy"]
    )
