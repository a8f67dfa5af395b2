"""A packet: reports and refusals of one partition that were accepted together, as sealed bytes. Pure but the nonce."""

from zlib import crc32

import msgspec

from operations.report import Refusal, Report
from streams.errors import SealBroken
from streams.transit import TransitSeal

PARTITIONS = 16


class Packet(msgspec.Struct, frozen=True, array_like=True):
    """What one stream entry carries."""

    reports: list[Report]
    refusals: list[Refusal]

    @property
    def count(self) -> int:
        """Reports and refusals in it."""
        return len(self.reports) + len(self.refusals)


_ENCODE = msgspec.msgpack.Encoder().encode
_DECODE = msgspec.msgpack.Decoder(Packet).decode


def partition_of(source: str, id: str) -> int:
    """The partition 0..15 of a (source, id); the same on every machine and for ever."""
    return crc32(f"{source}\0{id}".encode("utf-8", "surrogatepass")) % PARTITIONS


def place_of(partition: int) -> bytes:
    """What a packet's seal is bound to."""
    return b"gridwall:in:%02d" % partition


def sealed(packet: Packet, partition: int, seal: TransitSeal) -> bytes:
    """The bytes that lie in the engine."""
    return seal.seal(_ENCODE(packet), place_of(partition))


def opened(data: bytes, partition: int, seal: TransitSeal) -> Packet:
    """The packet; raises SealBroken when it is not ours, was changed, or does not decode."""
    try:
        return _DECODE(seal.open(data, place_of(partition)))
    except (msgspec.MsgspecError, UnicodeDecodeError) as error:
        raise SealBroken(f"does not decode: {error}") from error
