"""Every loss against its equation, written out with numpy."""

import numpy as np
import pytest
import torch

from sanmodel.losses import J_D, J_G, J_M, TotalLoss

torch.manual_seed(0)
X, X_SM, X_OP = torch.rand(3, 3, 1, 8, 8).clamp(0.01, 0.99)
y = torch.tensor([0.0, 1.0, 1.0])
WEIGHT = torch.randn(64)


def f_G(images: torch.Tensor) -> torch.Tensor:
    return images.flatten(1) @ WEIGHT


def R_vgg(images: torch.Tensor) -> torch.Tensor:
    return images.flatten(1)[:, :10] * 2


def S(t: np.ndarray, p: np.ndarray) -> np.ndarray:
    return -(t * np.log(p) + (1 - t) * np.log(1 - p))


def test_equation_2_sums_the_cross_entropy_over_the_pixels():
    expected = S(X.numpy(), X_SM.numpy()).sum(axis=(1, 2, 3)).mean()
    assert J_D(X, X_SM).item() == pytest.approx(expected, rel=1e-5)


def test_equation_3_flips_the_label_for_the_opposite_output():
    p_SM, p_OP = (torch.sigmoid(f_G(images)).numpy() for images in (X_SM, X_OP))
    expected = (S(y.numpy(), p_SM) + S(1 - y.numpy(), p_OP)).mean()
    assert J_G(y, X_SM, X_OP, f_G).item() == pytest.approx(expected, rel=1e-5)


def test_equation_4_is_the_squared_distance_of_the_descriptors():
    expected = ((R_vgg(X_SM) - R_vgg(X)).numpy() ** 2).sum(axis=1).mean()
    assert J_M(X, X_SM, R_vgg).item() == pytest.approx(expected, rel=1e-5)


def test_equation_5_weighs_and_adds_and_comes_last():
    terms = TotalLoss(f_G, R_vgg, lambda_G=2, lambda_M=3)(X, y, X_SM, X_OP)
    assert list(terms) == ["J_G", "J_M", "J_total"]
    assert terms["J_total"].item() == pytest.approx((2 * terms["J_G"] + 3 * terms["J_M"]).item())


def test_equation_1_adds_the_reconstruction_if_it_has_a_weight():
    terms = TotalLoss(f_G, R_vgg, lambda_D=0.1)(X, y, X_SM, X_OP)
    assert list(terms) == ["J_G", "J_M", "J_D", "J_total"]
    expected = terms["J_G"] + terms["J_M"] + 0.1 * terms["J_D"]
    assert terms["J_total"].item() == pytest.approx(expected.item())
