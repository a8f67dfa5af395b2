"""The mark burnt into drawn pictures: which camera, which frame. 48 blocks of 8 × 8 pixels at the lower left.

24 columns, two rows, most significant first, white is one: 16 bits camera, 24 bits frame, 8 bits check (CRC-8).
Tests read it back from decoded frames and from screenshots of any size.
"""

from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

BLOCK = 8
COLUMNS, LINES = 24, 2
FRAMES = 1 << 24
CAMERAS = 1 << 16
_BITS = COLUMNS * LINES


def top(height: int) -> int:
    """Return where the mark begins in a picture of this height: the lowest whole row of macroblocks."""
    return (height // 16 - 1) * 16


def draw(image: npt.NDArray[Any], camera: int, frame: int, *, low: int | None = None) -> None:
    """Draw the mark of camera (0-65535) and frame (modulo 2^24) into a BGR image, at its place or from line `low`."""
    low = top(image.shape[0]) if low is None else low
    image[low : low + LINES * BLOCK, : COLUMNS * BLOCK] = blocks(bits(camera, frame))[..., None]


def read(image: npt.NDArray[Any], height: int = 0) -> tuple[int, int] | None:
    """Return (camera, frame) of a grey or colour image, None where no mark or a damaged one is.

    `height` is that of the picture as it was sent, where the image shows it at another size.
    """
    grey = image if image.ndim == 2 else cv2.cvtColor(image, cv2.COLOR_BGR2GRAY)
    sent = height or grey.shape[0]
    scale = grey.shape[0] / sent
    rows = ((top(sent) + BLOCK / 2 + BLOCK * np.arange(LINES)) * scale).astype(int)
    columns = ((BLOCK / 2 + BLOCK * np.arange(COLUMNS)) * scale).astype(int)
    if rows[-1] >= grey.shape[0] or columns[-1] >= grey.shape[1]:
        return None
    white = (grey[np.ix_(rows, columns)].reshape(-1) > 127).tolist()
    value = int("".join("1" if bit else "0" for bit in white), 2)
    body, check = divmod(value, 256)
    return divmod(body, FRAMES) if _check(body) == check else None


def bits(camera: int, frame: int) -> str:
    """Return the mark as 0 and 1, line after line."""
    body = camera % CAMERAS * FRAMES + frame % FRAMES
    return format(body << 8 | _check(body), f"0{_BITS}b")


def blocks(mark: str, columns: int = COLUMNS) -> npt.NDArray[np.uint8]:
    """Return marked blocks in black and white, two lines of so many columns."""
    shades = (np.frombuffer(mark.encode(), np.uint8) - ord("0")).reshape(LINES, columns) * np.uint8(255)
    return np.kron(shades, np.ones((BLOCK, BLOCK), np.uint8))


def _check(body: int) -> int:
    """CRC-8 of polynomial 7, begun with 0x5A: a black or a white picture carries no valid mark."""
    rest = 0x5A
    for octet in body.to_bytes(5, "big"):
        rest ^= octet
        for _ in range(8):
            rest = (rest << 1 ^ 7) & 255 if rest & 128 else rest << 1
    return rest
