"""The HTTP API: all routes, their description (OpenAPI) and a page that shows it, without anything from outside."""

import html
from collections.abc import Iterable, Mapping
from typing import Any

import msgspec
from fastapi import APIRouter, FastAPI, Request
from fastapi.openapi.utils import get_openapi
from fastapi.responses import HTMLResponse, JSONResponse

from dashboard import (
    api_audit,
    api_grids,
    api_health,
    api_heat,
    api_incidents,
    api_journal,
    api_orders,
    api_quarantine,
    api_reports,
    api_search,
    api_warnings,
)
from dashboard.answers import REFUSALS, Problem
from dashboard.heatbook import Ranking
from operations.quarantine import Quarantined

VERSION = "1"
ANSWERS: tuple[type, ...] = (
    api_incidents.Page,
    api_incidents.Detail,
    api_orders.Orders,
    api_orders.OrderDetail,
    api_search.SearchResults,
    api_journal.Entries,
    Quarantined,
    api_grids.Place,
    api_grids.About,
    api_grids.Heat,
    Ranking,
    Problem,
)
REF = "#/components/schemas/{name}"


def mount(app: FastAPI) -> None:
    """Add every route of the API to the application."""
    routes = (
        api_reports,
        api_warnings,
        api_incidents,
        api_orders,
        api_search,
        api_grids,
        api_heat,
        api_journal,
        api_audit,
        api_quarantine,
        api_health,
    )
    for module in routes:
        app.include_router(module.router)
    app.include_router(documentation)


documentation = APIRouter(include_in_schema=False)


@documentation.get("/api/openapi.json")
async def openapi(request: Request) -> JSONResponse:
    """Return the OpenAPI description."""
    return JSONResponse(described(request.app))


@documentation.get("/api/docs")
async def docs(request: Request) -> HTMLResponse:
    """Show the OpenAPI description as a page: no scripts, nothing from outside."""
    return HTMLResponse(page(described(request.app)))


def described(app: FastAPI) -> dict[str, Any]:
    """Return the OpenAPI description with the structs that answers are made of; made once."""
    if app.openapi_schema is None:
        found = get_openapi(
            title="Gridwall 网格指挥屏",
            version=VERSION,
            routes=app.routes,
            description="Send reports, read incidents, grids, heat and the journal. Times are UTC microseconds.",
        )
        found["paths"] = {api_reports.PATH: {"post": {**api_reports.DESCRIBED}}, **found["paths"]}
        _, schemas = msgspec.json.schema_components(ANSWERS, ref_template=REF)
        components = found.setdefault("components", {})
        components.setdefault("schemas", {}).update(schemas)
        components["securitySchemes"] = {"token": {"type": "http", "scheme": "bearer"}}
        found["security"] = [{"token": []}]
        for operation in operations(found):
            refusals = {str(status): REFUSALS[status] for status in (401, 403)}
            operation["responses"] = operation["responses"] | refusals
            name = operation.pop("x-answer", None)
            if name:
                operation["responses"]["200"]["content"] = {
                    "application/json": {"schema": {"$ref": REF.format(name=name)}}
                }
        app.openapi_schema = found
    return app.openapi_schema


def operations(description: Mapping[str, Any]) -> Iterable[dict[str, Any]]:
    """Yield the operations of an OpenAPI description."""
    for path in description["paths"].values():
        yield from path.values()


PAGE = """<!DOCTYPE html><html lang="en"><head><meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1"><title>{title} API</title>
<link rel="icon" href="/assets/icon.svg" type="image/svg+xml">
<link rel="stylesheet" href="/assets/tokens.css"><link rel="stylesheet" href="/assets/base.css">
<link rel="stylesheet" href="/assets/api.css"></head><body class="api"><main>
<h1>{title} API</h1><p>{description} <a href="/api/openapi.json">openapi.json</a></p>
<p>Send a token: <code>Authorization: Bearer TOKEN</code></p>
{operations}</main></body></html>"""


def page(description: Mapping[str, Any]) -> str:
    """Return the page of a description."""
    sections = [
        section(method, path, operation)
        for path, methods in description["paths"].items()
        for method, operation in methods.items()
    ]
    info = description["info"]
    return PAGE.format(
        title=html.escape(info["title"]), description=html.escape(info["description"]), operations="".join(sections)
    )


def section(method: str, path: str, operation: Mapping[str, Any]) -> str:
    """Return the part of the page that shows one operation."""
    parameters = "".join(
        f"<tr><td><code>{html.escape(one['name'])}</code></td><td>{html.escape(one['in'])}</td>"
        f"<td>{html.escape(shape(one['schema']))}</td><td>{html.escape(one.get('description', ''))}</td></tr>"
        for one in operation.get("parameters", [])
    )
    answers = "".join(
        f"<tr><td>{html.escape(status)}</td><td>{html.escape(one.get('description', ''))}</td></tr>"
        for status, one in operation["responses"].items()
    )
    table = f"<table><tbody>{parameters}</tbody></table>" if parameters else ""
    return (
        f"<section><h2><b>{method.upper()}</b> <code>{html.escape(path)}</code></h2>"
        f"<p>{html.escape(operation.get('description', ''))}</p>{table}"
        f"<table><tbody>{answers}</tbody></table></section>"
    )


def shape(schema: Mapping[str, Any]) -> str:
    """Return in a few words what a parameter may be."""
    if "anyOf" in schema:
        return " | ".join(shape(one) for one in schema["anyOf"])
    if "enum" in schema:
        return " | ".join(str(value) for value in schema["enum"])
    bounds = [f"{mark} {schema[key]}" for key, mark in (("minimum", "≥"), ("maximum", "≤")) if key in schema]
    default = [f"default {schema['default']}"] if schema.get("default") not in (None, "") else []
    return ", ".join([str(schema.get("type", "")), *bounds, *default])
