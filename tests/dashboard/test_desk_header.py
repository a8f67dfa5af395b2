from dashboard import frame
from dashboard.panels import desk_header
from operations.board import apply
from tests.dashboard.panel_board import NOW, WORDS, board, entry


def test_a_wall_that_stands_still_is_named_until_it_paints_again() -> None:
    found = board()
    assert desk_header.render(found, NOW, WORDS)[desk_header.WALLS]["hidden"] is True
    for wall, since in (("wall/b", NOW - 7), ("wall/a", NOW - 9), ("wall/c", NOW)):
        apply(found, entry(found.seq + 1, "wall.stuck", ("wall", wall), {}, since))
    told = desk_header.render(found, NOW, WORDS)[desk_header.WALLS]
    said = frame.encode(told["children"]).decode()
    assert told["hidden"] is False
    assert WORDS.text("desk.wall_stuck", name="wall/a") in said and str(NOW - 9) in said
    assert WORDS.text("desk.walls_more", n=2) in said
    assert told["title"] == "wall/a\nwall/b\nwall/c"
    for wall, action in (("wall/a", "wall.recovered"), ("wall/b", "wall.gone"), ("wall/c", "wall.gone")):
        apply(found, entry(found.seq + 1, action, ("wall", wall), {}))
    assert desk_header.render(found, NOW, WORDS)[desk_header.WALLS]["hidden"] is True


def test_the_desk_lays_out_what_it_fills() -> None:
    laid_out = frame.encode(desk_header.layout(WORDS)).decode()
    assert all(f'"id":"{id}"' in laid_out for id in desk_header.render(board(), NOW, WORDS))
