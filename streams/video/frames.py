"""RTP packets (RFC 3550) into complete frames. What is damaged is swallowed, up to the next clean key frame."""

from collections.abc import Iterable
from types import ModuleType

from streams.video import h264, h265, sdp
from streams.video.errors import Malformed
from streams.video.picture import Frame, Parameters

FRAME_MOST = 8 * 1024 * 1024
UNITS_MOST = 1_024
"""Bytes and NAL units of one frame; a camera that sends more sends no picture."""
CODECS: dict[str, ModuleType] = {"H264": h264, "H265": h265}


class Assembler:
    """Puts one track's frames together. Holds one unfinished frame and the parameter sets."""

    def __init__(self, media: sdp.Media) -> None:
        self.codec: ModuleType = CODECS[media.codec]
        self._payload_type = media.payload_type
        self._sets: list[bytes] = [b""] * self.codec.SETS
        self._parameters: Parameters | None = None
        self._changed = False
        for unit in sdp.parameter_sets(media):
            self._take_set(unit)
        self._expected = -1
        self._timestamp = -1
        self._finished = -1
        self._by_time = False
        self._waiting = True
        self.frames = self.swallowed = self.missed = 0
        """Frames passed on and swallowed, and packets missed."""
        self._units: list[bytes] = []
        self._part: list[bytes] = []
        self._size = 0
        self._damaged = self._key = self._pictured = False

    @property
    def parameters(self) -> Parameters | None:
        """What a decoder must know of the frames given from now on; None until it has been said."""
        if self._changed:
            self._changed = False
            try:
                self._parameters = self.codec.parameters(tuple(self._sets)) if all(self._sets) else None
            except Malformed:
                self._parameters = None
        return self._parameters

    @property
    def held(self) -> int:
        """Bytes of the unfinished frame."""
        return self._size

    def feed(self, packet: bytes) -> list[Frame]:
        """Take one packet; return the frames it completes: none or one, seldom two."""
        size = len(packet)
        if size < 13 or packet[0] & 0xC0 != 0x80 or packet[1] & 0x7F != self._payload_type:
            return []
        start = 12 + 4 * (packet[0] & 0x0F)
        if packet[0] & 0x10:
            start += 4 + 4 * int.from_bytes(packet[start + 2 : start + 4], "big")
        if packet[0] & 0x20:
            size -= packet[-1]
        if not self._in_order(packet[2] << 8 | packet[3]):
            return []
        timestamp = int.from_bytes(packet[4:8], "big")
        found: list[Frame] = []
        if timestamp != self._timestamp:
            if self._units or self._part or self._damaged:
                found += self._finish()
            self._timestamp = timestamp
        if start < size:
            self._payload(packet[start:size])
        if packet[1] & 0x80 and not self._by_time:
            found += self._finish()
        return found

    def whole(self, units: Iterable[bytes], timestamp: int) -> list[Frame]:
        """Take the NAL units of a whole frame that came without packets; return it, or nothing before a key frame."""
        self._timestamp = timestamp
        for unit in units:
            if len(unit) > self.codec.HEADER:
                self._unit(unit)
        return self._finish()

    def _in_order(self, sequence: int) -> bool:
        """Note what is missing; False for what came before, or twice."""
        ahead = (sequence - self._expected) & 0xFFFF if self._expected >= 0 else 0
        if ahead > 0xFF00:
            return False
        if ahead:  # what began is incomplete; what comes now shows itself whether it is
            self.missed += ahead
            self._damaged |= bool(self._units or self._part)
            self._waiting = True
        self._expected = (sequence + 1) & 0xFFFF
        return True

    def _payload(self, payload: bytes) -> None:
        codec = self.codec
        if len(payload) <= codec.HEADER:
            self._damaged = True
            return
        kind = codec.kind(payload)
        if kind == codec.FRAGMENT:
            self._fragment(payload)
        elif kind == codec.AGGREGATE:
            self._aggregate(payload)
        elif kind > codec.FRAGMENT or (codec is h264 and kind > h264.AGGREGATE):
            self._damaged = True  # a way of packing nobody agreed to
        else:
            self._unit(payload)

    def _fragment(self, payload: bytes) -> None:
        head = self.codec.HEADER + 1
        if len(payload) <= head:
            self._damaged = True
            return
        first, last, header = self.codec.fragment(payload)
        if first:
            self._damaged |= bool(self._part)
            self._part = [header]
        elif not self._part:
            self._damaged = True
            return
        self._part.append(payload[head:])
        self._grow(len(payload))
        if last:
            unit, self._part = b"".join(self._part), []
            self._size -= len(unit)
            self._unit(unit)

    def _aggregate(self, payload: bytes) -> None:
        at, end = self.codec.HEADER, len(payload)
        while at + 2 <= end:
            size = payload[at] << 8 | payload[at + 1]
            at += 2
            if size <= self.codec.HEADER or at + size > end:
                self._damaged = True
                return
            self._unit(payload[at : at + size])
            at += size

    def _unit(self, unit: bytes) -> None:
        codec = self.codec
        self._damaged |= bool(self._part)
        if codec.set_place(unit) >= 0:
            self._take_set(unit)
            return
        kind = codec.kind(unit)
        if kind not in codec.KEPT:
            return
        if kind in codec.SLICES:
            self._slice(unit, kind)
        self._units.append(len(unit).to_bytes(4, "big"))
        self._units.append(unit)
        self._grow(len(unit) + 4)

    def _slice(self, unit: bytes, kind: int) -> None:
        if not self._pictured and not self.codec.first_of_frame(unit):
            self._damaged = True
            if self._timestamp == self._finished:  # it marks every packet as the last: then only the time tells
                self._by_time = True
        self._pictured = True
        self._key |= kind == h264.KEY if self.codec is h264 else kind in h265.KEYS

    def _grow(self, size: int) -> None:
        self._size += size
        if self._size > FRAME_MOST or len(self._units) > 2 * UNITS_MOST:
            self._clear()
            self._damaged = True

    def _take_set(self, unit: bytes) -> None:
        place = self.codec.set_place(unit) if unit else -1
        if place >= 0 and len(unit) <= 4_096 and self._sets[place] != unit:
            self._sets[place], self._changed = unit, True

    def _finish(self) -> list[Frame]:
        damaged = self._damaged or bool(self._part)
        units, key, pictured, timestamp = self._units, self._key, self._pictured, self._timestamp
        self._finished = timestamp
        self._clear()
        if damaged:
            self._waiting = True
            self.swallowed += 1
            return []
        if not pictured:
            return []
        if self._waiting and not (key and self.parameters is not None):
            self.swallowed += 1
            return []
        self._waiting = False
        self.frames += 1
        return [Frame(b"".join(units), key, timestamp)]

    def _clear(self) -> None:
        self._units, self._part, self._size = [], [], 0
        self._damaged = self._key = self._pictured = False
