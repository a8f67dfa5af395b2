"""An administrator connects a department's list by the screens alone, from nothing to incidents."""

import json
import urllib.request
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import pytest

from config import clock
from tests.conftest import Running
from tests.dashboard.web import WAIT_MS, until
from tests.streams.feed import Feed, Told, told

if TYPE_CHECKING:
    from playwright.sync_api import Page

pytestmark = pytest.mark.browser
ORDERS = [
    {"id": f"PULL-{number}", "title": f"路灯不亮 {number}", "place": {"lon": 119.16, "lat": 34.57}}
    for number in range(3)
]
ROW = "[...document.querySelectorAll('.admin-row')].find((row) => row.textContent.includes('路灯所'))"
"""The source in the list, beside those of other tests."""


@pytest.fixture
def feed() -> Iterator[Feed]:
    """A department's server that wants a token."""
    made = Feed()

    def answer(asked: Any) -> Told:
        return told({"data": ORDERS}) if asked.headers.get("authorization") == "Bearer s3cret" else Told(401)

    made.answer = answer
    yield made
    made.close()


def taken(running: Running) -> set[str]:
    """The titles of the incidents there are."""
    request = urllib.request.Request(
        running.url + "/api/v1/incidents", headers={"authorization": f"Bearer {running.read_token}"}
    )
    with urllib.request.urlopen(request, timeout=10) as answer:
        return {one["title"] for one in json.load(answer)["incidents"]}


def arrived(page: "Page", running: Running) -> None:
    """Wait until all that the department has is an incident."""
    deadline = clock.monotonic() + WAIT_MS / 1_000
    while not {one["title"] for one in ORDERS} <= taken(running):
        assert clock.monotonic() < deadline, taken(running)
        page.wait_for_timeout(100)


def fill(page: "Page", **fields: str) -> None:
    """Fill fields of the form."""
    for name, value in fields.items():
        page.locator(f'[id=\'{{"field":"{name}"}}\']').fill(value)


def test_from_nothing_to_incidents(page: "Page", running: Running, feed: Feed) -> None:
    said: list[str] = []
    page.on("pageerror", lambda error: said.append(str(error)))
    page.goto(running.link("admin"))
    page.goto(running.url + "/sources")
    page.click("#source-add")
    page.wait_for_selector("#form-save")
    fill(page, id="lamps", name="路灯所", url=f"http://u:p@127.0.0.1:{feed.port}/", items="data", period_s="5")
    page.click("#form-save")
    until(page, "document.querySelector('.field-wrong:not(:empty)')?.closest('.form-cell') !== undefined")
    wrong = page.locator(".form-cell:has(.field-wrong:not(:empty))")
    assert "地址" in wrong.inner_text() and "不能带口令" in wrong.inner_text()
    fill(page, url=feed.url)
    page.click("#form-test")
    until(page, "document.querySelector('#form-probe')?.textContent.includes('拒绝了身份验证')")
    page.locator('[id=\'{"field":"auth"}\']').click()
    page.get_by_text("令牌（Bearer）").click()
    fill(page, secret="s3cret")
    page.click("#form-test")
    until(page, "document.querySelector('#form-probe')?.textContent.includes('取到 3 条')")
    assert "路灯不亮 0" in page.inner_text("#form-probe")
    assert taken(running).isdisjoint({one["title"] for one in ORDERS})  # a test takes nothing
    page.click("#form-save")
    until(page, f"{ROW}?.querySelector('.source-state.heard')")
    arrived(page, running)
    page.click("[data-tab=health]")
    shown = "document.querySelector('#health-shown').textContent.includes('最近一次成功')"
    until(page, f"(document.querySelector('#health-again').click(), {shown})")
    assert said == [] and "s3cret" not in page.content()
    log = "".join(path.read_text("utf-8") for path in running.settings.data.glob("log/*.log"))
    assert "s3cret" not in log

    feed.answer = lambda _asked: Told(401)
    until(page, f"{ROW}?.querySelector('.source-state.lost')")
    until(page, "!document.querySelector('#desk-lost').hidden")
    assert "路灯所" in page.inner_text("#desk-lost")
    page.click("[data-tab=overview]")
    page.once("dialog", lambda dialog: dialog.accept())
    page.click('[id=\'{"act":"off"}\']')
    until(page, f"{ROW}?.querySelector('.source-state.off')")
    until(page, "document.querySelector('#desk-lost').hidden")
