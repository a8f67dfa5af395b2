"""E-mail by a real SMTP server on 127.0.0.1: signed in, over TLS, in the recipient's language; refusals understood."""

import email
import email.policy
from collections.abc import AsyncIterator, Iterator
from email.message import EmailMessage
from pathlib import Path
from typing import Any

import msgspec
import pytest
import sqlalchemy as sa
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import AuthResult, Envelope, LoginPassword

from config import certificate, clock
from config.settings import Settings
from operations.database import Database
from operations.outlets.addresses import Address
from operations.outlets.message import Message
from operations.outlets.outbox import Parcel
from operations.outlets.outlet import Mail
from operations.seal import KeyStore
from operations.tables import department
from streams.outlets import mail
from streams.outlets.letter import Letter
from tests.streams.test_outlets import ADMIN, FIRE, MINUTE, POLICE, Bench

pytestmark = pytest.mark.database


class Post:
    """A mail server: `kept` holds what it took; `says` answers a recipient otherwise."""

    def __init__(self) -> None:
        self.kept: list[EmailMessage] = []
        self.says = "250 OK"

    async def handle_RCPT(self, _server: Any, _session: Any, envelope: Envelope, address: str, _options: Any) -> str:
        """Take a recipient, or say why not."""
        if self.says.startswith("250"):
            envelope.rcpt_tos.append(address)
        return self.says

    async def handle_DATA(self, _server: Any, _session: Any, envelope: Envelope) -> str:
        """Take a message."""
        content = envelope.content
        assert isinstance(content, bytes)
        found = email.message_from_bytes(content, policy=email.policy.default)
        assert isinstance(found, EmailMessage)
        self.kept.append(found)
        return "250 taken"


@pytest.fixture
def post() -> Post:
    """What the server does."""
    return Post()


@pytest.fixture
def served(post: Post, free_port: int) -> Iterator[int]:
    """A server without encryption; its port."""
    running = Controller(post, hostname="127.0.0.1", port=free_port)
    running.start()
    yield free_port
    running.stop()


@pytest.fixture
async def bench(settings: Settings, database: Database) -> AsyncIterator[Bench]:
    """The parts; the fire department has an address."""
    keys = KeyStore(settings.data / "keys")
    made = Bench(settings, database, keys)
    with database.write() as transaction:
        values = {"code": "fire", "name": "消防", "added_at": 1, "email": "duty@fire.example"}
        transaction.connection.execute(sa.insert(department).values(values))
    yield made
    await made.carrier.stop()
    keys.close()


def add(bench: Bench, port: int, **values: Any) -> None:
    """Add an outlet for e-mail."""
    given = {"host": "127.0.0.1", "port": port, "security": "none", "sender": "gw@city.example"} | values
    bench.outlets.add(ADMIN, "mail", "email", given, now=bench.now())


async def test_who_has_an_address_gets_the_order_as_plain_text(bench: Bench, post: Post, served: int) -> None:
    add(bench, served)
    order = bench.send(FIRE, POLICE, title="气体泄漏", sign_minutes=5)
    await bench.carry()
    (got,) = post.kept
    assert got["to"] == "duty@fire.example"
    assert got["subject"] == f"【交办】{order.number} 气体泄漏"
    assert got["message-id"] == f"<{got['x-gridwall-id']}@city.example>"
    text = got.get_content()
    assert "立即处置，注意通风" in text
    assert "前签收" in text
    assert [one.ways for one in bench.board(order).recipients] == [{"mail": "sent"}, {}], "sent, not delivered"


async def test_no_header_can_be_put_in(bench: Bench, post: Post, served: int) -> None:
    add(bench, served)
    message = Message(purpose="send", at=1, title="a\r\nBcc: other@evil.example\r\n\r\nx", number="L1")
    terms = Mail("127.0.0.1", "gw@city.example")
    words = bench.carrier._words["en"]
    parcel = Parcel("id", "mail", "order", "o", "department:fire", "send", "waiting", 0, 1, 1, None, "", message)
    made = mail.composed(Letter(parcel, Address("duty@fire.example")), terms, words)
    assert "\nBcc:" not in made.as_string().partition("\n\n")[0]
    assert made["bcc"] is None
    for wrong in ("a@b.example\r\nBcc: c@d.example", "a@b.example, c@d.example", "", "<a@b.example>"):
        with pytest.raises(ValueError, match="address"):
            mail.composed(Letter(parcel, Address(wrong)), terms, words)


async def test_a_refused_recipient_is_a_dead_letter_and_a_busy_server_is_not(
    bench: Bench, post: Post, served: int
) -> None:
    add(bench, served)
    post.says = "450 later"
    bench.send(FIRE)
    await bench.carry()
    assert bench.outlet("mail")[1].waiting == 1
    post.says = "550 no such user"
    bench.wait(10 * MINUTE)
    await bench.carry()
    assert [one.error for one in bench.outlets.dead(ADMIN)] == ["refused 550"]
    assert post.kept == []


async def test_over_starttls_with_a_password_and_never_without_trust(
    bench: Bench, post: Post, free_port: int, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    certificate.make(folder, ["localhost"], clock.now())
    context = certificate.serving(folder)

    def login(_server: Any, _session: Any, _envelope: Any, _kind: str, given: Any) -> AuthResult:
        right = LoginPassword(b"gridwall", b"s3cret")
        return AuthResult(success=given == right, handled=False)

    running = Controller(
        post, hostname="127.0.0.1", port=free_port, tls_context=context, require_starttls=True,
        auth_required=True, authenticator=login,
    )  # fmt: skip
    running.start()
    try:
        add(bench, free_port, host="localhost", security="starttls", user="gridwall")
        bench.secrets.put("mail", "s3cret")
        bench.send(FIRE)
        await bench.carry()
        assert (post.kept, bench.outlet("mail")[0].error) == ([], "certificate")
        monkeypatch.setenv("SSL_CERT_FILE", str(folder / "keys" / "ca.crt"))
        bench.wait(10 * MINUTE)
        await bench.carry()
        assert len(post.kept) == 1
        bench.secrets.put("mail", "wrong")
        bench.send(FIRE)
        await bench.carry()
        outlet, counts = bench.outlet("mail")
        assert (outlet.state, outlet.error, counts.dead) == ("down", "login_refused 535", 0), "it waits to be mended"
    finally:
        running.stop()


async def test_a_file_takes_lines_of_json_and_a_torn_one_spoils_no_other(bench: Bench) -> None:
    bench.outlets.add(ADMIN, "drop", "file", {}, now=bench.now())
    bench.send(FIRE)
    await bench.carry()
    (file,) = (bench.settings.data / "outlets" / "drop").iterdir()
    with file.open("ab") as out:
        out.write(b'{"torn')
    bench.send(POLICE)
    await bench.carry()
    first, torn, last = file.read_bytes().splitlines()
    assert torn == b'{"torn'
    assert [msgspec.json.decode(one)["recipient"]["id"] for one in (first, last)] == [
        "department:fire",
        "department:police",
    ]
