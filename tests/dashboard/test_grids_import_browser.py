"""A shapefile with faults on the page of grids: seen on the map, repaired, taken over."""

import csv
import io
import zipfile
from pathlib import Path
from typing import TYPE_CHECKING

import geopandas
import pytest
from shapely.geometry import box

from config import clock
from operations import accounts, grids, sessions
from operations.database import Database
from operations.policy import SYSTEM
from tests.dashboard.conftest import PASSWORD
from tests.dashboard.test_live_browser import until
from tests.dashboard.web import Web

if TYPE_CHECKING:
    from playwright.sync_api import Page

pytestmark = pytest.mark.browser
LONG_MS = 60_000
SHOWN = "document.getElementById('grids-faults').className === 'faults'"


def faulty(folder: Path) -> Path:
    """Two grids that overlap by 4 m, one of them twice; GBK, no word about it, in a zip."""
    left, right = box(120, 30, 120.01, 30.01), box(120.00996, 30, 120.02, 30.01)
    rows = [("990101001", "东街", left), ("990101002", "西街", right), ("990101002", "西街", right)]
    made = geopandas.GeoDataFrame(
        {"网格编码": [row[0] for row in rows], "网格名称": [row[1] for row in rows]},
        geometry=[row[2] for row in rows],
        crs=4490,
    )
    made.to_file(folder / "grids.shp", encoding="gb18030")
    with zipfile.ZipFile(folder / "grids.zip", "w") as archive:
        for ending in ("shp", "shx", "dbf", "prj"):
            archive.write(folder / f"grids.{ending}", f"网格/grids.{ending}")
    return folder / "grids.zip"


def test_faults_are_seen_on_the_map_repaired_and_taken_over(
    web: Web, page: "Page", furnished: Database, folder: Path
) -> None:
    accounts.add(furnished, SYSTEM, "boss", "system_admin", now=clock.now(), password=PASSWORD)
    page.goto(f"{web.url}/signin?once={sessions.issue_one_time(furnished, 'boss', clock.now())}&next=/grids")
    until(page, "!!document.querySelector('.upload-area')")
    with page.expect_file_chooser() as chooser:
        page.click(".upload-area")
    chooser.value.set_files(faulty(folder))
    until(page, SHOWN, LONG_MS)
    until(page, "document.querySelectorAll('.fault-row').length >= 2", LONG_MS)
    assert not page.is_visible("#grids-take")
    page.click(".fault-row:has(.fault-kind.is-error)")
    until(page, "document.querySelectorAll('.fault-shape.meant').length >= 2")
    with page.expect_download() as download:
        page.click("#grids-csv")
    text = Path(download.value.path()).read_bytes().decode("utf-8-sig")
    assert [row[2] for row in csv.reader(io.StringIO(text))][1] == "990101002"
    page.click("#grids-repair label")
    page.click("#grids-again")
    until(page, "!document.getElementById('grids-take').hidden", LONG_MS)
    until(page, "document.querySelectorAll('.fault-kind.is-repaired').length >= 2")
    page.click("#grids-take")
    until(page, "document.querySelector('#grids-taken .admin-notice.good') !== null", LONG_MS)
    current = grids.current(furnished, clock.now())
    assert current is not None
    assert [(row.code, row.name) for row in current.rows] == [("990101001", "东街"), ("990101002", "西街")]
