"""Whether several models hide more than one, and what holds for all classifiers together."""

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from sanmodel.evaluation.intervals import mean_interval, with_intervals
from sanmodel.evaluation.probes import PROBES, Answer, Study
from sanmodel.evaluation.protocol import THRESHOLD


@PROBES.register("ensembles")
class EnsemblesProbe:
    """Errors of each model, of one drawn for each image, and of the best one for each image.

    The best member knows which classifier will look, so it is an oracle: no choice of a member can
    hide more. An image counts as hidden from all classifiers if each of them misreads it.

    Mirjalili, Raschka and Ross: Gender privacy: an ensemble of semi adversarial networks for
    confounding arbitrary gender classifiers. BTAS 2018.
    """

    title = "Several models, several classifiers"
    question = (
        "How many images are misread if one of several models perturbs them, and how many by all"
        " classifiers at once?"
    )
    missing = ""
    needs: tuple[str, ...] = ("classifiers",)

    def answer(self, study: Study) -> Answer:
        """See :meth:`sanmodel.evaluation.probes.Probe.answer`; a row per member, then two more."""
        classifiers = list(dict.fromkeys(name for name, _ in study.scores))
        if not classifiers:
            return {member: {"error_rate": None} for member in study.members}
        misread = {member: _misread(study, member, classifiers) for member in study.members}
        if len(misread) > 1:
            stacked = np.stack(list(misread.values()))
            misread["a member drawn for each image"] = stacked.mean(axis=0)
            misread["the best member for each image"] = stacked.max(axis=0)
        columns = [*(f"error_rate ({name})" for name in classifiers), "error_rate (all)"]
        return {
            row: _figures(study, dict(zip(columns, shares, strict=True)))
            for row, shares in misread.items()
        }


def _figures(study: Study, shares: Mapping[str, NDArray[np.float64]]) -> dict[str, float | None]:
    """Return the means of the images' shares of misreadings, (N,) by column, with intervals."""
    people = study.test.faces.people
    return with_intervals(
        {column: float(values.mean()) for column, values in shares.items()},
        {column: mean_interval(values, people, study.seed) for column, values in shares.items()},
    )


def _misread(study: Study, member: str, classifiers: Sequence[str]) -> NDArray[np.float64]:
    """Tell which images a member hides from each classifier and from all, (columns, N), 0 or 1."""
    labels = study.test.faces.labels == 1
    each = [(study.scores[name, member] > THRESHOLD) != labels for name in classifiers]
    return np.stack([*each, np.all(each, axis=0)]).astype(np.float64)
