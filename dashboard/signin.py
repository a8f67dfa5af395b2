"""The sign-in page (登录): plain HTML from the server, works without scripts, in both languages."""

import html
from urllib.parse import parse_qs, parse_qsl, urlencode, urlsplit

from config.words import Words

PAGE = """<!DOCTYPE html>
<html lang="{language}">
<head>
<meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">{head}
<title>{title} · {product}</title>
<link rel="icon" href="/assets/icon.svg" type="image/svg+xml">
<link rel="stylesheet" href="/assets/tokens.css"><link rel="stylesheet" href="/assets/base.css">
<link rel="stylesheet" href="/assets/signin.css">
</head>
<body class="signin"><main class="signin-box"><h1>{product}</h1>
{body}
</main></body>
</html>"""

FORM = """<form method="post" action="/signin?{query}">
<h2>{title}</h2>{message}
<label for="name">{name}</label>
<input id="name" name="name" autocomplete="username" autocapitalize="none" spellcheck="false" required autofocus
 maxlength="100" value="{given}">
<label for="password">{password}</label>
<input id="password" name="password" type="password" autocomplete="current-password" required maxlength="1000">
<button type="submit">{submit}</button>
</form>{provider}
<p class="signin-foot"><a href="/signin?{other_query}" hreflang="{other}">{other_language}</a></p>
<p class="signin-foot">{no_account}</p>"""

PROVIDER = """
<p class="signin-provider"><a href="/signin/oidc?{query}">{label}</a></p>"""

REFUSED = """<h2>{title}</h2><p role="alert" class="signin-message">{message}</p>
<p class="signin-foot"><a href="/">{home}</a></p>
<form method="post" action="/signout"><button type="submit">{signout}</button></form>"""


def language_of(asked: str | None, following: str, cookie: str | None) -> str | None:
    """Return the language to sign in with: the one asked for, else that of the page to go on to, else the cookie's."""
    return asked or parse_qs(urlsplit(following).query).get("lang", [""])[0] or cookie


def in_language(path: str, lang: str) -> str:
    """Return the path to go on to in `lang`, if it names a language at all."""
    parts = urlsplit(path)
    asked = parse_qsl(parts.query, keep_blank_values=True)
    if all(name != "lang" for name, _ in asked):
        return path
    return parts._replace(
        query=urlencode([(name, lang if name == "lang" else value) for name, value in asked])
    ).geturl()


def signin_page(words: Words, following: str, message: str = "", given: str = "", *, provider: str = "") -> str:
    """Return the sign-in page; `following`: the path to go on to, `message`: what is wrong, `given`: the name typed.

    `provider`: the name of the identity provider, if one is set.
    """
    other = "en" if words.lang == "zh" else "zh"
    text = words.under("signin")
    shown = f'<p role="alert" class="signin-message">{html.escape(message)}</p>' if message else ""
    query = html.escape(urlencode({"next": following, "lang": words.lang}))
    link = PROVIDER.format(query=query, label=html.escape(words.text("oidc.link", name=provider))) if provider else ""
    body = FORM.format(
        query=query,
        provider=link,
        other_query=html.escape(urlencode({"next": in_language(following, other), "lang": other})),
        message=shown,
        given=html.escape(given, quote=True),
        other=other,
        **{key: html.escape(text[key]) for key in (*FIELDS, "other_language", "no_account")},
    )
    return frame(words, text["title"], body)


FIELDS = ("title", "name", "password", "submit")


def refused_page(words: Words, message: str) -> str:
    """Return the page that says why something cannot be shown, with the ways on."""
    text = {key: html.escape(value) for key, value in words.under("refused").items()}
    values = {"title": text["title"], "home": text["home"], "signout": text["signout"]}
    return frame(words, words.text("refused.title"), REFUSED.format(message=html.escape(message), **values))


def waiting_page(words: Words, seconds: int) -> str:
    """Return the page that says the database is away; it loads itself again after so many seconds, without scripts."""
    text = {key: html.escape(words.text(f"access.{key}")) for key in ("unavailable_title", "unavailable_page")}
    body = f'<h2>{text["unavailable_title"]}</h2><p role="status" class="signin-message">{text["unavailable_page"]}</p>'
    head = f'<meta http-equiv="refresh" content="{seconds}">'
    return frame(words, words.text("access.unavailable_title"), body, head)


def frame(words: Words, title: str, body: str, head: str = "") -> str:
    """Return a whole page around `body`; `head` goes into its head."""
    return PAGE.format(
        language="zh-CN" if words.lang == "zh" else "en",
        title=html.escape(title),
        product=html.escape(words.text("signin.product")),
        body=body,
        head=head,
    )
