"""Boxes of ISO 14496-12 and -15: what a browser needs before the first frame, and one fragment for each frame."""

import struct

from streams.video.h265 import profile_bytes
from streams.video.picture import Parameters
from streams.video.timeline import CLOCK, Moment

_FRAGMENT = struct.Struct(">I4sI4sIII4sI4sIII4sIQI4sIIiIIIiI4s")
_MOOF = _FRAGMENT.size - 8
_KEY, _DELTA = 0x02000000, 0x01010000
_MATRIX = struct.pack(">9I", 0x10000, 0, 0, 0, 0x10000, 0, 0, 0, 0x40000000)


def fragment(sample: bytes, moment: Moment, key: bool, sequence: int) -> bytes:
    """Return moof and mdat of one frame."""
    return (
        _FRAGMENT.pack(
            *(_MOOF, b"moof", 16, b"mfhd", 0, sequence & 0xFFFFFFFF, _MOOF - 24, b"traf"),
            *(16, b"tfhd", 0x020000, 1, 20, b"tfdt", 0x01000000, moment.decode),
            *(
                36,
                b"trun",
                0x01000F01,
                1,
                _MOOF + 8,
                moment.duration,
                len(sample),
                _KEY if key else _DELTA,
                moment.shift,
            ),
            *(8 + len(sample), b"mdat"),
        )
        + sample
    )


def beginning(parameters: Parameters) -> bytes:
    """Return ftyp and moov of a track with these parameter sets."""
    entry = _hevc(parameters) if parameters.codec.startswith("hvc1") else _avc(parameters)
    empty = [_full(name, 0, 0, struct.pack(">I", 0)) for name in (b"stts", b"stsc", b"stco")]
    table = _box(
        b"stbl",
        _full(b"stsd", 0, 0, struct.pack(">I", 1) + entry),
        *empty,
        _full(b"stsz", 0, 0, struct.pack(">II", 0, 0)),
    )
    data = _box(b"dinf", _full(b"dref", 0, 0, struct.pack(">I", 1) + _full(b"url ", 0, 1)))
    media = _box(
        b"mdia",
        _full(b"mdhd", 0, 0, struct.pack(">4I2H", 0, 0, CLOCK, 0, 0x55C4, 0)),
        _full(b"hdlr", 0, 0, struct.pack(">I4s12x", 0, b"vide") + b"\0"),
        _box(b"minf", _full(b"vmhd", 0, 1, bytes(8)), data, table),
    )
    size = struct.pack(">II", parameters.width << 16, parameters.height << 16)
    head = struct.pack(">5I8x4H", 0, 0, 1, 0, 0, 0, 0, 0, 0) + _MATRIX + size
    movie = struct.pack(">4IIH10x", 0, 0, 1_000, 0, 0x10000, 0x100) + _MATRIX + bytes(24) + struct.pack(">I", 2)
    extends = _box(b"mvex", _full(b"trex", 0, 0, struct.pack(">5I", 1, 1, 0, 0, 0)))
    kinds = _box(b"ftyp", b"iso5" + struct.pack(">I", 512) + b"iso5iso6mp41")
    return kinds + _box(b"moov", _full(b"mvhd", 0, 0, movie), _box(b"trak", _full(b"tkhd", 0, 3, head), media), extends)


def _avc(parameters: Parameters) -> bytes:
    sps, pps = parameters.sets
    held = b"\x01" + sps[1:4] + b"\xff\xe1" + _counted(sps) + b"\x01" + _counted(pps)
    return _entry(b"avc1", parameters, _box(b"avcC", held))


def _hevc(parameters: Parameters) -> bytes:
    profile = profile_bytes(parameters.sets[1])
    head = b"\x01" + profile + b"\xf0\x00\xfc\xfd\xf8\xf8\x00\x00\x0f" + bytes((len(parameters.sets),))
    arrays = [bytes((0x80 | number,)) + b"\0\1" + _counted(one) for number, one in enumerate(parameters.sets, 32)]
    return _entry(b"hvc1", parameters, _box(b"hvcC", head + b"".join(arrays)))


def _entry(name: bytes, parameters: Parameters, held: bytes) -> bytes:
    fixed = struct.pack(">6xH16xHHII4xH32xHh", 1, parameters.width, parameters.height, 72 << 16, 72 << 16, 1, 24, -1)
    return _box(name, fixed, held)


def _counted(unit: bytes) -> bytes:
    return struct.pack(">H", len(unit)) + unit


def _full(name: bytes, version: int, flags: int, *parts: bytes) -> bytes:
    return _box(name, struct.pack(">I", version << 24 | flags), *parts)


def _box(name: bytes, *parts: bytes) -> bytes:
    held = b"".join(parts)
    return struct.pack(">I4s", 8 + len(held), name) + held
