"""The authors' autoencoder in our network equals a transcription of their own layers."""

from pathlib import Path

import pytest
import torch
from torch import nn

from sanmodel.errors import SanError
from sanmodel.files import sha256
from sanmodel.foreign.authors import import_authors
from sanmodel.models.autoencoder import Autoencoder
from sanmodel.models.weights import load_module, read_about


class TheirAutoencoder(nn.Module):
    """Their layers, one by one, under their names."""

    def __init__(self) -> None:
        super().__init__()
        self.autoencoder = nn.Sequential(
            nn.Conv2d(4, 8, 3, padding=1),
            nn.LeakyReLU(0.01),
            nn.AvgPool2d(2),
            nn.Conv2d(8, 12, 3, padding=1),
            nn.LeakyReLU(0.01),
            nn.AvgPool2d(2),
            nn.Conv2d(12, 256, 3, padding=1),
            nn.LeakyReLU(0.01),
            nn.Upsample(scale_factor=2, mode="nearest"),
            nn.Conv2d(256, 128, 3, padding=1),
            nn.LeakyReLU(0.01),
            nn.Upsample(scale_factor=2, mode="nearest"),
        )
        self.protocombiner = nn.Sequential(nn.Conv2d(131, 1, 1), nn.Sigmoid())

    def forward(
        self, X: torch.Tensor, P_SM: torch.Tensor, prototypes: list[torch.Tensor]
    ) -> list[torch.Tensor]:
        h = self.autoencoder(torch.cat([X, P_SM], dim=1))
        return [self.protocombiner(torch.cat([h, P], dim=1)) for P in prototypes]


@pytest.fixture
def theirs() -> TheirAutoencoder:
    torch.manual_seed(0)
    return TheirAutoencoder()


@pytest.fixture
def checkpoint(theirs: TheirAutoencoder, tmp_path: Path) -> Path:
    path = tmp_path / "conv-autoencoder-e20.pkl"
    save_as_theirs(path, theirs.state_dict())
    return path


def save_as_theirs(path: Path, state: dict[str, torch.Tensor]) -> None:
    """A pickle as PyTorch wrote it before 2020, from a program that ran on a GPU."""
    torch.save(state, path, _use_new_zipfile_serialization=False)
    cpu, gpu = b"X\x03\x00\x00\x00cpu", b"X\x06\x00\x00\x00cuda:0"
    content = path.read_bytes()
    assert cpu in content
    path.write_bytes(content.replace(cpu, gpu))


def test_our_outputs_are_theirs(theirs: TheirAutoencoder, checkpoint: Path, tmp_path: Path):
    import_authors(checkpoint, tmp_path / "authors.safetensors")
    ours = Autoencoder()
    load_module(ours, tmp_path / "authors.safetensors", kind="autoencoder", attribute="Male")
    X, P_SM, P_OP = torch.rand(2, 1, 224, 224), *torch.rand(2, 2, 3, 224, 224)
    with torch.inference_mode():
        pairs = zip(ours(X, P_SM, [P_SM, P_OP]), theirs(X, P_SM, [P_SM, P_OP]), strict=True)
        for our_output, their_output in pairs:
            torch.testing.assert_close(our_output, their_output, rtol=0, atol=1e-5)


def test_the_file_says_where_it_comes_from(checkpoint: Path, tmp_path: Path):
    out = tmp_path / "models/authors.safetensors"
    assert import_authors(checkpoint, out) == sha256(checkpoint)
    assert read_about(out) == {
        "kind": "autoencoder",
        "attribute": "Male",
        "align": "landmarks",
        "architecture": "paper",
        "source": sha256(checkpoint),
    }


def test_other_files_are_refused(theirs: TheirAutoencoder, checkpoint: Path, tmp_path: Path):
    out = tmp_path / "authors.safetensors"
    with pytest.raises(SanError, match="nowhere is missing: give the path of conv-autoencoder-e20"):
        import_authors(tmp_path / "nowhere", out)

    whole = checkpoint.read_bytes()
    for length in (len(whole) - 1, len(whole) // 2, 100):
        checkpoint.write_bytes(whole[:length])
        with pytest.raises(SanError, match=r"e20\.pkl is cut short or damaged .*: download it"):
            import_authors(checkpoint, out)
    checkpoint.write_text("<!DOCTYPE html><title>Sign in</title>")
    with pytest.raises(SanError, match="is a web page, not weights"):
        import_authors(checkpoint, out)

    state = theirs.state_dict()
    save_as_theirs(checkpoint, {**state, "autoencoder.6.weight": torch.zeros(64, 12, 3, 3)})
    with pytest.raises(SanError, match=r"autoencoder\.6\.weight has shape \(64, 12, 3, 3\), need"):
        import_authors(checkpoint, out)
    save_as_theirs(checkpoint, {**state, "autoencoder.12.weight": torch.zeros(1)})
    with pytest.raises(SanError, match=r"does not fit: autoencoder\.12\.weight is unknown"):
        import_authors(checkpoint, out)
    state.pop("protocombiner.0.bias")
    save_as_theirs(checkpoint, state)
    with pytest.raises(SanError, match=r"does not fit: protocombiner\.0\.bias is missing"):
        import_authors(checkpoint, out)
    assert not out.exists()
