"""What a district sends an administrator on the first day: a hotline's workbook, a shapefile with faults, a CAP feed.

A fictitious county of 2 towns, 4 villages and 16 grids of 0.01 degrees, written the way departments write.
"""

import threading
import zipfile
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import geopandas
import openpyxl
import shapely
from shapely.geometry import Polygon

COUNTY = "990101"
WEST, SOUTH, SIDE = 119.10, 34.50, 0.01
ORDERS = 30
METRE = 1e-5
"""About one, in degrees."""
EXCEL_DAY_0 = datetime(1899, 12, 30, tzinfo=UTC)
CAP = """<?xml version="1.0" encoding="{encoding}"?>
<alert xmlns="urn:oasis:names:tc:emergency:cap:1.2">
<identifier>{identifier}</identifier><sender>weather@example.org</sender><sent>{sent}</sent>
<status>Actual</status><msgType>{kind}</msgType><scope>Public</scope>{references}
<info><language>zh-CN</language><category>Met</category><event>暴雨</event><urgency>Immediate</urgency>
<severity>Severe</severity><certainty>Likely</certainty><expires>{expires}</expires>
<senderName>云岭市气象台</senderName><headline>暴雨橙色预警</headline>
<description>未来三小时降雨量将达五十毫米以上。</description>
<area><areaDesc>云岭市</areaDesc><polygon>{polygon}</polygon></area></info></alert>"""


def square(column: int, row: int) -> Polygon:
    """The grid in that column and row, both 0 to 3."""
    west, south = WEST + column * SIDE, SOUTH + row * SIDE
    return shapely.box(west, south, west + SIDE, south + SIDE)


def code(column: int, row: int) -> str:
    """Its 15 digits: county, town (west or east), village (south or north), grid."""
    return f"{COUNTY}{column // 2 + 1:03}{row // 2 + 1:03}{column % 2 * 2 + row % 2 + 1:03}"


def shapefile(folder: Path) -> Path:
    """A zipped shapefile in GBK without a word about it, with a bow-tie, an overlap, a crack and a repeated point."""
    shapes = {code(column, row): square(column, row) for column in range(4) for row in range(4)}
    west, south = WEST, SOUTH
    shapes[code(0, 0)] = Polygon(  # a spike that runs out and back
        [(west, south), (west + SIDE, south), (west + SIDE, south + SIDE), (west + SIDE, south + SIDE),
         (west + SIDE / 2, south + SIDE), (west + SIDE / 2, south + 1.4 * SIDE), (west + SIDE / 2, south + SIDE),
         (west, south + SIDE)]
    )  # fmt: skip
    north, east = south + 2 * SIDE, west + SIDE
    shapes[code(0, 1)] = Polygon(  # two corners drawn in the wrong order: a bow-tie of a metre
        [(west, south + SIDE), (east, south + SIDE), (east, north), (west, north - METRE), (west + METRE, north)]
    )
    shapes[code(2, 0)] = shapely.box(west + 2 * SIDE - 2e-6, south, west + 3 * SIDE, south + SIDE)  # 0.2 m over
    shapes[code(3, 3)] = shapely.box(west + 3 * SIDE + 3e-6, south + 3 * SIDE, west + 4 * SIDE, south + 4 * SIDE)
    frame = geopandas.GeoDataFrame(
        {"网格编码": list(shapes), "网格名称": [f"云岭第{number + 1}网格" for number in range(len(shapes))]},
        geometry=list(shapes.values()),
        crs="EPSG:4490",
    )
    frame.to_file(folder / "grids.shp", encoding="GBK", engine="pyogrio")
    (folder / "grids.cpg").unlink()
    packed = folder / "网格.zip"
    with zipfile.ZipFile(packed, "w") as archive:
        for part in sorted(folder.glob("grids.*")):
            archive.write(part, part.name)
    return packed


def workbook(folder: Path, now: datetime) -> Path:
    """30 work orders under a title and two header rows with merged cells; times are Excel's serial numbers."""
    book = openpyxl.Workbook()
    sheet: Any = book.active
    sheet.append(["云岭市12345热线工单"])
    sheet.merge_cells("A1:K1")
    sheet.append(
        ["工单编号", "受理时间", "紧急程度", "诉求类型", "标题", "诉求内容", "来电人", "联系电话", "地址", "位置"]
    )
    sheet.append([*[None] * 9, "经度", "纬度"])
    sheet.merge_cells("J2:K2")
    for column in "ABCDEFGHI":
        sheet.merge_cells(f"{column}2:{column}3")
    for number in range(ORDERS):
        at = now.replace(tzinfo=UTC) - timedelta(minutes=2 * number)
        serial = (at - EXCEL_DAY_0) / timedelta(days=1)
        lon, lat = WEST + (number % 8 + 0.5) * SIDE / 2, SOUTH + (number % 7 + 0.5) * SIDE / 2
        kind = ("噪音扰民", "道路破损", "停水停电")[number % 3]
        sheet.append(
            [20261122000100 + number, serial, "特急" if number % 10 == 9 else "紧急" if number % 3 == 1 else "一般",
             kind, f"{kind}（第{number + 1}件）", "请尽快处理。", "张三", "13800000000", f"云岭路{number + 1}号",
             f"{lon:.6f}", f"{lat:.6f}"]
        )  # fmt: skip
    file = folder / "12345工单.xlsx"
    book.save(file)
    return file


class Feed:
    """An Atom feed with one CAP alert, on a port of its own."""

    def __init__(self, sent: datetime, expires: datetime) -> None:
        ring = [(SOUTH, WEST), (SOUTH, WEST + 2 * SIDE), (SOUTH + 4 * SIDE, WEST + 2 * SIDE), (SOUTH + 4 * SIDE, WEST)]
        polygon = " ".join(f"{lat},{lon}" for lat, lon in [*ring, ring[0]])
        self.alert = CAP.format(
            encoding="GB2312", identifier="99010141600000_20261122080000", sent=stamp(sent), kind="Alert",
            references="", expires=stamp(expires), polygon=polygon,
        ).encode("gb2312")  # fmt: skip
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self.url = f"http://127.0.0.1:{self._server.server_port}/feed.atom"
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    def close(self) -> None:
        """Stop answering."""
        self._server.shutdown()
        self._server.server_close()

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        feed = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                alert = self.path.endswith(".cap")
                body = feed.alert if alert else feed._atom()
                self.send_response(200)
                self.send_header("content-type", "application/cap+xml" if alert else "application/atom+xml")
                self.send_header("content-length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_args: object) -> None:
                """Say nothing."""

        return Handler

    def _atom(self) -> bytes:
        link = self.url.replace("feed.atom", "1.cap")
        return (
            '<?xml version="1.0" encoding="utf-8"?><feed xmlns="http://www.w3.org/2005/Atom"><title>预警</title>'
            f"<id>urn:feed</id><updated>2026-11-22T00:00:00Z</updated><entry><id>urn:1</id><title>暴雨橙色预警</title>"
            f'<updated>2026-11-22T00:00:00Z</updated><link type="application/cap+xml" href="{link}"/></entry></feed>'
        ).encode()


def stamp(at: datetime) -> str:
    """A time of China as CAP writes it."""
    return at.strftime("%Y-%m-%dT%H:%M:%S+08:00")
