"""Lists of people, teams, shifts and duties 名单导入: a preview of each line, taken whole, handed out again."""

from typing import Any

from dash import Input, Output, html
from dash.exceptions import PreventUpdate

from config.words import Words
from dashboard.contactbook import PERMISSIONS
from dashboard.contactlists import COLUMNS
from dashboard.panels.admin_shell import notice, section
from dashboard.panels.import_shell import Sheet, counts, download, heads, parts, register_import

SAMPLES = {
    "person": ("张三", "值班员", "fire", "", "000 0000 0001", "", ""),
    "team": ("城东消防中队", "消防中队", "fire", "", "000 0001 0001", ""),
    "shift": ("fire", "值班员", "张三", "1", "", "2027-01-31 08:00", "2027-01-31 20:00"),
    "duty": ("0203", "police", "", "主办", ""),
}
SHEETS = tuple(Sheet(kind, tuple(COLUMNS[kind]), (SAMPLES[kind],)) for kind in COLUMNS)


def layout(words: Words) -> html.Section:
    """Return the section: a part for each kind of list, shown to whom it is for."""
    body = []
    for sheet in SHEETS:
        export = html.Button(
            words.text("contacts.export"), id=sheet.id("export"), type="button", className="desk-button"
        )
        block = html.Div([*parts(sheet, words), export], id=sheet.id("block"), className="admin-stack", hidden=True)
        body.append(block)
    return section("import", [html.P(words.text("contacts.import_said"), className="desk-hint"), *body])


def register(app: Any, commands: Any) -> None:
    """Register reading, taking and handing out each kind of list."""
    for sheet in SHEETS:
        _register(app, commands, sheet)


def _register(app: Any, commands: Any, sheet: Sheet) -> None:
    words: Words = app.words
    kind = sheet.name

    def take(upload_id: str, leave_out: bool) -> tuple[Any, Any]:
        taken = commands.contacts.take(kind, upload_id, leave_out=leave_out)
        return notice("good", words.text("contacts.taken", **counts(taken))), None

    def export(clicks: int | None) -> dict[str, Any]:
        if not clicks:
            raise PreventUpdate
        return download(f"{kind}.csv", [heads(sheet, words), *commands.contacts.exported(kind)])

    def hidden(_found: object) -> bool:
        return not commands.allowed(PERMISSIONS[kind])

    register_import(app, sheet, lambda upload_id: commands.contacts.read(kind, upload_id), take)
    handed = Output(sheet.id("file"), "data", allow_duplicate=True)
    app.callback(handed, Input(sheet.id("export"), "n_clicks"), prevent_initial_call=True)(export)
    app.callback(Output(sheet.id("block"), "hidden"), Input("person-tree", "children"))(hidden)
