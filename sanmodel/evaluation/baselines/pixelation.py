"""Pixelation that does as much harm in PSNR as ours."""

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from sanmodel.evaluation.baselines import BASELINES, Context
from sanmodel.evaluation.faces import Faces
from sanmodel.evaluation.similarity import MAX_PSNR, psnr
from sanmodel.images import Picture


@BASELINES.register("pixelation")
class Pixelation:
    """Square blocks get their mean grey.

    The block's side is a whole number of pixels, so that the PSNR of ours is met only roughly. It
    does not always fall as blocks grow, since they come to lie elsewhere on the face: all sides are
    tried instead of a bisection, and of equally near ones the smallest is taken.
    """

    variant = "pixelation"

    def __init__(self, context: Context) -> None:
        """It builds on nothing."""

    def perturb(self, faces: Faces, ours: NDArray[np.uint8]) -> NDArray[np.uint8]:
        """See :meth:`sanmodel.evaluation.baselines.Baseline.perturb`."""
        pairs = zip(faces.images, ours, strict=True)
        return np.stack([_matched_pixelation(original, our) for original, our in pairs])


class Blocks:
    """Pixelates one image with any block size, by its summed-area table.

    Args:
        image: Grey image (height, width).
    """

    def __init__(self, image: Picture) -> None:
        self._height, self._width = image.shape
        values = image.astype(np.int64)
        self._squares = int((values**2).sum())
        self._table = np.pad(values.cumsum(axis=0).cumsum(axis=1), ((1, 0), (1, 0)))

    def pixelated(self, side: int) -> Picture:
        """Return the image in blocks of ``side`` pixels, from its upper left corner on.

        Blocks are cut off at the lower and right edge.
        """
        rows, columns, _, means = self._blocks(side)
        image = means.repeat(np.diff(rows), axis=0).repeat(np.diff(columns), axis=1)
        return image.astype(np.uint8)

    def psnrs(self) -> Iterator[float]:
        """Yield the PSNR to the image of block sides from 1 pixel to the whole image, in dB."""
        for side in range(1, max(self._height, self._width) + 1):
            rows, columns, sums, means = self._blocks(side)
            areas = np.diff(rows)[:, None] * np.diff(columns)
            error = self._squares + int((means * (areas * means - 2 * sums)).sum())
            ratio = 255**2 * self._height * self._width / max(error, 1)
            yield min(10 * float(np.log10(ratio)), MAX_PSNR)

    def _blocks(self, side: int) -> tuple[NDArray[np.int64], ...]:
        """Return the edges of rows and of columns, and sum and rounded mean of each block."""
        rows, columns = (
            np.array([*range(0, length, side), length]) for length in (self._height, self._width)
        )
        sums = np.diff(np.diff(self._table[np.ix_(rows, columns)], axis=0), axis=1)
        areas = np.diff(rows)[:, None] * np.diff(columns)
        return rows, columns, sums, (2 * sums + areas) // (2 * areas)


def _matched_pixelation(original: Picture, ours: Picture) -> Picture:
    blocks = Blocks(original)
    gaps = np.abs(np.array(list(blocks.psnrs())) - psnr(original, ours))
    return blocks.pixelated(int(gaps.argmin()) + 1)
