"""Evidence packages 证据包: files with a manifest of their SHA-256 and a signature that a stranger can check offline.

A ZIP: the files, `manifest.json`, `manifest.sig` (Ed25519 over the manifest's bytes, RFC 8032), `public-key.pem` (the
installation's, RFC 8410) and `VERIFY.txt`, which says how to check it all with openssl and sha256sum alone. The
signature proves that nothing was changed since; that the key is the installation's, its fingerprint does, which
whoever receives a package asks for by another way (the page of the journal's check shows it).
"""

import hashlib
import zipfile
import zlib
from collections.abc import Callable, Iterable, Mapping
from io import BytesIO
from pathlib import Path
from typing import IO

import msgspec
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat, load_pem_public_key
from msgspec import Struct

FORMAT = "gridwall-evidence-1"
MANIFEST, SIGNATURE, KEY, HOW = "manifest.json", "manifest.sig", "public-key.pem", "VERIFY.txt"
OWN = (MANIFEST, SIGNATURE, KEY, HOW)
MANIFEST_MOST = 16 * 1024 * 1024
FILE_MOST = 4 * 1024 * 1024 * 1024
FILES_MOST = 10_000
PIECE = 1024 * 1024
DETAIL_MOST = 200
DAMAGE = (zipfile.BadZipFile, zipfile.LargeZipFile, NotImplementedError, EOFError, OSError, ValueError, zlib.error)
"""What reading a foreign ZIP raises."""
_EPOCH = (1980, 1, 1, 0, 0, 0)
_PLAIN = frozenset("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-")
TEXT = """\
如何核验本证据包 How to check this package
1. 解压到空文件夹。 Unpack it into an empty folder.
2. 核验签名 The signature:
   openssl pkeyutl -verify -pubin -inkey public-key.pem -rawin -in manifest.json -sigfile manifest.sig
3. 核对公钥指纹（须另经可靠途径向出具单位核实） The key's fingerprint, to be confirmed by the issuer in another way:
   openssl pkey -pubin -in public-key.pem -outform DER | sha256sum
   {fingerprint}
4. 核对每个文件的摘要 The digest of each file:
{digests}
或者 or: python3 run.py verify FILE.zip
"""


class Content(Struct, frozen=True):
    """One file: bytes and SHA-256 (hex)."""

    name: str
    size: int
    sha256: str


class Manifest(Struct, frozen=True):
    """What a package holds. `made_at`: UTC microseconds; `seq`, `head`: the journal's last entry then and its hash."""

    format: str
    kind: str
    made_at: int
    made_by: str
    city: str
    seq: int
    head: str
    facts: dict[str, str]
    files: tuple[Content, ...]


class Verdict(Struct, frozen=True):
    """What a check found: faults as (code, which file), none when all holds; `fingerprint` of the key it carries."""

    faults: tuple[tuple[str, str], ...]
    fingerprint: str = ""
    manifest: Manifest | None = None


def fingerprint(key: Ed25519PublicKey) -> str:
    """Return the SHA-256 (hex) of a public key as DER."""
    return hashlib.sha256(key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)).hexdigest()


def pack(
    files: Mapping[str, bytes],
    manifest: Manifest,
    sign: Callable[[bytes], bytes],
    key: Ed25519PublicKey,
) -> bytes:
    """Return a package of files; the manifest's list of files is made here. Raises ValueError for a name."""
    if not files or not all(_plain(name) for name in files):
        raise ValueError("names of evidence are letters, digits, '.', '_' and '-'")
    told = tuple(Content(name, len(data), hashlib.sha256(data).hexdigest()) for name, data in sorted(files.items()))
    whole = msgspec.json.format(msgspec.json.encode(msgspec.structs.replace(manifest, files=told), order="sorted"))
    digests = "".join(f"   {one.sha256}  {one.name}\n" for one in told)
    own = {
        MANIFEST: whole,
        SIGNATURE: sign(whole),
        KEY: key.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo),
        HOW: TEXT.format(fingerprint=fingerprint(key), digests=digests.rstrip("\n")).encode(),
    }
    made = BytesIO()
    with zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED) as out:
        for name, data in (*sorted(files.items()), *own.items()):
            out.writestr(zipfile.ZipInfo(name, _EPOCH), data, zipfile.ZIP_DEFLATED)
    return made.getvalue()


def verify(file: Path, expected: str = "") -> Verdict:
    """Check a package; `expected`: the fingerprint the key must have. Never raises for what is in the file."""
    try:
        with zipfile.ZipFile(file) as package:
            return _verdict(package, expected)
    except (*DAMAGE, RuntimeError) as error:  # RuntimeError: a member is encrypted
        return Verdict((("unreadable", " ".join(str(error).split())[:DETAIL_MOST] or file.name),))


def _verdict(package: zipfile.ZipFile, expected: str) -> Verdict:
    infos = package.infolist()
    names = [one.filename for one in infos]
    if len(infos) > FILES_MOST or len(set(names)) != len(names) or not all(_plain(name) for name in names):
        return Verdict((("names", ""),))
    if missing := [name for name in (MANIFEST, SIGNATURE, KEY) if name not in names]:
        return Verdict(tuple(("missing", name) for name in missing))
    data, signature, pem = (_small(package, name) for name in (MANIFEST, SIGNATURE, KEY))
    try:
        key = load_pem_public_key(pem)
    except ValueError:
        return Verdict((("key_wrong", KEY),))
    if not isinstance(key, Ed25519PublicKey):
        return Verdict((("key_wrong", KEY),))
    print_ = fingerprint(key)
    faults = [("fingerprint", KEY)] if expected and _bare(expected) != print_ else []
    try:
        key.verify(signature, data)
        manifest = msgspec.json.decode(data, type=Manifest)
    except InvalidSignature:
        return Verdict((*faults, ("signature", MANIFEST)), print_)
    except msgspec.MsgspecError:
        return Verdict((*faults, ("manifest", MANIFEST)), print_)
    if manifest.format != FORMAT:
        return Verdict((*faults, ("format", MANIFEST)), print_)
    faults += _wrong(package, manifest, names)
    return Verdict(tuple(faults), print_, manifest)


def _wrong(package: zipfile.ZipFile, manifest: Manifest, names: list[str]) -> Iterable[tuple[str, str]]:
    told = {one.name: one for one in manifest.files}
    yield from (("extra", name) for name in names if name not in told and name not in OWN)
    for name, one in told.items():
        if name not in names:
            yield "missing", name
        elif _digest(package, name, one.size) != one.sha256:
            yield "digest", name


def _digest(package: zipfile.ZipFile, name: str, size: int) -> str:
    """The digest of a member, "" for one of another size; no more is unpacked than the manifest promises."""
    digest, read = hashlib.sha256(), 0
    with package.open(name) as source:
        while piece := source.read(PIECE):
            read += len(piece)
            if read > min(size, FILE_MOST):
                return ""
            digest.update(piece)
    return digest.hexdigest() if read == size else ""


def _small(package: zipfile.ZipFile, name: str) -> bytes:
    source: IO[bytes]
    with package.open(name) as source:
        data = source.read(MANIFEST_MOST + 1)
    if len(data) > MANIFEST_MOST:
        raise ValueError(name)
    return data


def _plain(name: str) -> bool:
    return 0 < len(name) <= 120 and not name.startswith(".") and _PLAIN.issuperset(name)


def _bare(fingerprint_: str) -> str:
    return "".join(one for one in fingerprint_.lower() if one in "0123456789abcdef")
