"""Every loss against its equation, written out with numpy."""

import numpy as np
import pytest
import torch
from skimage.metrics import structural_similarity

from sanmodel.augmentation import Augmentation
from sanmodel.losses import J_D, J_G, J_M, J_S, TotalLoss

torch.manual_seed(0)
X, X_SM, X_OP = torch.rand(3, 3, 1, 16, 16).clamp(0.01, 0.99)
y = torch.tensor([0.0, 1.0, 1.0])
WEIGHTS = torch.randn(2, 256)
LANDMARKS = 15 * torch.rand(3, 5, 2)


def f_G(images: torch.Tensor) -> torch.Tensor:
    return images.flatten(1) @ WEIGHTS[0]


def other_f_G(images: torch.Tensor) -> torch.Tensor:
    return images.flatten(1) @ WEIGHTS[1]


class LinearMatcher:
    """Describes images by some of their pixels, and keeps what it is asked."""

    def __init__(self) -> None:
        self.described: list[int] = []
        self.landmarks: list[torch.Tensor] = []

    def view(self, X, landmarks, looks=None):
        self.landmarks.append(landmarks)
        return looks(X, 16) if looks else X

    def __call__(self, seen: torch.Tensor) -> torch.Tensor:
        self.described.append(len(seen))
        return seen.flatten(1)[:, :10] * 2


R_vgg = LinearMatcher()


def S(t: np.ndarray, p: np.ndarray) -> np.ndarray:
    return -(t * np.log(p) + (1 - t) * np.log(1 - p))


def squared_distance(output: torch.Tensor) -> float:
    return float(((R_vgg(output) - R_vgg(X)).numpy() ** 2).sum(axis=1).mean())


def test_equation_2_sums_the_cross_entropy_over_the_pixels():
    expected = S(X.numpy(), X_SM.numpy()).sum(axis=(1, 2, 3)).mean()
    assert J_D(X, X_SM).item() == pytest.approx(expected, rel=1e-5)


@pytest.mark.parametrize(("kind", "power"), [("l1", 1), ("l2", 2)])
def test_the_reconstruction_may_be_an_error_of_the_pixels(kind, power):
    expected = (np.abs(X.numpy() - X_SM.numpy()) ** power).sum(axis=(1, 2, 3)).mean()
    assert J_D(X, X_SM, kind).item() == pytest.approx(expected, rel=1e-5)


def test_equation_3_flips_the_label_for_the_opposite_output():
    p_SM, p_OP = (torch.sigmoid(f_G(images)).numpy() for images in (X_SM, X_OP))
    expected = (S(y.numpy(), p_SM) + S(1 - y.numpy(), p_OP)).mean()
    assert J_G(y, X_SM, X_OP, f_G).item() == pytest.approx(expected, rel=1e-5)


def test_equation_4_is_the_squared_distance_of_the_descriptors():
    assert J_M(R_vgg(X), R_vgg(X_SM)).item() == pytest.approx(squared_distance(X_SM), rel=1e-5)


def test_the_structural_term_is_the_ssim_of_wang_et_al():
    likeness = [
        structural_similarity(
            a[0].numpy(),
            b[0].numpy(),
            data_range=1,
            gaussian_weights=True,
            sigma=1.5,
            use_sample_covariance=False,
            full=True,
        )[1][5:-5, 5:-5].mean()
        for a, b in zip(X, X_SM, strict=True)
    ]
    assert J_S(X, X_SM).item() == pytest.approx(1 - np.mean(likeness), abs=1e-5)
    assert J_S(X, X).item() == pytest.approx(0, abs=1e-6)


def test_equation_5_weighs_and_adds_and_comes_last():
    terms = TotalLoss([f_G], R_vgg, lambda_G=2, lambda_M=3)(X, y, LANDMARKS, X_SM, X_OP)
    assert list(terms) == ["J_G", "J_M", "J_total"]
    assert terms["J_M"].item() == pytest.approx(squared_distance(X_SM), rel=1e-5)
    assert terms["J_total"].item() == pytest.approx((2 * terms["J_G"] + 3 * terms["J_M"]).item())


def test_equation_1_adds_the_reconstruction_if_it_has_a_weight():
    terms = TotalLoss([f_G], R_vgg, lambda_D=0.1)(X, y, LANDMARKS, X_SM, X_OP)
    assert list(terms) == ["J_G", "J_M", "J_D", "J_total"]
    expected = terms["J_G"] + terms["J_M"] + 0.1 * terms["J_D"]
    assert terms["J_total"].item() == pytest.approx(expected.item())


def test_several_classifiers_count_alike():
    both = TotalLoss([f_G, other_f_G], R_vgg)(X, y, LANDMARKS, X_SM, X_OP)["J_G"]
    each = [J_G(y, X_SM, X_OP, one) for one in (f_G, other_f_G)]
    assert both.item() == pytest.approx(torch.stack(each).mean().item(), rel=1e-5)


def test_matching_may_look_at_both_outputs_or_at_their_mean():
    both = TotalLoss([f_G], R_vgg, matching="both")(X, y, LANDMARKS, X_SM, X_OP)["J_M"]
    expected = (squared_distance(X_SM) + squared_distance(X_OP)) / 2
    assert both.item() == pytest.approx(expected, rel=1e-5)
    mean = TotalLoss([f_G], R_vgg, matching="mean")(X, y, LANDMARKS, X_SM, X_OP)["J_M"]
    # R_vgg here is linear: the mean of the descriptors is that of the mean image.
    assert mean.item() == pytest.approx(squared_distance((X_SM + X_OP) / 2), rel=1e-5)


def test_fidelity_may_look_at_both_outputs():
    loss = TotalLoss([f_G], R_vgg, lambda_D=1, lambda_S=1, reconstruction="l1", fidelity="both")
    terms = loss(X, y, LANDMARKS, X_SM, X_OP)
    expected = (J_D(X, X_SM, "l1") + J_D(X, X_OP, "l1")) / 2
    assert terms["J_D"].item() == pytest.approx(expected.item(), rel=1e-5)
    assert terms["J_S"].item() == pytest.approx(((J_S(X, X_SM) + J_S(X, X_OP)) / 2).item())


def test_the_matching_may_join_after_some_steps():
    loss = TotalLoss([f_G], R_vgg, matching_from=2)
    steps = [loss(X, y, LANDMARKS, X_SM, X_OP, step=step) for step in range(4)]
    assert [list(terms) for terms in steps] == [["J_G", "J_total"]] * 2 + [
        ["J_G", "J_M", "J_total"]
    ] * 2
    assert steps[1]["J_total"].item() == steps[1]["J_G"].item()
    expected = steps[2]["J_G"] + squared_distance(X_SM)
    assert steps[2]["J_total"].item() == pytest.approx(expected.item())


@pytest.mark.parametrize("matching", ["same", "both", "mean"])
def test_a_look_changes_every_time_and_is_the_same_for_the_image_and_its_outputs(matching):
    torch.manual_seed(0)
    loss = TotalLoss([f_G], R_vgg, matching=matching, looks=Augmentation())
    output = X_SM.clone().requires_grad_()
    first, second = (loss(X, y, LANDMARKS, output, X_OP)["J_M"] for _ in range(2))
    assert first.item() != second.item()
    first.backward()
    assert (output.grad.abs().sum(dim=(1, 2, 3)) > 0).all()
    of_no_use = R_vgg(X) + 9
    assert loss(X, y, LANDMARKS, X, X, of_no_use)["J_M"].item() == 0


def test_known_descriptors_of_the_originals_are_not_computed_again():
    matcher = LinearMatcher()
    loss = TotalLoss([f_G], matching="both", R_vgg=matcher)
    known = loss(X, y, LANDMARKS, X_SM, X_OP, R_vgg(X))
    assert matcher.described == [6]  # both outputs in one pass
    assert matcher.landmarks == [LANDMARKS]
    unknown = loss(X, y, LANDMARKS, X_SM, X_OP)
    assert known["J_M"].item() == pytest.approx(unknown["J_M"].item())
