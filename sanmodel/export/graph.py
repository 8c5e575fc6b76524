"""The deployed function: a grey face and its class in, the three perturbed faces out.

With aligned prototypes the face's landmarks go in as well.
"""

from collections.abc import Mapping
from types import MappingProxyType

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from sanmodel.export.manifest import INPUTS
from sanmodel.models.autoencoder import LEAKY_SLOPE, Autoencoder
from sanmodel.prototypes import Prototypes


def deployed(autoencoder: nn.Module, prototypes: Prototypes) -> "Deployed":
    """Join a trained autoencoder and the prototypes that it was trained with."""
    if isinstance(autoencoder, Autoencoder) and prototypes.align == "none":
        return DeployedFolded(autoencoder, prototypes)
    return DeployedWhole(autoencoder, prototypes)


class Deployed(nn.Module):
    """The autoencoder with the prototypes inside (paper, section 2.2.1, figure 2).

    Attributes:
        inputs: Names of what :meth:`forward` takes, in its order.
        about: What a file of the network says of it, by key.
    """

    inputs: tuple[str, ...] = ("image", "attribute")
    about: Mapping[str, str] = MappingProxyType({})


class DeployedFolded(Deployed):
    """The paper's autoencoder with prototypes that are the same for all faces.

    All prototypes are known before the first image, and what the first encoder layer and the
    proto-combiner make of them is linear. So each contribution is one fixed map per prototype:
    the network that is deployed reads the image alone and picks its maps by class.

    Args:
        autoencoder: Trained weights.
        prototypes: Those that the autoencoder was trained with.
    """

    image_kernel: Tensor
    encoder_maps: Tensor
    combiner_maps: Tensor
    neutral_map: Tensor

    def __init__(self, autoencoder: Autoencoder, prototypes: Prototypes) -> None:
        super().__init__()
        self.autoencoder = autoencoder
        first = autoencoder.encoder_1
        P = torch.stack([prototypes.P_0, prototypes.P_1])  # indexed by class
        P_NT = prototypes.P_NT[None]
        from_prototype = autoencoder.proto_combiner.weight[:, -3:]
        with torch.no_grad():
            self.register_buffer("image_kernel", first.weight[:, :1].clone())
            # (2, 8, 224, 224), the bias included; zero padding keeps the convolution linear.
            maps = F.conv2d(P, first.weight[:, 1:], first.bias, padding=1)
            self.register_buffer("encoder_maps", maps)
            self.register_buffer("combiner_maps", F.conv2d(P, from_prototype))  # (2, 1, 224, 224)
            self.register_buffer("neutral_map", F.conv2d(P_NT, from_prototype))

    def forward(self, image: Tensor, attribute: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Perturb grey faces; equals :meth:`Autoencoder.forward` up to rounding.

        Args:
            image: X, (N, 1, 224, 224) float32, 0 to 1.
            attribute: Class of each image, (N,) int64, 0 or 1.

        Returns:
            X'_SM, X'_NT and X'_OP, each (N, 1, 224, 224) float32, 0 to 1.
        """
        logits = self.autoencoder.image_term(self._encode(image, attribute))
        same = self.combiner_maps.index_select(0, attribute)
        opposite = self.combiner_maps.index_select(0, 1 - attribute)
        return (
            torch.sigmoid(logits + same),
            torch.sigmoid(logits + self.neutral_map),
            torch.sigmoid(logits + opposite),
        )

    def _encode(self, image: Tensor, attribute: Tensor) -> Tensor:
        """Return the compressed representation, (N, 12, 56, 56)."""
        h = F.conv2d(image, self.image_kernel, padding=1)
        h = h + self.encoder_maps.index_select(0, attribute)
        h = F.avg_pool2d(F.leaky_relu(h, LEAKY_SLOPE), 2)  # (N, 8, 112, 112)
        h = F.leaky_relu(self.autoencoder.encoder_2(h), LEAKY_SLOPE)
        return F.avg_pool2d(h, 2)


class DeployedWhole(Deployed):
    """Any autoencoder with any prototypes: those of each face are made and read as in training.

    If they are aligned, they are laid over each face by its landmarks, which go in as well.

    Args:
        autoencoder: Trained weights.
        prototypes: Those that the autoencoder was trained with.
    """

    def __init__(self, autoencoder: nn.Module, prototypes: Prototypes) -> None:
        super().__init__()
        self.autoencoder, self._prototypes = autoencoder, prototypes
        if prototypes.align == "landmarks":
            self.inputs = (*self.inputs, "landmarks")
            self.about = MappingProxyType({"landmarks": INPUTS["landmarks"].meaning})

    def forward(
        self, image: Tensor, attribute: Tensor, landmarks: Tensor | None = None
    ) -> tuple[Tensor, Tensor, Tensor]:
        """Perturb grey faces.

        Args:
            image: X, (N, 1, 224, 224) float32, 0 to 1.
            attribute: Class of each image, (N,) int64, 0 or 1.
            landmarks: Of each face, (N, 5, 2) float32, in pixels, if they are aligned.

        Returns:
            X'_SM, X'_NT and X'_OP, each (N, 1, 224, 224) float32, 0 to 1.
        """
        P = self._prototypes.for_faces(attribute, landmarks)
        P_SM = P.same
        X_SM, X_NT, X_OP = self.autoencoder(image, P_SM, [P_SM, P.neutral, P.opposite])
        return X_SM, X_NT, X_OP
