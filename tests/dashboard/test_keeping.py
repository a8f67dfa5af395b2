"""The commands that keep what there is, as somebody at a terminal meets them."""

from collections.abc import Callable
from pathlib import Path

import pytest

from config.supervisor import only_one
from dashboard import cli

Run = Callable[..., tuple[int, str]]


@pytest.fixture
def run(folder: Path, capsys: pytest.CaptureFixture[str]) -> Run:
    """Runs one command on a folder; the exit code and all that was printed."""

    def running(*line: str, on: str = "one") -> tuple[int, str]:
        code = cli.main([*line, "--data", str(folder / on)])
        said = capsys.readouterr()
        return code, said.out + said.err

    return running


def test_a_backup_is_restored_into_a_new_folder_whose_check_is_in_order(run: Run, folder: Path) -> None:
    run("source", "add", "s1", "--name", "Test")
    code, said = run("backup", str(folder / "b"), "--keys", str(folder / "k" / "k.tar"))
    assert code == 0 and "up to entry" in said, said
    file = next((folder / "b").glob("gridwall-*.tar"))
    code, said = run("restore", str(file), "--keys", str(folder / "k" / "k.tar"), on="two")
    assert code == 0 and "epoch 2 began" in said, said
    code, said = run("check", on="two")
    assert (code, "✗" in said) == (0, False), said
    code, said = run("restore", str(file), on="three")
    assert code == 0 and "stay sealed" in said, said
    assert run("check", on="three")[0] == 0


def test_nothing_is_overwritten_and_no_running_program_restored_over(run: Run, folder: Path) -> None:
    file = str(folder / "b.tar")
    assert run("backup", file)[0] == 0
    assert run("backup", file) == (1, f"{file} is there already; it is not overwritten.\n")
    code, said = run("restore", file)
    assert code == 2 and "is not empty" in said
    with only_one(folder / "two"):
        code, said = run("restore", file, on="two")
    assert code == 2 and "already runs" in said
    assert [path.name for path in (folder / "two").iterdir()] == ["gridwall.lock"]


def test_what_is_no_backup_is_one_line(run: Run, folder: Path) -> None:
    (folder / "x.tar").write_bytes(b"no archive")
    for name in ("x.tar", "absent.tar"):
        code, said = run("restore", str(folder / name), on="two")
        assert code == 2 and said.count("\n") == 1 and name in said, said
