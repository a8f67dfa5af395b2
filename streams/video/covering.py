"""Registered masks 隐私遮挡 laid over a picture: solid, in the pixels themselves, before anything leaves. Pure."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import numpy.typing as npt

    Image = npt.NDArray[Any]

Corner = tuple[float, float]
Mask = Sequence[Corner]
"""Corners of a polygon as fractions (0-1) of a picture's width and height, from its upper left."""
COVER = (40, 40, 40)
RIM = 3
"""Pixels of the line along a mask's border: a corner that falls between two pixels leaves nothing open."""


class NotCovered(ValueError):
    """A mask cannot be laid over this picture, so that the picture must not be shown."""


def covered(image: "Image", masks: Sequence[Mask]) -> "Image":
    """Return a copy of a picture in which every mask is solid. Raises NotCovered."""
    import cv2
    import numpy as np

    if not masks or image.ndim != 3 or not image.size:
        raise NotCovered("there is no mask, or no picture")
    height, width = image.shape[:2]
    done, where = image.copy(), np.zeros((height, width), np.uint8)
    for mask in masks:
        corners = np.array(mask, np.float64).reshape(-1, 2)
        if len(corners) < 3 or not ((corners >= 0) & (corners <= 1)).all():
            raise NotCovered("a mask has three corners or more, all inside the picture")
        points = np.rint(corners * (width - 1, height - 1)).astype(np.int32)
        for layer, fill in ((done, COVER), (where, (255,))):
            cv2.fillPoly(layer, [points], fill)  # one by one: two in one call leave open what both cover
            cv2.polylines(layer, [points], True, fill, RIM)
    if not (done[where > 0] == COVER).all():
        raise NotCovered("the masks were not laid over the picture")
    return done
