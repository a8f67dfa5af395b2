"""The certificate: made, renewed, imported; what does not fit is refused and the old one stays."""

import dataclasses
from datetime import timedelta
from pathlib import Path

import pytest

from config import certificate, clock
from config.certificate import CertificateError
from config.settings import Settings, load

DAY = 86_400_000_000


@pytest.mark.parametrize(
    ("host", "tls", "https"),
    [
        ("127.0.0.1", "auto", False),
        ("localhost", "auto", False),
        ("0.0.0.0", "auto", True),
        ("10.1.2.3", "auto", True),
        ("127.0.0.1", "on", True),
        ("0.0.0.0", "off", False),
        ("0.0.0.0", "proxy", False),
    ],
)
def test_off_loopback_pages_are_served_over_tls_unless_something_else_is_said(
    tmp_path: Path, host: str, tls: str, https: bool
) -> None:
    assert load(tmp_path, environ={}, host=host, tls=tls).https is https


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return load(tmp_path, environ={}, host="10.1.2.3")


def test_one_is_made_once_and_renewed_in_time_by_the_same_authority(settings: Settings) -> None:
    now = clock.now()
    assert certificate.ready(settings, now) and not certificate.ready(settings, now)
    made, above = certificate.current(settings.data), certificate.authority(settings.data)
    assert made is not None and made.own and {"10.1.2.3", "localhost", "127.0.0.1"} <= {*made.names}
    assert made.ends - made.begins < timedelta(days=398)
    later = now + (certificate.SERVER_DAYS - certificate.RENEW_DAYS + 2) * DAY
    assert not certificate.ready(settings, later - 5 * DAY) and certificate.ready(settings, later)
    renewed = certificate.current(settings.data)
    assert renewed is not None and renewed.ends > made.ends
    assert certificate.authority(settings.data) == above
    modes = {path.name: path.stat().st_mode & 0o777 for path in (settings.data / "keys").iterdir()}
    assert (modes["tls.key"], modes["ca.key"]) == (0o600, 0o600)


def test_names_given_once_are_kept_and_a_new_address_is_added(settings: Settings) -> None:
    certificate.make(settings.data, ["wall.example", "指挥.example"], clock.now())
    assert certificate.ready(settings, clock.now())
    found = certificate.current(settings.data)
    assert found is not None and {"wall.example", "xn--1jqy40e.example", "10.1.2.3"} & {*found.names} >= {
        "wall.example"
    }
    assert not certificate.ready(settings, clock.now())


def test_an_imported_one_is_served_and_never_replaced(settings: Settings, tmp_path: Path) -> None:
    other = tmp_path / "other"
    certificate.make(other, ["city.example"], clock.now())
    taken = certificate.take(settings.data, other / "keys" / "tls.crt", other / "keys" / "tls.key", clock.now())
    assert taken.names == ("city.example",) and not taken.own
    assert not certificate.ready(settings, clock.now() + 380 * DAY)
    assert certificate.serving(settings.data).get_ca_certs() == []


def test_what_does_not_fit_is_refused_and_the_old_one_stays(settings: Settings, tmp_path: Path) -> None:
    first, second = tmp_path / "a", tmp_path / "b"
    for one in (first, second):
        certificate.make(one, ["city.example"], clock.now())
    certificate.ready(settings, clock.now())
    before = certificate.current(settings.data)
    chain, key = first / "keys" / "tls.crt", first / "keys" / "tls.key"
    for told, given in {
        "is not the key of": (chain, second / "keys" / "tls.key", 0),
        "ended on": (chain, key, 400),
        "not a certificate": (key, key, 0),
        "not a private key": (chain, chain, 0),
        "cannot be read": (tmp_path / "absent", key, 0),
    }.items():
        with pytest.raises(CertificateError, match=told):
            certificate.take(settings.data, given[0], given[1], clock.now() + given[2] * DAY)
    with pytest.raises(CertificateError, match="neither a host name"):
        certificate.make(settings.data, ["a" * 80 + ".example"], clock.now())
    assert certificate.current(settings.data) == before


def test_a_host_that_listens_everywhere_is_named_by_its_addresses() -> None:
    names = certificate.names_of("0.0.0.0")
    assert {"localhost", "127.0.0.1"} <= {*names} and len(names) == len({*names})


def test_processes_of_ours_need_no_certificate_without_tls(settings: Settings) -> None:
    assert certificate.trust(dataclasses.replace(settings, tls="off")) is None
