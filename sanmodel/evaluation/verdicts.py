"""The rules that a model must meet to be promoted, and what came of each."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from sanmodel.evaluation.measures import RATE, reason
from sanmodel.evaluation.missing import without_networks
from sanmodel.settings import PromotionSettings


@dataclass(frozen=True)
class Verdict:
    """What came of one rule.

    Attributes:
        sentence: The rule and what was found.
        passed: Whether it is met; None if it could not be judged.
    """

    sentence: str
    passed: bool | None


def verdicts(metrics: Mapping[str, Any], rules: PromotionSettings) -> list[Verdict]:
    """Judge an evaluation.

    Args:
        metrics: Of the main set, see docs/evaluation.md.
        rules: The limits; those that are None are left out.
    """
    error, match = _first(metrics["classifiers"], "error_rate"), _first(metrics["matchers"], RATE)
    found = {
        "min_error": error.get("OP"),
        "max_match_loss": _fall(match.get("original"), match.get("OP")),
        "max_same_error_rise": _fall(error.get("SM"), error.get("original")),
        "min_psnr": metrics["quality"].get("OP", {}).get("psnr"),
    }
    hidden, matched = _why(metrics, "classifiers", "error_rate"), _why(metrics, "matchers", RATE)
    why = {"min_error": hidden, "max_same_error_rise": hidden, "max_match_loss": matched}
    return list(_judged(found, why, rules))


def _judged(
    found: Mapping[str, float | None], why: Mapping[str, str], rules: PromotionSettings
) -> Iterator[Verdict]:
    for name, limit in rules.model_dump().items():
        if limit is None:
            continue
        sentence, unit, factor = _SENTENCES[name]
        value = found[name]
        missing = ": ".join(filter(None, ("not measured", why.get(name))))
        told = missing if value is None else f"found: {factor * value:.1f} {unit}"
        passed = None if value is None else value >= limit if name in _LEAST else value <= limit
        yield Verdict(f"{sentence} {factor * limit:g} {unit} ({told})", passed)


_SENTENCES = {
    "min_error": ("the attribute is misread in X'_OP in at least", "%", 100),
    "max_match_loss": ("the true match rate falls by at most", "points", 100),
    "max_same_error_rise": ("the attribute error in X'_SM rises by at most", "points", 100),
    "min_psnr": ("X'_OP is like the original by at least", "dB PSNR", 1),
}
"""Of each rule what it says, the unit of its figures, and what they are multiplied with."""

_LEAST = ("min_error", "min_psnr")
"""Rules whose limit is the least that is accepted."""


def _first(networks: Mapping[str, Any], figure: str) -> dict[str, float | None]:
    """Return the first figure of that kind of the first network by variant."""
    by_variant: Mapping[str, Any] = next(iter(networks.values()), {})
    return {
        variant: next((value for name, value in of.items() if name.startswith(figure)), None)
        for variant, of in by_variant.items()
    }


def _why(metrics: Mapping[str, Any], kind: str, figure: str) -> str:
    """Say why the first figure of that kind is missing; nothing where that is not known."""
    gaps, networks = metrics.get("gaps", ()), metrics[kind]
    if not networks:
        return without_networks(kind, gaps)
    by_variant: Mapping[str, Any] = next(iter(networks.values()))
    names = (name for of in by_variant.values() for name in of if name.startswith(figure))
    return reason(next(names, figure), gaps)


def _fall(before: float | None, after: float | None) -> float | None:
    return None if before is None or after is None else before - after
