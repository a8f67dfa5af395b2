"""The operator's desk in a real browser on the whole program, by keyboard alone: register, conflicts, repair."""

import json
import subprocess
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

import pytest

from config import clock
from config.settings import child_environment
from tests.conftest import Running, run_py
from tests.dashboard.web import until

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page, Route

pytestmark = pytest.mark.browser

NO_GRIDS = "404"
"""The map asks for shapes; this program has no grids, and the map says so."""

OpenDesk = Callable[..., "Page"]


@pytest.fixture
def open_desk(chromium: "Browser", running: Running) -> Iterator[OpenDesk]:
    """Opens a page signed in as the duty commander, and checks at the end that no page had an error."""
    contexts = []
    errors: list[str] = []

    def opened(path: str = "/desk", width: int = 1366, height: int = 768, expected: str = NO_GRIDS) -> "Page":
        context = chromium.new_context(viewport={"width": width, "height": height})
        contexts.append(context)
        page = context.new_page()
        page.on("pageerror", lambda error: errors.append(str(error)))
        page.on(
            "console",
            lambda said: errors.append(said.text) if said.type == "error" and expected not in said.text else None,
        )
        page.goto(running.link())
        page.goto(running.url + path)
        page.wait_for_selector("html[data-link=live]")
        page.wait_for_selector(".desk-rows[role=listbox]")
        return page

    yield opened
    for context in contexts:
        context.close()
    assert errors == []


def send(running: Running, *reports: dict[str, object] | bytes) -> None:
    """Send reports through the HTTP door."""
    for report in reports:
        body = report if isinstance(report, bytes) else json.dumps(report).encode()
        headers = {"authorization": f"Bearer {running.token}", "content-type": "application/json"}
        request = urllib.request.Request(running.url + "/api/v1/reports", body, headers)
        try:
            urllib.request.urlopen(request, timeout=10).close()
        except urllib.error.HTTPError as error:
            assert error.code == 422, error.read()


def report(id: str, **values: object) -> dict[str, object]:
    return {
        "id": id,
        "revision": "1",
        "type": "0304",
        "urgency": "urgent",
        "title": f"标题 {id}",
        "text": "正文",
    } | values


WEST, EAST = "990101001001001", "990101001001002"


@pytest.fixture
def grids(running: Running) -> None:
    """Imports two grids side by side, west and east of 121.2°, once."""
    if "甲网格" in ask(running, "/api/v1/grids/locate?lon=121.15&lat=31.05"):
        return
    file = running.settings.data / "grids.geojson"
    file.write_text(json.dumps({"type": "FeatureCollection", "features": [
        square("990101001", "北塘街道", 121.1, 121.3),
        square("990101001001", "北塘社区", 121.1, 121.3),
        square(WEST, "甲网格", 121.1, 121.2),
        square(EAST, "乙网格", 121.2, 121.3),
    ]}), "utf-8")  # fmt: skip
    data = ("--data", str(running.settings.data))
    environment = child_environment()
    told = subprocess.run(run_py("import", "grids", str(file), *data), capture_output=True, text=True, env=environment)
    assert told.returncode == 0, told.stdout + told.stderr
    deadline = clock.monotonic() + 20
    while "甲网格" not in ask(running, "/api/v1/grids/locate?lon=121.15&lat=31.05"):
        assert clock.monotonic() < deadline


def square(code: str, name: str, west: float, east: float) -> dict[str, object]:
    """Return a grid from `west` to `east` (degrees) as a GeoJSON feature."""
    south, north = 31.0, 31.1
    ring = [[west, south], [east, south], [east, north], [west, north], [west, south]]
    return {
        "type": "Feature",
        "properties": {"code": code, "name": name, "population": 900},
        "geometry": {"type": "Polygon", "coordinates": [ring]},
    }


def find(page: "Page", text: str) -> None:
    """Find a row by text with the keyboard and open it."""
    page.keyboard.press("Escape")
    page.keyboard.press("/")
    page.keyboard.type(text)
    page.wait_for_selector(f".desk-row:has-text('{text}')")
    page.keyboard.press("Enter")
    page.keyboard.press("Enter")
    page.wait_for_selector(f"#desk-head:has-text('{text}')")
    page.wait_for_selector("#desk-details")


def make_late(page: "Page", revision: int) -> None:
    """Have the row of the open incident stand where it stood before our own last command, as when its frame is late."""
    row = "gridwall.desk.queue.get(gridwall.desk.opened)"
    until(page, f"{row}.revision === {revision}")
    page.evaluate(f"{row}.revision = {revision - 1}")


def told(page: "Page", text: str) -> None:
    page.wait_for_selector(f"#desk-toast:has-text('{text}')")


def test_a_call_is_registered_acknowledged_noted_closed_and_all_of_it_is_history(open_desk: OpenDesk) -> None:
    page = open_desk()
    page.keyboard.press("n")
    page.keyboard.type("张三")
    page.keyboard.press("Enter")
    page.keyboard.type("13900001111")
    page.keyboard.press("Enter")
    page.keyboard.press("Enter")
    page.keyboard.type("0304")
    page.keyboard.press("Enter")
    page.keyboard.press("1")
    page.keyboard.press("Enter")
    page.keyboard.type("北塘路 12 号")
    assert page.input_value("#desk-form-address") == "北塘路 12 号"
    assert page.get_attribute("#desk-form-urgency [data-value=critical]", "aria-checked") == "true"
    page.focus("#desk-form-title")
    page.keyboard.type("楼道里有很浓的燃气味")
    page.keyboard.press("Control+Enter")
    told(page, "已登记为")
    page.wait_for_selector(".desk-row[aria-selected=true]:has-text('楼道里有很浓的燃气味')")

    page.keyboard.press("a")
    told(page, "已签收")
    page.keyboard.press("m")
    page.keyboard.type("已通知燃气公司")
    page.keyboard.press("Control+Enter")
    told(page, "备注已写入")
    make_late(page, 3)
    page.keyboard.press("u")
    page.keyboard.press("1")
    told(page, "已经是特急")
    page.keyboard.press("g")
    told(page, "请先按 Esc")
    page.keyboard.press("2")
    told(page, "已改为紧急")
    page.keyboard.press("c")
    page.keyboard.press("1")
    page.keyboard.press("Enter")
    told(page, "已办结")
    page.wait_for_selector(".desk-history-item:has-text('办结，结果：已解决')")
    lines = page.locator(".desk-history-item").all_inner_texts()
    for line, said in zip(lines, ["办结", "紧急程度改为紧急", "备注", "签收", "接报立案"], strict=True):
        assert said in line
    assert "已通知燃气公司" in lines[2]
    page.keyboard.press("z")
    told(page, "已重新打开")


def test_an_unplaced_incident_is_placed_by_a_click_on_the_map(
    open_desk: OpenDesk, running: Running, grids: None
) -> None:
    send(running, report("lost-1", place={"lon": 121.32, "lat": 31.05}))
    page = open_desk()
    find(page, "标题 lost-1")
    assert "未落格" in page.inner_text(".desk-row[aria-selected=true]")
    before = int(page.inner_text(".desk-chip[aria-keyshortcuts=X] b"))
    page.keyboard.press("g")
    page.wait_for_selector(".desk-pick:visible")
    page.mouse.click(*seen_at(page, 121.25, 31.04))
    page.wait_for_selector("#desk-action .desk-found:has-text('北塘街道 · 乙网格')")
    assert page.locator(".desk-pin:not([hidden])").count() == 1
    page.keyboard.press("Enter")
    told(page, "已落格")
    page.wait_for_selector(".desk-history-item:has-text('人工落格到 乙网格')")
    assert EAST in page.inner_text(".desk-facts")
    assert "人工落格" in page.inner_text(".desk-facts")
    page.wait_for_selector(".desk-row[aria-selected=true]:has-text('北塘街道 · 乙网格')")
    assert int(page.inner_text(".desk-chip[aria-keyshortcuts=X] b")) == before - 1
    assert not page.is_visible(".desk-pick")
    assert page.locator(".desk-pin:not([hidden])").count() == 0
    page.keyboard.press("z")
    page.wait_for_selector(".desk-row[aria-selected=true]:has-text('未落格')")


def seen_at(page: "Page", lon: float, lat: float) -> tuple[float, float]:
    """Return where on the page the map shows a point."""
    page.wait_for_function("window.gridwallMap?.pictures?.[0]?.marks?.view")
    x, y = page.evaluate(
        """([lon, lat]) => {
            const { map } = gridwallMap.pictures[0];
            const { x, y } = map.latLngToContainerPoint([lat, lon]);
            const box = map.getContainer().getBoundingClientRect();
            return [box.left + x, box.top + y];
        }""",
        [lon, lat],
    )
    return x, y


def test_one_registered_with_its_grid_alone_says_so(open_desk: OpenDesk, grids: None) -> None:
    page = open_desk()
    page.keyboard.press("n")
    page.fill("#desk-form-type", "0304")
    page.keyboard.press("Enter")
    page.fill("#desk-form-grid", "乙网格")
    page.keyboard.press("Enter")
    page.wait_for_selector("#desk-form .desk-found:has-text('只有网格级位置')")
    page.fill("#desk-form-title", "只知道在哪个网格")
    page.keyboard.press("Control+Enter")
    told(page, "乙网格 · 网格级位置")
    page.wait_for_selector(".desk-row[aria-selected=true]:has-text('乙网格 · 网格级位置')")
    page.wait_for_selector(".desk-facts:has-text('无坐标，只落到网格')")


def test_what_is_said_of_a_row_that_came_before_the_answer_stays(open_desk: OpenDesk) -> None:
    page = open_desk()
    page.evaluate(
        """() => {
            const real = fetch;
            fetch = async (...asked) => {
                const answer = await real(...asked);
                const registers = String(asked[1]?.body).includes("desk-register");
                if (registers) await new Promise((done) => { window.release = done; });
                return answer;
            };
        }"""
    )
    page.keyboard.press("n")
    page.fill("#desk-form-type", "0304")
    page.keyboard.press("Enter")
    page.fill("#desk-form-title", "比回答先到")
    page.keyboard.press("Control+Enter")
    page.wait_for_selector(".desk-row:has-text('比回答先到')", state="attached")
    page.evaluate("window.release()")
    told(page, "已登记")
    page.wait_for_selector(".desk-row[aria-selected=true]:has-text('比回答先到')")


def test_the_callers_name_is_gone_after_a_reload_and_the_rest_is_not(open_desk: OpenDesk) -> None:
    page = open_desk()
    page.keyboard.press("n")
    page.keyboard.type("李四")
    page.focus("#desk-form-title")
    page.keyboard.type("路灯不亮")
    page.reload()
    told(page, "未提交的登记")
    page.keyboard.press("n")
    assert page.input_value("#desk-form-caller") == ""
    assert page.input_value("#desk-form-title") == "路灯不亮"
    stored = page.evaluate("JSON.stringify([{...sessionStorage}, {...localStorage}])")
    assert "李四" not in stored


def test_the_sealed_original_is_shown_in_words(open_desk: OpenDesk, running: Running) -> None:
    reporter = {"name": "王小明", "phone": "13900002222", "organisation": "北塘物业"}
    send(running, report("sealed-1", text="三楼有人受困\n请快来", reporter=reporter))
    page = open_desk()
    find(page, "标题 sealed-1")
    page.keyboard.press("v")
    page.keyboard.type("联系报告人")
    page.keyboard.press("Control+Enter")
    page.wait_for_selector("#desk-sealed")
    shown = page.locator("#desk-sealed dt").all_inner_texts(), page.locator("#desk-sealed dd").all_inner_texts()
    assert dict(zip(*shown, strict=True)) == {
        "原文": "三楼有人受困\n请快来",
        "报告人": "王小明",
        "电话": "13900002222",
        "单位": "北塘物业",
    }


def test_a_drawer_opened_while_the_server_is_away_fills_itself_on_return(open_desk: OpenDesk, running: Running) -> None:
    send(running, report("away-1"), report("away-2"))
    page = open_desk()
    find(page, "标题 away-1")
    page.evaluate("fetch = ((real) => (...all) => window.away ? new Promise(() => {}) : real(...all))(fetch)")
    link(page, "lost")
    page.keyboard.press("Escape")
    page.keyboard.press("/")
    page.keyboard.type("标题 away-2")
    page.keyboard.press("Enter")
    page.keyboard.press("Enter")
    page.wait_for_selector("#desk-waiting:has-text('详情待连接恢复后加载')")
    assert not page.is_visible("#desk-details")
    link(page, "live")
    page.wait_for_selector("#desk-details:has-text('away-2')")
    assert not page.is_visible("#desk-waiting")


def test_a_drawer_the_server_could_not_fill_says_so_and_fills_itself_later(
    open_desk: OpenDesk, running: Running
) -> None:
    send(running, report("failing-1"))
    page = open_desk(expected="")
    broken = True

    def answer(route: "Route") -> None:
        if broken and '"id":"desk-open"' in (route.request.post_data or ""):
            route.fulfill(status=500)
        else:
            route.continue_()

    page.route("**/_dash-update-component*", answer)
    page.keyboard.press("/")
    page.keyboard.type("标题 failing-1")
    page.wait_for_selector(".desk-row:has-text('failing-1')")
    page.keyboard.press("Enter")
    page.keyboard.press("Enter")
    page.wait_for_selector("#desk-waiting:has-text('详情没有读到')")
    assert page.is_visible("#desk-waiting button:has-text('现在再读')")
    assert not page.is_visible("#desk-details")
    broken = False
    page.wait_for_selector("#desk-details:has-text('failing-1')")
    assert not page.is_visible("#desk-waiting")


def link(page: "Page", state: str) -> None:
    """Tell the page how it is connected; away, no request is answered."""
    page.evaluate(
        """(state) => {
            const root = document.documentElement;
            window.away = state !== "live";
            window.heldLink?.disconnect();
            root.dataset.link = state;
            const hold = () => root.dataset.link !== state && (root.dataset.link = state);
            window.heldLink = new MutationObserver(hold); // the server, which is there, beats on
            if (window.away) window.heldLink.observe(root, { attributeFilter: ["data-link"] });
            document.dispatchEvent(new CustomEvent("gridwall:link", { detail: state }));
        }""",
        state,
    )


def test_two_desks_in_conflict_lose_nothing_and_redo_by_one_key(open_desk: OpenDesk, running: Running) -> None:
    send(running, report("conflict-1"))
    first, second = open_desk(), open_desk()
    for page in (first, second):
        find(page, "标题 conflict-1")
    second.keyboard.press("c")
    second.keyboard.press("3")
    second.focus("#desk-action textarea")
    second.keyboard.type("与另一件重复")
    first.keyboard.press("u")
    first.keyboard.press("1")
    told(first, "已改为特急")
    second.keyboard.press("Control+Enter")
    second.wait_for_selector(".desk-conflict:has-text('紧急程度改为特急')")
    assert second.input_value("#desk-action textarea") == "与另一件重复"
    second.keyboard.press("Enter")
    told(second, "已办结")
    first.wait_for_selector(".desk-history-item:has-text('重复来件')")
    assert "与另一件重复" in first.inner_text("#desk-details")


def test_arriving_rows_steal_neither_selection_nor_place(open_desk: OpenDesk, running: Running) -> None:
    send(running, *(report(f"calm-{n:02d}", urgency="routine") for n in range(30)))
    page = open_desk()
    page.keyboard.press("/")
    page.keyboard.type("calm-")
    page.wait_for_selector(".desk-count:has-text('显示 30 /')")
    page.keyboard.press("Enter")
    for _ in range(15):
        page.keyboard.press("j")
    before = page.locator(".desk-row[aria-selected=true]").bounding_box()
    chosen = page.evaluate("gridwall.desk.queue.selected")
    send(running, *(report(f"calm-grave-{n}", urgency="critical") for n in range(5)))
    page.wait_for_selector(".desk-count:has-text('显示 35 /')")
    assert page.evaluate("gridwall.desk.queue.selected") == chosen
    assert page.locator(".desk-row[aria-selected=true]").bounding_box() == before
    page.wait_for_selector("button.fresh:has-text('新到 5 起')")


def test_a_quarantined_report_is_read_with_a_reason_repaired_and_resubmitted(
    open_desk: OpenDesk, running: Running
) -> None:
    send(running, report("broken-1", place={"lon": 31.2, "lat": 121.5}))
    page = open_desk("/quarantine")
    page.wait_for_selector("[role=option]:has-text('broken-1'), [role=option]:has-text('经纬度')")
    page.keyboard.press("?")
    page.wait_for_selector("#desk-help dd:visible:has-text('丢弃')")
    assert page.locator("#desk-help dd:visible:has-text('签收')").count() == 0
    page.keyboard.press("Escape")
    page.keyboard.press("j")
    page.keyboard.press("Enter")
    page.keyboard.press("v")
    page.keyboard.type("修正坐标")
    page.keyboard.press("Control+Enter")
    page.wait_for_selector("#quarantine-content")
    page.wait_for_selector(".desk-found:has-text('疑为 经度 121.5 纬度 31.2')")
    page.fill("#quarantine-content", "{")
    page.keyboard.press("Control+Enter")
    page.wait_for_selector("#quarantine-error:has-text('仍有问题')")
    repaired = report("broken-1", place={"lon": 121.5, "lat": 31.2}, title="修好的来件")
    page.fill("#quarantine-content", json.dumps(repaired, ensure_ascii=False))
    page.keyboard.press("Control+Enter")
    told(page, "已重新提交")
    desk = open_desk()
    find(desk, "修好的来件")
    read = json.loads(ask(running, "/api/v1/journal?after=0"))
    assert any(entry["action"] == "quarantine.unsealed" and entry["reason"] == "修正坐标" for entry in read["entries"])


def ask(running: Running, path: str) -> str:
    """Return what the API tells, or why it does not."""
    request = urllib.request.Request(running.url + path, headers={"authorization": f"Bearer {running.read_token}"})
    try:
        with urllib.request.urlopen(request, timeout=10) as answer:
            return str(answer.read().decode())
    except urllib.error.HTTPError as error:
        return str(error)


def test_a_quarantined_report_is_discarded_with_a_reason(open_desk: OpenDesk, running: Running) -> None:
    send(running, b'{"id": "junk-1", "title": NaN}')
    page = open_desk("/quarantine")
    page.wait_for_selector("[role=option]:has-text('JSON')")
    page.keyboard.press("j")
    page.keyboard.press("d")
    page.keyboard.press("Control+Enter")
    told(page, "请写明理由")
    page.keyboard.type("测试来件")
    page.keyboard.press("Control+Enter")
    told(page, "已丢弃")
    page.wait_for_selector("[role=option]", state="detached")


def test_the_help_sheet_the_language_and_the_letters_switch(open_desk: OpenDesk) -> None:
    page = open_desk("/desk?lang=en")
    page.keyboard.press("?")
    page.wait_for_selector("#desk-help[open]:has-text('Register an incident')")
    page.click("#desk-letters")
    page.keyboard.press("Escape")
    page.keyboard.press("n")
    assert page.locator("#desk-form form").count() == 0
    page.keyboard.press("?")
    page.click("#desk-letters")
    page.keyboard.press("Escape")
    page.keyboard.press("n")
    page.wait_for_selector("#desk-form form:has-text('Caller')")


@pytest.mark.parametrize(("path", "width"), [("/desk", 1366), ("/quarantine", 390)])
def test_one_signs_out_from_the_header(open_desk: OpenDesk, path: str, width: int) -> None:
    page = open_desk(path, width=width)
    page.click(".desk-header button:has-text('退出登录')")
    page.wait_for_selector("text=已退出登录")
    page.goto(page.url.partition("/signin")[0] + path)
    assert "/signin?next=" in page.url


def test_on_a_phone_the_parts_stand_one_under_another_and_the_actions_at_the_thumb(
    open_desk: OpenDesk, running: Running
) -> None:
    send(running, report("phone-1"))
    page = open_desk(width=390, height=844)
    page.wait_for_selector(".desk-row")
    tops = page.evaluate("['.desk-queue', '.map', '.desk-side'].map((one) => document.querySelector(one).offsetTop)")
    assert tops == sorted(tops) and len(set(tops)) == 3
    page.click(".desk-row >> nth=0")
    page.wait_for_selector("#desk-details")
    wide = "document.documentElement.scrollWidth"
    assert page.evaluate(wide) == 390
    for box in [one.bounding_box() for one in page.locator(".desk-actions[role=toolbar] button").all()]:
        assert box is not None
        assert (
            box["height"] >= 44
            and box["y"] > 422
            and box["y"] + box["height"] <= 844
            and box["x"] + box["width"] <= 390
        )
    page.click("#desk-head button:has-text('备注')")
    page.fill("#desk-action textarea", "手机上写的备注")
    page.click("#desk-send")
    told(page, "备注已写入")
    page.click("#desk-new")
    page.wait_for_selector("#desk-form-send")
    assert page.evaluate(wide) == 390


def test_a_phone_names_what_to_tap_and_no_key(open_desk: OpenDesk, running: Running) -> None:
    send(running, report("tap-1"))
    page = open_desk("/desk?lang=en", width=390, height=844)
    page.wait_for_selector(".desk-row")
    assert "Tap an incident" in page.inner_text("#desk-head")
    assert page.get_attribute("#desk-search", "placeholder") == "Find number, title, address"
    assert page.locator("kbd:visible").count() == 0
    page.fill("#desk-search", "no such incident")
    page.wait_for_selector(".desk-queue .desk-empty:has-text('Tap “Clear filters”')")
    page.click("button:visible:has-text('Clear filters')")
    row = page.locator(".desk-row").first
    assert row.locator(".desk-row-title").evaluate("(one) => one.scrollWidth <= one.clientWidth")
    row.click()
    page.wait_for_selector("#desk-details")
    page.click("#desk-head button:has-text('Urgency')")
    assert page.locator("kbd:visible").count() == 0


def test_nothing_is_clipped_at_the_smallest_desk_and_text_is_no_smaller_than_14_pixels(open_desk: OpenDesk) -> None:
    page = open_desk()
    assert page.evaluate("[document.documentElement.scrollWidth, document.documentElement.scrollHeight]") == [1366, 768]
    right = page.evaluate(
        """() => {
          const said = [...document.querySelectorAll("[data-backlog]")];
          for (const one of said) one.textContent = "来件积压 12,234 件，最久 46 分";
          const whole = said.every((one) => one.scrollWidth <= one.clientWidth);
          return whole && document.getElementById("desk-new").getBoundingClientRect().right;
        }"""
    )
    assert 1200 < right <= 1366, "a backlog pushes nothing over the edge"
    page.keyboard.press("n")
    small = page.evaluate(
        """[...document.querySelectorAll('.page *')].filter((one) => one.offsetParent && one.childNodes.length &&
        [...one.childNodes].some((node) => node.nodeType === 3 && node.textContent.trim()) &&
        parseFloat(getComputedStyle(one).fontSize) < 14).map((one) => one.className)"""
    )
    assert small == []
