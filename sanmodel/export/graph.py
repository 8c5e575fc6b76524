"""The deployed function: grey faces, their classes and modes in, perturbed faces out.

With aligned prototypes the faces' landmarks go in as well. Everything that depends on no input is
computed once, when the network is made: what the first layer and the combiner make of prototypes
is linear, so each of these is one fixed map per class.
"""

from collections.abc import Mapping
from copy import deepcopy
from types import MappingProxyType
from typing import Any, Literal

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from sanmodel.export.manifest import INPUTS
from sanmodel.models.autoencoder import LEAKY_SLOPE, Autoencoder
from sanmodel.models.skip_autoencoder import REDUCTION, SkipAutoencoder
from sanmodel.prototypes import Prototypes

Pixels = Literal["uint8", "float32"]
"""Type of the images that go in and come out: 0 to 255, or 0 to 1."""


def deployed(
    autoencoder: nn.Module, prototypes: Prototypes, pixels: Pixels = "uint8"
) -> "Deployed":
    """Join a trained autoencoder and the prototypes that it was trained with.

    Args:
        autoencoder: One of :data:`sanmodel.models.autoencoders.AUTOENCODERS`.
        prototypes: Those that it was trained with.
        pixels: Type of the images.
    """
    if prototypes.align != "none":
        return DeployedWhole(autoencoder, prototypes, pixels)
    if isinstance(autoencoder, Autoencoder):
        return DeployedPaper(autoencoder, prototypes, pixels)
    if isinstance(autoencoder, SkipAutoencoder):
        return DeployedSkip(autoencoder, prototypes, pixels)
    return DeployedWhole(autoencoder, prototypes, pixels)


class Deployed(nn.Module):
    """The autoencoder with the prototypes inside (paper, section 2.2.1, figure 2).

    An output's prototype lies anywhere on the way from P_SM by P_NT to P_OP, see
    :meth:`Prototypes.share_of_opposite`. The images of one face share all that is computed before
    prototypes come in.

    Attributes:
        inputs: Names of what :meth:`forward` takes, in its order.
        about: What a file of the network says of it, by key.
    """

    inputs: tuple[str, ...] = ("image", "attribute", "mode")
    about: Mapping[str, str] = MappingProxyType({})
    autoencoder: Any
    reduced: tuple[str, ...] = ()
    """Buffers that the layers compute with, in the layers' precision."""

    def __init__(self, autoencoder: nn.Module, prototypes: Prototypes, pixels: Pixels) -> None:
        super().__init__()
        self.autoencoder, self.prototypes, self.pixels = autoencoder, prototypes, pixels

    def forward(
        self, image: Tensor, attribute: Tensor, mode: Tensor, landmarks: Tensor | None = None
    ) -> Tensor:
        """Perturb grey faces.

        Args:
            image: (N, 224, 224), uint8 or float32 as ``pixels`` says.
            attribute: Class of each image, (N,) int64, 0 or 1.
            mode: For each image K modes, (N, K) float32, 0 to 1: 0 is the same class, one half
                neutral, 1 the opposite class.
            landmarks: Of each face, (N, 5, 2) float32, in pixels, if they are aligned.

        Returns:
            K perturbed images for each, (N, K, 224, 224), of the type of ``image``.
        """
        # Cast first: TensorRT's uint8 tensors can do nothing else.
        X = image.to(torch.float32).unsqueeze(1)
        X = X / 255 if self.pixels == "uint8" else X
        X_perturbed = torch.sigmoid(self.logits(X, attribute, mode, landmarks))
        if self.pixels == "uint8":
            return torch.round(X_perturbed * 255).to(torch.uint8)
        return X_perturbed

    def in_precision(self, precision: torch.dtype) -> "Deployed":
        """Return a copy whose layers compute in another type; logits and pixels stay float32."""
        network = deepcopy(self)
        network.autoencoder.to(precision)
        for name in self.reduced:
            setattr(network, name, getattr(network, name).to(precision))
        return network

    def logits(
        self, X: Tensor, attribute: Tensor, mode: Tensor, landmarks: Tensor | None
    ) -> Tensor:
        """Return the logits of the outputs, (N, K, 224, 224) float32.

        Args:
            X: (N, 1, 224, 224) float32, 0 to 1.
            attribute: See :meth:`forward`.
            mode: Likewise.
            landmarks: Likewise.
        """
        raise NotImplementedError

    def _maps_between(self, maps: Tensor, attribute: Tensor, mode: Tensor) -> Tensor:
        """Return what the modes' prototypes contribute, (N, K, ...), from that of each class's."""
        u = self.prototypes.share_of_opposite(attribute, mode)
        u = u.reshape(*u.shape, *[1] * (maps.dim() - 1)).to(maps.dtype)
        same = maps.index_select(0, attribute).unsqueeze(1)
        opposite = maps.index_select(0, 1 - attribute).unsqueeze(1)
        return (1 - u) * same + u * opposite


class DeployedPaper(Deployed):
    """The paper's autoencoder with prototypes that are the same for all faces.

    Args:
        autoencoder: Trained weights.
        prototypes: See :func:`deployed`.
        pixels: Likewise.
    """

    reduced = ("image_kernel", "encoder_maps")
    autoencoder: Autoencoder
    image_kernel: Tensor
    encoder_maps: Tensor
    combiner_maps: Tensor

    def __init__(
        self, autoencoder: Autoencoder, prototypes: Prototypes, pixels: Pixels = "uint8"
    ) -> None:
        super().__init__(autoencoder, prototypes, pixels)
        first, P = autoencoder.encoder_1, _of_classes(prototypes)
        with torch.no_grad():
            self.register_buffer("image_kernel", first.weight[:, :1].clone())
            # (2, 8, 224, 224), the bias included; zero padding keeps the convolution linear.
            maps = F.conv2d(P, first.weight[:, 1:], first.bias, padding=1)
            self.register_buffer("encoder_maps", maps)
            term = autoencoder.prototype_term(P)[:, 0]  # (2, 224, 224)
            self.register_buffer("combiner_maps", term)

    def logits(
        self, X: Tensor, attribute: Tensor, mode: Tensor, landmarks: Tensor | None
    ) -> Tensor:
        """See :meth:`Deployed.logits`."""
        h = F.conv2d(X.to(self.image_kernel.dtype), self.image_kernel, padding=1)
        h = h + self.encoder_maps.index_select(0, attribute)
        h = F.avg_pool2d(F.leaky_relu(h, LEAKY_SLOPE), 2)  # (N, 8, 112, 112)
        h = F.leaky_relu(self.autoencoder.encoder_2(h), LEAKY_SLOPE)
        term = self.autoencoder.image_term(F.avg_pool2d(h, 2)).float()
        return term + self._maps_between(self.combiner_maps, attribute, mode).float()


class DeployedSkip(Deployed):
    """The autoencoder ``skip`` with prototypes that are the same for all faces.

    Args:
        autoencoder: Trained weights.
        prototypes: See :func:`deployed`.
        pixels: Likewise.
    """

    reduced = ("image_kernel", "encoder_maps", "feature_kernel", "combiner_maps")
    autoencoder: SkipAutoencoder
    image_kernel: Tensor
    encoder_maps: Tensor
    feature_kernel: Tensor
    combiner_maps: Tensor

    def __init__(
        self, autoencoder: SkipAutoencoder, prototypes: Prototypes, pixels: Pixels = "uint8"
    ) -> None:
        super().__init__(autoencoder, prototypes, pixels)
        P = _of_classes(prototypes) - 0.5
        first, combiner = autoencoder.encoder_1, autoencoder.proto_combiner_1
        ours, features = REDUCTION**2, combiner.in_channels - 3
        with torch.no_grad():
            self.register_buffer("image_kernel", first.weight[:, :ours].clone())
            self.register_buffer("feature_kernel", combiner.weight[:, :features].clone())
            seen = F.pixel_unshuffle(P, REDUCTION)
            maps = F.conv2d(seen, first.weight[:, ours:], first.bias, padding=1)
            self.register_buffer("encoder_maps", maps)  # (2, 48, 56, 56)
            seen = F.avg_pool2d(P, REDUCTION)
            maps = F.conv2d(seen, combiner.weight[:, features:], combiner.bias, padding=1)
            self.register_buffer("combiner_maps", maps)  # (2, 48, 56, 56)

    def logits(
        self, X: Tensor, attribute: Tensor, mode: Tensor, landmarks: Tensor | None
    ) -> Tensor:
        """See :meth:`Deployed.logits`."""
        h = F.pixel_unshuffle(X - 0.5, REDUCTION).to(self.image_kernel.dtype)
        h = F.conv2d(h, self.image_kernel, padding=1)
        h = self.autoencoder.features(h + self.encoder_maps.index_select(0, attribute))
        h = F.conv2d(h, self.feature_kernel, padding=1).unsqueeze(1)
        h = h + self._maps_between(self.combiner_maps, attribute, mode)  # (N, K, 48, 56, 56)
        change = self.autoencoder.change(h.flatten(0, 1))
        return self.autoencoder.logits(X) + change.reshape(*mode.shape, *X.shape[2:])


class DeployedWhole(Deployed):
    """Any autoencoder with any prototypes: those of each face are made and read as in training.

    If they are aligned, they are laid over each face by its landmarks, which go in as well.

    Args:
        autoencoder: Trained weights.
        prototypes: See :func:`deployed`.
        pixels: Likewise.
    """

    def __init__(
        self, autoencoder: nn.Module, prototypes: Prototypes, pixels: Pixels = "uint8"
    ) -> None:
        super().__init__(autoencoder, prototypes, pixels)
        if prototypes.align == "landmarks":
            self.inputs = (*self.inputs, "landmarks")
            self.about = {"landmarks": INPUTS["landmarks"].meaning}

    def logits(
        self, X: Tensor, attribute: Tensor, mode: Tensor, landmarks: Tensor | None
    ) -> Tensor:
        """See :meth:`Deployed.logits`."""
        P = self.prototypes.for_faces(attribute, landmarks)
        seen = self.autoencoder.see(X, P.same)
        K = mode.shape[1]
        logits: Tensor = self.autoencoder.combine(
            _repeated(X, K), _repeated(seen, K), P.between(mode).flatten(0, 1)
        )
        logits = logits.reshape(*mode.shape, *X.shape[2:])
        return logits


def _of_classes(prototypes: Prototypes) -> Tensor:
    """Return P_0 and P_1, (2, 3, 224, 224), so that a class is an index."""
    return torch.stack([prototypes.P_0, prototypes.P_1])


def _repeated(values: Tensor, times: int) -> Tensor:
    """Repeat each row of (N, ...) that many times, (N * times, ...)."""
    return values.unsqueeze(1).expand(-1, times, *[-1] * (values.dim() - 1)).flatten(0, 1)
