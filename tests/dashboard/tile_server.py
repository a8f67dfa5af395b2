"""A tile server on 127.0.0.1 that draws what it serves: PNGs with a border, and a cross where it is asked to."""

import struct
import threading
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from math import asinh, pi, radians, tan
from urllib.parse import parse_qs, urlsplit

SIZE = 256
GROUND, LINE, MARK = bytes((214, 222, 205)), bytes((150, 160, 150)), bytes((255, 0, 200))


def png(rows: list[bytes]) -> bytes:
    """A PNG of RGB rows."""

    def chunk(name: bytes, body: bytes) -> bytes:
        return struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body))

    head = struct.pack(">IIBBBBB", len(rows[0]) // 3, len(rows), 8, 2, 0, 0, 0)
    body = zlib.compress(b"".join(b"\0" + row for row in rows), 1)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", body) + chunk(b"IEND", b"")


def pixel(matrix: str, lon: float, lat: float, z: int) -> tuple[float, float]:
    """Where a place lies in the picture of the whole world at zoom z, as the matrices are written down."""
    if matrix == "degrees":
        each = 0.703125 / 2 ** (z - 1)  # degrees a pixel; origin -180, 90
        return (lon + 180) / each, (90 - lat) / each
    width = SIZE * 2**z
    return (lon + 180) / 360 * width, (1 - asinh(tan(radians(lat))) / pi) / 2 * width


class Server(ThreadingHTTPServer):
    """`marks` are crossed on the tiles; `asked` notes what came; `status` and `body` make it answer otherwise."""

    daemon_threads = True

    def __init__(self, matrix: str, marks: tuple[tuple[float, float], ...] = ()) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.matrix, self.marks = matrix, marks
        self.asked: list[str] = []
        self.status, self.body, self.moved = 200, b"", ""

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}"


class Handler(BaseHTTPRequestHandler):
    server: Server

    def do_GET(self) -> None:
        self.server.asked.append(self.path)
        query = parse_qs(urlsplit(self.path).query)
        z, x, y = (int(query[name][0]) for name in ("TILEMATRIX", "TILECOL", "TILEROW"))
        body = self.server.body or self.drawn(z, x, y)
        self.send_response(self.server.status)
        if self.server.moved:
            self.send_header("location", self.server.moved)
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def drawn(self, z: int, x: int, y: int) -> bytes:
        picture = [bytearray(GROUND * SIZE) for _ in range(SIZE)]
        picture[0][:] = LINE * SIZE
        for row in picture:
            row[:3] = LINE
        for lon, lat in self.server.marks:
            px, py = pixel(self.server.matrix, lon, lat, z)
            cx, cy = round(px) - x * SIZE, round(py) - y * SIZE
            for step in range(-9, 10):
                for at, row in ((cx + step, cy), (cx, cy + step)):
                    if 0 <= at < SIZE and 0 <= row < SIZE:
                        picture[row][at * 3 : at * 3 + 3] = MARK
        return png([bytes(row) for row in picture])

    def log_message(self, format: str, *args: object) -> None:
        """Say nothing."""


QUERY = "/wmts?SERVICE=WMTS&TILEMATRIX={TileMatrix}&TILEROW={TileRow}&TILECOL={TileCol}&tk={key}"


@contextmanager
def serving(matrix: str, *marks: tuple[float, float]) -> Iterator[Server]:
    server = Server(matrix, marks)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield server
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
