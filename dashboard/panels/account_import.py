"""Accounts from a list 账号导入: a preview of each line; first passwords are handed out as a file, once."""

from collections.abc import Sequence
from typing import Any

from dash import html

from config.words import Words
from dashboard.panels.admin_shell import notice, section
from dashboard.panels.import_shell import Sheet, counts, download, parts, register_import
from dashboard.personnel import ACCOUNT_COLUMNS
from operations.enlistment import Enlisted

SHEET = Sheet(
    "accounts",
    tuple(ACCOUNT_COLUMNS),
    (
        ("zhangsan", "张三", "operator", "990101001", "", "", ""),
        ("lisi", "李四", "liaison", "", "fire", "", "2027-12-31"),
    ),
)


def layout(words: Words) -> html.Section:
    """Return the section."""
    return section("import", parts(SHEET, words))


def secrets(made: Sequence[Enlisted], words: Words) -> dict[str, Any] | None:
    """Return the file of first passwords; none where no account is new."""
    if not made:
        return None
    heads = [words.text(f"import.column.{name}") for name in ("name", "shown_name", "password")]
    return download("passwords.csv", [heads, *([one.name, one.shown_name, one.password] for one in made)])


def register(app: Any, commands: Any) -> None:
    """Register reading a list and taking it over."""
    words: Words = app.words

    def take(upload_id: str, leave_out: bool) -> tuple[Any, Any]:
        taken, made = commands.enlistbook.take_accounts(upload_id, leave_out=leave_out)
        said = words.text("import.accounts.taken", **counts(taken))
        return notice("good", said), secrets(made, words)

    register_import(app, SHEET, lambda upload_id: commands.enlistbook.accounts(upload_id), take)
