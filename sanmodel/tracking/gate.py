"""The gate: nothing becomes the champion that does not meet the rules, by figures found anew.

It trusts no figure that was handed in. The files of the challenger and of the champion are
compared with their checksums, both models perturb the work tree's test faces, and independent
networks judge both; the challenger's own evaluation must agree with that.
"""

from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory

from sanmodel.errors import SanError
from sanmodel.files import write_json, write_text
from sanmodel.observer import Observer
from sanmodel.paths import Paths
from sanmodel.promotion.agreement import disagreements
from sanmodel.promotion.assessment import Assessment, assess
from sanmodel.promotion.card import model_card
from sanmodel.promotion.decision import Decision, decide, figures, markdown
from sanmodel.promotion.latency import seconds_per_face
from sanmodel.rules import load_rules
from sanmodel.settings import load_settings
from sanmodel.tracking.aliases import CHALLENGER, CHAMPION, at, history_of, promote
from sanmodel.tracking.evidence import Evidence, collect, download_export
from sanmodel.tracking.lock import outs_of
from sanmodel.tracking.shelf import Shelf, open_shelf

DECISION, REASONS, JUDGED = "san.decision", "san.reasons", "san.judged"
"""Tags of a version: accepted, refused or promoted; why; when."""

LONGEST_TAG, LONGEST_DESCRIPTION = 5000, 5000
"""What MLflow keeps of a tag and of a description, in characters."""


@dataclass(frozen=True)
class Judged:
    """What the gate found.

    Attributes:
        model: Name of the registered model.
        challenger: Number of the version that was judged.
        champion: Number of the version it was compared with; None if there is none.
        decision: Whether it may be promoted, and why.
        assessment: The figures of both; None if what is wrong with the files left none to find.
        promoted: Whether it is the champion now.
    """

    model: str
    challenger: str
    champion: str | None
    decision: Decision
    assessment: Assessment | None
    promoted: bool = False

    @property
    def text(self) -> str:
        """The decision with its reasons and figures, in Markdown."""
        against = f"version {self.champion}" if self.champion else "no champion"
        title = f"{self.model}, version {self.challenger} against {against}"
        return markdown(title, self.decision, self.assessment)


def judge(root: Path, which: str, observer: Observer) -> Judged:
    """Judge a version without promoting it.

    Args:
        root: Work tree with the faces to judge by.
        which: Number or alias of the version.
        observer: Hears about progress.

    Raises:
        SanError: If there is no such version, an input is missing or damaged, the rules are
            malformed, or MLflow refuses or cannot be reached.
    """
    with open_shelf(root) as shelf:
        judged = _judged(shelf, Paths(root), which, observer)
        _write(shelf, Paths(root), judged)
    return judged


def judge_and_promote(root: Path, which: str, observer: Observer) -> Judged:
    """Judge a version, and make it the champion if it is accepted; arguments as of ``judge``.

    Raises:
        SanError: As :func:`judge`, and if somebody else promotes or rolls back meanwhile.
    """
    with open_shelf(root) as shelf:
        judged = _judged(shelf, Paths(root), which, observer)
        if judged.decision.accepted:
            promote(shelf.client, shelf.name, judged.challenger, judged.champion)
            judged = replace(judged, promoted=True)
        _write(shelf, Paths(root), judged)
    return judged


def assess_registered(root: Path, observer: Observer) -> str:
    """Evaluate challenger and champion on the work tree's present faces and networks.

    It judges nothing and trains nothing: it tells whether a model still protects when there are
    new faces or new networks. Arguments as of :func:`judge`.

    Returns:
        Their figures, a table in Markdown.

    Raises:
        SanError: As :func:`judge`, and if there is neither a challenger nor a champion.
    """
    paths = Paths(root)
    with open_shelf(root) as shelf, TemporaryDirectory() as folder:
        found = {alias: at(shelf.client, shelf.name, alias) for alias in (CHALLENGER, CHAMPION)}
        models = {
            alias: download_export(version, _made(Path(folder) / alias))
            for alias, version in found.items()
            if version is not None
        }
        if not models:
            raise SanError(
                f"{shelf.name} has neither a challenger nor a champion: run san register"
            )
        floors = load_rules(paths.promotion_rules).floors
        assessment = assess(load_settings(paths.params), paths, models, floors, observer)
    told = figures(assessment)
    write_json(paths.promotion / "assessment.json", assessment.as_json())
    write_text(paths.promotion / "assessment.md", f"{told}\n")
    return told


def _judged(shelf: Shelf, paths: Paths, which: str, observer: Observer) -> Judged:
    rules, settings = load_rules(paths.promotion_rules), load_settings(paths.params)
    number = str(shelf.version(which).version)
    history = history_of(shelf.client, shelf.name)
    champion = history[-1] if history else None
    if number == champion:
        raise SanError(f"version {number} of {shelf.name} is the champion already: name another")
    with TemporaryDirectory() as folder:
        evidence = collect(shelf.client, shelf.version(number), _made(Path(folder) / number))
        if evidence.export is None:
            refused = Decision((), tuple(evidence.problems))
            return Judged(shelf.name, number, champion, refused, None)
        models = {CHALLENGER: evidence.export}
        if champion is not None:
            to = _made(Path(folder) / champion)
            models[CHAMPION] = download_export(shelf.version(champion), to)
        assessment = assess(settings, paths, models, rules.floors, observer)
        latency = seconds_per_face(evidence.export)
    problems = [*evidence.problems, *_disagreements(evidence, assessment, paths)]
    decision = decide(assessment, latency, rules, problems)
    return Judged(shelf.name, number, champion, decision, assessment)


def _disagreements(evidence: Evidence, assessment: Assessment, paths: Paths) -> list[str]:
    """Compare the challenger's own figures with those found anew, where the faces are the same."""
    crops = paths.crops.relative_to(paths.root).as_posix()
    if outs_of(paths.lock).get(crops) != evidence.outs.get(crops):
        return []
    return disagreements(evidence.metrics, assessment.models[CHALLENGER])


def _write(shelf: Shelf, paths: Paths, judged: Judged) -> None:
    """Write the decision to the work tree, to the version's tags and run, and its card."""
    version = shelf.version(judged.challenger)
    state = "promoted" if judged.promoted else judged.decision.word
    when = datetime.now(UTC).isoformat(timespec="seconds")
    reasons = "; ".join(judged.decision.reasons)
    card = model_card(judged.text, version.tags)
    for key, value in ((DECISION, state), (JUDGED, when), (REASONS, reasons[:LONGEST_TAG])):
        shelf.client.set_model_version_tag(shelf.name, judged.challenger, key, value)
    shelf.client.update_model_version(shelf.name, judged.challenger, card[:LONGEST_DESCRIPTION])
    content = {
        "model": judged.model,
        "challenger": judged.challenger,
        "champion": judged.champion,
        "accepted": judged.decision.accepted,
        "promoted": judged.promoted,
        "judged": when,
        "reasons": list(judged.decision.reasons),
    }
    write_json(paths.promotion / "decision.json", content)
    write_text(paths.promotion / "decision.md", judged.text)
    write_text(paths.promotion / "card.md", card)
    for file in ("decision.json", "decision.md", "card.md"):
        folder = f"promotion/{when.replace(':', '')}"
        shelf.client.log_artifact(version.run_id, str(paths.promotion / file), folder)


def _made(folder: Path) -> Path:
    folder.mkdir(parents=True)
    return folder
