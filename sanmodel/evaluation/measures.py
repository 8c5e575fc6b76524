"""How the figures of an evaluation are called, written and, where missing, explained."""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

RATE = "tmr_at_fmr_"
"""What the name of a true match rate begins with; the false match rate follows."""

_NUMBER = r"\d+(?:\.\d+)?(?:e-\d+)?"
_RATE = re.compile(f"{RATE}({_NUMBER})")

_OF = re.compile(
    rf"(?P<measure>error_rate(?:_class_[01])?|auc|psnr|ssim|rank_\d+|{RATE}{_NUMBER})"
    r"(?:_(?!class_[01]$)(?P<variant>.+)| \((?P<network>.+)\))"
)
"""A measure's name with the variant or the network that it is of, as columns of probes have it."""

LIKENESS = "likeness"
"""What the names of a probe's rows begin with that are about images and no network."""

BOUNDS = ("_low", "_high")
"""What the names of an interval's ends add to the name of a figure."""

CHANGE = "_change"
"""What the name of a figure gets that says how much it differs from the original's."""

NOT_MEASURED = "not measured"


@dataclass(frozen=True)
class Measure:
    """How figures of one kind are written.

    Attributes:
        title: What a reader calls it.
        form: Format of a number, as in an f-string.
    """

    title: str
    form: str


COUNT = Measure("number", ",.0f")

_FORMS = {
    "error_rate": ".1%",
    "detection_error": ".1%",
    "undetected": ".1%",
    RATE: ".2%",
    "rank_": ".2%",
    "auc": ".3f",
    "psnr": ".1f",
}
_FORMS |= {"ssim": ".3f", "images": COUNT.form}
"""By the beginning of a name; two digits of a true match rate as in the paper's table 3."""

_TITLES = {"error_rate": "attribute error", "auc": "AUC", "psnr": "PSNR, dB", "ssim": "SSIM"}


@dataclass(frozen=True)
class Value:
    """One figure of a table.

    Attributes:
        number: The figure, rates as fractions; None if it was not measured.
        measure: How it is written.
        low: Lower end of its 95 % interval, if there is one.
        high: Upper end.
        reason: Why it was not measured, if that is known.
    """

    number: float | None
    measure: Measure
    low: float | None = None
    high: float | None = None
    reason: str = ""

    @property
    def text(self) -> str:
        """The figure with its interval, as readers see it."""
        if self.number is None:
            return NOT_MEASURED
        return f"{self.number:{self.measure.form}}" + (
            f" ({self.interval})" if self.interval else ""
        )

    @property
    def interval(self) -> str:
        """The interval in words, without one nothing."""
        if self.number is None or self.low is None or self.high is None:
            return ""
        low = f"{self.low:{self.measure.form}}".removesuffix("%")
        return f"{low} to {self.high:{self.measure.form}}"


def measure_of(name: str) -> Measure:
    """Return how the metric ``name``, or a probe's column of that name, is called and written."""
    forms = (form for start, form in _FORMS.items() if name.startswith(start))
    return Measure(_title(name), next(forms, ".4g"))


def value_of(name: str, metrics: Mapping[str, Any], gaps: Iterable[str]) -> Value:
    """Return the figure ``name`` of some metrics with its interval, or why it is missing.

    Args:
        name: Of the metric, for instance ``error_rate``.
        metrics: With it or without; its interval is under ``<name>_low`` and ``<name>_high``.
        gaps: Sentences that say what could not be measured.
    """
    number = metrics.get(name)
    low, high = (metrics.get(name + end) for end in BOUNDS)
    why = reason(name, gaps) if number is None else ""
    return Value(number, measure_of(name), low, high, why)


def names_of(metrics: Iterable[str]) -> list[str]:
    """Return the names of the figures themselves, without the ends of their intervals."""
    return [name for name in metrics if not name.endswith(BOUNDS)]


def true_match_rates(matchers: Mapping[str, Mapping[str, Mapping[str, Any]]]) -> list[str]:
    """Return the names of all true match rates, that at the highest false match rate first."""
    found = {
        name for by_variant in matchers.values() for own in by_variant.values() for name in own
    }
    rates = {name: rate for name in found if (rate := false_match_rate(name)) is not None}
    return sorted(rates, key=lambda name: -rates[name])


def false_match_rate(name: str) -> float | None:
    """Return the false match rate that is in the name of a true match rate; None of others."""
    found = _RATE.fullmatch(name)
    return float(found[1]) if found else None


def is_of_attribute(name: str) -> bool:
    """Tell whether a metric or a probe's column says how well an attribute is read."""
    return name.startswith(("error_rate", "auc"))


def is_of_likeness(name: str) -> bool:
    """Tell whether a metric or a probe's column says how like their originals images are."""
    return name.startswith(("psnr", "ssim"))


def is_of_matching(name: str) -> bool:
    """Tell whether a metric or a probe's column says how well faces are matched."""
    return name.startswith((RATE, "rank_"))


def reason(name: str, gaps: Iterable[str]) -> str:
    """Return the sentence among ``gaps`` that says why a metric is missing, if one does.

    The sentences are those of :func:`sanmodel.evaluation.protocol.explain_gaps`; one that has the
    metric's name in it fits too.
    """
    clues = [*_clues(_parted(name)[0]), rf"\b{re.escape(name)}(?![\w.])"]
    fitting = (gap for gap in gaps if any(re.search(clue, gap) for clue in clues))
    return next(fitting, "")


def _clues(name: str) -> Sequence[str]:
    """Return patterns of which one is in a sentence that explains why a metric is missing."""
    if name.startswith("error_rate_class_"):
        return [rf"of class {name.removeprefix('error_rate_class_')}\b"]
    if name == "auc":
        return [r"\bAUC\b"]
    if (rate := false_match_rate(name)) is not None:
        return ["no genuine pair", rf"false match rate of {re.escape(f'{rate:g}')}(?!\d)"]
    return ["no genuine pair"] if name.startswith("rank_") else []


def _title(name: str) -> str:
    measure, of = _parted(name)
    return f"{_plain_title(measure)}, {of}" if of else _plain_title(measure)


def _parted(name: str) -> tuple[str, str]:
    """Part a name like "auc (net)" or "error_rate_OP" into the measure and what it is of."""
    found = _OF.fullmatch(name)
    return (found["measure"], found["variant"] or found["network"]) if found else (name, "")


def _plain_title(name: str) -> str:
    if name.startswith("error_rate_class_"):
        return f"attribute error, class {name.removeprefix('error_rate_class_')}"
    if (rate := false_match_rate(name)) is not None:
        return f"true match rate at {100 * rate:g}% FMR"
    if name.startswith("rank_"):
        return f"rank-{name.removeprefix('rank_')} rate"
    return _TITLES.get(name, name.replace("_", " "))
