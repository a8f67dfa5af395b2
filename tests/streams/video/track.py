"""A camera's packets made by hand: frames of made-up slices behind a real sequence parameter set (64x64, Baseline)."""

import base64
import struct

from streams.video.sdp import Media

PPS = bytes.fromhex("68ce3c80")
SET = "sprop-parameter-sets"


def ue(number: int) -> str:
    """Return the bits of an Exp-Golomb number."""
    bits = f"{number + 1:b}"
    return "0" * (len(bits) - 1) + bits


def sps(across: int = 4, down: int = 4) -> bytes:
    """Return a Baseline sequence parameter set of so many macroblocks."""
    bits = ue(0) + ue(0) + ue(2) + ue(1) + "0" + ue(across - 1) + ue(down - 1) + "1" + "1" + "0" + "0" + "1"
    bits += "0" * (-len(bits) % 8)
    return bytes((0x67, 66, 0xC0, 30)) + int(bits, 2).to_bytes(len(bits) // 8, "big")


SPS = sps()


def media(*sets: bytes, codec: str = "H264") -> Media:
    """Return what a camera says of its track."""
    words = ",".join(base64.b64encode(one).decode() for one in sets)
    return Media("video", 96, codec, 90_000, "rtsp://camera/track", {SET: words} if sets else {})


def packet(sequence: int, timestamp: int, payload: bytes, *, last: bool = False, kind: int = 96) -> bytes:
    """Return an RTP packet."""
    head = struct.pack(">BBHII", 0x80, kind | 0x80 * last, sequence & 0xFFFF, timestamp & 0xFFFFFFFF, 7)
    return head + payload


def unit(key: bool, size: int = 50, fill: int = 0x55) -> bytes:
    """Return a slice that is a whole frame; its contents mean nothing."""
    return bytes((0x65 if key else 0x41, 0x88)) + bytes((fill,)) * (size - 2)


def packets(units: list[bytes], sequence: int, timestamp: int, most: int = 1_400) -> list[bytes]:
    """Return the packets of one frame, its large units in fragments (FU-A)."""
    payloads: list[bytes] = []
    for one in units:
        if len(one) <= most:
            payloads.append(one)
            continue
        parts = [one[at : at + most] for at in range(1, len(one), most)]
        for number, part in enumerate(parts):
            mark = 0x80 * (number == 0) | 0x40 * (number == len(parts) - 1)
            payloads.append(bytes((one[0] & 0xE0 | 28, mark | one[0] & 0x1F)) + part)
    last = len(payloads) - 1
    return [packet(sequence + n, timestamp, one, last=n == last) for n, one in enumerate(payloads)]
