"""The pages of what is left of signing in (登录的后续步骤): plain HTML, without scripts, in both languages."""

import html
from collections.abc import Sequence
from io import BytesIO
from urllib.parse import urlencode

import segno

from config.words import Words
from dashboard.signin import frame

CODE = """<form method="post" action="/signin/code?{query}">
<h2>{title}</h2>{message}<p class="signin-about">{about}</p>
<label for="code">{code}</label>
<input id="code" name="code" autocomplete="one-time-code" autocapitalize="none" spellcheck="false" required autofocus
 maxlength="40" class="signin-code">
<button type="submit">{submit}</button>
</form>
<p class="signin-foot">{lost}</p>"""

PASSWORD = """<form method="post" action="/signin/password?{query}">
<h2>{title}</h2>{message}<p class="signin-about">{about}</p>
<input name="name" autocomplete="username" value="{name}" hidden>
<label for="password">{password}</label>
<input id="password" name="password" type="password" autocomplete="new-password" required autofocus maxlength="1000">
<label for="again">{again}</label>
<input id="again" name="again" type="password" autocomplete="new-password" required maxlength="1000">
<p class="signin-hint">{rules}</p>
<button type="submit">{submit}</button>
</form>"""

ENROL = """<form method="post" action="/signin/enrol?{query}" class="signin-enrol">
<h2>{title}</h2>{message}<p class="signin-about">{about}</p>
<div class="signin-qr">{picture}</div>
<p class="signin-hint">{by_hand}<br><code class="signin-secret">{secret}</code></p>
<label for="code">{code}</label>
<input id="code" name="code" inputmode="numeric" autocomplete="one-time-code" required autofocus maxlength="10"
 class="signin-code">
<button type="submit">{submit}</button>
</form>"""

CODES = """<h2>{title}</h2><p class="signin-message note">{about}</p>
<ol class="signin-codes">{codes}</ol>
<p class="signin-foot">{keep}</p>
<form method="get" action="{path}">{fields}<button type="submit" autofocus>{submit}</button></form>"""

LEAVE = (
    """<form method="post" action="/signin/leave" class="signin-leave"><button type="submit">{leave}</button></form>"""
)

UNLOCK = """<form method="post" action="/session/unlock?{query}">
<h2>{title}</h2>{message}<p class="signin-about">{about}</p>
<input name="name" autocomplete="username" value="{name}" hidden>
<label for="password">{password}</label>
<input id="password" name="password" type="password" autocomplete="current-password" required autofocus
 maxlength="1000">
<button type="submit">{submit}</button>
</form>
<form method="post" action="/signout?{query}" class="signin-leave"><button type="submit">{other}</button></form>"""

AGAIN = """<h2>{title}</h2><p class="signin-about">{about}</p>
<form method="post" action="/signout?{query}"><button type="submit" autofocus>{submit}</button></form>"""


def code_page(words: Words, path: str, message: str = "") -> str:
    """Return the page that asks for the second factor."""
    return _page(words, "signin.code", CODE, path, message)


def password_page(words: Words, path: str, name: str, least: int, message: str = "") -> str:
    """Return the page that asks for another password; `least`: how many characters it has at least."""
    rules = words.text("signin.password_stage.rules", least=least)
    return _page(words, "signin.password_stage", PASSWORD, path, message, name=name, rules=rules)


def enrol_page(words: Words, path: str, secret: str, address: str, message: str = "") -> str:
    """Return the page that shows a new second factor, as a QR code and as text, and asks for a code of it."""
    picture = qr(address, words.text("signin.enrol.picture"))
    return _page(words, "signin.enrol", ENROL.replace("{picture}", picture), path, message, secret=grouped(secret))


def codes_page(words: Words, path: str, codes: Sequence[str]) -> str:
    """Return the page that shows the recovery codes, once, and leads on to `path`."""
    before, _, query = path.partition("?")
    pairs = [one.partition("=") for one in query.split("&") if one]
    fields = "".join(
        f'<input type="hidden" name="{html.escape(name)}" value="{html.escape(value)}">' for name, _, value in pairs
    )
    shown = "".join(f"<li><code>{html.escape(one)}</code></li>" for one in codes)
    text = {key: html.escape(value) for key, value in words.under("signin.codes").items()}
    body = CODES.format(codes=shown, path=html.escape(before), fields=fields, **text)
    return frame(words, words.text("signin.codes.title"), body)


def unlock_page(words: Words, path: str, name: str, *, by_password: bool, message: str = "") -> str:
    """Return the page that opens a locked desk, for browsers without scripts and pages that a locked desk hides."""
    key, body = ("signin.unlock", UNLOCK) if by_password else ("signin.unlock_again", AGAIN)
    return _page(words, key, body, path, message, leave=False, name=name)


def qr(address: str, label: str, *, whole: bool = False) -> str:
    """Return an address as an SVG picture, dark on light with its quiet zone; `whole`: a document of its own."""
    out = BytesIO()
    segno.make(address, error="m").save(
        out, kind="svg", xmldecl=False, svgns=whole, omitsize=True, border=4, dark="#000", light="#fff", title=label
    )
    return out.getvalue().decode().strip()


def grouped(secret: str) -> str:
    """Return a secret in groups of four, as people copy it."""
    return " ".join(secret[at : at + 4] for at in range(0, len(secret), 4))


def _page(
    words: Words,
    key: str,
    body: str,
    path: str,
    message: str,
    *,
    leave: bool = True,
    **values: str,
) -> str:
    text = {name: html.escape(value) for name, value in words.under(key).items()}
    text |= {name: html.escape(value, quote=True) for name, value in values.items()}
    said = f'<p role="alert" class="signin-message">{html.escape(message)}</p>' if message else ""
    query = html.escape(urlencode({"next": path, "lang": words.lang}))
    filled = body.format(query=query, message=said, **text)
    if leave:
        filled += LEAVE.format(leave=html.escape(words.text("signin.leave")))
    return frame(words, words.text(f"{key}.title"), filled)
