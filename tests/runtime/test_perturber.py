from typing import Any, Literal

import numpy as np
import pytest
from numpy.typing import NDArray
from small import POINTS

from sanmodel.errors import SanError
from sanmodel.runtime.perturber import MODES, Inputs, Perturber, Signature


class Shifter(Perturber):
    """A runtime whose outputs are known.

    It adds 1 grey level for class 0 and 2 for class 1, and 20 times the place of the mode.
    """

    def __init__(
        self,
        max_batch: int = 4,
        aligned: bool = False,
        pixels: Literal["uint8", "float32"] = "uint8",
    ) -> None:
        super().__init__(Signature("Male", 224, max_batch, aligned, pixels))
        self.batches: list[int] = []
        self.landmarks: list[NDArray[np.float32]] = []

    def _run(self, inputs: Inputs) -> NDArray[Any]:
        images, y, mode = inputs["image"], inputs["attribute"], inputs["mode"]
        assert images.dtype == self.signature.pixels
        assert (y.dtype, mode.dtype) == (np.int64, np.float32)
        self.batches.append(len(images))
        if "landmarks" in inputs:
            self.landmarks.append(inputs["landmarks"])
        steps = (1 + y[:, None] + 20 * mode)[..., None, None]
        if self.signature.pixels == "float32":
            steps = steps / 255
        return (images[:, None] + steps).astype(images.dtype)


def faces(count: int) -> NDArray[np.uint8]:
    return np.random.default_rng(1).integers(0, 230, (count, 224, 224), dtype=np.uint8)


@pytest.mark.parametrize(("count", "batches"), [(0, []), (4, [4]), (9, [4, 4, 1])])
def test_images_go_through_in_parts(count: int, batches: list[int]) -> None:
    shifter = Shifter(max_batch=4)
    y = np.arange(count) % 2
    found = shifter.perturb(faces(count), y, "same")
    np.testing.assert_array_equal(found, faces(count) + (1 + y[:, None, None]))
    assert found.dtype == np.uint8
    assert shifter.batches == batches


def test_all_modes_are_one_pass() -> None:
    shifter = Shifter(max_batch=4)
    y = np.array([0, 1, 1, 0, 1])
    found = shifter.perturb_all(faces(5), y)
    assert tuple(found) == MODES
    assert shifter.batches == [4, 1]
    for mode, images in found.items():
        np.testing.assert_array_equal(images, shifter.perturb(faces(5), y, mode))


def test_a_mode_may_lie_between_and_differ_from_face_to_face() -> None:
    images, places = faces(3), np.array([0, 0.25, 1], np.float32)
    found = Shifter(max_batch=2).perturb(images, [0, 0, 1], places)
    np.testing.assert_array_equal(found, images + np.array([1, 6, 22], np.uint8)[:, None, None])
    np.testing.assert_array_equal(
        Shifter().perturb(images, [0, 0, 1], 0.5), Shifter().perturb(images, [0, 0, 1], "neutral")
    )


@pytest.mark.parametrize("mode", [-0.1, 1.1, np.nan, np.zeros(3), np.zeros((2, 1))])
def test_other_places_of_a_mode_are_refused(mode: Any) -> None:
    with pytest.raises(SanError, match="a mode is no number from 0"):
        Shifter().perturb(faces(2), [0, 1], mode)


@pytest.mark.parametrize("pixels", ["uint8", "float32"])
def test_images_come_back_in_the_type_that_went_in(pixels: Literal["uint8", "float32"]) -> None:
    shifter, images = Shifter(pixels=pixels), faces(2)
    np.testing.assert_array_equal(
        shifter.perturb(images, [0, 1], "same")[:, 0, 0], images[:, 0, 0] + [1, 2]
    )
    grey = (images / 255).astype(np.float32)
    found = shifter.perturb(grey, [0, 1], "same")
    assert found.dtype == np.float32
    np.testing.assert_allclose(found[:, 0, 0], grey[:, 0, 0] + np.array([1, 2]) / 255, atol=1e-6)


@pytest.mark.parametrize(
    "images",
    [
        np.zeros((1, 224, 224), np.float64),
        np.zeros((224, 224), np.uint8),
        np.zeros((1, 100, 100), np.uint8),
        np.zeros((1, 224, 224, 3), np.uint8),
    ],
)
def test_other_images_are_refused(images: NDArray[np.uint8]) -> None:
    with pytest.raises(SanError, match=r"of shape \(N, 224, 224\)"):
        Shifter().perturb(images, [1])


@pytest.mark.parametrize("classes", [[1], [1, 0, 1], 1, [[1, 0]]])
def test_number_of_classes_must_fit(classes: object) -> None:
    with pytest.raises(SanError, match="give one for each of 2 images"):
        Shifter().perturb(faces(2), classes)  # type: ignore[arg-type]


@pytest.mark.parametrize("classes", [[1, -1], [0, 2], [0.5, 1], ["Male", "Male"]])
def test_classes_are_0_and_1(classes: list[float]) -> None:
    with pytest.raises(SanError, match="neither 0 nor 1"):
        Shifter().perturb(faces(2), classes)


def test_unknown_mode_lists_the_known() -> None:
    with pytest.raises(SanError, match="choose one of same, neutral, opposite"):
        Shifter().perturb(faces(1), [1], "other")  # type: ignore[arg-type]
    assert MODES == ("same", "neutral", "opposite")


def test_landmarks_go_with_their_images() -> None:
    shifter = Shifter(max_batch=2, aligned=True)
    landmarks = np.array(POINTS) + np.arange(3)[:, None, None]
    shifter.perturb(faces(3), [0, 1, 0], landmarks=landmarks)
    assert [part.dtype for part in shifter.landmarks] == [np.float32, np.float32]
    np.testing.assert_array_equal(np.concatenate(shifter.landmarks), landmarks)


def test_a_model_that_is_not_aligned_does_not_look_at_landmarks() -> None:
    shifter = Shifter()
    shifter.perturb(faces(1), [1], landmarks=[POINTS])
    assert not shifter.landmarks


def test_an_aligned_model_needs_landmarks() -> None:
    with pytest.raises(SanError, match="lays its prototypes over each face: give the landmarks"):
        Shifter(aligned=True).perturb(faces(1), [1])


@pytest.mark.parametrize(
    ("landmarks", "message"),
    [
        (POINTS, r"float64 of shape \(5, 2\): .* shape \(1, 5, 2\)"),
        ([POINTS, POINTS], r"shape \(2, 5, 2\): .* shape \(1, 5, 2\)"),
        (np.full((1, 5, 2), "nose"), r"<U4 of shape \(1, 5, 2\): give five points"),
        ([[*POINTS[:4], (np.nan, 140.0)]], "not finite or all at one place"),
        (np.full((1, 5, 2), 100), "not finite or all at one place"),
    ],
)
def test_other_landmarks_are_refused(landmarks: object, message: str) -> None:
    with pytest.raises(SanError, match=message):
        Shifter(aligned=True).perturb(faces(1), [1], landmarks=landmarks)  # type: ignore[arg-type]
