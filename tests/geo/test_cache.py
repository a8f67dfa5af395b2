import pytest

from geo import cache


def test_what_was_written_is_read(tmp_path):
    path = tmp_path / "new" / "file.bin"
    cache.write(path, b"blob" * 1000)
    assert bytes(cache.read(path)) == b"blob" * 1000
    assert [one.name for one in path.parent.iterdir()] == ["file.bin"]


@pytest.mark.parametrize("position", [0, 20, 60, -1])
def test_one_changed_byte_is_enough_to_disbelieve(tmp_path, position):
    path = tmp_path / "file.bin"
    cache.write(path, b"blob" * 1000)
    raw = bytearray(path.read_bytes())
    raw[position] ^= 1
    path.write_bytes(raw)
    assert cache.read(path) is None


def test_no_file_is_no_blob(tmp_path):
    assert cache.read(tmp_path / "absent") is None
    assert cache.read(tmp_path) is None


def test_a_failed_write_leaves_the_old_file_and_no_rubbish(tmp_path):
    path = tmp_path / "file.bin"
    cache.write(path, b"old")
    with pytest.raises(TypeError):
        cache.write(path, "not bytes")
    assert bytes(cache.read(path)) == b"old"
    assert len(list(tmp_path.iterdir())) == 1
