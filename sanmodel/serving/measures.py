"""Figures of the server for Prometheus, and the count that tells of a clean stop."""

from collections.abc import Callable

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest

SECONDS = (0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30)
CROPS = (1, 2, 4, 8, 16, 32, 64)


class Measures:
    """What the server counts.

    Attributes:
        taken: Photos that were sent to be worked on, whatever became of them.
        answered: How many of these got a whole answer.
        left: How many of these went away before it.
    """

    def __init__(self) -> None:
        self.taken = self.answered = self.left = 0
        self._registry = CollectorRegistry()
        self._requests = Counter(
            "san_requests", "Requests.", ("path", "status"), registry=self._registry
        )
        self._seconds = Histogram(
            "san_request_seconds",
            "Time from the head of a request to its answer.",
            ("path",),
            registry=self._registry,
            buckets=SECONDS,
        )
        self._faces = Counter("san_faces", "Faces perturbed.", registry=self._registry)
        self._skipped = Counter(
            "san_faces_skipped", "Faces too small to perturb.", registry=self._registry
        )
        self._batches = Histogram(
            "san_batch_crops",
            "Crops that the model was given at a time.",
            registry=self._registry,
            buckets=CROPS,
        )

    def watch(self, name: str, about: str, count: Callable[[], float]) -> None:
        """Show a number that is asked for when the figures are."""
        Gauge(name, about, registry=self._registry).set_function(count)

    def request(self, path: str, status: int, seconds: float) -> None:
        """Count a request."""
        self._requests.labels(path, str(status)).inc()
        self._seconds.labels(path).observe(seconds)

    def faces(self, perturbed: int, skipped: int) -> None:
        """Count the faces of a photo."""
        self._faces.inc(perturbed)
        self._skipped.inc(skipped)

    def batch(self, crops: int) -> None:
        """Count a batch."""
        self._batches.observe(crops)

    def text(self) -> bytes:
        """Return all figures in Prometheus's text format."""
        return generate_latest(self._registry)
