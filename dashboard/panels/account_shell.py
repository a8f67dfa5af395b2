"""What the forms about accounts 账号 are built of: choices, moments, grids, and what an error says."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from dash import dcc, html
from msgspec import Struct

from config import departments
from config.words import Words
from dashboard.area import Area
from dashboard.errand import explain
from dashboard.moment import moment
from dashboard.panels.admin_shell import field
from operations.appointments import Post
from operations.assignments import Right
from operations.errors import OperationsError
from operations.policy import ADMINISTRATORS, PEOPLE, ROLES
from operations.scope import Scope

MICROSECONDS = 1_000_000
CHOICES = "account-grids"
"""The list of grids that fields offer while somebody types."""
FIELDS = ("name", "shown_name", "role", "grid", "department", "from", "to", "reason")


class Filled(Struct, frozen=True):
    """What stands in a form's fields, as typed."""

    values: Mapping[str, str]
    words: Words

    def text(self, name: str) -> str:
        """What was typed, without spaces around."""
        return self.values.get(name, "").strip()

    def moment(self, name: str) -> int | None:
        """A time in the city's zone, None for an empty field. Raises NoMoment."""
        return moment(self.text(name), self.words.city.zone)

    def scope(self) -> Scope:
        """The jurisdiction; an administrator has none."""
        return Scope() if self.text("role") in ADMINISTRATORS else Scope(self.text("grid"), self.text("department"))

    def post(self) -> Post:
        """What the form appoints to. Raises NoMoment."""
        return Post(self.text("role"), self.scope(), self.moment("from"), self.moment("to"), self.text("shown_name"))

    def right(self) -> Right:
        """The right the form gives. Raises NoMoment."""
        begins, ends = self.moment("from") or 0, self.moment("to") or 0
        return Right(self.text("role"), ends, begins, self.scope(), self.text("reason"))


def filled(state: Any, words: Words) -> Filled:
    """Return what Dash says of all fields of a form (one entry of `ctx.states_list`)."""
    found = {str(one["id"]["field"]): str(one.get("value") or "") for one in state or []}
    return Filled(found, words)


def form(name: str, fields: tuple[str, ...], values: Mapping[str, str], words: Words) -> html.Div:
    """Return the fields of the form `name`: their ids are {"form": name, "field": one of FIELDS}."""
    return html.Div([_field(name, one, values.get(one, ""), words) for one in fields], className="admin-form")


def _field(form_name: str, name: str, value: str, words: Words) -> html.Div:
    common: dict[str, Any] = {"id": {"form": form_name, "field": name}, "className": "desk-input"}
    label = words.text(f"accounts.field.{name}")
    hint = words.text(f"accounts.hint.{name}") if f"accounts.hint.{name}" in words else ""
    control: Any
    if name == "role":
        options = [{"label": words.text(f"desk.role.{one}"), "value": one} for one in (*PEOPLE, *ADMINISTRATORS)]
        control = dcc.Dropdown(options, value or "operator", **{**common, "className": "admin-choice"}, clearable=False)
    elif name == "department":
        known = departments.current().values()
        options = [
            {"label": one.name(words.lang), "value": one.code} for one in known if not one.ended or one.code == value
        ]
        every = {"label": words.text("accounts.all_departments"), "value": ""}
        control = dcc.Dropdown([every, *options], value, **{**common, "className": "admin-choice"}, clearable=False)
    elif name == "grid":
        control = dcc.Input(
            value=value, type="text", list=CHOICES, maxLength=60, placeholder=words.text("accounts.all_grids"), **common
        )
    elif name in ("from", "to"):
        control = dcc.Input(value=value, type="text", maxLength=30, placeholder="2027-01-01 08:00", **common)
    else:
        control = dcc.Input(value=value, type="text", maxLength=200 if name == "reason" else 40, **common)
    said = html.Span("", id={"said": form_name, "of": name}, className="desk-hint") if name == "grid" else None
    return html.Div([field(label, control, hint), said], className="form-cell")


def grid_said(area: Area | None, code: str, words: Words) -> str:
    """Return the name of a grid and what it covers: how many grids, how many people."""
    if not code.strip():
        return words.text("accounts.whole_city")
    if area is None or code not in area.grids:
        return words.text("accounts.no_grid")
    below = [one for one, chain in area.chains.items() if code in chain]
    above = {area.grids[one].parent for one in below}
    leaves = [area.grids[one] for one in below if one not in above]
    population = area.grids[code].population
    people = f"{population if population is not None else sum(one.population or 0 for one in leaves):,}"
    name = " › ".join(area.grids[one].name for one in area.chains[code])
    return words.text("accounts.covers", name=name, grids=f"{len(leaves):,}", people=people)


def scope_said(scope: Scope, names: Mapping[str, str], words: Words) -> str:
    """Return a jurisdiction and department in words; `names` are those of grids."""
    grid = f"{names.get(scope.grid, '')} {scope.grid}".strip() if scope.grid else words.text("accounts.all_grids")
    if not scope.department:
        return grid
    known = departments.current().get(scope.department)
    return f"{grid} · {known.name(words.lang) if known else scope.department}"


def when(at: int | None, words: Words) -> str:
    """Return a time as the city's date and time of day, or a dash."""
    if at is None:
        return "—"
    return datetime.fromtimestamp(at / MICROSECONDS, words.city.zone).strftime("%Y-%m-%d %H:%M")


def typed(at: int | None, words: Words) -> str:
    """Return a time as it stands in a field."""
    return "" if at is None else when(at, words)


def told(error: OperationsError, words: Words) -> str:
    """Return what an error says, its roles by their names."""
    roles = {name: words.text(f"desk.role.{one}") for name, one in error.params.items() if one in ROLES}
    return explain(type(error)(error.code, **error.params | roles), words) if roles else explain(error, words)
