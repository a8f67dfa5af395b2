"""H.265 in RTP (RFC 7798): which packets carry which NAL units, and what the parameter sets say (ITU-T H.265 7.3.2)."""

from streams.video.bits import Bits
from streams.video.errors import Malformed
from streams.video.picture import Parameters

VPS, SPS, PPS = 32, 33, 34
KEYS = frozenset(range(16, 22))
SLICES = frozenset(range(22))
KEPT = SLICES | {39, 40}
AGGREGATE, FRAGMENT = 48, 49
HEADER = 2
SETS = 3
_SIZE_MOST = 16_384


def kind(unit: bytes) -> int:
    """Return the type of a NAL unit."""
    return unit[0] >> 1 & 0x3F


def fragment(payload: bytes) -> tuple[bool, bool, bytes]:
    """Return of a fragment whether it is the first, whether the last, and the NAL unit's header (FU, 4.4.3)."""
    header = bytes((payload[0] & 0x81 | (payload[2] & 0x3F) << 1, payload[1]))
    return bool(payload[2] & 0x80), bool(payload[2] & 0x40), header


def first_of_frame(unit: bytes) -> bool:
    """Say whether a slice begins a frame (first_slice_segment_in_pic_flag)."""
    return len(unit) > 2 and unit[2] & 0x80 != 0


def set_place(unit: bytes) -> int:
    """Return where a parameter set stands among a decoder's: 0 VPS, 1 SPS, 2 PPS; -1: it is none."""
    return {VPS: 0, SPS: 1, PPS: 2}.get(kind(unit), -1)


def parameters(sets: tuple[bytes, ...]) -> Parameters:
    """Return what the sets say. Raises Malformed."""
    sps = sets[1]
    profile = profile_bytes(sps)
    bits = Bits(sps[2:])
    bits.take(4)
    layers = bits.take(3)
    bits.take(1 + 96)
    _sub_layers(bits, layers)
    bits.unsigned()
    chroma = bits.unsigned()
    planes = bits.take(1) if chroma == 3 else 0
    width, height = bits.unsigned(), bits.unsigned()
    if bits.take(1):
        wide, high = {1: (2, 2), 2: (2, 1)}.get(0 if planes else chroma, (1, 1))
        left, right, top, bottom = (bits.unsigned() for _ in range(4))
        width, height = width - wide * (left + right), height - high * (top + bottom)
    if not (0 < width <= _SIZE_MOST and 0 < height <= _SIZE_MOST):
        raise Malformed("a sequence parameter set tells a size no camera has")
    return Parameters(_codec(profile), sets, width, height)


def profile_bytes(sps: bytes) -> bytes:
    """Return the twelve bytes that name profile, tier and level, as they stand in a box (ISO 14496-15 8.3.3)."""
    plain = sps.replace(b"\x00\x00\x03", b"\x00\x00")
    if len(plain) < 15 or kind(sps) != SPS:
        raise Malformed("a sequence parameter set is none")
    return plain[3:15]


def _codec(profile: bytes) -> str:
    """The name of RFC 6381 as ISO 14496-15 annex E has it."""
    space = ("", "A", "B", "C")[profile[0] >> 6]
    compatible = int(f"{int.from_bytes(profile[1:5], 'big'):032b}"[::-1], 2)
    tier = "H" if profile[0] & 0x20 else "L"
    limits = profile[5:11].rstrip(b"\x00")
    words = [f"hvc1.{space}{profile[0] & 0x1F}", f"{compatible:X}", f"{tier}{profile[11]}"]
    return ".".join([*words, *(f"{byte:X}" for byte in limits)])


def _sub_layers(bits: Bits, layers: int) -> None:
    if not layers:
        return
    present = [(bits.take(1), bits.take(1)) for _ in range(layers)]
    bits.take(2 * (8 - layers))
    for profile, level in present:
        bits.take(88 * profile + 8 * level)
