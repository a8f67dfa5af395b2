"""Four people at once: who asks, the centre, two owners of whom one is on a phone; then live pictures until revoked."""

import csv
import zipfile
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

import pytest
import sqlalchemy as sa

from config import clock
from config.settings import Settings
from dashboard import cameramap
from dashboard.lookbook import Lookbook
from operations import accounts, evidence, journal, sessions
from operations.cameras.item import Item
from operations.cameras.keeping import take
from operations.database import Database
from operations.errors import DatabaseAway
from operations.grants import rows
from operations.policy import SYSTEM, Identity
from operations.scope import Scope
from operations.seal import KeyStore
from operations.tables import access_request, camera
from streams.demo import scenes
from streams.demo.rtsp_server import Camera, RtspServer
from tests.dashboard.passage import Passage
from tests.dashboard.studio import Studio
from tests.dashboard.test_desk_browser import at
from tests.dashboard.test_leave_races import give
from tests.dashboard.test_live import NORTH
from tests.dashboard.web import PASSWORD, Web, until
from tests.operations.desk import Desk

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

pytestmark = pytest.mark.browser
OWNERS = {11: "transport", 12: "transport", 13: "city_management"}
SPOT = (120.005, 30.005)
LOOKS = {11: (0.0, 0.0005, 180.0), 12: (0.0005, 0.0, 270.0), 13: (0.0, -0.0005, 0.0)}
"""Camera → how far east and north of the spot it stands (degrees), and where it looks."""
DARK_WITHIN_MS = 1_000
ENDS = "() => gridwall.tile(document.querySelector('[data-camera]')).ends"
"""When the tile ends its picture by its own clock (ms)."""
WATCH = """() => {
  const tile = document.querySelector("[data-camera]");
  window.went = 0;
  const look = () => { if (tile.dataset.state === "live") requestAnimationFrame(look); else window.went = Date.now(); };
  look();
}"""

MAPPED = """() => fetch("/cameras-to-ask?box=119,29,121,31&zoom=16")
  .then((one) => one.json()).then((one) => one.total === 3)"""
"""True once the three stand on the map."""

Person = Callable[..., "Page"]


@pytest.fixture
def studio(settings: Settings, furnished: Database) -> Iterator[Studio]:
    """Three cameras round a spot, of two owners."""

    def enlist(server: RtspServer) -> None:
        items = [
            Item(
                code=str(n), name=f"路口 {n}", owner=OWNERS[n], url_main=server.url(str(n)), url_sub=server.url(str(n)),
                lon=SPOT[0] + east, lat=SPOT[1] + north, direction=way, field_angle=90.0, view_distance=120.0,
                chain=NORTH, status="on",
            )
            for n, (east, north, way) in LOOKS.items()
        ]  # fmt: skip
        with furnished.write() as transaction:
            take(transaction, "s", items, complete=True, now=clock.now())

    made = Studio(settings, furnished, {str(n): Camera(scenes.Scene(n, f"路口 {n}")) for n in OWNERS}, enlist)
    made.start()
    yield made
    made.stop()


@pytest.fixture
def incident(settings: Settings, furnished: Database) -> Iterator[str]:
    """One that the police hear of."""
    keys = KeyStore(settings.data / "keys")
    desk = Desk(furnished, keys, now=clock.now())
    desk.send(at("crash", *SPOT, urgency="urgent", department="police"))
    yield desk.incident().id
    keys.close()


@pytest.fixture
def person(chromium: "Browser", web: Web, furnished: Database) -> Iterator[Person]:
    """Somebody of a role and a department, signed in to a page in a browser of their own."""
    contexts = []

    def made(
        name: str, role: str, department: str = "", width: int = 1920, height: int = 1080, grid: str = ""
    ) -> "Page":
        contexts.append(chromium.new_context(viewport={"width": width, "height": height}))
        page = contexts[-1].new_page()
        scope = Scope(grid, department)
        accounts.add(furnished, SYSTEM, name, role, now=clock.now(), scope=scope, password=PASSWORD)
        once = sessions.issue_one_time(furnished, name, clock.now())
        page.goto(f"{web.url}/signin?once={once}&next=/access")
        until(page, "document.querySelector('[data-tab]')")
        return page

    yield made
    for one in contexts:
        one.close()


def decides(page: "Page") -> None:
    """Open the request that waits; nobody reloads: it was pushed."""
    until(page, "document.querySelector('[data-tab=inbox] .access-count')?.textContent === '1'")
    page.locator(".access-row").first.click()
    until(page, "document.querySelector('[name=approve]')")


def test_one_owner_narrows_one_refuses_and_a_revoked_picture_is_dark_within_a_second(
    person: Person, furnished: Database, studio: Studio, incident: str
) -> None:
    police = person("zhou", "liaison", "police")
    centre = person("wang", "duty_commander")
    transport = person("lin", "liaison", "transport", 390, 844)
    city = person("sun", "liaison", "city_management")

    police.locator("[data-tab=ask]").click()
    until(police, f"document.querySelector('[name=incident] option[value=\"{incident}\"]')")
    police.locator("[name=incident]").select_option(incident)
    until(police, "document.querySelectorAll('.access-cameras input:checked').length > 0")
    for box in police.locator(".access-map .access-camera:not(.chosen)").all():
        box.press("Enter")
    police.locator("[name=metres]").select_option("150")
    until(police, "document.querySelectorAll('.access-camera').length === 3")
    while police.locator(".access-map .access-camera:not(.chosen)").count():
        police.locator(".access-map .access-camera:not(.chosen)").first.press("Enter")
    police.locator("textarea[name=text]").fill("核实事故现场")
    police.locator("[name=send]").click()
    until(police, "document.querySelector('.access-seats')")

    decides(centre)
    centre.locator("[name=approve]").click()
    decides(transport)
    transport.locator("[data-pick]:not([disabled])").nth(1).uncheck()
    transport.locator("[name=approve]").click()
    decides(city)
    city.get_by_role("button", name="不同意").click()
    city.locator("dialog textarea").fill("该处正在检修")
    city.locator("dialog .primary").click()

    police.locator("[data-tab=grants]").click()
    until(police, "document.querySelectorAll('.access-grant[data-kind=request]').length === 1")
    granted = police.locator(".access-grant[data-kind=request]")
    number = granted.get_attribute("data-number")
    granted.locator("a.primary").click()
    until(police, "document.querySelector('[data-camera]')?.dataset.state === 'live'")
    assert police.locator("[data-camera]").count() == 1, "what was narrowed and refused is not there"
    until(police, "document.querySelector('.tile-mark').textContent.includes('zhou')")
    mark = police.locator(".tile-mark").text_content() or ""
    assert number is not None and number in mark and "公安" in mark

    ends = police.evaluate(ENDS)
    transport.locator("[data-tab=grants]").click()
    transport.locator("[data-key=prolong]").click()
    until(police, f"({ENDS})() > {ends} + 29 * 60e3")

    police.evaluate(WATCH)
    transport.locator(f"[data-revoke='{number}']").click()
    transport.locator("dialog textarea").fill("现场已处置完毕")
    transport.locator("dialog .primary").click()
    until(police, "window.went > 0")
    (ended,) = [one for one in journal.read(furnished, 0) if one.action == "grant.ended"]
    late = police.evaluate("window.went") - ended.at / 1_000
    assert 0 < late < DARK_WITHIN_MS, late
    until(police, "document.querySelector('[data-camera]').innerText.includes('授权被收回')")
    assert police.locator("[data-camera]").get_attribute("data-state") == "refused"
    began, over = (
        [one for one in journal.read(furnished, 0) if one.action == action] for action in ("look.began", "look.ended")
    )
    assert len(began) == len(over) == 1
    assert over[0].body is not None and over[0].body["how"] == "revoked"

    transport.locator("[data-tab=ledger]").click()
    with transport.expect_download() as download:
        transport.locator("[name=package]").click()
    found = evidence.verify(download.value.path())
    assert found.faults == () and found.manifest is not None and found.manifest.kind == "ledger"
    with zipfile.ZipFile(download.value.path()) as package:
        (line,) = csv.DictReader(package.read("looks.csv").decode("utf-8-sig").splitlines())
    assert (line["授权编号"], line["观看人"], line["如何结束"]) == (number, "zhou", "授权被收回")
    assert (line["事由"], line["授权人"]) == ("核实事故现场", "wang lin")


def test_a_picture_that_was_refused_opens_by_itself_once_it_is_granted_and_leaves_one_refusal(
    person: Person, furnished: Database, studio: Studio, monkeypatch: pytest.MonkeyPatch
) -> None:
    def away(*_: object) -> None:
        raise DatabaseAway()

    with furnished.read() as connection:
        id = connection.execute(sa.select(camera.c.id).where(camera.c.code == "11")).scalar_one()
    leader = person("gu", "leader")
    leader.goto(f"{leader.url.partition('/access')[0]}/pictures?camera={id}&why=request")
    state = "document.querySelector('[data-camera]')?.dataset.state"
    until(leader, f"{state} === 'refused'")
    who = accounts.find(furnished, "gu")
    assert who is not None
    give(furnished, Identity("account", "somebody", "else", "liaison", Scope(department="police")), id, 60)
    give(furnished, who.identity, id, 60)
    until(leader, f"{state} === 'live'")
    entries = [one.action for one in journal.read(furnished, 0) if one.subject_type == "look"]
    assert entries == ["look.denied", "look.began"]
    with monkeypatch.context() as silent:
        silent.setattr(Lookbook, "_told", away)
        until(leader, f"{state} === 'lost'")
        assert "收不到授权确认" in leader.locator("[data-camera]").inner_text()
    until(leader, f"{state} === 'live'")


QUICKER = """
const set = window.setInterval;
window.setInterval = (run, ms, ...more) => set(run, ms === 30000 ? 300 : ms, ...more);
"""
"""Asks after grants a hundred times as often."""


def test_a_grant_beyond_ones_place_is_asked_for_though_nobody_tells_of_it(
    person: Person, furnished: Database, studio: Studio
) -> None:
    with furnished.read() as connection:
        id = connection.execute(sa.select(camera.c.id).where(camera.c.code == "11")).scalar_one()
    leader = person("gu", "leader", grid=NORTH[-1])
    leader.add_init_script(QUICKER)
    leader.goto(f"{leader.url.partition('/access')[0]}/pictures?camera={id}&why=request")
    state = "document.querySelector('[data-camera]')?.dataset.state"
    until(leader, f"{state} === 'refused'")
    until(leader, "document.getElementById('granted').dataset.granted !== ''")
    mark = leader.locator("#granted").get_attribute("data-granted")
    who = accounts.find(furnished, "gu")
    assert who is not None
    give(furnished, who.identity, id, 60, place=NORTH[:1])
    until(leader, f"{state} === 'live'")
    assert leader.locator("#granted").get_attribute("data-granted") == mark, "it was not told"


def test_a_picture_goes_dark_when_its_connection_stays_open_and_says_nothing(
    person: Person, web: Web, furnished: Database, studio: Studio
) -> None:
    with furnished.read() as connection:
        id = connection.execute(sa.select(camera.c.id).where(camera.c.code == "11")).scalar_one()
    leader = person("gu", "leader")
    who = accounts.find(furnished, "gu")
    assert who is not None
    give(furnished, who.identity, id, 60)
    state = "document.querySelector('[data-camera]')?.dataset.state"
    with Passage(web.settings.port) as passage:
        leader.goto(f"{passage.url}/pictures?camera={id}&why=request")
        until(leader, f"{state} === 'live'")
        passage.hold()
        until(leader, f"{state} === 'lost'")
        assert "收不到授权确认" in leader.locator("[data-camera]").inner_text()
        assert leader.evaluate("gridwall.tile(document.querySelector('[data-camera]')).shown") == 0
        passage.go_on()
        until(leader, f"{state} === 'live'")


def test_who_owns_a_camera_exports_a_clip_of_it_and_who_was_not_granted_that_is_told_so(
    person: Person, furnished: Database, studio: Studio
) -> None:
    with furnished.read() as connection:
        id = connection.execute(sa.select(camera.c.id).where(camera.c.code == "11")).scalar_one()
    owner, police = person("lin", "liaison", "transport"), person("zhou", "liaison", "police")
    who = accounts.find(furnished, "zhou")
    assert who is not None
    give(furnished, who.identity, id, 60)
    for page in (police, owner):
        page.goto(f"{page.url.partition('/access')[0]}/pictures?camera={id}&why=request")
        until(page, "document.querySelector('[data-camera]')?.dataset.state === 'live'")
        page.keyboard.press("KeyX")
    police.locator("[data-seconds='10']").click()
    until(police, "document.getElementById('desk-toast').textContent.includes('没有授权')")
    with owner.expect_download() as download:
        owner.locator("[data-seconds='10']").click()
        until(owner, "document.getElementById('desk-toast').textContent.includes('正在录取')")
    found = evidence.verify(download.value.path())
    assert found.faults == () and found.manifest is not None and found.manifest.kind == "export"
    owner.goto(f"{owner.url.partition('/pictures')[0]}/access")
    owner.locator("[data-tab=ledger]").click()
    until(owner, "document.querySelector('.access-body').innerText.includes('导出调取')")


SLOWLY = """(held) => {
  const { ask } = gridwall.access;
  gridwall.access.ask = async (asked) => {
    const answer = await ask(asked);
    if (asked.do !== held) return answer;
    await new Promise((done) => { window.goOn = done; });
    setTimeout(() => { window.gone = true; }, 0); // after the page has taken the answer
    return answer;
  };
}"""
"""Lets answers to asking for one thing wait."""

OPENED = """() => {
  document.querySelector("[role=treeitem][aria-expanded=false] > .access-twig")?.click();
  return document.querySelectorAll("[role=tree] input[data-pick]").length > 1;
}"""
"""Opens what is still closed of a tree; true once cameras are there."""


def test_cameras_are_chosen_in_the_tree_and_the_focus_stays_there(
    person: Person, furnished: Database, studio: Studio
) -> None:
    police = person("zhou", "liaison", "police")
    police.locator("[data-tab=ask]").click()
    police.locator("[name=purpose]").select_option("patrol")
    police.locator(".access-new summary", has_text="目录树").click()
    until(police, OPENED)
    box = police.locator("[role=tree] [data-pick]:not(.access-twig)").nth(1)
    chosen = box.get_attribute("data-pick")
    box.check()
    assert police.evaluate("document.activeElement.closest('[role=tree]') !== null")
    police.locator("textarea[name=text]").fill("例行巡查")
    police.get_by_role("button", name="存草稿").click()
    until(police, "document.querySelectorAll('.access-request .access-cameras li').length === 1")
    with furnished.read() as connection:
        (kept,) = rows.requests(connection, sa.select(access_request.c.body))
    assert [one.id for one in kept.cameras] == [chosen] and kept.state == "draft"

    police.evaluate(SLOWLY, "open")
    police.evaluate("document.dispatchEvent(new Event('visibilitychange'))")
    until(police, "Boolean(window.goOn)")
    police.locator("[data-tab=grants]").click()
    police.evaluate("window.goOn()")
    until(police, "window.gone")
    assert police.locator(".access-request").count() == 0, "what was asked for before does not come back"


def test_a_late_answer_about_an_incident_proposes_nothing_once_another_was_chosen(
    person: Person, studio: Studio, incident: str
) -> None:
    police = person("zhou", "liaison", "police")
    police.locator("[data-tab=ask]").click()
    until(police, f"document.querySelector('[name=incident] option[value=\"{incident}\"]')")
    police.evaluate(SLOWLY, "around")
    police.locator("[name=incident]").select_option(incident)
    until(police, "Boolean(window.goOn)")
    police.locator("[name=incident]").select_option("")
    police.evaluate("window.goOn()")
    until(police, "window.gone")
    assert police.locator("[name=propose], .access-cameras input:checked").count() == 0


def test_cameras_are_chosen_on_the_map_by_hand_and_by_keys(
    monkeypatch: pytest.MonkeyPatch, person: Person, furnished: Database, studio: Studio, incident: str
) -> None:
    monkeypatch.setattr(cameramap, "LOOK_SECONDS", 0.2)
    police = person("zhou", "liaison", "police")
    until(police, MAPPED)
    police.locator("[data-tab=ask]").click()
    police.locator(".access-new summary", has_text="地图").click()
    until(police, f"document.querySelector('[name=incident] option[value=\"{incident}\"]')")
    police.locator("[name=incident]").select_option(incident)
    until(police, "document.querySelectorAll('.camera-sign').length === 3")
    until(police, "document.querySelectorAll('.camera-sign[aria-pressed=true]').length > 0")
    while police.locator(".camera-sign[aria-pressed=true]").count():
        police.locator(".camera-sign[aria-pressed=true]").first.click()
    until(police, "document.querySelectorAll('.access-cameras input:checked').length === 0")

    first, second = police.locator(".camera-sign").all()[:2]
    chosen = {one.get_attribute("data-camera-id") for one in (first, second)}
    first.click()
    second.press("Enter")
    until(police, "document.querySelectorAll('.access-cameras input:checked').length === 2")
    assert police.evaluate("document.activeElement.dataset.cameraId") == second.get_attribute("data-camera-id")
    police.locator("textarea[name=text]").fill("核实事故现场")
    police.locator("[name=send]").click()
    until(police, "document.querySelector('.access-seats')")
    with furnished.read() as connection:
        (sent,) = rows.requests(connection, sa.select(access_request.c.body))
    assert {one.id for one in sent.cameras} == chosen and sent.incident == incident
