"""A hotline's workbook in a real Chromium: sample, proposal, preview, saving, rehearsal, sending, sending again."""

from typing import TYPE_CHECKING

import pytest

from operations import journal, mappings, sources
from operations.database import Database
from tests.dashboard.web import Web, signed_in, until
from tests.streams.sheets import hotline_book

if TYPE_CHECKING:
    from playwright.sync_api import FilePayload, Page

pytestmark = pytest.mark.browser
BOOK: "FilePayload" = {"name": "工单.xlsx", "mimeType": "application/octet-stream", "buffer": hotline_book()}
PROGRESS = "document.getElementById('files-progress').innerText"


def test_a_hotlines_workbook_is_connected_on_the_screen_alone(web: Web, page: "Page", furnished: Database) -> None:
    signed_in(page, web, furnished, "system_admin", "/sources")
    until(page, "document.querySelectorAll('.admin-row').length === 1")
    page.click(".admin-row")
    page.click("[data-tab=files]")
    with page.expect_file_chooser() as asked:
        page.click("[data-section=files] .upload-area")
    asked.value.set_files(BOOK)
    until(page, "document.getElementById('files-found').innerText.includes('2 行数据')")
    said = page.inner_text("#files-found")
    assert "表头在第 3 行" in said and "位置 / 经度" in said and "202511220001234592" in said
    until(page, "document.getElementById('files-rows').innerText.includes('还没有字段对照')")

    page.click("[data-tab=mapping]")
    until(page, "document.querySelectorAll('.mapping-fields tbody tr').length > 10")
    chosen = "document.querySelector('[data-field=\"place.lon\"] select').selectedOptions[0].text"
    until(page, f"{chosen} === '位置 / 经度'")
    until(page, "document.getElementById('mapping-preview').innerText.includes('2025-11-22 11:50:00')")
    page.click("#mapping-save")
    until(page, "document.getElementById('mapping-told').innerText.includes('第 1 版')")
    saved = mappings.get(furnished, "s1")
    source = sources.get(furnished, "s1")
    assert saved is not None and source is not None and source.mapping == "s1"

    page.click("[data-tab=files]")
    until(page, "!document.getElementById('files-buttons').hidden")
    page.click("#files-try")
    until(page, f"{PROGRESS}.includes('试运行完成')")
    assert "2 行可以接收" in page.inner_text("#files-progress")
    for said in ("2 行新接收", "2 行重复"):
        page.click("#files-go")
        until(page, f"{PROGRESS}.includes('发送完成') && {PROGRESS}.includes('{said}')")
    actions = [entry.action for entry in journal.read(furnished, 0)]
    assert actions.count("mapping.saved") == 1
    assert actions.count("file.sent") >= 1
