"""An incident with five people at once: reported, ordered to three, refused, escalated, ruled, done, followed up."""

from typing import TYPE_CHECKING

import pytest
import sqlalchemy as sa

from config import clock
from operations import accounts, sessions
from operations.database import Database
from operations.firing import Firing
from operations.policy import SYSTEM
from operations.report import Place
from operations.scope import Scope
from operations.seal import KeyStore
from operations.tables import journal, person, shift
from tests.dashboard.web import PASSWORD, Web, until
from tests.operations.desk import DAY, DEADLINES, MINUTE, Desk, report

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

pytestmark = pytest.mark.browser

ROW = "gridwall.desk.orders.rows.values().next().value"
HEIGHT = 768
LIAISONS = {"消防": "fire", "公安": "police", "卫生": "health"}


def entered(chromium: "Browser", web: Web, database: Database, role: str, path: str, department: str = "") -> "Page":
    """The page of somebody new; liaisons of the fire brigade hold a telephone."""
    name = role + department
    scope = Scope(department=department)
    accounts.add(database, SYSTEM, name, role, now=clock.now(), password=PASSWORD, scope=scope)
    width, height = (360, 800) if department == "fire" else (1366, HEIGHT)
    page = chromium.new_context(viewport={"width": width, "height": height}).new_page()
    page.set_default_timeout(15_000)
    page.goto(f"{web.url}/signin?once={sessions.issue_one_time(database, name, clock.now())}&next={path}")
    until(page, "document.documentElement.dataset.link === 'live'")
    return page


def on_duty(database: Database) -> None:
    """One of the fire brigade is on duty."""
    now = clock.now()
    card = {"post": "班长", "department": "fire", "changed_at": now, "changed_by": "x", "revision": 1}
    who = {"id": "p1", "name": "王一", "pinyin": "wangyi", "initials": "wy", "account": "a1"}
    held = {"id": "s1", "department": "fire", "post": "班长", "person": "p1", "rank": 1}
    times = {"starts_at": now - DAY, "ends_at": now + DAY, "changed_at": now, "changed_by": "x"}
    with database.write() as transaction:
        transaction.connection.execute(sa.insert(person).values(**card, **who))
        transaction.connection.execute(sa.insert(shift).values(**held, **times))


def stands(page: "Page", department: str, state: str) -> None:
    """Wait until the page shows that state of a department's receipt."""
    until(page, f"{ROW}.to.find((one) => one.id === 'department:{department}')?.state === '{state}'")


def answer(page: "Page", deed: str, text: str = "") -> None:
    """Give one receipt on a liaison's page."""
    page.click(f"[data-deed={deed}]")
    if deed == "refused":
        page.click("[name=mine-reason] >> nth=0")
    if text:
        page.fill(".mine-form textarea", text)
    if deed != "signed":
        page.click("[data-send]")


def act(page: "Page", key: str, recipient: str = "", text: str = "", choice: str = "") -> None:
    """Do one thing to the order on a desk, by keys."""
    page.evaluate(f"gridwall.desk.order.show([...gridwall.desk.orders.rows.keys()][0], '{recipient}' || null)")
    page.keyboard.press(key)
    form = page.locator("#desk-order-head form")
    form.wait_for()
    if choice:
        page.keyboard.press(choice)
    form.locator("textarea").fill(text)
    button = form.locator(".primary").bounding_box()
    assert button is not None and button["y"] + button["height"] < HEIGHT
    page.keyboard.press("Control+Enter")
    form.wait_for(state="detached")


def test_five_people_bring_one_report_to_its_end(web: Web, furnished: Database, chromium: "Browser") -> None:
    on_duty(furnished)
    desk = entered(chromium, web, furnished, "operator", "/desk?lang=zh")
    commander = entered(chromium, web, furnished, "duty_commander", "/desk?lang=zh")
    fire, police, health = (
        entered(chromium, web, furnished, "liaison", "/orders?lang=zh", code) for code in LIAISONS.values()
    )
    now = clock.now()
    keys = KeyStore(web.settings.data / "keys")
    place = Place(120.005, 30.005, 120.005, 30.005)
    Desk(furnished, keys, now=now).send(
        report("gas", title="燃气泄漏", urgency="critical", place=place, occurred_at=now, received_at=now)
    )
    keys.close()
    until(desk, "document.querySelector('.desk-row')")
    for key in ("j", "a"):
        desk.keyboard.press(key)
    until(desk, "gridwall.desk.queue.get(gridwall.desk.queue.selected)?.acknowledged_at")
    desk.keyboard.press("l")
    desk.wait_for_selector("#desk-compose-pick")
    for name, typed in zip(LIAISONS, ("xfjy", "gongan", "wsjk"), strict=True):
        if desk.locator(".desk-addressee", has_text=name).count() == 0:
            desk.fill("#desk-compose-pick", typed)
            desk.wait_for_selector("#desk-composer .desk-combo-list li")
            desk.keyboard.press("Enter")
    desk.locator(".desk-addressee").nth(2).wait_for()
    assert desk.locator(".desk-addressee").count() == 3
    desk.keyboard.press("Enter")
    for page in (fire, police, health):
        page.click(".mine-open")
        page.wait_for_selector(".mine-foot")

    answer(police, "refused", "已出警他处")
    stands(desk, "police", "refused")
    lead = desk.evaluate(f"{ROW}.to.find((one) => one.role === 'lead').id.split(':')[1]")
    slow = {"fire": fire, "police": police, "health": health}
    answer(health, "signed")
    stands(desk, "health", "signed")
    assert Firing(furnished, DEADLINES).step(clock.now() + 10 * MINUTE) > 0
    until(desk, f"{ROW}.to.some((one) => one.id === 'person:p1')")
    answer(fire, "signed")
    until(desk, f"{ROW}.to.find((one) => one.id === 'person:p1').state === 'withdrawn'")

    act(desk, "b", "department:police", "请再派一组")
    answer(police, "refused", "警力已用尽")
    stands(commander, "police", "refused")
    act(commander, "u", "department:police", "属地责任", "1")
    police.wait_for_selector("[data-deed=signed]")
    assert police.locator("[data-deed=refused]").count() == 0, "it was ruled that it must"
    answer(police, "signed")
    stands(desk, "police", "signed")
    for code, page in sorted(slow.items(), key=lambda one: one[0] == lead):
        answer(page, "arrived")
        stands(desk, code, "arrived")
        answer(page, "reply" if code == lead else "done", "已处置")
        stands(desk, code, "done")
    until(desk, "gridwall.desk.queue.get(gridwall.desk.opened)?.step === 'review'")
    act(desk, "v", text="同意")
    until(desk, "gridwall.desk.queue.get(gridwall.desk.opened)?.step === 'follow_up'")
    desk.keyboard.press("Escape")
    until(desk, "gridwall.desk.loop.choices().some((one) => one.code === 'followed')")
    desk.click("[data-choice=followed]")
    for name, value in (("result", "resolved"), ("follow_up", "reached"), ("satisfaction", "4")):
        desk.select_option(f"#desk-loop-{name}", value)
    desk.keyboard.press("Control+Enter")
    until(desk, "document.querySelector('#desk-head .desk-step')?.textContent.includes('办结')")
    told = desk.locator("#desk-details .desk-history").inner_text()
    for said in ("已转呼班长", "裁定必须办理", "主办综合反馈", "已出警他处"):
        assert said in told, said
    with furnished.read() as connection:
        written = set(connection.execute(sa.select(journal.c.action)).scalars())
    steps = ("sent", "refused", "signed", "arrived", "resent", "ruled", "done", "replied", "accepted")
    assert written >= {"incident.opened", "incident.acknowledged", "clock.overdue", *(f"order.{one}" for one in steps)}
    for page in (desk, commander, fire, police, health):
        page.context.close()
