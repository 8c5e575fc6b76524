"""The auxiliary classifiers f_G as one ONNX file: it tells users which class a face is of."""

from collections.abc import Mapping
from pathlib import Path

import torch
from torch import Tensor, nn
from torch.export import Dim

from sanmodel.export.onnx_file import write_graph
from sanmodel.images import IMAGE_SIZE
from sanmodel.runtime.classifier import INPUT, OUTPUT


class Reader(nn.Module):
    """Reads the attribute from grey faces, as the mean of what all classifiers say.

    Args:
        classifiers: The auxiliary classifiers of a training.
    """

    def __init__(self, classifiers: nn.ModuleList) -> None:
        super().__init__()
        self.classifiers = classifiers

    def forward(self, image: Tensor) -> Tensor:
        """Return the probability of having the attribute.

        Args:
            image: (N, 224, 224) uint8.

        Returns:
            (N,) float32, 0 to 1. Classifiers that disagree make it a middling one.
        """
        X = image.to(torch.float32).unsqueeze(1) / 255
        probabilities = [torch.sigmoid(classifier(X)) for classifier in self.classifiers]
        return torch.stack(probabilities).mean(dim=0)


def write_classifier(
    path: Path, classifiers: nn.ModuleList, opset: int, max_batch: int, about: Mapping[str, str]
) -> None:
    """Write the classifiers as one ONNX file; the same weights give the same bytes.

    Args:
        path: File to write.
        classifiers: The auxiliary classifiers of a training.
        opset: ONNX operator set.
        max_batch: Largest batch, at least 2.
        about: Metadata of the file.
    """
    example = {INPUT: torch.zeros(2, IMAGE_SIZE, IMAGE_SIZE, dtype=torch.uint8)}
    shapes = {INPUT: {0: Dim("batch", min=1, max=max_batch)}}
    write_graph(path, Reader(classifiers), example, shapes, OUTPUT, opset, about)
