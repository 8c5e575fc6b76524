"""What the rules say of a challenger, and why."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sanmodel.evaluation.measures import Value, true_match_rates, value_of
from sanmodel.evaluation.verdicts import Verdict, verdicts
from sanmodel.promotion.assessment import CHALLENGER, CHAMPION, Assessment, Difference
from sanmodel.rules import AgainstChampion, Rules

Metrics = Mapping[str, Any]


@dataclass(frozen=True)
class Decision:
    """Whether a version may be promoted.

    Attributes:
        verdicts: What came of each rule.
        problems: What keeps the version from being trusted, whatever its figures are.
    """

    verdicts: Sequence[Verdict]
    problems: Sequence[str] = ()

    @property
    def accepted(self) -> bool:
        """Whether every rule was judged and is met, and nothing else speaks against it."""
        return not self.problems and all(one.passed for one in self.verdicts)

    @property
    def word(self) -> str:
        """The decision in a word."""
        return "accepted" if self.accepted else "refused"

    @property
    def reasons(self) -> list[str]:
        """What speaks against the version, a sentence each; if nothing does, that."""
        failed = [one.sentence for one in self.verdicts if not one.passed]
        return [*self.problems, *failed] or [f"it meets all {len(self.verdicts)} rules"]


def decide(
    assessment: Assessment, latency: float, rules: Rules, problems: Sequence[str] = ()
) -> Decision:
    """Judge the challenger by the floors, and beside the champion if there is one.

    Args:
        assessment: Of the challenger and, if there is one, the champion.
        latency: Seconds that the challenger takes for one face.
        rules: The limits.
        problems: What keeps the version from being trusted.
    """
    found = verdicts(assessment.models[CHALLENGER], rules.floors)
    if rules.floors.max_latency is not None:
        found.append(_latency(latency, rules.floors.max_latency))
    if CHAMPION in assessment.models:
        found += _beside_champion(assessment, rules.champion)
    return Decision(tuple(found), tuple(problems))


def markdown(title: str, decision: Decision, assessment: Assessment | None) -> str:
    """Tell a decision in Markdown: what it is, why, and the figures of both models.

    Args:
        title: Which versions it is about.
        decision: The decision.
        assessment: Its figures, if there are any.
    """
    lines = [f"## {title}: {decision.word}", "", *(f"- {reason}" for reason in decision.reasons)]
    if decision.verdicts:
        lines += ["", "| | rule |", "|---|---|"]
        lines += [f"| {_light(one)} | {one.sentence} |" for one in decision.verdicts]
    if assessment is not None:
        lines += ["", figures(assessment)]
    return "\n".join(lines) + "\n"


def figures(assessment: Assessment) -> str:
    """Return the figures that models are judged by as a table in Markdown, a column per model."""
    roles = list(assessment.models)
    sets: dict[str, Mapping[str, Metrics]] = {"": assessment.models, **_further_sets(assessment)}
    lines = [f"| | {' | '.join(roles)} |", "|---" * (len(roles) + 1) + "|"]
    for name, models in sets.items():
        rows: dict[str, list[str]] = {}
        for role in roles:
            for what, value in _shown(models[role]):
                rows.setdefault(f"{what} ({name})" if name else what, []).append(value.text)
        lines += [f"| {what} | {' | '.join(texts)} |" for what, texts in rows.items()]
    return "\n".join(lines)


def _further_sets(assessment: Assessment) -> dict[str, dict[str, Metrics]]:
    names = next(iter(assessment.models.values()))["sets"]
    return {
        name: {role: metrics["sets"][name] for role, metrics in assessment.models.items()}
        for name in names
    }


def _shown(metrics: Metrics) -> Iterator[tuple[str, Value]]:
    """Yield what is told of a model: its figures on the originals and on its outputs."""
    rate = next(iter(true_match_rates(metrics["matchers"])), "")
    for kind, name in (("classifiers", "error_rate"), ("matchers", rate)):
        for network, by_variant in metrics[kind].items():
            for variant in ("original", "SM", "OP"):
                value = value_of(name, by_variant.get(variant, {}), ())
                yield f"{value.measure.title} of {network}, {variant}", value
    for name in ("psnr", "ssim"):
        value = value_of(name, metrics["quality"].get("OP", {}), ())
        yield f"{value.measure.title}, OP", value
    for variant, row in metrics.get("probes", {}).get("detection", {}).items():
        yield f"no face found, {variant}", value_of("undetected", row, ())


def _latency(seconds: float, limit: float) -> Verdict:
    sentence = (
        f"the exported model takes at most {1000 * limit:g} ms for a face"
        f" (found: {1000 * seconds:.0f} ms, on this machine)"
    )
    return Verdict(sentence, seconds <= limit)


def _beside_champion(assessment: Assessment, rules: AgainstChampion) -> Iterator[Verdict]:
    differences = assessment.differences
    if rules.min_error_gain is not None:
        yield _gain(differences["error"], rules.min_error_gain)
    if rules.max_match_fall is not None:
        what = f"the true match rate of {differences['match'].judge or 'a matcher'} on X'_OP falls"
        yield _fall(what, differences["match"], rules.max_match_fall, ("points", 100))
    if rules.max_psnr_fall is not None:
        yield _fall("the PSNR of X'_OP falls", differences["psnr"], rules.max_psnr_fall, ("dB", 1))


def _gain(difference: Difference, limit: float) -> Verdict:
    """Judge protection: it must be better for certain, or chance alone would promote."""
    who = difference.judge or "a classifier"
    rule = (
        f"{who} misreads the attribute in X'_OP more often than with the champion, by"
        f" {100 * limit:g} points or more and for certain"
    )
    if difference.number is None:
        return Verdict(f"{rule} (not measured)", None)
    passed = difference.low is not None and difference.low > 0 and difference.number >= limit
    return Verdict(f"{rule} ({_told(difference, 1, ('points', 100))})", passed)


def _fall(what: str, difference: Difference, limit: float, unit: tuple[str, float]) -> Verdict:
    """Judge utility: what was found must not be worse; an interval says how certain that is."""
    name, factor = unit
    rule = f"{what} below the champion's by at most {factor * limit:g} {name}"
    if difference.number is None:
        return Verdict(f"{rule} (not measured)", None)
    low, high = difference.low, difference.high
    certain = low is not None and high is not None and not low <= -limit <= high
    passed = -difference.number <= limit
    return Verdict(f"{rule} ({_told(difference, -1, unit)})", passed, certain)


def _told(difference: Difference, sign: int, unit: tuple[str, float]) -> str:
    """Tell a difference, or how much it falls, with its interval."""
    name, factor = unit
    number, *ends = (
        None if one is None else sign * factor * one + 0.0
        for one in (difference.number, difference.low, difference.high)
    )
    text = f"found: {number:.1f} {name}"
    known = sorted(end for end in ends if end is not None)
    return f"{text}, 95 % interval {known[0]:.1f} to {known[1]:.1f}" if len(known) == 2 else text


def _light(verdict: Verdict) -> str:
    """Return a sign and words, as the evaluation's page has them."""
    if verdict.passed is None:
        return "? not judged"
    word = "met" if verdict.passed else "not met"
    if not verdict.certain:
        return f"≈ {word}, not certain"
    return f"✓ {word}" if verdict.passed else f"✗ {word}"
