"""What a track's pictures are made of: frames ready for an MP4 box, and the parameter sets a decoder begins with."""

from typing import NamedTuple


class Frame(NamedTuple):
    """A complete frame. `sample`: its NAL units, each after its length; `timestamp`: RTP's, 32 bits."""

    sample: bytes
    key: bool
    timestamp: int


class Parameters(NamedTuple):
    """What a decoder must know before a frame. `codec`: as browsers name it (RFC 6381); `sets`: VPS, SPS, PPS."""

    codec: str
    sets: tuple[bytes, ...]
    width: int
    height: int
