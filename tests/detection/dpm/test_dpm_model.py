from pathlib import Path

import numpy as np
import pytest
from small_mixtures import mixture

from sanmodel.detection.dpm.model import Mixture, load_mixture, read_text, save_mixture
from sanmodel.errors import SanError


def same(one: Mixture, other: Mixture) -> bool:
    def arrays(model: Mixture) -> list[np.ndarray]:
        return [
            np.asarray(array)
            for c in model.components
            for array in (
                c.root, c.bias, c.box, *(a for p in c.parts for a in (p.filter, p.deformation))
            )
        ]  # fmt: skip

    return all(
        np.allclose(*pair, atol=1e-5) for pair in zip(arrays(one), arrays(other), strict=True)
    )


def test_a_saved_mixture_is_loaded_again(tmp_path: Path) -> None:
    model = mixture()
    save_mixture(model, tmp_path / "model.safetensors")
    loaded = load_mixture(tmp_path / "model.safetensors")
    assert same(model, loaded)
    assert loaded.threshold == model.threshold
    assert [p.anchor for p in loaded.components[1].parts] == [
        p.anchor for p in model.components[1].parts
    ]


def test_equal_mixtures_are_equal_files(tmp_path: Path) -> None:
    for name in ("a", "b"):
        save_mixture(mixture(), tmp_path / name)
    assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes()


def test_a_mirror_of_a_mirror_is_the_component() -> None:
    component = mixture().components[0]
    twice = component.mirrored().mirrored()
    assert same(Mixture((component,), 0), Mixture((twice,), 0))
    assert [p.anchor for p in twice.parts] == [p.anchor for p in component.parts]


def text_model() -> str:
    """One component: a root of 1x2 cells and a part of 1x1 that likes to stay."""
    root = " ".join(f"{i / 100}" for i in range(64))
    part = " ".join(f"{-i / 100}" for i in range(32))
    return (
        f"1\n2 -1.5\n1 2 32 0 0 0 -1000 0 -1000 0 0 0\n{root}\n"
        f"1 1 32 2 1 -1 -0.1 0.02 -0.2 -0.03 0 0\n{part}\n"
    )


def test_the_text_format_of_ffld2_is_read(tmp_path: Path) -> None:
    (tmp_path / "model.txt").write_text(text_model())
    (component,) = load_mixture(tmp_path / "model.txt").components
    assert component.bias == -1.5
    assert component.root.shape == (1, 2, 32)
    assert component.root[0, 1, 31] == np.float32(0.63)
    (part,) = component.parts
    assert part.anchor == (2, 1)
    # It writes gains of anchor - place, we keep costs of place - anchor.
    assert np.allclose(part.deformation, [0.1, 0.02, 0.2, -0.03])
    assert component.box[:, 0].tolist() == [0, 0, 2, 1]


@pytest.mark.parametrize("change", [("1\n2", "2\n2"), (" 32 0 0 0", " 31 0 0 0"), ("-1.5", "x")])
def test_a_wrong_text_is_refused(tmp_path: Path, change: tuple[str, str]) -> None:
    path = tmp_path / "model.txt"
    path.write_text(text_model().replace(*change, 1))
    with pytest.raises(SanError, match="not a model in FFLD2's text format"):
        read_text(path)


def test_a_missing_or_foreign_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(SanError, match="preprocess.dpm_model"):
        load_mixture(tmp_path / "none.safetensors")
    (tmp_path / "other.safetensors").write_bytes(b"no tensors at all")
    with pytest.raises(SanError, match="not a deformable part model"):
        load_mixture(tmp_path / "other.safetensors")


@pytest.mark.parametrize(
    ("change", "why"),
    [
        (("-0.1 0.02", "0 0.02"), "a part moves for nothing"),
        (("-1.5", "nan"), "a weight is not finite"),
        (("1\n2 -1.5", "0\n2 -1.5"), "it has no component"),
    ],
)
def test_weights_that_cannot_work_are_refused(
    tmp_path: Path, change: tuple[str, str], why: str
) -> None:
    path = tmp_path / "model.txt"
    path.write_text(text_model().replace(*change, 1))
    with pytest.raises(SanError, match=why):
        load_mixture(path)
