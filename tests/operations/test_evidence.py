"""Evidence packages: checked by our own command and by openssl alone, and no byte of one can be changed."""

import hashlib
import shutil
import subprocess
import zipfile
from io import BytesIO
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import load_pem_public_key
from hypothesis import given
from hypothesis import strategies as st

from dashboard import cli
from operations import evidence
from operations.evidence import FORMAT, HOW, KEY, MANIFEST, SIGNATURE, Manifest, Verdict, fingerprint, pack, verify

SECRET = Ed25519PrivateKey.from_private_bytes(b"k" * 32)
PUBLIC = SECRET.public_key()
TOLD = Manifest(FORMAT, "looks", 1_790_000_000_000_000, "account:wang", "云岭市", 7, "ab" * 32, {"camera": "c1"}, ())
FILES = {"looks.csv": "时间,谁\n".encode(), "c1.jpg": bytes(range(256)) * 40}
WHOLE = pack(FILES, TOLD, SECRET.sign, PUBLIC)


def members(data: bytes) -> dict[str, bytes]:
    with zipfile.ZipFile(BytesIO(data)) as package:
        return {name: package.read(name) for name in package.namelist()}


def written(path: Path, files: dict[str, bytes]) -> Path:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as out:
        for name, data in files.items():
            out.writestr(name, data)
    return path


def codes(found: Verdict) -> list[str]:
    return [code for code, _ in found.faults]


def test_what_was_packed_holds_and_says_what_it_is(tmp_path: Path) -> None:
    path = tmp_path / "e.zip"
    path.write_bytes(WHOLE)
    found = verify(path, fingerprint(PUBLIC).upper())
    assert found.faults == () and found.fingerprint == fingerprint(PUBLIC)
    assert found.manifest is not None and found.manifest.facts == {"camera": "c1"}
    assert [(one.name, one.sha256) for one in found.manifest.files] == [
        (name, hashlib.sha256(data).hexdigest()) for name, data in sorted(FILES.items())
    ]


def test_a_stranger_checks_it_with_openssl_and_sha256sum_as_its_text_says(tmp_path: Path) -> None:
    with zipfile.ZipFile(BytesIO(WHOLE)) as package:
        package.extractall(tmp_path)
    text = (tmp_path / HOW).read_text("utf-8").splitlines()
    openssl = shutil.which("openssl")
    assert openssl is not None, "openssl is wanted"
    for line in (one.strip() for one in text):
        if line.startswith("openssl pkeyutl"):
            done = subprocess.run([openssl, *line.split()[1:]], cwd=tmp_path, capture_output=True, check=False)
            assert done.returncode == 0, done.stderr
        elif line.startswith("openssl pkey "):
            der = subprocess.run([openssl, *line.split(" | ")[0].split()[1:]], cwd=tmp_path, capture_output=True)
            assert hashlib.sha256(der.stdout).hexdigest() in "\n".join(text)
    digests = "\n".join(line.strip() for line in text if line.strip().endswith((".csv", ".jpg")))
    summed = subprocess.run(["sha256sum", "-c"], input=digests, cwd=tmp_path, capture_output=True, text=True)
    assert summed.returncode == 0 and summed.stdout.count("OK") == len(FILES)


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"looks.csv": b"other"}, "digest"),
        ({"looks.csv": None}, "missing"),
        ({"more.txt": b"x"}, "extra"),
        ({MANIFEST: b"{}"}, "signature"),
        ({SIGNATURE: bytes(64)}, "signature"),
        ({SIGNATURE: None}, "missing"),
        ({KEY: b"no key"}, "key_wrong"),
        ({"../up.txt": b"x"}, "names"),
        ({".hidden": b"x"}, "names"),
        ({MANIFEST: b" " * (evidence.MANIFEST_MOST + 1)}, "unreadable"),
        ({"c1.jpg": bytes(5_000_000)}, "digest"),
    ],
)
def test_what_was_changed_is_found(tmp_path: Path, change: dict[str, bytes | None], code: str) -> None:
    files = {name: data for name, data in {**members(WHOLE), **change}.items() if data is not None}
    assert codes(verify(written(tmp_path / "e.zip", files))) == [code]


def test_another_key_is_another_fingerprint(tmp_path: Path) -> None:
    other = Ed25519PrivateKey.from_private_bytes(b"o" * 32)
    (tmp_path / "e.zip").write_bytes(pack(FILES, TOLD, other.sign, other.public_key()))
    assert verify(tmp_path / "e.zip").faults == ()
    assert codes(verify(tmp_path / "e.zip", fingerprint(PUBLIC))) == ["fingerprint"]


def test_a_cut_or_doubled_package_and_no_package_are_told(tmp_path: Path) -> None:
    path = tmp_path / "e.zip"
    for length in range(0, len(WHOLE), 97):
        path.write_bytes(WHOLE[:length])
        assert codes(verify(path)) == ["unreadable"], length
    with zipfile.ZipFile(path, "w") as out, pytest.warns(UserWarning, match="Duplicate"):
        for name in ("a", "a"):
            out.writestr(name, b"")
    assert codes(verify(path)) == ["names"]
    assert codes(verify(tmp_path / "none.zip")) == ["unreadable"]


@given(st.data())
def test_no_byte_of_a_member_can_be_another(data: st.DataObject) -> None:
    files = members(WHOLE)
    name = data.draw(st.sampled_from([one for one in files if one != HOW]))
    at = data.draw(st.integers(0, len(files[name]) - 1))
    content = bytearray(files[name])
    content[at] ^= data.draw(st.integers(1, 255))
    made = BytesIO()
    with zipfile.ZipFile(made, "w") as out:
        for each, kept in files.items():
            out.writestr(each, bytes(content) if each == name else kept)
    with TemporaryDirectory() as folder:
        path = Path(folder) / "e.zip"
        path.write_bytes(made.getvalue())
        found = verify(path, fingerprint(PUBLIC))
    assert found.faults or load_pem_public_key(bytes(content)) == PUBLIC, "only the PEM's blanks may differ"


def test_the_command_says_so_in_words_without_a_data_folder(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "e.zip").write_bytes(WHOLE)
    assert cli.main(["verify", str(tmp_path / "e.zip")]) == 0
    assert "account:wang" in capsys.readouterr().out
    written(tmp_path / "bad.zip", members(WHOLE) | {"looks.csv": b"x"})
    assert cli.main(["verify", str(tmp_path / "bad.zip"), "--fingerprint", "00"]) == 1
    said = capsys.readouterr().out
    assert said.count("✗") == 2 and "looks.csv" in said
