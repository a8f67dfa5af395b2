"""E-mail 电子邮件: by SMTP with STARTTLS or TLS, plain text, one message a recipient, in a thread.

Message-ID carries the idempotency id. Nothing that people wrote reaches a header but the title, in one line; addresses
are plain ones or the message is a dead letter.
"""

import asyncio
import queue
import smtplib
import ssl
import threading
from collections.abc import AsyncGenerator, Callable, Sequence
from datetime import UTC, datetime
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime, formataddr

from config.words import Words
from operations.outlets.outbox import DEAD, SENT
from operations.outlets.outlet import TEST, Mail, Outlet, is_address
from operations.outlets.recording import Outcome
from streams.outlets.letter import Letter, plain, subject

PERMANENT = 500


def composed(letter: Letter, terms: Mail, words: Words) -> EmailMessage:
    """Return the e-mail of a letter. Raises ValueError for an address that is none."""
    to = _to(letter)
    if not is_address(to):
        raise ValueError("no e-mail address")
    mail = EmailMessage(policy=SMTP)
    mail["From"] = formataddr((" ".join((words.city.name or words.text("common.product")).split()), terms.sender))
    mail["To"] = to
    mail["Subject"] = subject(letter, words)
    mail["Date"] = format_datetime(datetime.fromtimestamp(letter.message.at / 1e6, UTC))
    mail["Message-ID"] = f"<{letter.parcel.id}@{terms.sender.partition('@')[2]}>"
    mail["X-Gridwall-Id"] = letter.parcel.id
    mail["Auto-Submitted"] = "auto-generated"
    mail.set_content(plain(letter, words), cte="base64")
    return mail


async def carry(
    outlet: Outlet, secret: str, letters: Sequence[Letter], words: Words
) -> AsyncGenerator[tuple[Letter, Outcome]]:
    """Send letters over one connection; yields what became of each as it is known."""
    terms = outlet.terms
    assert isinstance(terms, Mail)
    done: queue.SimpleQueue[tuple[Letter, Outcome] | None] = queue.SimpleQueue()
    stop = threading.Event()
    work = asyncio.create_task(asyncio.to_thread(_all, terms, secret, letters, words, done.put, stop))
    try:
        while (one := await asyncio.to_thread(done.get)) is not None:
            yield one
    finally:
        stop.set()
        await work


def _all(
    terms: Mail,
    secret: str,
    letters: Sequence[Letter],
    words: Words,
    tell: Callable[[tuple[Letter, Outcome] | None], None],
    stop: threading.Event,
) -> None:
    """Send letters until one fails by the server's fault, which is the fault of all that are left, or told to stop."""
    left = list(letters)
    try:
        with _connected(terms, secret) as server:
            while left and not stop.is_set():
                outcome = _one(server, terms, left[0], words)
                if outcome.away:
                    raise _Away(outcome)
                tell((left.pop(0), outcome))
    except _Away as error:
        _rest(left, error.outcome, tell)
    except (OSError, smtplib.SMTPException) as error:
        _rest(left, trouble(error), tell)
    finally:
        tell(None)


class _Away(Exception):
    """The server itself fails."""

    def __init__(self, outcome: Outcome) -> None:
        super().__init__(outcome.error)
        self.outcome = outcome


def _rest(left: Sequence[Letter], outcome: Outcome, tell: Callable[[tuple[Letter, Outcome] | None], None]) -> None:
    for letter in left:
        tell((letter, outcome))


def _connected(terms: Mail, secret: str) -> smtplib.SMTP:
    """A server that is ready to take messages. Raises OSError, SMTPException."""
    context = ssl.create_default_context()
    server: smtplib.SMTP
    if terms.security == "tls":
        server = smtplib.SMTP_SSL(terms.host, terms.port, timeout=terms.timeout_s, context=context)
    else:
        server = smtplib.SMTP(terms.host, terms.port, timeout=terms.timeout_s)
    try:
        if terms.security == "starttls":
            server.starttls(context=context)
        if terms.user:
            server.login(terms.user, secret)
    except BaseException:
        server.close()
        raise
    return server


def _one(server: smtplib.SMTP, terms: Mail, letter: Letter, words: Words) -> Outcome:
    try:
        mail = composed(letter, terms, words)
    except ValueError:
        return Outcome(DEAD, "no_address")
    try:
        server.send_message(mail, from_addr=terms.sender, to_addrs=[_to(letter)])
    except smtplib.SMTPRecipientsRefused as error:
        return refused(next(iter(error.recipients.values()))[0])
    except smtplib.SMTPSenderRefused as error:
        return Outcome("failed", f"sender_refused {error.smtp_code}", away=True, certain=error.smtp_code >= PERMANENT)
    except smtplib.SMTPDataError as error:
        return refused(error.smtp_code)
    except (OSError, smtplib.SMTPException) as error:
        return trouble(error)
    return Outcome(SENT)


def refused(code: int) -> Outcome:
    """Return what a refusal of one message means: 5xx for good, else later."""
    return Outcome(DEAD, f"refused {code}") if code >= PERMANENT else Outcome("failed", f"busy {code}")


def trouble(error: Exception) -> Outcome:
    """Return what is wrong with the server itself."""
    if isinstance(error, smtplib.SMTPAuthenticationError):
        return Outcome("failed", f"login_refused {error.smtp_code}", away=True, certain=error.smtp_code >= PERMANENT)
    if isinstance(error, smtplib.SMTPNotSupportedError):
        return Outcome("failed", "not_offered", away=True, certain=True)
    if isinstance(error, ssl.SSLError):
        return Outcome("failed", "certificate", away=True, certain=True)
    if isinstance(error, TimeoutError):
        return Outcome("failed", "timeout", away=True)
    if isinstance(error, smtplib.SMTPResponseException):
        return Outcome("failed", f"busy {error.smtp_code}", away=True)
    return Outcome("failed", "unreachable" if isinstance(error, OSError) else "broken_off", away=True)


def _to(letter: Letter) -> str:
    return letter.message.recipient if letter.message.purpose == TEST else letter.address.email
