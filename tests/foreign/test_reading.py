from pathlib import Path

import pytest
import torch

from sanmodel.errors import SanError
from sanmodel.foreign.reading import check_weights

SHAPES = {"a": torch.Size([2, 3]), "b": torch.Size([4])}
FITTING = {"a": torch.zeros(2, 3), "b": torch.ones(4)}


def test_weights_that_fit_become_32_bit_floats_in_the_networks_order():
    halves = {"b": torch.ones(4).half(), "a": torch.zeros(2, 3).double()}
    checked = check_weights(Path("x"), halves, SHAPES)
    assert list(checked) == ["a", "b"]
    assert all(weight.dtype == torch.float32 for weight in checked.values())


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        ({"b": None}, "b is missing"),
        ({"a": torch.zeros(3, 2)}, r"a has shape \(3, 2\), needed is \(2, 3\)"),
        ({"c": torch.zeros(1)}, "c is unknown"),
        ({"b": 4}, "b is no tensor"),
        ({"b": torch.tensor([1, 2, 3, float("nan")])}, "b holds values that are not finite"),
    ],
)
def test_what_does_not_fit_is_named(change: dict, problem: str):
    with pytest.raises(SanError, match=f"^x does not fit: {problem}; take one of the files"):
        check_weights(Path("x"), FITTING | change, SHAPES)
