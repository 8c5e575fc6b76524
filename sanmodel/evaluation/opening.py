"""The three sentences that a report opens with: what was protected, how well, at what price."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from sanmodel.evaluation.measures import Value, measure_of, true_match_rates, value_of
from sanmodel.evaluation.missing import without_figure, without_networks

Metrics = Mapping[str, Any]
Sentence = Callable[[str, Value, Value], str]
"""Made of a network's name and its figures before and after."""


@dataclass(frozen=True)
class Opening:
    """A sentence each."""

    protected: str
    how_well: str
    price: str


def opening(metrics: Metrics) -> Opening:
    """Tell the metrics of the main set in three sentences for a reader who knows no more.

    Args:
        metrics: See docs/evaluation.md.
    """
    return Opening(
        _protected(metrics), _how_well(metrics), f"{_matching(metrics)}{_quality(metrics)}."
    )


def _protected(metrics: Metrics) -> str:
    classes = [metrics.get(f"images_class_{label}") for label in (1, 0)]
    counts = f" ({classes[0]:,} with it, {classes[1]:,} without)" if None not in classes else ""
    return (
        f"The attribute {metrics['attribute']} was to be hidden in {metrics['images']:,} face"
        f" images of {metrics['people']:,} people{counts}, the set {metrics['set']}."
    )


def _how_well(metrics: Metrics) -> str:
    def sentence(name: str, before: Value, after: Value) -> str:
        return (
            f"{name}, which training never saw, misreads it in {_told(after)} of the perturbed"
            f" images, in {_told(before)} of the originals"
        )

    told = "; ".join(_each(metrics, "classifiers", "error_rate", sentence))
    why = without_networks("classifiers", metrics["gaps"])
    return f"{told or _missing('How well it is hidden', why)}."


def _matching(metrics: Metrics) -> str:
    rates = true_match_rates(metrics["matchers"])
    if not rates:
        why = without_networks("matchers", metrics["gaps"])
        return _missing("Whether faces still match", why)

    def sentence(name: str, before: Value, after: Value) -> str:
        return (
            f"{name} still matches {_told(after)} of the pairs of one person, {_told(before)}"
            f" before ({measure_of(rates[0]).title})"
        )

    return "; ".join(_each(metrics, "matchers", rates[0], sentence))


def _quality(metrics: Metrics) -> str:
    quality = metrics["quality"].get("OP", {})
    values = {name: value_of(name, quality, ()) for name in ("psnr", "ssim")}
    if any(value.number is None for value in values.values()):
        return "; how far the images change was not measured"
    return (
        f"; the images keep a PSNR of {values['psnr'].text} dB and an SSIM of"
        f" {values['ssim'].text} to the originals"
    )


def _each(metrics: Metrics, kind: str, measure: str, sentence: Sentence) -> list[str]:
    """Return a sentence for each network of a kind."""
    told = []
    for name, by_variant in metrics[kind].items():
        both = [by_variant.get(variant, {}) for variant in ("original", "OP")]
        before, after = (value_of(measure, own, metrics["gaps"]) for own in both)
        why = after.reason or without_figure(measure, both[1])
        missing = _missing(f"the {measure_of(measure).title} of {name}", why)
        told.append(missing if after.number is None else sentence(name, before, after))
    return told


def _told(value: Value) -> str:
    """Return a rate as part of a sentence, with its interval."""
    if value.number is None:
        return "an unmeasured share"
    share = f"{value.number:{value.measure.form}}"
    return f"{share} (95% interval {value.interval})" if value.interval else share


def _missing(what: str, why: str) -> str:
    sentence = f"{what} was not measured"
    return f"{sentence}: {why}" if why else sentence
