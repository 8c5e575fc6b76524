"""PyTorch, on an NVIDIA GPU if there is one: the network itself, with the weights of the folder."""

from importlib.util import find_spec
from pathlib import Path
from typing import Any

from sanmodel.runtime.manifest import Manifest, verify
from sanmodel.runtime.perturber import Images, Inputs, Perturber, Signature
from sanmodel.runtime.runtimes import RUNTIMES

GRAPHS = 8
"""Shapes of batches that are recorded; each holds memory of the GPU."""

WARM_UP = 3

REDUCED = {"fp16": "float16", "bf16": "bfloat16"}


class TorchPerturber(Perturber):
    """Perturbs faces with the deployed network.

    Args:
        network: :class:`sanmodel.export.graph.Deployed`.
        signature: What the model takes.
        device: Where it runs, in PyTorch's words.
        threads: CPU threads; None takes one for each core.
    """

    def __init__(
        self, network: Any, signature: Signature, device: str, threads: int | None
    ) -> None:
        import torch

        super().__init__(signature)
        self._torch, self._device = torch, device
        self._network = network.eval().to(device)
        self._graphs: dict[tuple[Any, ...], tuple[Any, list[Any], Any]] = {}
        if threads:
            torch.set_num_threads(threads)

    def _run(self, inputs: Inputs) -> Images:
        """See :meth:`Perturber._run`."""
        with self._torch.inference_mode():
            values = [self._torch.tensor(inputs[name]) for name in self._network.inputs]
            shapes = tuple(value.shape for value in values)
            if self._device == "cuda" and (shapes in self._graphs or len(self._graphs) < GRAPHS):
                perturbed = self._replayed(shapes, values)
            else:
                perturbed = self._network(*(value.to(self._device) for value in values))
            images: Images = perturbed.cpu().numpy()
        return images

    def _replayed(self, shapes: tuple[Any, ...], values: list[Any]) -> Any:
        """Run what a CUDA graph recorded, which the GPU does without waiting for the CPU."""
        if shapes not in self._graphs:
            self._graphs[shapes] = self._recorded(values)
        graph, places, perturbed = self._graphs[shapes]
        for place, value in zip(places, values, strict=True):
            place.copy_(value)
        graph.replay()
        return perturbed

    def _recorded(self, values: list[Any]) -> tuple[Any, list[Any], Any]:
        """Record the network as a CUDA graph; PyTorch asks for a few runs aside before it."""
        cuda = self._torch.cuda
        places, aside = [value.to(self._device) for value in values], cuda.Stream()
        aside.wait_stream(cuda.current_stream())
        with cuda.stream(aside):
            for _ in range(WARM_UP):
                self._network(*places)
        cuda.current_stream().wait_stream(aside)
        graph = cuda.CUDAGraph()
        with cuda.graph(graph):
            perturbed = self._network(*places)
        return graph, places, perturbed


@RUNTIMES.register("pytorch")
class PytorchRuntime:
    """Runs fp32, and on a GPU half precision too."""

    def obstacle(self) -> str | None:
        """See :meth:`Runtime.obstacle`."""
        # Importing it takes seconds, which only who uses it should wait.
        return None if find_spec("torch") else "the package torch is not installed"

    def precisions(self, manifest: Manifest) -> list[str]:
        """See :meth:`Runtime.precisions`."""
        if "fp32" not in manifest.offered("autoencoder"):
            return []
        accepted = {one.name for one in manifest.precisions if one.accepted}
        return ["fp32", *(name for name in REDUCED if name in accepted and _device() == "cuda")]

    def open(
        self, folder: Path, manifest: Manifest, precision: str, threads: int | None
    ) -> Perturber:
        """See :meth:`Runtime.open`."""
        import torch

        from sanmodel.export.graph import deployed
        from sanmodel.models.autoencoders import load_autoencoder
        from sanmodel.prototypes import Prototypes

        signature = manifest.signature
        weights = verify(folder, manifest.file("autoencoder"))
        means = verify(folder, manifest.file("prototypes"))
        prototypes = Prototypes.load(means, manifest.attribute).to(_device())
        autoencoder = load_autoencoder(weights, manifest.attribute, prototypes.align)
        network = deployed(autoencoder.to(_device()), prototypes, signature.pixels)
        if precision in REDUCED:
            network = network.in_precision(getattr(torch, REDUCED[precision]))
        return TorchPerturber(network, signature, _device(), threads)


def _device() -> str:
    import torch

    return "cuda" if torch.cuda.is_available() else "cpu"
