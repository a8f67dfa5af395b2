"""H.264 in RTP (RFC 6184, packetisation mode 1) and RTP between the lines of RTSP (RFC 2326, 10.12)."""

import base64
import struct
from collections.abc import Sequence

LARGEST = 1400
"""Octets of payload in a packet."""
_FRAGMENT = 28


def packets(units: Sequence[bytes], *, sequence: int, timestamp: int, source: int) -> list[bytes]:
    """Return the RTP packets of one access unit, the last one marked; numbers go on from `sequence`."""
    payloads = [payload for unit in units for payload in _payloads(unit)]
    last = len(payloads) - 1
    return [
        struct.pack(
            "!BBHII", 0x80, 96 | (128 if n == last else 0), (sequence + n) & 0xFFFF, timestamp & 0xFFFFFFFF, source
        )
        + payload
        for n, payload in enumerate(payloads)
    ]


def interleaved(channel: int, packet: bytes) -> bytes:
    """Return a packet as it travels on the RTSP connection."""
    return struct.pack("!cBH", b"$", channel, len(packet)) + packet


def beginning(octets: bytes) -> bytes:
    """Return interleaved packets without those of the last third: what arrives where packets are lost."""
    at = 0
    while at * 3 < len(octets) * 2:
        at += 4 + int.from_bytes(octets[at + 2 : at + 4], "big")
    return octets[:at] if at < len(octets) else b""


def sender_report(seconds: float, *, timestamp: int, source: int, sent: tuple[int, int]) -> bytes:
    """Return an RTCP sender report: `timestamp` is the RTP time of the moment `seconds`; sent packets and octets."""
    whole = int(seconds) + 2_208_988_800
    part = int(seconds % 1 * (1 << 32))
    count, octets = (number & 0xFFFFFFFF for number in sent)
    return struct.pack(
        "!BBHIIIIII", 0x80, 200, 6, source, whole & 0xFFFFFFFF, part, timestamp & 0xFFFFFFFF, count, octets
    )


def description(sets: tuple[bytes, bytes], name: str) -> str:
    """Return the SDP of one H.264 track (RFC 8866, RFC 6184 section 8)."""
    sequence, picture = (base64.b64encode(one).decode() for one in sets)
    lines = (
        "v=0",
        "o=- 0 0 IN IP4 127.0.0.1",
        f"s={name or '-'}",
        "t=0 0",
        "a=control:*",
        "m=video 0 RTP/AVP 96",
        "c=IN IP4 0.0.0.0",
        "a=rtpmap:96 H264/90000",
        f"a=fmtp:96 packetization-mode=1;profile-level-id={sets[0][1:4].hex().upper()};"
        f"sprop-parameter-sets={sequence},{picture}",
        "a=control:trackID=0",
    )
    return "".join(line + "\r\n" for line in lines)


def _payloads(unit: bytes) -> list[bytes]:
    if len(unit) <= LARGEST:
        return [unit]
    head, body = unit[0], unit[1:]
    pieces = [body[at : at + LARGEST - 2] for at in range(0, len(body), LARGEST - 2)]
    indicator = head & 0xE0 | _FRAGMENT
    last = len(pieces) - 1
    return [
        bytes([indicator, (head & 31) | (0x80 if n == 0 else 0) | (0x40 if n == last else 0)]) + piece
        for n, piece in enumerate(pieces)
    ]
