"""Where the system's Chromium is, and how it is started without a screen."""

import shutil

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
HOW_TO_INSTALL = "Install it with: apt-get install chromium fonts-noto-cjk (or set CHROMIUM to its path)"
CHROMIUM_ARGUMENTS = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]


def find_chromium(asked: str = "") -> str | None:
    """Path of the browser: the one asked for, else the first of the usual names on PATH."""
    for name in (asked,) if asked else NAMES:
        if path := shutil.which(name):
            return path
    return None
