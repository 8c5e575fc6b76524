"""What the TensorRT libraries have in common: they share one Python interface.

An engine is bound to the library's version and to GPUs: where it does not fit, it is built again
from the ONNX file of its precision and kept in the cache.
"""

import ctypes
import hashlib
import importlib
import logging
import weakref
from collections.abc import Callable
from math import prod
from pathlib import Path
from typing import Any

import numpy as np

from sanmodel.errors import SanError
from sanmodel.runtime.cache import cache_folder, keep, kept
from sanmodel.runtime.manifest import Artifact, Manifest, verify
from sanmodel.runtime.perturber import (
    MAX_MODES,
    OUTPUT,
    Images,
    Inputs,
    Perturber,
    Signature,
)
from sanmodel.runtime.runtimes import missing

PRECISIONS = ("fp32", "fp16", "bf16")
"""An int8 engine would need another quantisation than ONNX Runtime's: signed, around zero."""

LOG = logging.getLogger(__name__)


def obstacle(library: str) -> str | None:
    """Return why engines of a library cannot run here, or None if they can."""
    lacking = missing(library) or missing("cuda.bindings")
    if lacking:
        return lacking
    try:
        return None if call_cuda("GetDeviceCount") else "there is no NVIDIA GPU"
    except SanError as error:
        return f"there is no NVIDIA GPU ({error})"


def capability() -> str:
    """Return the compute capability of the first GPU, such as "9.0"."""
    properties = call_cuda("GetDeviceProperties", 0)
    return f"{properties.major}.{properties.minor}"


def build(library: str, onnx: bytes, max_batch: int) -> bytes:
    """Parse an ONNX file and build an engine from it.

    Args:
        library: "tensorrt" or "tensorrt_rtx".
        onnx: Content of the ONNX file; the types in it are those that the engine computes in.
        max_batch: Largest batch.

    Returns:
        The serialized engine.

    Raises:
        SanError: If the library cannot parse or build the graph.
    """
    trt = importlib.import_module(library)
    builder = trt.Builder(trt.Logger(trt.Logger.ERROR))
    network = builder.create_network(0)
    _parse(trt, network, builder.logger, onnx)
    config = builder.create_builder_config()
    # TF32 keeps 10 bits of the mantissa: outputs would miss the tolerance of the export.
    config.clear_flag(trt.BuilderFlag.TF32)
    config.add_optimization_profile(_profile(builder, network, max_batch))
    engine = builder.build_serialized_network(network, config)
    if engine is None:
        raise SanError(
            f"{library} {trt.__version__} could not build an engine:"
            " set export.tensorrt to off to export the ONNX files alone"
        )
    return bytes(engine)


def open_engine(
    library: str,
    fits: Callable[[Artifact, str], bool],
    folder: Path,
    manifest: Manifest,
    precision: str,
) -> Perturber:
    """Open the engine of a precision, or build one that fits this machine.

    Args:
        library: "tensorrt" or "tensorrt_rtx".
        fits: Whether an engine is for a GPU of a compute capability.
        folder: The export folder.
        manifest: Of the folder.
        precision: One of ``PRECISIONS``.

    Raises:
        SanError: If the ONNX file is missing, altered or cannot be built.
    """
    content = _shipped(library, fits, folder, manifest, precision)
    if content is not None:
        try:
            return EnginePerturber(library, content, manifest.signature)
        except SanError as error:
            LOG.warning("%s; it is built again from the ONNX file", error)
    content = _built_here(library, folder, manifest.file("onnx", precision))
    return EnginePerturber(library, content, manifest.signature)


class EnginePerturber(Perturber):
    """Perturbs faces with an engine; not to be shared by threads.

    Images go to the GPU and back once for a batch, through memory that stays where it is.

    Args:
        library: "tensorrt" or "tensorrt_rtx".
        content: The serialized engine.
        signature: What the model takes.

    Raises:
        SanError: If the engine is damaged or of another machine.
    """

    def __init__(self, library: str, content: bytes, signature: Signature) -> None:
        super().__init__(signature)
        trt = importlib.import_module(library)
        self._logger = trt.Logger(trt.Logger.ERROR)
        self._runtime = trt.Runtime(self._logger)
        self._engine = self._runtime.deserialize_cuda_engine(content)
        if self._engine is None:
            raise SanError(f"an engine of {library} is damaged or of another machine")
        self._context = self._engine.create_execution_context()
        self._stream = call_cuda("StreamCreate")
        names = [self._engine.get_tensor_name(i) for i in range(self._engine.num_io_tensors)]
        self._tensors = {name: Tensor(_room(signature, name)) for name in names}
        for name, tensor in self._tensors.items():
            self._context.set_tensor_address(name, tensor.device)

    def _run(self, inputs: Inputs) -> Images:
        """See :meth:`Perturber._run`."""
        for name, values in inputs.items():
            self._context.set_input_shape(name, values.shape)
            self._tensors[name].send(values, self._stream)
        if not self._context.execute_async_v3(self._stream):
            raise SanError("the GPU refused a batch: use another runtime with --runtime")
        shape = (*inputs["mode"].shape, self.size, self.size)
        perturbed = self._tensors[OUTPUT].fetch(shape, self._stream)
        call_cuda("StreamSynchronize", self._stream)
        return perturbed


class Tensor:
    """Memory for an input or output, on the GPU and, where the GPU reaches it, beside it.

    Args:
        room: An array of the largest shape and of its type.
    """

    def __init__(self, room: Images) -> None:
        self._type, size = room.dtype, room.nbytes
        self.device = call_cuda("Malloc", size)
        pinned = call_cuda("HostAlloc", size, 0)
        weakref.finalize(self, call_cuda, "Free", self.device)
        weakref.finalize(self, call_cuda, "FreeHost", pinned)
        self._pinned = pinned
        buffer = memoryview((ctypes.c_byte * size).from_address(int(pinned)))
        self._host: Images = np.frombuffer(buffer, self._type)

    def send(self, values: Images, stream: Any) -> None:
        """Copy values to the GPU."""
        self._host[: values.size] = values.ravel()
        self._copy(self.device, self._pinned, values.nbytes, "HostToDevice", stream)

    def fetch(self, shape: tuple[int, ...], stream: Any) -> Images:
        """Copy values of a shape from the GPU; they are there when the stream is at its end."""
        size = prod(shape)
        self._copy(self._pinned, self.device, size * self._type.itemsize, "DeviceToHost", stream)
        values: Images = self._host[:size].reshape(shape)
        return values

    def _copy(self, to: Any, source: Any, size: int, way: str, stream: Any) -> None:
        from cuda.bindings import runtime as cuda

        kind = getattr(cuda.cudaMemcpyKind, f"cudaMemcpy{way}")
        call_cuda("MemcpyAsync", to, source, size, kind, stream)


def _room(signature: Signature, name: str) -> Images:
    """Return an empty array of the largest shape and of the type of an input or output."""
    images = (signature.size, signature.size)
    kinds: dict[str, tuple[tuple[int, ...], str]] = {
        "image": (images, signature.pixels),
        "attribute": ((), "int64"),
        "mode": ((MAX_MODES,), "float32"),
        "landmarks": ((5, 2), "float32"),
        OUTPUT: ((MAX_MODES, *images), signature.pixels),
    }
    shape, kind = kinds[name]
    return np.empty((signature.max_batch, *shape), kind)


def call_cuda(function: str, *arguments: Any) -> Any:
    """Call a function of the CUDA runtime and return what it returns besides its status."""
    from cuda.bindings import runtime as cuda

    status, *values = getattr(cuda, f"cuda{function}")(*arguments)
    if int(status):
        raise SanError(f"CUDA failed in cuda{function}: {status.name}")
    return values[0] if values else None


def _shipped(
    library: str,
    fits: Callable[[Artifact, str], bool],
    folder: Path,
    manifest: Manifest,
    precision: str,
) -> bytes | None:
    """Return the engine of the export folder if it is whole and for this machine."""
    kind = library.replace("_", "-")
    if precision not in manifest.offered(kind):
        return None
    engine = manifest.file(kind, precision)
    here = f"{library} {importlib.import_module(library).__version__}"
    gpu = capability()
    try:
        if engine.library != here:
            raise SanError(f"{engine.name} is for {engine.library}, here is {here}")
        if not fits(engine, gpu):
            targets = ", ".join(engine.gpu_targets)
            raise SanError(f"{engine.name} is for GPUs of {targets}, here is one of {gpu}")
        return verify(folder, engine).read_bytes()
    except SanError as error:
        LOG.warning("%s; it is built again from the ONNX file", error)
        return None


def _built_here(library: str, folder: Path, onnx: Artifact) -> bytes:
    """Build an engine for this machine, or take it from the cache."""
    version = importlib.import_module(library).__version__
    made_of = f"{onnx.sha256} {onnx.max_batch} {library} {version} {capability()}"
    name = hashlib.sha256(made_of.encode()).hexdigest()
    path = cache_folder() / "engines" / f"{name}.engine"
    content = kept(path)
    if content is None:
        content = build(library, verify(folder, onnx).read_bytes(), onnx.max_batch or 1)
        keep(path, content)
    return content


def _parse(trt: Any, network: Any, logger: Any, onnx: bytes) -> None:
    """Fill a network from an ONNX file."""
    parser = trt.OnnxParser(network, logger)
    if not parser.parse(onnx):
        problems = "; ".join(parser.get_error(i).desc() for i in range(parser.num_errors))
        raise SanError(
            f"{trt.__name__} {trt.__version__} cannot read the ONNX graph ({problems}):"
            " try another export.opset or set export.tensorrt to off"
        )


def _profile(builder: Any, network: Any, max_batch: int) -> Any:
    """Allow batches of 1 to ``max_batch``, tuned for the largest, with one mode or all."""
    profile = builder.create_optimization_profile()
    for index in range(network.num_inputs):
        port = network.get_input(index)
        rest = tuple(port.shape)[1:]
        one, all_modes = ((1,), (MAX_MODES,)) if port.name == "mode" else (rest, rest)
        profile.set_shape(port.name, (1, *one), (max_batch, *one), (max_batch, *all_modes))
    return profile
