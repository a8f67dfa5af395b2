"""The usual way, to stand beside ours: a Dash page that asks the database every second with `dcc.Interval`.

Run as a process of its own on the same database: `python -m benchmarks.usual --database URL --port N`.
It shows the newest incidents, as such pages do; each row carries its report's id, so that a browser can say when it
saw it.
"""

from __future__ import annotations

import argparse
import sys
from typing import Any

import dash
import sqlalchemy as sa
from dash import Input, Output, dcc, html

ROWS = 250  # more than come between two questions at 200/s, so that it can show every report
QUERY = "SELECT id, body FROM incident ORDER BY opened_at DESC LIMIT :rows"


def build(database: str) -> dash.Dash:
    """Returns the page: one interval, one callback, one query."""
    engine = sa.create_engine(database)
    app = dash.Dash(__name__, serve_locally=True)
    app.layout = html.Div([dcc.Interval(id="tick", interval=1000), html.Div(id="rows")])

    @app.callback(Output("rows", "children"), Input("tick", "n_intervals"))  # type: ignore[untyped-decorator]
    def rows(_ticks: int | None) -> list[Any]:
        with engine.connect() as connection:
            found = connection.execute(sa.text(QUERY), {"rows": ROWS})
            return [html.Div(str(row.body), className="row") for row in found]

    return app


def main(argv: list[str]) -> int:
    """Serves the page until killed."""
    parser = argparse.ArgumentParser(prog="benchmarks.usual")
    parser.add_argument("--database", required=True)
    parser.add_argument("--port", type=int, required=True)
    told = parser.parse_args(argv)
    build(told.database).run(host="127.0.0.1", port=told.port, debug=False)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
