"""The commands that keep what there is, as somebody at a terminal meets them."""

from collections.abc import Callable
from pathlib import Path

import pytest

from config import clock
from config.supervisor import only_one
from dashboard import cli
from operations import restore

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


def test_on_a_restore_that_was_cut_off_nothing_starts(run: Run, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = str(folder / "b.tar")
    assert run("backup", file)[0] == 0

    def killed(*_given: object, **_more: object) -> int:
        raise SystemExit

    monkeypatch.setattr(restore, "new_epoch", killed)
    with pytest.raises(SystemExit):
        run("restore", file, on="two")
    monkeypatch.undo()
    assert (folder / "two" / "gridwall.db").exists()
    for line in (("source", "add", "s1", "--name", "Test"), ("restore", file)):
        code, said = run(*line, on="two")
        assert code == 2 and said.count("\n") == 1, said
    assert "was cut off" in run("backup", on="two")[1]


def test_what_is_no_backup_is_one_line(run: Run, folder: Path) -> None:
    (folder / "x.tar").write_bytes(b"no archive")
    for name in ("x.tar", "absent.tar"):
        code, said = run("restore", str(folder / name), on="two")
        assert code == 2 and said.count("\n") == 1 and name in said, said


def test_certificates_are_made_and_taken(run: Run, folder: Path) -> None:
    code, said = run("tls", "make", "--name", "wall.example")
    assert code == 0 and "wall.example" in said and "ca.crt" in said
    keys = folder / "one" / "keys"
    assert run("tls", "import", "--cert", str(keys / "tls.crt"), "--key", str(keys / "tls.key"), on="two")[0] == 0
    code, said = run("tls", "import", "--cert", str(keys / "ca.crt"), "--key", str(keys / "tls.key"), on="two")
    assert code == 2 and "is not the key of" in said and said.count("\n") == 1


def test_old_entries_leave_and_the_check_is_in_order(run: Run, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    run("source", "add", "s1", "--name", "Test")
    assert "Nothing leaves" in run("segment", "export")[1]
    now = clock.now()
    monkeypatch.setattr(clock, "now", lambda: now + 400 * 86_400_000_000)
    code, said = run("segment", "export")
    assert code == 0 and "have left the journal" in said, said
    code, said = run("segment", "check")
    assert code == 0 and "✓" in said and "Segments: 1" in said
    assert run("check")[0] == 0
    run("backup", str(folder / "b.tar"), "--keys", str(folder / "k.tar"))
    assert run("restore", str(folder / "b.tar"), on="two")[0] == 0  # also without keys
    assert run("check", on="two")[0] == 0 and run("segment", "check", on="two")[0] == 0
    file = next((folder / "one" / "segments").glob("*.tar"))
    file.write_bytes(file.read_bytes()[:1500])
    assert run("segment", "check")[0] == 1 and run("segment", "check", str(file))[0] == 1
