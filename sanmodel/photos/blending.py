"""A perturbed crop goes back into its photo: luminance from the model, colour and detail kept.

What the model changed in the crop is enlarged and added to the photo, so that whatever the photo
shows finer than the crop stays, and colour does not move: equal steps of R, G and B change the
luma (ITU-R 601) by as much and neither of the two colour differences.
"""

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from sanmodel.detection.crop import Square
from sanmodel.images import IMAGE_SIZE, Picture

SEAM = 0.12
"""Share of the crop's side in which the change fades out towards its border."""


def blend(photo: Picture, square: Square, grey: Picture, perturbed: Picture) -> None:
    """Put a perturbed face back into its photo.

    Args:
        photo: Upright RGB, (height, width, 3); it is changed.
        square: Where the crop lies in it.
        grey: The crop before, (224, 224).
        perturbed: The crop after, likewise.
    """
    height, width = photo.shape[:2]
    left, right = _inside(square.left, square.side, width)
    top, bottom = _inside(square.top, square.side, height)
    if left >= right or top >= bottom:
        return
    change = (perturbed.astype(np.float32) - grey) * _FADE
    scale = IMAGE_SIZE / square.side
    box = (
        (left - square.left) * scale,
        (top - square.top) * scale,
        (right - square.left) * scale,
        (bottom - square.top) * scale,
    )
    size = (right - left, bottom - top)
    enlarged = Image.fromarray(change).resize(size, Image.Resampling.BICUBIC, box=box)
    region = photo[top:bottom, left:right]
    moved = region + np.asarray(enlarged)[..., None]
    region[:] = np.rint(moved).clip(0, 255).astype(np.uint8)


def _inside(start: float, side: float, limit: int) -> tuple[int, int]:
    """Return the whole pixels of a photo's side that lie in the square."""
    return max(0, int(np.ceil(start))), min(limit, int(np.floor(start + side)))


def _fade() -> NDArray[np.float32]:
    """Return what share of the change stays at each place of the crop, (224, 224)."""
    place = (np.arange(IMAGE_SIZE, dtype=np.float32) + 0.5) / IMAGE_SIZE
    share = np.clip(np.minimum(place, 1 - place) / SEAM, 0, 1)
    smooth = share * share * (3 - 2 * share)
    return np.minimum(smooth[:, None], smooth[None])


_FADE = _fade()
