"""H.264 in RTP (RFC 6184): which packets carry which NAL units, and what the parameter sets say (ITU-T H.264 7.3.2)."""

from streams.video.bits import Bits
from streams.video.errors import Malformed
from streams.video.picture import Parameters

SPS, PPS = 7, 8
KEY = 5
SLICES = frozenset({1, 2, 5})
KEPT = frozenset({1, 2, 3, 4, 5, 6})
"""What goes into a frame; parameter sets stand before the frames, delimiters and filling say nothing."""
AGGREGATE, FRAGMENT = 24, 28
HEADER = 1
_HIGH = frozenset({100, 110, 122, 244, 44, 83, 86, 118, 128, 138, 139, 134, 135})
_SIZE_MOST = 16_384


def kind(unit: bytes) -> int:
    """Return the type of a NAL unit."""
    return unit[0] & 0x1F


def fragment(payload: bytes) -> tuple[bool, bool, bytes]:
    """Return of a fragment whether it is the first, whether the last, and the NAL unit's header (FU-A, 5.8)."""
    return bool(payload[1] & 0x80), bool(payload[1] & 0x40), bytes((payload[0] & 0xE0 | payload[1] & 0x1F,))


def first_of_frame(unit: bytes) -> bool:
    """Say whether a slice begins a frame: its first macroblock is number 0."""
    return len(unit) > 1 and unit[1] & 0x80 != 0


def set_place(unit: bytes) -> int:
    """Return where a parameter set stands among a decoder's: 0 SPS, 1 PPS; -1: it is none."""
    return {SPS: 0, PPS: 1}.get(kind(unit), -1)


SETS = 2


def parameters(sets: tuple[bytes, ...]) -> Parameters:
    """Return what the sets say. Raises Malformed."""
    sps = sets[0]
    if len(sps) < 5 or kind(sps) != SPS:
        raise Malformed("a sequence parameter set is none")
    width, height = _size(Bits(sps[4:]), sps[1])
    if not (0 < width <= _SIZE_MOST and 0 < height <= _SIZE_MOST):
        raise Malformed("a sequence parameter set tells a size no camera has")
    return Parameters("avc1." + sps[1:4].hex(), sets, width, height)


def _size(bits: Bits, profile: int) -> tuple[int, int]:
    bits.unsigned()  # seq_parameter_set_id
    chroma, planes = _chroma(bits, profile)
    bits.unsigned()  # log2_max_frame_num_minus4
    _order(bits)
    bits.unsigned()  # max_num_ref_frames
    bits.take(1)
    across, down = bits.unsigned() + 1, bits.unsigned() + 1
    whole = bits.take(1)  # frame_mbs_only_flag
    if not whole:
        bits.take(1)
    bits.take(1)
    left = right = top = bottom = 0
    if bits.take(1):
        left, right, top, bottom = (bits.unsigned() for _ in range(4))
    wide, high = {1: (2, 2), 2: (2, 1)}.get(0 if planes else chroma, (1, 1))
    return across * 16 - wide * (left + right), down * 16 * (2 - whole) - high * (2 - whole) * (top + bottom)


def _chroma(bits: Bits, profile: int) -> tuple[int, int]:
    """The part only the high profiles have: returns chroma_format_idc and separate_colour_plane_flag."""
    if profile not in _HIGH:
        return 1, 0
    chroma = bits.unsigned()
    planes = bits.take(1) if chroma == 3 else 0
    bits.unsigned(), bits.unsigned(), bits.take(1)
    if bits.take(1):
        for number in range(8 if chroma != 3 else 12):
            if bits.take(1):
                _scaling(bits, 16 if number < 6 else 64)
    return chroma, planes


def _scaling(bits: Bits, count: int) -> None:
    last, following = 8, 8
    for _ in range(count):
        if following:
            following = (last + bits.signed()) % 256
        last = following or last


def _order(bits: Bits) -> None:
    how = bits.unsigned()
    if how == 0:
        bits.unsigned()
    elif how == 1:
        bits.take(1), bits.signed(), bits.signed()
        count = bits.unsigned()
        if count > 255:
            raise Malformed("a sequence parameter set tells a cycle beyond measure")
        for _ in range(count):
            bits.signed()
