"""The authors' model is given aligned prototypes, the work tree's own or the pool's."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from small import POINTS

from sanmodel.errors import SanError
from sanmodel.evaluation.baselines import BASELINES
from sanmodel.evaluation.baselines.authors import aligned_prototypes
from sanmodel.images import decode_rgb
from sanmodel.models.weights import save_weights
from sanmodel.paths import Paths
from sanmodel.perturber import ModelFiles, Perturber
from sanmodel.prototypes import Prototypes
from sanmodel.tables import iterate_rows

IDS = ["0-0", "1-0", "2-0"]
"""Training side of the table of textures; the last one has Male = 0."""


@pytest.fixture
def pool(sample):
    """Its faces, all of which have the same landmarks."""
    return replace(
        sample.take(slice(0, 3)),
        image_ids=np.array(IDS, dtype=object),
        landmarks=np.array([POINTS] * 3, dtype=np.float32),
        labels=np.array([1, 1, 0]),
    )


@pytest.fixture
def root(crops: Path, tmp_path: Path) -> Path:
    """A work tree with that table."""
    paths = Paths(tmp_path / "tree")
    paths.crops.parent.mkdir(parents=True)
    crops.rename(paths.crops)
    return paths.root


@pytest.fixture
def checkpoint(network, tmp_path: Path) -> Path:
    """Weights as `san import-authors` writes them."""
    about = {"attribute": "Male", "align": "landmarks", "architecture": "paper", "source": "x"}
    path = tmp_path / "authors.safetensors"
    save_weights(path, network.state_dict(), kind="autoencoder", **about)
    return path


@pytest.fixture
def own(root: Path, prototypes: Prototypes) -> Path:
    """Aligned prototypes of the work tree."""
    path = Paths(root).prototypes
    aligned = replace(prototypes, landmarks=torch.tensor(POINTS))
    aligned.save(path, "Male")
    return path


def test_prototypes_are_the_means_of_the_pool_in_colour(context, pool, root):
    found = aligned_prototypes(context(pool=pool, root=root))
    rows = {row["image_id"]: row["image"] for row in iterate_rows(Paths(root).crops)}
    first, second, third = (decode_rgb(rows[name], name) / 255.0 for name in IDS)
    # All landmarks are the same, so that nothing is moved.
    for P, mean in ((found.P_1, (first + second) / 2), (found.P_0, third)):
        np.testing.assert_allclose(P.permute(1, 2, 0).numpy(), mean, atol=2e-3)
    np.testing.assert_allclose(found.landmarks, POINTS)


def test_faces_are_moved_to_their_mean_landmarks(context, pool, root):
    moved = pool.landmarks + np.array([[[0, 0]], [[0, 0]], [[0, 9]]], dtype=np.float32)
    found = aligned_prototypes(context(pool=replace(pool, landmarks=moved), root=root))
    np.testing.assert_allclose(found.landmarks, np.add(POINTS, [0, 3]), rtol=1e-6)


def test_aligned_prototypes_of_the_work_tree_are_taken(context, pool, root, own):
    found = aligned_prototypes(context(pool=pool, root=root))
    torch.testing.assert_close(found.P_0, Prototypes.load(own, "Male").P_0)


def test_others_of_the_work_tree_are_not(context, pool, root, prototypes):
    prototypes.save(Paths(root).prototypes, "Male")
    found = aligned_prototypes(context(pool=pool, root=root))
    assert found.align == "landmarks"


def test_outputs_are_those_with_the_opposite_prototype(
    context, pool, sample, root, own, checkpoint
):
    faces = sample.take(slice(2, 5))
    baseline = BASELINES.get("authors")(context(pool=pool, root=root, authors=checkpoint))
    outputs = baseline.perturb(faces, np.zeros_like(faces.images))
    perturber = Perturber(ModelFiles(checkpoint, own), "Male")
    expected = perturber.outputs(faces.images, faces.labels.tolist(), faces.landmarks)["OP"]
    np.testing.assert_array_equal(outputs, expected)
    one = baseline.perturb(faces.take(slice(1, 2)), np.zeros_like(faces.images[:1]))
    assert np.abs(one[0] - outputs[1].astype(int)).max() <= 1


@pytest.mark.parametrize(
    ("fields", "sentence"),
    [
        ({"authors": None}, "needs the model .* released: make it with `san import-authors"),
        ({"authors": Path("nowhere")}, r"\(nowhere is missing\).*san import-authors"),
        ({"attribute": "Young"}, "hides Male, not Young"),
    ],
)
def test_what_is_missing_is_said(context, fields, sentence):
    with pytest.raises(SanError, match=sentence):
        BASELINES.get("authors")(context(**fields))


def test_a_table_without_the_pools_faces_is_refused(context, pool, root):
    ids = np.array(["0-0", "1-0", "stranger"], dtype=object)
    with pytest.raises(SanError, match="lacks 1 of 3 training faces"):
        aligned_prototypes(context(pool=replace(pool, image_ids=ids), root=root))
