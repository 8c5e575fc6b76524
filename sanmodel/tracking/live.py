"""A stage as it runs: its times, and the loss curves of a training while it goes on."""

import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from os import environ
from types import TracebackType
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from sanmodel.observer import SILENT, Observer
from sanmodel.paths import Paths
from sanmodel.settings import Schedule, Settings
from sanmodel.tracking.figures import flatten, loss_names
from sanmodel.tracking.location import PIPELINE_RUN, reason
from sanmodel.tracking.memory import remember_stage

if TYPE_CHECKING:
    from sanmodel.tracking.store import Store

SECONDS = 2.0
"""Least time between two requests: a request costs about 0.03 s with SQLite."""

SPEED = "images_per_second"
"""Name of the metric."""


class LiveRun(Observer):
    """Shows a training in MLflow while it runs; nothing that MLflow does stops the training.

    Use it as a context manager around the stage. Without a server (or when it goes away) there is
    no live curve; filing the pipeline adds what is missing from the curve file.

    Args:
        stage: Name of the stage.
        settings: All settings; the stage's own are logged.
        paths: The work tree.
        listener: Hears why there are no live curves, if there are none.

    Attributes:
        run_id: The run, or None if it could not be opened.
    """

    def __init__(
        self, stage: str, settings: Settings, paths: Paths, listener: Observer = SILENT
    ) -> None:
        self.run_id: str | None = None
        self._stage, self._settings, self._paths = stage, settings, paths
        self._listener = listener
        self._store: Store | None = None
        self._waiting: dict[int, dict[str, float]] = {}
        self._speed: dict[str, float] = {}
        self._sent = time.monotonic()

    def __enter__(self) -> "LiveRun":
        self._unharmed(self._open)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._unharmed(self._send)
        status = "FINISHED" if error is None else "FAILED"
        if isinstance(error, KeyboardInterrupt):
            status = "KILLED"
        self._unharmed(lambda: self._finish(status))

    def losses(self, step: int, terms: Mapping[str, float]) -> None:
        """See :meth:`Observer.losses`; sent to MLflow together with those of the last seconds."""
        self._waiting[step] = loss_names(terms) | self._speed
        self._speed = {}
        if time.monotonic() - self._sent >= SECONDS:
            self._unharmed(self._send)

    def speed(self, images_per_second: float) -> None:
        """See :meth:`Observer.speed`; sent together with the losses."""
        self._speed = {SPEED: images_per_second}

    def picture(self, name: str, step: int, array: NDArray[np.uint8]) -> None:
        """See :meth:`Observer.picture`; MLflow shows those of one name with a slider of steps."""

        def send() -> None:
            if self._store and self.run_id:
                self._store.client.log_image(self.run_id, array, key=name, step=step)

        self._unharmed(send)

    def _open(self) -> None:
        from sanmodel.tracking.store import open_store

        store = open_store(self._paths.root, self._settings)
        content = self._settings.model_dump(by_alias=True)
        params = {name: content[name] for name in ("attribute", "seed", "trainer", self._stage)}
        self.run_id = store.start(self._stage, environ.get(PIPELINE_RUN))
        self._store = store
        store.log(self.run_id, params=flatten(params), tags={"san.stage": self._stage})

    def _send(self) -> None:
        if self._store and self.run_id:
            self._store.log_steps(self.run_id, self._waiting, time.time_ns() // 1_000_000)
        self._waiting = {}
        self._sent = time.monotonic()

    def _finish(self, status: str) -> None:
        if self._store and self.run_id:
            self._store.finish(self.run_id, status)

    def _unharmed(self, action: Callable[[], None]) -> None:
        """Do ``action``; if it fails in any way, say so and leave MLflow alone from now on."""
        try:
            action()
        except Exception as error:
            self._store = None
            self._listener.note(
                f"{self._stage} goes on without live curves in MLflow: {reason(error)}"
            )


@contextmanager
def tracked(
    stage: str, settings: Settings, paths: Paths, listener: Observer = SILENT
) -> Iterator[Observer]:
    """Surround the run of any stage; yields the observer that it should report its losses to.

    A stage that trains is shown live. Of every stage that ends well it is remembered that it ran
    and when, until the pipeline is filed.

    Args:
        stage: Name of the stage.
        settings: All settings.
        paths: The work tree.
        listener: Hears why there are no live curves, if there are none.
    """
    started = time.time_ns() // 1_000_000
    live = LiveRun(stage, settings, paths, listener)
    if isinstance(getattr(settings, stage, None), Schedule):
        with live:
            yield live
    else:
        yield SILENT
    remember_stage(paths, stage, (started, time.time_ns() // 1_000_000), live.run_id)
