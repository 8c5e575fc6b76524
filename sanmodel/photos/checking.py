"""What networks that training never saw say of a face before and after (``--check``)."""

from collections.abc import Iterator, Mapping

import numpy as np

from sanmodel.evaluation.classifiers import AttributeClassifier, fitting_classifiers
from sanmodel.evaluation.matchers import MATCHERS, Matcher
from sanmodel.photos.deciding import words_for
from sanmodel.photos.work import Face
from sanmodel.settings import EvaluateSettings

JUDGES = EvaluateSettings()
"""Names those networks that need no download."""

LIMITS = {"dlib-resnet": 0.6}
"""Distance below which two faces are one person's, in the words of a matcher's author."""


class Checker:
    """Asks independent classifiers and matchers about faces.

    Args:
        attribute: The attribute that is hidden.

    Raises:
        SanError: If a library of theirs is missing.
    """

    def __init__(self, attribute: str) -> None:
        found, _ = fitting_classifiers(JUDGES.classifiers, attribute)
        self._classifiers: Mapping[str, AttributeClassifier] = found
        self._matchers: Mapping[str, Matcher] = {n: MATCHERS.get(n)() for n in JUDGES.matchers}
        self._words = words_for(attribute)

    def sentences(self, face: Face) -> Iterator[str]:
        """Yield what each network says of a face."""
        both, boxes = np.stack([face.before, face.after]), np.array([face.box, face.box])
        for name, classifier in self._classifiers.items():
            before, after = (self._reading(float(one)) for one in classifier.scores(both, boxes))
            yield f"{name} reads {before} before, {after} after"
        if not self._classifiers:
            yield "no independent classifier reads this attribute"
        for name, matcher in self._matchers.items():
            before, after = matcher.descriptors(both, boxes)
            distance = float(np.linalg.norm(before - after))
            limit = LIMITS[name]
            verdict = "the same person" if distance < limit else "another person"
            yield f"{name} finds a distance of {distance:.2f}, of {limit:g}: {verdict}"

    def _reading(self, probability: float) -> str:
        word = self._words[int(probability > 0.5)]
        return f"{word} ({max(probability, 1 - probability):.0%})"
