"""The auxiliary classifiers f_G of a training: the paper's, and others that differ from it."""

from pathlib import Path

import torch
from torch import Tensor, nn

from sanmodel.augmentation import Augmentation
from sanmodel.errors import SanError
from sanmodel.models.attribute_classifier import AttributeClassifier
from sanmodel.models.frozen import freeze
from sanmodel.models.varied_classifier import RECIPES, VariedClassifier
from sanmodel.models.weights import load_module, read_about

MOST_MEMBERS = 1 + len(RECIPES)


def ensemble(members: int, dropout: float = 0.5) -> nn.ModuleList:
    """Return new classifiers: the paper's first, then one for each of the first ``RECIPES``.

    Args:
        members: 1 to ``MOST_MEMBERS``.
        dropout: Drop probability of each one's two dropout layers.
    """
    varied = [VariedClassifier(recipe, dropout) for recipe in RECIPES[: members - 1]]
    return nn.ModuleList([AttributeClassifier(dropout), *varied])


def load_classifiers(path: Path, attribute: str) -> nn.ModuleList:
    """Load all auxiliary classifiers of a file, frozen.

    Raises:
        SanError: If the file is missing, damaged or of another attribute.
    """
    members = str(read_about(path).get("members", 1))
    if not members.isdecimal() or not 1 <= int(members) <= MOST_MEMBERS:
        raise SanError(
            f"{path} says that it holds {members!r} classifiers, 1 to {MOST_MEMBERS} are known: run"
            " `dvc repro` to make it again"
        )
    networks = ensemble(int(members))
    called = f"{members} classifiers"
    load_module(networks, path, called, kind="classifier", attribute=attribute)
    freeze(networks)
    return networks


class Glance(nn.Module):
    """A classifier that is shown another random look at its images each time.

    Args:
        network: Has a ``size``, the side of the images that it looks at.
        augmentation: How far a look may be from the image.
    """

    def __init__(self, network: nn.Module, augmentation: Augmentation) -> None:
        super().__init__()
        self.network, self._augmentation = network, augmentation

    def forward(self, X: Tensor) -> Tensor:
        """Map images (B, 1, 224, 224), 0 to 1, to the logits (B,) of the looks."""
        size = self.network.size
        assert isinstance(size, int)
        # bfloat16 would move the places that a look is sampled at by most of a pixel.
        with torch.autocast(X.device.type, enabled=False):
            look = self._augmentation(X, size)
        logits: Tensor = self.network(look)
        return logits
