"""Whether a perturbed face still finds its person among all others."""

from sanmodel.evaluation.identification import RANKS, identify
from sanmodel.evaluation.intervals import identification_intervals, with_intervals
from sanmodel.evaluation.probes import PROBES, Answer, Study


@PROBES.register("identification")
class IdentificationProbe:
    """Rank-1 and rank-5 rates by matcher and variant, of the faces that take part in matching."""

    title = "Closed-set identification"
    question = (
        "How often is the person of a perturbed photo the first, or among the first five, whom a"
        " face matcher names when it searches the other, unchanged photos?"
    )
    missing = "no person has two matched images, or the rank takes in all who are sought"
    needs: tuple[str, ...] = ("matchers",)

    def answer(self, study: Study) -> Answer:
        """See :meth:`sanmodel.evaluation.probes.Probe.answer`; rows "<matcher> <variant>"."""
        matched = study.test.faces.matched
        people = study.test.faces.people[matched]
        rows: Answer = {}
        for (matcher, variant), probes in study.descriptors.items():
            gallery = study.descriptors[matcher, "original"]
            result = identify(probes[matched], gallery[matched], people)
            rates = {f"rank_{k}": result.rate(k) for k in RANKS}
            intervals = identification_intervals(result, RANKS, study.seed)
            rows[f"{matcher} {variant}"] = with_intervals(rates, intervals)
        return rows
