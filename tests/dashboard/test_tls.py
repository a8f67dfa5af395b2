"""TLS as real clients meet it: a chain to our own authority, Secure cookies, wss, renewal without a restart."""

import dataclasses
import ssl
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import httpx
import pytest
import uvicorn
from websockets.sync.client import connect

from config import certificate, clock
from config.settings import Settings
from dashboard import renewal
from dashboard.server import Server, configured, listening
from operations import accounts
from operations.database import Database
from operations.policy import SYSTEM
from streams.courier import Courier, CourierRefused
from tests.dashboard.web import PASSWORD

BASE = "https://localhost"


@contextmanager
def serving(settings: Settings) -> Iterator[None]:
    """The web process as `run.py web` serves it, in a thread."""
    up = threading.Event()

    class Told(uvicorn.Server):
        async def startup(self, sockets: object = None) -> None:
            await super().startup(sockets)  # type: ignore[arg-type]
            up.set()

    served = Told(configured(Server(settings), settings))
    thread = threading.Thread(target=served.run, args=([listening(settings)],))
    thread.start()
    try:
        assert up.wait(60)
        yield
    finally:
        served.should_exit = True
        thread.join(30)


@pytest.fixture
def over_tls(settings: Settings, valkey: str, furnished: Database) -> Settings:
    return dataclasses.replace(settings, tls="on", web_processes=1)


def trusting(settings: Settings) -> ssl.SSLContext:
    """A browser that was told to trust our authority and nobody else."""
    return ssl.create_default_context(cafile=str(settings.data / "keys" / "ca.crt"))


def test_a_browser_that_trusts_our_authority_gets_secure_cookies_hsts_and_wss(
    over_tls: Settings, furnished: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(renewal, "LOOK_SECONDS", 0.02)
    accounts.add(furnished, SYSTEM, "duty", "duty_commander", now=clock.now(), password=PASSWORD)
    address = f"{BASE}:{over_tls.port}"
    with serving(over_tls):
        context = trusting(over_tls)
        with httpx.Client(base_url=address, verify=context) as browser:
            form = {"name": "duty", "password": PASSWORD}
            answer = browser.post("/signin", data=form, headers={"origin": address})
            cookie = answer.headers["set-cookie"].lower()
            assert "secure" in cookie and "httponly" in cookie
            assert answer.headers["strict-transport-security"]
            held = answer.headers["set-cookie"].partition(";")[0]
            assert held.startswith("__Host-gridwall_session=")
        with connect(
            f"wss://localhost:{over_tls.port}/live?page=desk",
            ssl=context, origin=address, additional_headers={"cookie": held},  # type: ignore[arg-type]
        ) as live:  # fmt: skip
            assert live.recv(timeout=10)
        with pytest.raises(httpx.ConnectError, match="CERTIFICATE_VERIFY_FAILED"):
            httpx.get(address, verify=ssl.create_default_context())
        with pytest.raises(httpx.HTTPError):
            httpx.get(f"http://localhost:{over_tls.port}/healthz")
        _refuses_old_tls(over_tls)
        _carries(over_tls)

        before = certificate.current(over_tls.data)
        made = certificate.make(over_tls.data, ["localhost", "wall.example"], clock.now())
        assert before is not None and made.digest != before.digest
        until(lambda: ssl.get_server_certificate(("localhost", over_tls.port)) in chain(over_tls))
        httpx.get(f"{address}/healthz", verify=context)


def _refuses_old_tls(settings: Settings) -> None:
    old = trusting(settings)
    old.set_ciphers("ALL:@SECLEVEL=0")
    with pytest.warns(DeprecationWarning):
        old.minimum_version, old.maximum_version = ssl.TLSVersion.TLSv1, ssl.TLSVersion.TLSv1_1
    with pytest.raises(httpx.ConnectError):
        httpx.get(f"{BASE}:{settings.port}/healthz", verify=old)


def _carries(settings: Settings) -> None:
    """Our own sources reach the door by its loopback address."""
    courier = Courier("127.0.0.1", settings.port, lambda _seconds: False, certificate.trust(settings))
    with pytest.raises(CourierRefused, match="401"):
        courier.deliver("wrong", [{"id": "1"}])
    courier.close()


def chain(settings: Settings) -> str:
    return (settings.data / "keys" / "tls.crt").read_text("ascii")


def until(holds: Callable[[], bool]) -> None:
    deadline = clock.monotonic() + 10
    while not holds():
        assert clock.monotonic() < deadline


BELIEVED = {
    ("proxy", "127.0.0.1"): True,
    ("proxy", "10.0.0.0/8, 127.0.0.0/8"): True,
    ("proxy", "10.0.0.0/8"): False,
    ("proxy", ""): False,
    ("off", "127.0.0.1"): False,
    ("auto", "127.0.0.1"): False,
}


async def test_only_a_named_proxy_says_how_somebody_came(settings: Settings, server: Server) -> None:
    said = {"x-forwarded-proto": "https", "x-forwarded-for": "192.0.2.7"}
    for (tls, trusted), believed in BELIEVED.items():
        config = configured(server, dataclasses.replace(settings, tls=tls, trusted_proxies=trusted))
        config.load()
        transport = httpx.ASGITransport(config.loaded_app, client=("127.0.0.1", 5))  # type: ignore[arg-type]
        async with httpx.AsyncClient(transport=transport, base_url="http://testserver") as client:
            answer = await client.get("/signin", headers=said)
        assert ("strict-transport-security" in answer.headers) == believed, (tls, trusted)
