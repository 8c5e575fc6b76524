"""Whether figures that were handed in are those that are found when the model is asked again."""

from collections.abc import Iterator, Mapping
from typing import Any

from sanmodel.evaluation.measures import RATE, false_match_rate, measure_of

Metrics = Mapping[str, Any]

TOLERANCES = {"error_rate": 0.02, RATE: 0.02, "psnr": 0.2, "ssim": 0.005}
"""How far an exported model's figures may lie from the trained one's, by name, all true match rates
by one: its pixels differ by a grey level here and there, which moves a face that is on the edge."""

ON_THE_EDGE = 2.5
"""So many faces may be: of few faces that is more of a rate than its tolerance."""

VARIANTS = ("original", "SM", "OP")
"""Whose figures a promotion is judged by."""


def disagreements(told: Metrics, found: Metrics) -> list[str]:
    """Compare the figures of an evaluation with those of another of the same model and faces.

    Args:
        told: Metrics of the main set, see docs/evaluation.md.
        found: Likewise, found anew.

    Returns:
        A sentence for each figure that both have and that differs by more than ``TOLERANCES``.
    """
    ours = dict(_figures(told))
    few = ON_THE_EDGE / max(1, found.get("images", 1000))
    return [
        f"its evaluation has {_text(name, ours[key])} as the {measure_of(name).title} of {network}"
        f" on {variant}, found anew is {_text(name, value)}"
        for key, value in _figures(found)
        if key in ours
        for network, variant, name in [key]
        if abs(ours[key] - value) > max(_tolerance(name) or 0, few)
    ]


def _figures(metrics: Metrics) -> Iterator[tuple[tuple[str, str, str], float]]:
    """Yield network, variant and name of each figure that is judged, and the figure."""
    kinds = [*metrics.get("classifiers", {}).items(), *metrics.get("matchers", {}).items()]
    for network, by_variant in [*kinds, ("the images", metrics.get("quality", {}))]:
        for variant in VARIANTS:
            for name, value in by_variant.get(variant, {}).items():
                if value is not None and _tolerance(name) is not None:
                    yield (network, variant, name), value


def _tolerance(name: str) -> float | None:
    """Return the tolerance of a figure; None of what is not compared, as the ends of intervals."""
    return TOLERANCES.get(RATE if false_match_rate(name) is not None else name)


def _text(name: str, value: float) -> str:
    return f"{value:{measure_of(name).form}}"
