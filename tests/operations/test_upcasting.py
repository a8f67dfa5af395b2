"""Entries of every schema ever written can be read: golden bodies of each, kept for ever."""

from pathlib import Path

import orjson
import pytest

from operations.board import Board, apply
from operations.entry import SCHEMA, Entry
from operations.incident import Incident
from operations.upcasting import upcast

GOLDEN = Path(__file__).with_name("golden")


@pytest.mark.parametrize("schema", range(1, SCHEMA + 1))
def test_golden_entries_fold_to_the_same_board(schema: int) -> None:
    lines = (GOLDEN / f"schema_{schema}.jsonl").read_bytes().splitlines()
    board = Board()
    for line in lines:
        given = orjson.loads(line)
        given["body"] = upcast(given["action"], given["schema"], given["body"])
        apply(board, Entry(**given))
    [incident] = board.incidents.values()
    expected = orjson.loads((GOLDEN / f"schema_{schema}.board.json").read_bytes())
    assert {name: getattr(incident, name) for name in expected} == {
        name: tuple(value) if isinstance(value, list) else value for name, value in expected.items()
    }
    assert isinstance(incident, Incident)


def test_upcasters_run_in_turn() -> None:
    upcasters = {1: lambda action, body: body | {"two": action}, 2: lambda _action, body: body | {"three": len(body)}}
    assert upcast("a", 1, {}, upcasters, 3) == {"two": "a", "three": 1}
    assert upcast("a", 3, {"x": 1}, upcasters, 3) == {"x": 1}


def test_a_schema_nobody_knows_is_an_error() -> None:
    with pytest.raises(KeyError):
        upcast("a", 1, {}, {}, 2)
