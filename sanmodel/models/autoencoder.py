"""Subnetwork I: the convolutional autoencoder (paper, section 2.2.1, figure 2).

Five trainable layers. Encoder and decoder run once for an image; only the last one, the
proto-combiner, runs once per prototype.
"""

from collections.abc import Iterable, Sequence

import torch
import torch.nn.functional as F
from torch import Tensor, nn

LEAKY_SLOPE = 0.01
"""Negative slope of every leaky ReLU; the paper gives none, the authors' release uses this."""


class Autoencoder(nn.Module):
    """The function phi of the paper: X, P_SM and further prototypes in, perturbed images out.

    The parameters are those of figure 2. :meth:`forward` computes the figure with less work;
    :meth:`forward_literal` computes it layer by layer and is what the tests hold the first to.
    """

    def __init__(self) -> None:
        super().__init__()
        self.encoder_1 = nn.Conv2d(1 + 3, 8, 3, padding=1)
        self.encoder_2 = nn.Conv2d(8, 12, 3, padding=1)
        self.decoder_1 = nn.Conv2d(12, 256, 3, padding=1)
        self.decoder_2 = nn.Conv2d(256, 128, 3, padding=1)
        # The paper does not give the kernel's size; the authors' release has 1x1.
        self.proto_combiner = nn.Conv2d(128 + 3, 1, 1)
        initialise([self.encoder_1, self.encoder_2, self.decoder_1, self.decoder_2])

    def forward(self, X: Tensor, P_SM: Tensor, prototypes: Sequence[Tensor]) -> list[Tensor]:
        """Perturb grey images, once per prototype.

        Args:
            X: Grey images, (B, 1, 224, 224), 0 to 1.
            P_SM: Same-class prototype of each image, (B, 3, 224, 224), 0 to 1.
            prototypes: For each output a prototype per image, (B, 3, 224, 224), 0 to 1.

        Returns:
            One (B, 1, 224, 224) tensor of perturbed images, 0 to 1, for each prototype.
        """
        seen = self.see(X, P_SM)
        return [torch.sigmoid(self.combine(X, seen, P)) for P in prototypes]

    def see(self, X: Tensor, P_SM: Tensor) -> Tensor:
        """Return what is computed once for an image, however many outputs there are.

        Args:
            X: See :meth:`forward`.
            P_SM: Likewise.

        Returns:
            What the image adds to the combiner's logits, (B, 1, 224, 224).
        """
        return self.image_term(self.encode(X, P_SM))

    def combine(self, X: Tensor, seen: Tensor, P: Tensor) -> Tensor:
        """Return the logits of one output, (B, 1, 224, 224) in float32.

        Args:
            X: See :meth:`forward`; here the image does not go on to the output.
            seen: What :meth:`see` made of the images.
            P: The output's prototype of each image, (B, 3, 224, 224), 0 to 1.
        """
        return seen.float() + self.prototype_term(P).float()

    def forward_literal(
        self, X: Tensor, P_SM: Tensor, prototypes: Sequence[Tensor]
    ) -> list[Tensor]:
        """Compute :meth:`forward` as figure 2 draws it, the 224x224x128 map included."""
        h = F.leaky_relu(self.decoder_1(self.encode(X, P_SM)), LEAKY_SLOPE)
        h = F.interpolate(h, scale_factor=2, mode="nearest")  # (B, 256, 112, 112)
        h = F.leaky_relu(self.decoder_2(h), LEAKY_SLOPE)
        h = F.interpolate(h, scale_factor=2, mode="nearest")  # (B, 128, 224, 224)
        return [torch.sigmoid(self.proto_combiner(torch.cat([h, P], dim=1))) for P in prototypes]

    def encode(self, X: Tensor, P_SM: Tensor) -> Tensor:
        """Return the compressed representation, (B, 12, 56, 56)."""
        h = torch.cat([X, P_SM], dim=1).to(self.encoder_1.weight.dtype)  # (B, 4, 224, 224)
        h = F.avg_pool2d(F.leaky_relu(self.encoder_1(h), LEAKY_SLOPE), 2)  # (B, 8, 112, 112)
        return F.avg_pool2d(F.leaky_relu(self.encoder_2(h), LEAKY_SLOPE), 2)

    def image_term(self, code: Tensor) -> Tensor:
        """Return what the image adds to the combiner's logits, (B, 1, 224, 224).

        A 1x1 combiner commutes with nearest upsampling, so the 128 maps are combined to one at
        112x112; and a 3x3 convolution of an upsampled map is four 2x2 convolutions of the small
        map, one per output phase, with 2.25 times fewer products. The four run as one, on one place
        more than each needs; the places are chosen when only one map of each is left.
        """
        h = F.leaky_relu(self.decoder_1(code), LEAKY_SLOPE)  # (B, 256, 56, 56)
        kernels = torch.cat(_phase_kernels(self.decoder_2.weight))
        bias = _bias(self.decoder_2).repeat(4)
        h = F.conv2d(h, kernels, bias, padding=1)  # (B, 4 * 128, 57, 57)
        combiner = _block_diagonal(self.proto_combiner.weight[:, :128], 4)
        maps = F.conv2d(F.leaky_relu(h, LEAKY_SLOPE), combiner)  # (B, 4, 57, 57)
        # A phase of odd rows begins one place further on, which after the shuffle is two rows.
        place = torch.arange(2 * code.shape[-1], device=code.device)
        place = place + 2 * (place % 2)
        h = F.pixel_shuffle(maps, 2).index_select(2, place).index_select(3, place)
        h = h + _bias(self.proto_combiner)
        return F.interpolate(h, scale_factor=2, mode="nearest")

    def prototype_term(self, P: Tensor) -> Tensor:
        """Return what a prototype adds to the combiner's logits, (B, 1, 224, 224)."""
        weight = self.proto_combiner.weight[:, 128:]
        return F.conv2d(P.to(weight.dtype), weight)


def initialise(layers: Iterable[nn.Conv2d | nn.Linear]) -> None:
    """Draw weights that keep the variance from layer to layer (He et al., 2015).

    With torch's default the signal fades on its way, and a short training stays near its start.
    """
    for layer in layers:
        nn.init.kaiming_normal_(layer.weight, a=LEAKY_SLOPE)
        if layer.bias is not None:
            nn.init.zeros_(layer.bias)


def _phase_kernels(weight: Tensor) -> list[Tensor]:
    """Turn a 3x3 kernel on a nearest-upsampled map into four 2x2 kernels on the small map.

    The output at an even row sees one upsampled row of the source row above and two of its own;
    at an odd row, two of its own and one of the row below. The same holds for columns.

    Args:
        weight: (out, in, 3, 3).

    Returns:
        Kernels (out, in, 2, 2) for the phases (0, 0), (0, 1), (1, 0), (1, 1) of (row, column).
    """
    rows = (
        torch.stack([weight[:, :, 0], weight[:, :, 1] + weight[:, :, 2]], dim=2),
        torch.stack([weight[:, :, 0] + weight[:, :, 1], weight[:, :, 2]], dim=2),
    )
    return [
        kernel
        for row in rows
        for kernel in (
            torch.stack([row[..., 0], row[..., 1] + row[..., 2]], dim=3),
            torch.stack([row[..., 0] + row[..., 1], row[..., 2]], dim=3),
        )
    ]


def _block_diagonal(weight: Tensor, times: int) -> Tensor:
    """Repeat a 1x1 kernel (1, in, 1, 1) for that many groups of maps, (times, times * in, 1, 1)."""
    group = torch.eye(times, dtype=weight.dtype, device=weight.device)
    return torch.kron(group, weight[0, :, 0, 0])[:, :, None, None]


def _bias(layer: nn.Conv2d) -> Tensor:
    assert layer.bias is not None
    return layer.bias
