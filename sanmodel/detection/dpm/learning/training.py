"""The training of a mixture: coordinate descent on places and weights (section 4.3)."""

import io
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import Executor
from dataclasses import dataclass, replace
from functools import partial
from itertools import chain

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from sanmodel.detection.dpm.boxes import overlap
from sanmodel.detection.dpm.detect import detect
from sanmodel.detection.dpm.learning.examples import (
    MOST_SHARED,
    Example,
    best_on_face,
    hard_negatives,
    parameters,
    with_parameters,
)
from sanmodel.detection.dpm.learning.start import (
    empty_component,
    random_boxes,
    warped,
    with_parts,
)
from sanmodel.detection.dpm.learning.svm import solve
from sanmodel.detection.dpm.model import Component, Mixture
from sanmodel.errors import SanError
from sanmodel.images import Picture, decode_rgb
from sanmodel.observer import SILENT, Observer, observed

EASY = -1.1
"""Negatives that score less are forgotten: they lie well beyond the margin."""
LEAST_BEND = 0.01
"""Least a_x and a_y of a deformation."""
LEAST_OF_A_VIEW = 10
"""Faces without which a view cannot be learned at all."""
MOST_JUDGED = 1000
"""Training photos on which the threshold is set, or somewhat more."""


@dataclass(frozen=True)
class Recipe:
    """How a mixture is trained.

    Attributes:
        root: Rows and columns of a root, in cells.
        margin: Cells between the root's border and the face box at first.
        parts: Parts of a component.
        part_size: Rows and columns of a part, in cells of half a root cell.
        turned: From this turn on a face is no longer frontal: how far the nose is off the middle
            of the eyes, in distances of the eyes.
        root_rounds: Rounds of finding the faces again with roots only.
        part_rounds: Rounds with parts.
        minings: Searches for hard negatives in each round.
        mined_photos: Photos that each search looks at.
        per_photo: Hard negatives that a photo gives at most in a search.
        most_negatives: Hard negatives of a component that are kept, the hardest.
        smallest: Least width of a face that is searched, as a share of the photo's longest side.
        C: Weight of the losses.
        false_rate: Boxes per training photo that overlap with no known face at the threshold that
            is stored; some of them are faces that nobody marked.
        seed: Of the draws.
    """

    root: int = 8
    margin: int = 1
    parts: int = 8
    part_size: int = 5
    turned: float = 0.12
    root_rounds: int = 1
    part_rounds: int = 3
    minings: int = 2
    mined_photos: int = 500
    per_photo: int = 15
    most_negatives: int = 9000
    smallest: float = 0.12
    C: float = 0.002
    false_rate: float = 0.1
    seed: int = 1


@dataclass(frozen=True)
class TrainingPhoto:
    """A photo and where its faces are.

    Attributes:
        content: The image file.
        faces: Boxes of all faces, (faces, 4); the first one is learned from, the others are only
            kept out of the negatives.
        turn: Of the first face, see :class:`Recipe`; negative if it looks to the left of the
            picture.
    """

    content: bytes
    faces: NDArray[np.float64]
    turn: float

    def decoded(self) -> Picture:
        """Return the photo, (height, width, 3)."""
        return decode_rgb(self.content, "training photo")

    def mirrored(self) -> "TrainingPhoto":
        """Return what a mirror shows, without loss."""
        picture = self.decoded()[:, ::-1]
        buffer = io.BytesIO()
        Image.fromarray(np.ascontiguousarray(picture)).save(buffer, "PNG", compress_level=1)
        faces = self.faces[:, [2, 1, 0, 3]] * (-1, 1, -1, 1) + (picture.shape[1], 0) * 2
        return TrainingPhoto(buffer.getvalue(), faces, -self.turn)


def train(
    photos: Sequence[TrainingPhoto], recipe: Recipe, pool: Executor, observer: Observer = SILENT
) -> Mixture:
    """Train a mixture of a frontal view, a turned view and the turned view's mirror image.

    Args:
        photos: With at least one face each.
        recipe: How.
        pool: Where photos are looked at side by side; the result does not depend on it.
        observer: Hears how far it is.

    Raises:
        SanError: If too few faces are frontal, or too few are turned.
    """
    generator = np.random.default_rng(recipe.seed)
    both = [*photos, *_map(pool, TrainingPhoto.mirrored, photos, "mirror", observer)]
    views = _first_roots(both, recipe, pool, generator, observer)
    for number in range(recipe.root_rounds + recipe.part_rounds):
        if number == recipe.root_rounds:
            views = [with_parts(view, recipe.parts, recipe.part_size) for view in views]
        views = _round(views, both, recipe, pool, generator, observer)
    mixture = as_mixture(views)
    return replace(mixture, threshold=_threshold(mixture, photos, recipe, pool, observer))


def as_mixture(views: Sequence[Component]) -> Mixture:
    """Join the frontal view, the turned view and its mirror image."""
    frontal, turned = views
    return Mixture((frontal, turned, turned.mirrored()), threshold=0.0)


def _first_roots(
    photos: Sequence[TrainingPhoto],
    recipe: Recipe,
    pool: Executor,
    generator: np.random.Generator,
    observer: Observer,
) -> list[Component]:
    """Train the root of each view on stretched crops and random windows (section 5.2, phase 1)."""
    empty = empty_component(recipe.root, recipe.margin)
    frontal = [photo for photo in photos if abs(photo.turn) < recipe.turned]
    turned = [photo for photo in photos if photo.turn >= recipe.turned]
    chosen = generator.choice(len(photos), min(recipe.mined_photos, len(photos)), replace=False)
    seeds = [(photos[i], int(generator.integers(2**32))) for i in chosen]
    look = partial(_random_windows, component=empty)
    others = np.stack([*chain(*_map(pool, look, seeds, "random windows", observer))])
    if min(len(frontal), len(turned)) < LEAST_OF_A_VIEW:
        raise SanError(
            f"{len(frontal)} faces are frontal and {len(turned)} are turned, mirror images counted:"
            f" each view needs {LEAST_OF_A_VIEW}; take photos with more of the other kind"
        )
    views = []
    for group in (frontal, turned):
        faces = _map(pool, partial(_warped_face, component=empty), group, "crops", observer)
        views.append(_solved(empty, np.stack(faces), others, recipe))
    return views


def _warped_face(photo: TrainingPhoto, component: Component) -> NDArray[np.float32]:
    return warped(component, photo.decoded(), photo.faces[0])


def _random_windows(
    drawn: tuple[TrainingPhoto, int], component: Component
) -> list[NDArray[np.float32]]:
    photo, seed = drawn
    picture = photo.decoded()
    boxes = random_boxes(picture, [*photo.faces], 20, np.random.default_rng(seed))
    return [warped(component, picture, box) for box in boxes]


def _round(
    views: list[Component],
    photos: Sequence[TrainingPhoto],
    recipe: Recipe,
    pool: Executor,
    generator: np.random.Generator,
    observer: Observer,
) -> list[Component]:
    """Find the faces, then in turn hard negatives and weights; at last the box prediction."""
    mixture = as_mixture(views)
    look = partial(_face, mixture=mixture, turned=recipe.turned)
    found = _map(pool, look, photos, "find the faces", observer)
    faces = _by_view([example for example in found if example], mixture)
    others: list[list[Example]] = [[] for _ in views]
    for _ in range(recipe.minings):
        chosen = generator.choice(len(photos), min(recipe.mined_photos, len(photos)), False)
        mine = partial(_others, mixture=as_mixture(views), recipe=recipe)
        mined = _map(pool, mine, [photos[i] for i in chosen], "hard negatives", observer)
        for kept, new in zip(others, _by_view(chain(*mined), mixture), strict=True):
            kept += new
        views = [_learn(*triple, recipe) for triple in zip(views, faces, others, strict=True)]
        others = [_hardest(*pair, recipe) for pair in zip(views, others, strict=True)]
        counts = [(len(a), len(b)) for a, b in zip(faces, others, strict=True)]
        observer.note(f"faces and hard negatives per view: {counts}")
    return [_with_box(view, examples) for view, examples in zip(views, faces, strict=True)]


def _face(photo: TrainingPhoto, mixture: Mixture, turned: float) -> Example | None:
    # The view is known. Were it latent too, one view would soon take all faces.
    view = 0 if abs(photo.turn) < turned else 1 if photo.turn > 0 else 2
    return best_on_face(mixture, view, photo.decoded(), photo.faces[0], least_overlap=0.6)


def _others(photo: TrainingPhoto, mixture: Mixture, recipe: Recipe) -> list[Example]:
    picture = photo.decoded()
    smallest = recipe.smallest * max(picture.shape)
    return hard_negatives(mixture, picture, [*photo.faces], smallest, recipe.per_photo)


def _by_view(examples: Iterable[Example], mixture: Mixture) -> list[list[Example]]:
    """Sort examples by view; what the mirrored component saw is turned back."""
    frontal: list[Example] = []
    turned: list[Example] = []
    for example in examples:
        if example.component == 0:
            frontal.append(example)
        elif example.component == 1:
            turned.append(example)
        else:
            turned.append(_unmirrored(example, mixture.components[2]))
    return [frontal, turned]


def _unmirrored(example: Example, component: Component) -> Example:
    """Return the example as the component's mirror image would have seen it in a mirror."""
    # A vector has the layout of the weights, so it is mirrored as they are.
    vector = parameters(with_parameters(component, example.vector).mirrored())
    steps = (example.moves.reshape(-1, 2) * (-1, 1)).reshape(-1)
    left, top, right, bottom = example.box
    columns = component.root.shape[1]
    box = np.array([columns - right, top, columns - left, bottom])
    return Example(1, vector, steps, box)


def _learn(
    view: Component, faces: Sequence[Example], others: Sequence[Example], recipe: Recipe
) -> Component:
    if not faces or not others:
        return view  # nothing to learn from in this round
    seen = [np.stack([example.vector for example in group]) for group in (faces, others)]
    return _solved(view, seen[0], seen[1], recipe)


def _solved(
    view: Component, faces: NDArray[np.float32], others: NDArray[np.float32], recipe: Recipe
) -> Component:
    """Return the view with the best weights for fixed places."""
    bends = [np.array([LEAST_BEND, -np.inf, LEAST_BEND, -np.inf])] * len(view.parts)
    least = [np.full(view.root.size + 1, -np.inf)]
    for part, bend in zip(view.parts, bends, strict=True):
        least += [np.full(part.filter.size, -np.inf), bend]
    weights = solve(faces, others, parameters(view), np.concatenate(least), recipe.C)
    return with_parameters(view, weights)


def _hardest(view: Component, others: Sequence[Example], recipe: Recipe) -> list[Example]:
    """Forget the easy negatives, and of the others all but the hardest."""
    if not others:
        return []
    scores = np.stack([example.vector for example in others]) @ parameters(view)
    order = np.argsort(-scores, kind="stable")[: recipe.most_negatives]
    return [others[i] for i in order if scores[i] > EASY]


def _with_box(view: Component, faces: Sequence[Example]) -> Component:
    """Fit the box prediction to where the faces really were (section 7)."""
    if not faces:
        return view
    inputs = np.stack([np.append(1.0, example.moves) for example in faces])
    boxes = np.stack([example.box for example in faces])
    # A little ridge: parts that hardly move would get wild coefficients.
    ridge = np.eye(inputs.shape[1]) * 1e-3 * len(inputs)
    ridge[0, 0] = 0
    box = np.linalg.solve(inputs.T @ inputs + ridge, inputs.T @ boxes).T
    return replace(view, box=box.astype(np.float32))


def _threshold(
    mixture: Mixture,
    photos: Sequence[TrainingPhoto],
    recipe: Recipe,
    pool: Executor,
    observer: Observer,
) -> float:
    """Return the score above which ``false_rate`` boxes per photo are no face."""
    look = partial(_false_scores, mixture=mixture, recipe=recipe)
    some = photos[:: max(1, len(photos) // MOST_JUDGED)]
    scores = sorted(chain(*_map(pool, look, some, "threshold", observer)), reverse=True)
    allowed = int(recipe.false_rate * len(some))
    return round(float(scores[allowed]), 3) if allowed < len(scores) else -1.0


def _false_scores(photo: TrainingPhoto, mixture: Mixture, recipe: Recipe) -> list[float]:
    picture = photo.decoded()
    found = detect(mixture, picture, recipe.smallest * max(picture.shape), threshold=-1.0)
    return [one.score for one in found if overlap(one.box, photo.faces).max() < MOST_SHARED]


def _map(
    pool: Executor,
    work: Callable[..., object],
    items: Sequence[object],
    task: str,
    observer: Observer,
) -> list:  # type: ignore[type-arg]
    """Apply ``work`` to all items side by side, in their order."""
    results = pool.map(work, items, chunksize=16)
    return [*observed(results, task, len(items), observer)]
