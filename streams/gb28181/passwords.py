"""Passwords 口令 of platforms in DATA/keys/platforms: one a code, or one for all of a network (10.8.0.0/16)."""

import ipaddress
import re
from pathlib import Path

from streams.source_secrets import SourceSecrets

FOLDER = "platforms"
MOST_NETWORKS = 50
_NETWORK = re.compile(r"net-([0-9a-f]+(?:-[0-9a-f]+)*)-([0-9]{1,3})")

Network = ipaddress.IPv4Network


class Passwords:
    """One per process; `keys` is DATA/keys. Files are read anew each time, so a new password holds at once."""

    def __init__(self, keys: Path) -> None:
        self._folder = keys / FOLDER
        self._kept = SourceSecrets(keys, FOLDER)

    def own(self, code: str) -> str:
        """Return a platform's own password, "" when it has none."""
        return self._kept.get(code)

    def put(self, code: str, password: str) -> None:
        """Keep a platform's password; "" forgets it. Raises ValueError."""
        self._kept.put(code, password)

    def put_network(self, network: str, password: str) -> None:
        """Keep the password of a network; "" forgets it. Raises ValueError for what is no network of IPv4."""
        self._kept.put(_id(ipaddress.IPv4Network(network, strict=False)), password)

    def networks(self) -> list[Network]:
        """Return the networks that have a password, the narrowest first."""
        names = [_NETWORK.fullmatch(file.stem) for file in sorted(self._folder.glob("net-*.secret"))[:MOST_NETWORKS]]
        found = [ipaddress.IPv4Network(f"{one[1].replace('-', '.')}/{one[2]}") for one in names if one]
        return sorted(found, key=lambda one: -one.prefixlen)

    def of(self, code: str, host: str) -> tuple[str, ...]:
        """Return what may be a platform's password at an address: its own, else the narrowest network's."""
        own = self.own(code)
        return (own,) if own else of_networks(self.of_every_network(), host)

    def of_every_network(self) -> tuple[tuple[Network, str], ...]:
        """Return the networks with their passwords, the narrowest first."""
        return tuple((one, self._kept.get(_id(one))) for one in self.networks())


def of_networks(networks: tuple[tuple[Network, str], ...], host: str) -> tuple[str, ...]:
    """Return the password of the narrowest network an address lies in, as far as there is one."""
    try:
        address = ipaddress.IPv4Address(host.removeprefix("::ffff:"))
    except ValueError:
        return ()
    return next(((password,) for one, password in networks if address in one), ())


def _id(network: Network) -> str:
    return f"net-{str(network.network_address).replace('.', '-')}-{network.prefixlen}"
