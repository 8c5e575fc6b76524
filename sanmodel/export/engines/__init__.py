"""TensorRT engines: a further builder is a new module here, registered in ``ENGINE_BUILDERS``."""

from dataclasses import dataclass
from typing import Protocol

from sanmodel.registry import Registry


@dataclass(frozen=True)
class Engine:
    """A serialized engine and what it takes to run it.

    Attributes:
        kind: Name of the builder.
        content: The serialized engine.
        library: Name and version of the library that made it, the only one that can run it.
        gpu_targets: Compute capabilities of the GPUs that can run it.
    """

    kind: str
    content: bytes
    library: str
    gpu_targets: tuple[str, ...]


class EngineBuilder(Protocol):
    """Turns an ONNX file into an engine.

    Attributes:
        rank: Of all builders that can build here, the one with the lowest rank does.
    """

    rank: int

    def obstacle(self) -> str | None:
        """Return why this builder cannot build on this machine, or None if it can."""
        ...

    def build(self, onnx: bytes, max_batch: int) -> Engine:
        """Build an engine for batches of 1 to ``max_batch``, computing in the types of the file.

        Raises:
            SanError: If the library cannot parse or build the graph.
        """
        ...


ENGINE_BUILDERS: Registry[type[EngineBuilder]] = Registry("engine builder", __name__)


def choose_builder() -> tuple[EngineBuilder | None, str]:
    """Return the preferred builder that can build here.

    Returns:
        The builder and what keeps each better one from building, in words; None if there is no
        builder that can build here.
    """
    builders = {name: ENGINE_BUILDERS.get(name)() for name in ENGINE_BUILDERS.names()}
    obstacles: list[str] = []
    for name, builder in sorted(builders.items(), key=lambda item: item[1].rank):
        obstacle = builder.obstacle()
        if obstacle is None:
            return builder, "; ".join(obstacles)
        obstacles.append(f"{name}: {obstacle}")
    return None, "; ".join(obstacles)
