"""The floors that a model must meet to be promoted, and what came of each."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from sanmodel.evaluation.measures import CHANGE, Value, measure_of, true_match_rates, value_of
from sanmodel.evaluation.missing import without_networks
from sanmodel.rules import Floors

Metrics = Mapping[str, Any]


@dataclass(frozen=True)
class Verdict:
    """What came of one rule.

    Attributes:
        sentence: The rule and what was found.
        passed: Whether it is met; None if it could not be judged.
        certain: Whether other test people would hardly have changed that: the figure has a 95 %
            interval, and the limit lies outside it.
    """

    sentence: str
    passed: bool | None
    certain: bool = True


@dataclass(frozen=True)
class Found:
    """What a rule is judged by.

    Attributes:
        number: The figure; None if it was not measured.
        rule: The rule in words, up to its limit.
        reason: Why it was not measured.
        beside: What else a reader must know.
        low: Lower end of its 95 % interval, if there is one.
        high: Upper end.
    """

    number: float | None
    rule: str
    reason: str = ""
    beside: str = ""
    low: float | None = None
    high: float | None = None


def verdicts(metrics: Metrics, floors: Floors) -> list[Verdict]:
    """Judge an evaluation by its first classifier and matcher.

    Args:
        metrics: Of the main set, see docs/evaluation.md.
        floors: The limits; those that are None are left out, and how fast the exported model is
            cannot be seen here.
    """
    limits = {name: limit for name, limit in floors.model_dump().items() if limit is not None}
    return [
        _judged(name, limit, _FOUND[name](metrics))
        for name, limit in limits.items()
        if name in _FOUND
    ]


def _judged(name: str, limit: float, found: Found) -> Verdict:
    unit = _UNITS[name]
    if found.number is None:
        told, passed, certain = ": ".join(filter(None, ("not measured", found.reason))), None, True
    else:
        passed = found.number >= limit if name in _LEAST else found.number <= limit
        certain = _outside(limit, found.low, found.high)
        told = ", ".join(_told(found, unit))
    return Verdict(f"{found.rule} {unit.factor * limit:g} {unit.name} ({told})", passed, certain)


def _outside(limit: float, low: float | None, high: float | None) -> bool:
    """Say whether there is an interval and a limit lies outside it."""
    return low is not None and high is not None and not low <= limit <= high


def _told(found: Found, unit: "_Unit") -> Iterator[str]:
    if found.number is not None:
        yield f"found: {unit.text(found.number)} {unit.name}"
    if found.low is not None and found.high is not None:
        yield f"95 % interval {unit.text(found.low)} to {unit.text(found.high)}"
    if found.beside:
        yield found.beside


def _error(metrics: Metrics) -> Found:
    name, of = _first(metrics, "classifiers", "error_rate")
    hidden, before = of("OP"), of("original")
    rule = f"{name} misreads the attribute in X'_OP in at least"
    beside = "" if before.number is None else f"originals {100 * before.number:.1f} %"
    return Found(hidden.number, rule, hidden.reason, beside, hidden.low, hidden.high)


def _match_loss(metrics: Metrics) -> Found:
    rate = next(iter(true_match_rates(metrics["matchers"])), "")
    name, of = _first(metrics, "matchers", rate)
    of_rate = f"the {measure_of(rate).title}" if rate else "the true match rate"
    lost = _fall(of("original"), of("OP"))
    _, moved = _first(metrics, "matchers", rate + CHANGE)
    low, high = moved("OP").high, moved("OP").low
    rule, reason = f"{of_rate} of {name} falls by at most", of("OP").reason
    return Found(lost, rule, reason, low=_minus(low), high=_minus(high))


def _same_error_rise(metrics: Metrics) -> Found:
    name, of = _first(metrics, "classifiers", "error_rate")
    risen = _fall(of("SM"), of("original"))
    change = _first(metrics, "classifiers", f"error_rate{CHANGE}")[1]("SM")
    rule = f"the error of {name} in X'_SM rises by at most"
    return Found(risen, rule, of("SM").reason, low=change.low, high=change.high)


def _likeness(name: str) -> Callable[[Metrics], Found]:
    """Return how PSNR or SSIM are found."""

    def find(metrics: Metrics) -> Found:
        value = value_of(name, metrics["quality"].get("OP", {}), ())
        rule = "X'_OP is like the original by at least"
        return Found(value.number, rule, low=value.low, high=value.high)

    return find


def _undetected(metrics: Metrics) -> Found:
    row = metrics.get("probes", {}).get("detection", {}).get("OP", {})
    value = value_of("undetected", row, ())
    rule = "a face detector no longer finds the face in X'_OP in at most"
    reason = _missing("detection", row, "the detector finds no face in the originals either")
    return Found(value.number, rule, reason, low=value.low, high=value.high)


def _attacker(metrics: Metrics) -> Found:
    rows = metrics.get("probes", {}).get("retrained", {})
    learned = {name: row for name, row in rows.items() if name.endswith("learned from OP, OP")}
    found = {name: row for name, row in learned.items() if row.get("auc") is not None}
    rule = "the best attacker that learned from X'_OP reads the attribute with an AUC of at most"
    if not found:
        why = "the faces to learn from or to be tested on are not of both classes"
        return Found(None, rule, _missing("retrained", learned, why))
    name = max(found, key=lambda one: float(found[one]["auc"]))
    value = value_of("auc", found[name], ())
    return Found(value.number, rule, beside=name, low=value.low, high=value.high)


_FOUND: Mapping[str, Callable[[Metrics], Found]] = {
    "min_error": _error,
    "max_match_loss": _match_loss,
    "max_same_error_rise": _same_error_rise,
    "min_psnr": _likeness("psnr"),
    "min_ssim": _likeness("ssim"),
    "max_undetected": _undetected,
    "max_attacker_auc": _attacker,
}
"""What each rule is judged by."""


def _missing(probe: str, answer: Mapping[str, Any], why: str) -> str:
    """Say why a probe has no figure: it did not run, or ``why`` it has none."""
    return why if answer else f"evaluate.probes has no {probe}"


@dataclass(frozen=True)
class _Unit:
    """How the figures of a rule are written: times ``factor``, with so many digits."""

    name: str
    factor: float = 1
    digits: int = 1

    def text(self, number: float) -> str:
        return f"{self.factor * number:.{self.digits}f}"


_UNITS: Mapping[str, _Unit] = {
    "min_error": _Unit("%", 100),
    "max_match_loss": _Unit("points", 100),
    "max_same_error_rise": _Unit("points", 100),
    "min_psnr": _Unit("dB PSNR"),
    "min_ssim": _Unit("SSIM", digits=3),
    "max_undetected": _Unit("%", 100),
    "max_attacker_auc": _Unit("AUC", digits=3),
}

_LEAST = ("min_error", "min_psnr", "min_ssim")
"""Rules whose limit is the least that is accepted."""

_NOBODY = {"classifiers": "a classifier", "matchers": "a matcher"}
"""Who judges where there is no network of a kind."""


def _first(metrics: Metrics, kind: str, measure: str) -> tuple[str, Callable[[str], Value]]:
    """Return the name of the first network of a kind, and its figure of a variant."""
    gaps = metrics.get("gaps", ())
    if not metrics[kind]:
        nothing = Value(None, measure_of(measure), reason=without_networks(kind, gaps))
        return _NOBODY[kind], lambda variant: nothing
    name, by_variant = next(iter(metrics[kind].items()))
    return name, lambda variant: value_of(measure, by_variant.get(variant, {}), gaps)


def _minus(number: float | None) -> float | None:
    return None if number is None else -number


def _fall(before: Value, after: Value) -> float | None:
    if before.number is None or after.number is None:
        return None
    return before.number - after.number
