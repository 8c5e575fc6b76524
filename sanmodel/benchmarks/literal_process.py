"""The literal PyTorch graph, measured in this process: eager, float32, one output.

It runs on an NVIDIA GPU if there is one.

``python -m sanmodel.benchmarks.literal_process FOLDER literal THREADS OUTPUT``
"""

import sys
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from sanmodel.benchmarks.inference_process import measure
from sanmodel.models.autoencoders import load_autoencoder
from sanmodel.prototypes import Prototypes
from sanmodel.runtime.choice import LANDMARKS
from sanmodel.runtime.manifest import read_manifest


def main(folder: str, _: str, threads: str, output: str) -> None:
    """Measure the network of an export folder, layer by layer."""
    torch.set_num_threads(int(threads))
    device = "cuda" if torch.cuda.is_available() else "cpu"
    attribute = read_manifest(Path(folder)).attribute
    prototypes = Prototypes.load(Path(folder) / "prototypes.safetensors", attribute).to(device)
    weights = Path(folder) / "autoencoder.safetensors"
    autoencoder = load_autoencoder(weights, attribute, prototypes.align).eval()
    autoencoder.to(device)
    compute = getattr(autoencoder, "forward_literal", autoencoder)

    @torch.inference_mode()
    def run(shown: NDArray[np.uint8], labels: NDArray[np.int64]) -> NDArray[np.uint8]:
        X = torch.from_numpy(shown).to(device).unsqueeze(1).to(torch.float32) / 255
        landmarks = torch.tensor(LANDMARKS, dtype=torch.float32, device=device).expand(len(X), 5, 2)
        P = prototypes.for_faces(torch.from_numpy(labels).to(device), landmarks)
        (X_perturbed,) = compute(X, P.same, [P.opposite])
        levels = (255 * X_perturbed[:, 0]).round().to(torch.uint8)
        perturbed: NDArray[np.uint8] = levels.cpu().numpy()
        return perturbed

    measure(run, Path(output))


if __name__ == "__main__":
    main(*sys.argv[1:])
