"""The same relay before a server of somebody else's making: GStreamer's, with its own encoder, tracks and passwords."""

import asyncio
import json
import subprocess
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path

import psutil
import pytest

from config import parent
from streams.video import pull, rtsp
from streams.video.address import StreamSource
from streams.video.errors import Malformed
from streams.video.port import RelayPort
from streams.video.wire import KEY_PICTURE
from tests import tools
from tests.streams.video.watching import Seen, pictures, relaying, said, seen, trusted

USER, PASSWORD = "viewer", "p w:1"
PICTURE = "videotestsrc is-live=true pattern=smpte ! video/x-raw,format=I420,width=192,height=108,framerate=25/1"
CODED = "tune=zerolatency speed-preset=ultrafast key-int-max=10 bitrate=400"
SOUND = "audiotestsrc is-live=true ! audio/x-raw,rate=8000,channels=1 ! alawenc ! rtppcmapay name=pay0 pt=8"
FRAMES = 8
PATHS = {
    "/h264": f"{PICTURE} ! x264enc bframes=0 {CODED} ! rtph264pay name=pay0 pt=96",
    "/sound": f"{SOUND} {PICTURE} ! x264enc bframes=0 {CODED} ! rtph264pay name=pay1 pt=97 config-interval=-1",
    "/h265": f"{PICTURE} ! x265enc {CODED} ! rtph265pay name=pay0 pt=98 config-interval=-1",
}


class Server:
    """Open, with Basic, with Digest and over TLS, each on a port of its own, which it keeps when it starts again."""

    def __init__(self, folder: Path) -> None:
        _, self.trust = trusted(folder)
        both = folder / "both.pem"
        both.write_bytes((folder / "keys" / "tls.key").read_bytes() + (folder / "keys" / "tls.crt").read_bytes())
        self._given = {"paths": PATHS, "user": USER, "password": PASSWORD, "certificate": str(both), "ports": [0] * 4}
        self._start()

    def _start(self) -> None:
        command = [tools.GST_PYTHON, str(Path(__file__).with_name("gst_server.py")), json.dumps(self._given)]
        self._process = subprocess.Popen(
            command, stdout=subprocess.PIPE, text=True, cwd="/", preexec_fn=parent.die_with_me()
        )
        assert self._process.stdout is not None
        self._given["ports"] = [int(word) for word in self._process.stdout.readline().split()]
        self.open, self.basic, self.digest, self.tls = (f"127.0.0.1:{port}" for port in self._given["ports"])

    def end(self) -> None:
        """Be gone without a goodbye."""
        self._process.kill()
        self._process.wait(10)
        assert self._process.stdout is not None
        self._process.stdout.close()

    def again(self) -> None:
        """Be gone, and come back at the same place."""
        self.end()
        self._start()


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """The server, running."""
    if not tools.gst_server():
        pytest.skip(f"not run: no GStreamer. Install: apt-get install {tools.PACKAGES['gst']}")
    made = Server(tmp_path_factory.mktemp("gst"))
    yield made
    made.end()


def _sources(server: Server) -> dict[str, StreamSource]:
    basic, digest = (StreamSource(f"rtsp://{at}/h264", "", USER, PASSWORD) for at in (server.basic, server.digest))
    return {
        **{"open": StreamSource(f"rtsp://{server.open}/h264"), "basic": basic, "digest": digest},
        "tls": StreamSource(f"rtsps://{server.tls}/h264"),
        "sound": StreamSource(f"rtsp://{server.open}/sound"),
        "h265": StreamSource(f"rtsp://{server.open}/h265"),
    }


async def test_its_pictures_come_as_another_decoder_reads_them(folder: Path, server: Server) -> None:
    sources = _sources(server)
    async with relaying(folder / "s", sources.get, trust=server.trust) as (_, port):
        got = await asyncio.gather(*[_first(port, name) for name in sources])
    for name, one in zip(sources, got, strict=True):
        assert one.codec.startswith("hvc1.1." if name == "h265" else "avc1."), name
        assert one.kinds[0] == KEY_PICTURE and all(after > before for before, after in pairwise(one.ticks)), name
        shown = pictures(one.film, folder)
        assert [picture.shape for picture in shown] == [(108, 192, 3)] * FRAMES, name
        for picture in shown:  # the pattern's first bars are white and yellow
            (blue, green, red), (white, *_) = picture[36, 40].astype(int), picture[36, 12].astype(int)
            assert white > 235 and blue < 60 and green > 200 and red > 200, (name, picture[36, 40])


async def _first(port: RelayPort, name: str) -> Seen:
    return await seen(await port.watch(name, "main", name), FRAMES)


async def test_what_is_wrong_is_said_to_be_wrong(folder: Path, server: Server) -> None:
    wrong = {
        "password": StreamSource(f"rtsp://{server.digest}/h264", "", USER, "no"),
        "address": StreamSource(f"rtsp://{server.open}/none"),
        "nobody": StreamSource(f"rtsp://{server.basic}/h264"),
        "stranger": StreamSource(f"rtsps://{server.tls}/h264"),  # nobody we trust signed its certificate
    }
    codes = {}
    async with relaying(folder / "s", wrong.get) as (_, port):
        for name in wrong:
            word = await said(await port.watch(name, "main", name), lambda word: word.get("state") == "lost")
            codes[name] = word["code"]
    told = {"password": "password", "address": "refused_by_camera", "nobody": "password", "stranger": "lost"}
    assert codes == told


async def test_it_dies_and_comes_back_and_so_does_the_picture(
    folder: Path, server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pull, "WAIT_MOST", 0.5)
    async with relaying(folder / "s", lambda _: StreamSource(f"rtsp://{server.open}/h264")) as (_, port):
        looker = await port.watch("c", "main", "a")
        before = await seen(looker, 5)
        server.again()
        await said(looker, lambda word: word.get("state") == "lost")
        await said(looker, lambda word: word.get("state") == "live")
        after = await seen(looker, 5)
    assert after.ticks[0] > before.ticks[-1]


async def test_a_camera_our_own_client_cannot_read_is_read_aside_and_what_ends_its_child_ends_no_more(
    folder: Path, server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pull, "WAIT_LEAST", 0.02)
    monkeypatch.setattr(pull, "WAIT_MOST", 0.05)
    listed = StreamSource(f"rtsp://{server.digest}/h264", "", USER, PASSWORD, "ffmpeg")
    known = {"listed": listed, "h265": StreamSource(f"rtsp://{server.open}/h265", via="ffmpeg")}
    known["odd"] = StreamSource(f"rtsp://{server.open}/sound")

    def garbage(self: rtsp.Client, data: bytes, now: float) -> None:
        raise Malformed("what no camera says")

    async with relaying(folder / "s", known.get) as (_, port):
        with monkeypatch.context() as wrong:
            wrong.setattr(rtsp.Client, "receive", garbage)
            looks = {name: await port.watch(name, "main", name) for name in known}
            for name, look in looks.items():
                got = await seen(look, FRAMES)
                assert got.codec.startswith("hvc1.1." if name == "h265" else "avc1."), name
                assert [one.shape for one in pictures(got.film, folder)] == [(108, 192, 3)] * FRAMES, name
                assert all(after > before for before, after in pairwise(got.ticks)), name
        children = [child for child in psutil.Process().children() if "streams.video.aside" in child.cmdline()]
        assert len(children) == 3 and not any(PASSWORD in word for child in children for word in child.cmdline())
        for child in children:
            child.kill()
        assert (await said(looks["listed"], lambda word: word.get("state") == "lost"))["code"] == "lost"
        await said(looks["listed"], lambda word: word.get("state") == "live")
    assert not [child for child in psutil.Process().children() if "streams.video.aside" in child.cmdline()]
