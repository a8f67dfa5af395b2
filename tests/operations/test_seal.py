"""Sealing: one key a subject, outside the database, gone when destroyed."""

import stat
import threading
from pathlib import Path

import pytest

from operations.errors import Sealed
from operations.seal import KeyStore, seal, unseal


def test_what_was_sealed_opens_for_its_subject_only(keys: KeyStore) -> None:
    made = keys.make(["a", "b"])
    sealed = seal(made["a"], "a", "张某".encode())
    assert keys.open("a", sealed).decode() == "张某"
    for key, subject, content in (("b", "a", sealed), ("a", "b", sealed), ("a", "a", sealed[:-1]), ("a", "a", b"")):
        with pytest.raises(Sealed):
            unseal(made[key], subject, content)


def test_keys_stay_the_same_and_survive_a_restart(folder: Path) -> None:
    store = KeyStore(folder / "keys")
    made = store.make(f"s{number}" for number in range(1200))
    assert (len(set(made.values())), store.make(made)) == (1200, made)
    store.close()
    again = KeyStore(folder / "keys")
    assert again.find(made) == made
    again.close()


def test_a_destroyed_key_is_gone_also_from_the_files(folder: Path) -> None:
    store = KeyStore(folder / "keys")
    made = store.make(["a", "b"])
    sealed = seal(made["a"], "a", b"x")
    store.destroy(["a"])
    with pytest.raises(Sealed):
        store.open("a", sealed)
    assert store.find(["a", "b"]) == {"b": made["b"]}
    on_disk = b"".join(path.read_bytes() for path in (folder / "keys").iterdir())
    assert (made["a"] in on_disk, made["b"] in on_disk) == (False, True)
    store.close()


def test_only_we_may_read_the_folder(folder: Path, keys: KeyStore) -> None:
    keys.public_key()
    modes = {path.name: stat.S_IMODE(path.stat().st_mode) for path in (folder / "keys").iterdir()}
    assert stat.S_IMODE((folder / "keys").stat().st_mode) == 0o700
    assert (modes["keys.db"], modes["head.key"]) == (0o600, 0o600)


def test_two_that_make_the_same_keys_get_the_same(folder: Path) -> None:
    found: list[dict[str, bytes]] = []
    public: list[bytes] = []

    def make() -> None:
        store = KeyStore(folder / "keys")
        found.append(store.make(f"s{number}" for number in range(300)))
        public.append(store.public_key().public_bytes_raw())
        store.close()

    KeyStore(folder / "keys").close()
    threads = [threading.Thread(target=make) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(found) == 4
    assert all(one == found[0] for one in found)
    assert len(set(public)) == 1
