"""The certificate (证书) the pages are served with: imported, or made by a private authority of our own.

In DATA/keys: `tls.crt` (the server's certificate and what is above it), `tls.key`, and of the private authority
`ca.crt` and `ca.key`. A certificate made here is renewed here; an imported one is whoever's imported it.
"""

import fcntl
import ipaddress
import os
import re
import socket
import ssl
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import NamedTuple

from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from config.settings import Settings

SERVER_DAYS, AUTHORITY_DAYS = 397, 3_650
"""Browsers take no server's certificate of more than 398 days."""
RENEW_DAYS = 45
NAMES_MOST = 100
FILE_MOST = 1_000_000
EVERYWHERE = ("0.0.0.0", "::")
OWN = "Gridwall private CA"
_LOCAL = re.compile(r"\|-- (\d+\.\d+\.\d+\.\d+)\n\s+/32 host LOCAL")


class CertificateError(Exception):
    """A certificate cannot be used; the message says which file and why."""


class Certificate(NamedTuple):
    """What is served. `names`: host names and addresses; `own`: made by our authority; `digest`: SHA-256 in hex."""

    names: tuple[str, ...]
    begins: datetime
    ends: datetime
    own: bool
    digest: str

    def days_left(self, now: int) -> int:
        """Whole days until it ends; negative once it has."""
        return (self.ends - _moment(now)).days

    def serves(self, names: Iterable[str], now: int) -> bool:
        """Whether it names all of these and need not be renewed yet."""
        return self.days_left(now) >= RENEW_DAYS and set(names) <= set(self.names)


def current(data: Path) -> Certificate | None:
    """Return the certificate in force, or None. Raises CertificateError when it cannot be read."""
    chain = data / "keys" / "tls.crt"
    return _described(_chain(chain)[0], data) if chain.exists() else None


def authority(data: Path) -> Certificate:
    """Return the certificate of our own authority, which screens must trust. Raises CertificateError without one."""
    return _described(_chain(data / "keys" / "ca.crt")[0], data)


def ready(settings: Settings, now: int) -> bool:
    """See that there is a certificate where one is served; True when one was made. Renews one of ours that ends soon,

    or that does not name this machine's addresses.
    """
    with _alone(settings.data):
        found = current(settings.data)
        names = names_of(settings.host)
        if found is not None and (
            not found.own or (found.days_left(now) >= RENEW_DAYS and set(names) <= {*found.names})
        ):
            return False
        _issue(settings.data, [*names, *(found.names if found else ())], now)
    return True


def make(data: Path, names: Iterable[str], now: int) -> Certificate:
    """Make a certificate for host names and addresses by our own authority, which is made on first use."""
    with _alone(data):
        _issue(data, names, now)
    found = current(data)
    assert found is not None
    return found


def take(data: Path, chain: Path, key: Path, now: int) -> Certificate:
    """Import a certificate (PEM, those above it after it) and its key. Raises CertificateError; nothing is changed."""
    certificates = _chain(chain)
    private = _private(key)
    if private.public_key() != certificates[0].public_key():
        raise CertificateError(f"{key} is not the key of {chain}")
    if certificates[0].not_valid_after_utc <= _moment(now):
        raise CertificateError(f"{chain} ended on {certificates[0].not_valid_after_utc:%Y-%m-%d}")
    with _alone(data):
        _put(data, b"".join(_pem(one) for one in certificates), _key_bytes(private))
        return _described(certificates[0], data)


def serving(data: Path) -> ssl.SSLContext:
    """What the server answers with: TLS 1.2 and newer."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    load(context, data)
    return context


def load(context: ssl.SSLContext, data: Path) -> None:
    """Take the files as they are now; handshakes from here on get them."""
    context.load_cert_chain(data / "keys" / "tls.crt", data / "keys" / "tls.key")


def trust(settings: Settings) -> Callable[[], ssl.SSLContext] | None:
    """How a process of ours reaches our own pages: it trusts this one certificate by any name; None without TLS."""
    if not settings.https:
        return None

    def context() -> ssl.SSLContext:
        made = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        made.check_hostname = False  # it is reached by a loopback address, which an imported one does not name
        made.verify_flags |= ssl.VERIFY_X509_PARTIAL_CHAIN
        made.load_verify_locations(cadata=_pem(_chain(settings.data / "keys" / "tls.crt")[0]).decode())
        return made

    return context


def names_of(host: str) -> list[str]:
    """The names a browser may reach this machine by; of a host that listens everywhere all its addresses."""
    always = ["localhost", "127.0.0.1", "::1"]
    if host not in EVERYWHERE:
        return list(dict.fromkeys([host, *always]))
    found = Path("/proc/net/fib_trie")
    addresses = _LOCAL.findall(found.read_text("ascii")) if found.exists() else []
    return list(dict.fromkeys([socket.gethostname(), *always, *sorted(addresses)]))[:NAMES_MOST]


@contextmanager
def _alone(data: Path) -> Iterator[None]:
    """One process at a time changes the files."""
    (data / "keys").mkdir(mode=0o700, parents=True, exist_ok=True)
    with (data / "keys" / "tls.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _issue(data: Path, names: Iterable[str], now: int) -> None:
    authority, signer = _authority(data, now)
    key = ec.generate_private_key(ec.SECP256R1())
    wanted = list(dict.fromkeys(names))[:NAMES_MOST]
    ends = min(_moment(now) + timedelta(days=SERVER_DAYS), authority.not_valid_after_utc)
    usage = x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH])
    above = x509.AuthorityKeyIdentifier.from_issuer_public_key(signer.public_key())
    made = (
        _builder(wanted[0], authority.subject, key, _moment(now), ends)
        .add_extension(x509.SubjectAlternativeName([_alternative(name) for name in wanted]), critical=False)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(usage, critical=False)
        .add_extension(above, critical=False)
        .sign(signer, hashes.SHA256())
    )
    _put(data, _pem(made) + _pem(authority), _key_bytes(key))


def _authority(data: Path, now: int) -> tuple[x509.Certificate, ec.EllipticCurvePrivateKey]:
    """Our own authority, made when there is none or when it would end before a server's certificate."""
    folder = data / "keys"
    if (folder / "ca.crt").exists() and (folder / "ca.key").exists():
        found, signer = _chain(folder / "ca.crt")[0], _private(folder / "ca.key")
        lasts = found.not_valid_after_utc - _moment(now) > timedelta(days=RENEW_DAYS)
        if isinstance(signer, ec.EllipticCurvePrivateKey) and lasts:
            return found, signer
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, f"{OWN} ({socket.gethostname()[:32]})")])
    usage = x509.KeyUsage(False, False, False, False, False, True, True, False, False)  # signs certificates and lists
    made = (
        _builder("", name, key, _moment(now), _moment(now) + timedelta(days=AUTHORITY_DAYS), subject=name)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(usage, critical=True)
        .sign(key, hashes.SHA256())
    )
    _write(folder / "ca.key", _key_bytes(key))
    _write(folder / "ca.crt", _pem(made))
    return made, key


def _builder(
    name: str,
    issuer: x509.Name,
    key: ec.EllipticCurvePrivateKey,
    begins: datetime,
    ends: datetime,
    *,
    subject: x509.Name | None = None,
) -> x509.CertificateBuilder:
    own = subject or x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name[:64])])
    identified = x509.SubjectKeyIdentifier.from_public_key(key.public_key())
    return (
        x509.CertificateBuilder()
        .subject_name(own)
        .issuer_name(issuer)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(begins - timedelta(hours=1))  # for a clock that is behind
        .not_valid_after(ends)
        .add_extension(identified, critical=False)
    )


def _alternative(name: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ipaddress.ip_address(name))
    except ValueError:
        pass
    try:
        return x509.DNSName(name.encode("idna").decode("ascii"))
    except UnicodeError as error:
        raise CertificateError(f"{name} is neither a host name nor an address") from error


def _described(found: x509.Certificate, data: Path) -> Certificate:
    try:
        names = found.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
        listed = (*names.get_values_for_type(x509.DNSName), *map(str, names.get_values_for_type(x509.IPAddress)))
    except x509.ExtensionNotFound:
        listed = ()
    digest = found.fingerprint(hashes.SHA256()).hex()
    return Certificate(listed, found.not_valid_before_utc, found.not_valid_after_utc, _ours(found, data), digest)


def _ours(found: x509.Certificate, data: Path) -> bool:
    authority = data / "keys" / "ca.crt"
    if not authority.exists():
        return False
    try:
        found.verify_directly_issued_by(_chain(authority)[0])
    except (ValueError, TypeError, InvalidSignature):
        return False
    return True


def _chain(file: Path) -> list[x509.Certificate]:
    try:
        found = x509.load_pem_x509_certificates(_read(file))
    except ValueError as error:
        raise CertificateError(f"{file} is not a certificate in PEM") from error
    return found


def _private(file: Path) -> ec.EllipticCurvePrivateKey:
    """The private key of a file, of any kind TLS takes."""
    try:
        return serialization.load_pem_private_key(_read(file), password=None)  # type: ignore[return-value]
    except (ValueError, TypeError, UnsupportedAlgorithm) as error:  # TypeError: it wants a password
        raise CertificateError(f"{file} is not a private key in PEM without a password") from error


def _read(file: Path) -> bytes:
    try:
        with file.open("rb") as source:
            return source.read(FILE_MOST)
    except OSError as error:
        raise CertificateError(f"{file} cannot be read: {error.strerror}") from error


def _pem(certificate: x509.Certificate) -> bytes:
    return certificate.public_bytes(serialization.Encoding.PEM)


def _key_bytes(key: ec.EllipticCurvePrivateKey) -> bytes:
    plain = serialization.NoEncryption()
    return key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, plain)


def _put(data: Path, chain: bytes, key: bytes) -> None:
    """Both files; whoever loads them between the two finds that they do not fit, and tries again."""
    _write(data / "keys" / "tls.key", key)
    _write(data / "keys" / "tls.crt", chain)


def _write(file: Path, content: bytes) -> None:
    partial = file.with_name(f"{file.name}.{os.getpid()}")
    with os.fdopen(os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as out:
        out.write(content)
        out.flush()
        os.fsync(out.fileno())
    partial.replace(file)


def _moment(now: int) -> datetime:
    return datetime.fromtimestamp(now / 1e6, UTC)
