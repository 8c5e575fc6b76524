"""What the TensorRT libraries have in common: they share one Python interface."""

import importlib
from typing import Any

from sanmodel.errors import SanError


def missing(library: str) -> str | None:
    """Return why a library cannot be imported, or None if it can."""
    try:
        importlib.import_module(library)
    except ModuleNotFoundError:
        return f"the package {library} is not installed"
    except (ImportError, OSError) as error:  # its shared libraries do not fit this machine
        return f"the package {library} cannot be loaded ({error})"
    return None


def serialize(trt: Any, onnx: bytes, max_batch: int) -> bytes:
    """Parse an ONNX file and build an engine from it.

    Args:
        trt: The module ``tensorrt`` or ``tensorrt_rtx``.
        onnx: Content of the ONNX file.
        max_batch: Largest batch.

    Returns:
        The serialized engine.

    Raises:
        SanError: If the library cannot parse or build the graph.
    """
    builder = trt.Builder(trt.Logger(trt.Logger.ERROR))
    network = builder.create_network(0)
    _parse(trt, network, builder.logger, onnx)
    config = builder.create_builder_config()
    # TF32 keeps 10 bits of the mantissa: outputs would miss the tolerance of the export.
    config.clear_flag(trt.BuilderFlag.TF32)
    config.add_optimization_profile(_batches(builder, network, max_batch))
    engine = builder.build_serialized_network(network, config)
    if engine is None:
        raise SanError(
            f"{trt.__name__} {trt.__version__} could not build an engine:"
            " set export.tensorrt to off to export the ONNX file alone"
        )
    return bytes(engine)


def _parse(trt: Any, network: Any, logger: Any, onnx: bytes) -> None:
    """Fill a network from an ONNX file."""
    parser = trt.OnnxParser(network, logger)
    if not parser.parse(onnx):
        problems = "; ".join(parser.get_error(i).desc() for i in range(parser.num_errors))
        raise SanError(
            f"{trt.__name__} {trt.__version__} cannot read the ONNX graph ({problems}):"
            " try another export.opset or set export.tensorrt to off"
        )


def _batches(builder: Any, network: Any, max_batch: int) -> Any:
    """Allow batches of 1 to ``max_batch``; the engine is tuned for the largest."""
    profile = builder.create_optimization_profile()
    for index in range(network.num_inputs):
        port = network.get_input(index)
        smallest, largest = ((size, *tuple(port.shape)[1:]) for size in (1, max_batch))
        profile.set_shape(port.name, smallest, largest, largest)
    return profile
