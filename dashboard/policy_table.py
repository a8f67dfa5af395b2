"""The table of rights as a page of the documentation: `python -m dashboard.policy_table` writes it anew (权限表)."""

from pathlib import Path

from config.settings import ROOT
from config.words import Words
from dashboard.panels.settings_policy import SHOWN, rows
from operations.policy import CALLBACKS, PAGES, POLICY, ROUTES

PAGE = ROOT / "docs/access.md"
BEGIN, END = "<!-- table: begin -->", "<!-- table: end -->"


def markdown() -> str:
    """Return the tables of actions, routes, pages and callbacks."""
    words = Words("en")
    lines = [["action", "what", *SHOWN]]
    for row in rows(words):
        mark = f"`{row.action}`" + (" 🔒" if row.locked else "")
        lines.append([mark, row.said, *(POLICY[row.action].get(role, "") for role in SHOWN)])
    routes = [["methods", "path", "action"]]
    routes += [[one.methods, f"`{one.path}`", f"`{one.action}`"] for one in ROUTES]
    pages = [["page", "action"], *([f"`/{page}`", f"`{action}`"] for page, action in PAGES.items())]
    calls = [["page", "outputs", "action"]]
    calls += [[f"`{one.page}`", f"`{one.output}`", f"`{one.action}`"] for one in CALLBACKS]
    parts = {"Actions": lines, "Routes": routes, "Pages": pages, "Callbacks of pages": calls}
    return "\n\n".join(f"### {title}\n\n{table(found)}" for title, found in parts.items())


def table(lines: list[list[str]]) -> str:
    """Return lines, the first of them the head, as a table in Markdown."""
    rule = ["---"] * len(lines[0])
    shown = [lines[0], rule, *lines[1:]]
    return "\n".join("| " + " | ".join(cell.replace("|", "\\|") for cell in line) + " |" for line in shown)


def filled(page: str) -> str:
    """Return the page with the tables between its marks."""
    before, _, rest = page.partition(BEGIN)
    return f"{before}{BEGIN}\n\n{markdown()}\n\n{END}{rest.partition(END)[2]}"


def main(page: Path = PAGE) -> None:
    """Write the tables into the page."""
    page.write_text(filled(page.read_text("utf-8")), "utf-8")


if __name__ == "__main__":
    main()
