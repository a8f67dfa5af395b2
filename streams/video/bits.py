"""Bits of a parameter set (H.264 and H.265 section 7.2), read one after the other."""

from streams.video.errors import Malformed


class Bits:
    """Reads what stands in a NAL unit, the bytes against false start codes left out."""

    def __init__(self, unit: bytes) -> None:
        payload = unit.replace(b"\x00\x00\x03", b"\x00\x00")
        self._value, self._left = int.from_bytes(payload, "big"), len(payload) * 8

    def take(self, count: int) -> int:
        """Return the next bits as a number. Raises Malformed at the end."""
        self._left -= count
        if self._left < 0:
            raise Malformed("a parameter set is shorter than it says")
        return self._value >> self._left & (1 << count) - 1

    def unsigned(self) -> int:
        """Return the next Exp-Golomb number (section 9.1)."""
        zeros = 0
        while not self.take(1):
            zeros += 1
            if zeros > 32:
                raise Malformed("a parameter set holds a number beyond measure")
        return (1 << zeros) - 1 + self.take(zeros)

    def signed(self) -> int:
        """Return the next signed Exp-Golomb number."""
        number = self.unsigned()
        return (number + 1) // 2 if number % 2 else -(number // 2)
