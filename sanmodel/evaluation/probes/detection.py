"""Whether a face detector still finds the faces: who is not found is matched with nobody."""

import dlib
import numpy as np
from numpy.typing import NDArray

from sanmodel.evaluation.intervals import mean_interval, with_intervals
from sanmodel.evaluation.probes import PROBES, Answer, Study
from sanmodel.perturber import OUTPUTS

UNDETECTED = "undetected"
"""The share of faces that are lost, as columns of the answer and rules call it."""


@PROBES.register("detection")
class Detection:
    """Asks dlib's frontal face detector (King, 2009), which cut none of the faces by default."""

    title = "Finding the face"
    question = (
        "How many of the faces that a face detector finds in the original photos does it no longer"
        " find in the perturbed ones?"
    )
    missing = "the detector finds no face in the originals either"
    needs: tuple[str, ...] = ()

    def answer(self, study: Study) -> Answer:
        """See :meth:`sanmodel.evaluation.probes.Probe.answer`; a row for each output."""
        detector, faces = dlib.get_frontal_face_detector(), study.test.faces
        there = _found(detector, study.test.variants["original"])
        rows: Answer = {}
        for variant in OUTPUTS:
            lost = ~_found(detector, study.test.variants[variant])
            values = np.where(there, lost.astype(np.float64), np.nan)
            share = float(lost[there].mean()) if there.any() else None
            interval = mean_interval(values, faces.people, study.seed) if there.any() else None
            rows[variant] = with_intervals({UNDETECTED: share}, {UNDETECTED: interval})
        return rows


def _found(detector: "dlib.fhog_object_detector", images: NDArray[np.uint8]) -> NDArray[np.bool_]:
    """Tell of each grey image whether there is a face in it, (N,)."""
    return np.array([len(detector(np.asarray(image))) > 0 for image in images], dtype=bool)
