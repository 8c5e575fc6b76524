"""A stage as it runs: its times, and the loss curves of a training while it goes on."""

import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from os import environ
from types import TracebackType
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from sanmodel.errors import SanError
from sanmodel.observer import SILENT, Observer
from sanmodel.paths import Paths
from sanmodel.settings import Schedule, Settings
from sanmodel.tracking.figures import flatten, loss_names
from sanmodel.tracking.location import PIPELINE_RUN, reason
from sanmodel.tracking.memory import remember_stage
from sanmodel.tracking.spool import Spool, new_spool

if TYPE_CHECKING:
    from sanmodel.tracking.store import Store

SECONDS = 2.0
"""Least time between two items of losses: a request costs about 0.03 s with SQLite."""

AGAIN = 10.0
"""Seconds until a server that did not answer is asked again."""

GOODBYE = 5.0
"""Seconds that a training which has ended waits for what is still to be delivered."""

SPEED = "images_per_second"
"""Name of the metric."""


class LiveRun(Observer):
    """Shows a training in MLflow while it runs; nothing that MLflow does stops or slows it.

    Use it as a context manager around the stage. What there is to say goes to a spool on disk; a
    thread delivers it. What MLflow has not taken when the training ends waits there for
    ``san track --resume``.

    Args:
        stage: Name of the stage.
        settings: All settings; the stage's own are logged.
        paths: The work tree.
        listener: Hears why something waits, if it does.
    """

    def __init__(
        self, stage: str, settings: Settings, paths: Paths, listener: Observer = SILENT
    ) -> None:
        self._stage, self._settings, self._paths = stage, settings, paths
        self._listener = listener
        self._spool: Spool = new_spool(paths)
        self._waiting: dict[int, dict[str, float]] = {}
        self._speed: dict[str, float] = {}
        self._kept = time.monotonic()
        self._news, self._over, self._told = threading.Event(), threading.Event(), False
        self._until = 0.0
        self._run_id: str | None = None
        self._store: Store | None = None
        self._thread = threading.Thread(target=self._deliver, daemon=True)

    @property
    def run_id(self) -> str | None:
        """The run, or None if MLflow has not opened it yet."""
        return self._run_id

    @property
    def spool(self) -> str:
        """Name of the spool."""
        return self._spool.name

    def __enter__(self) -> "LiveRun":
        content = self._settings.model_dump(by_alias=True)
        params = {name: content[name] for name in ("attribute", "seed", "trainer", self._stage)}
        parent = environ.get(PIPELINE_RUN)
        self._add("open", stage=self._stage, params=flatten(params), parent=parent)
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._keep()
        status = "FINISHED" if error is None else "FAILED"
        if isinstance(error, KeyboardInterrupt):
            status = "KILLED"
        self._add("finish", status=status)
        self._until = time.monotonic() + GOODBYE
        self._over.set()
        self._news.set()
        self._thread.join(GOODBYE)
        if self._spool.folder.exists():
            self._unharmed(self._spool.leave)

    def losses(self, step: int, terms: Mapping[str, float]) -> None:
        """See :meth:`Observer.losses`; sent to MLflow together with those of the last seconds."""
        self._waiting[step] = loss_names(terms) | self._speed
        self._speed = {}
        if time.monotonic() - self._kept >= SECONDS:
            self._keep()

    def speed(self, images_per_second: float) -> None:
        """See :meth:`Observer.speed`; sent together with the losses."""
        self._speed = {SPEED: images_per_second}

    def picture(self, name: str, step: int, array: NDArray[np.uint8]) -> None:
        """See :meth:`Observer.picture`; MLflow shows those of one name with a slider of steps."""
        content = {"name": name, "step": step, "made": _now()}
        self._unharmed(lambda: self._spool.add_picture(content, array))

    def _keep(self) -> None:
        """Put the losses of the last seconds into the spool."""
        if self._waiting:
            self._add("steps", steps=self._waiting)
        self._waiting = {}
        self._kept = time.monotonic()

    def _add(self, kind: str, **content: Any) -> None:
        self._unharmed(lambda: self._spool.add(kind, {**content, "made": _now()}))

    def _unharmed(self, keep: Callable[[], None]) -> None:
        """Keep something in the spool; a disk that is full does not stop the training."""
        try:
            keep()
        except (SanError, OSError) as error:
            self._tell(f"its live curves are incomplete: {error}")
        self._news.set()

    def _deliver(self) -> None:
        """Deliver until the training is over and nothing waits, or it has waited long enough."""
        while True:
            over = self._over.is_set()
            self._news.clear()
            delivered = self._try()
            if over and delivered:
                self._spool.remove()
                return
            if delivered:
                self._news.wait()
            elif not over:
                self._over.wait(AGAIN)
            elif time.monotonic() > self._until:
                return
            else:
                time.sleep(min(AGAIN, 1))

    def _try(self) -> bool:
        """Deliver what waits; False if MLflow does not take it now, which is told once."""
        from sanmodel.tracking.delivery import RefusedError, deliver
        from sanmodel.tracking.store import open_store

        try:
            if self._store is None:
                self._store = open_store(self._paths.root, self._settings)
            deliver(self._spool, self._store)
            self._run_id = self._spool.run_id
        except RefusedError as error:
            self._tell(f"MLflow refuses the run: {error}")
        except Exception as error:
            self._tell(
                f"MLflow takes nothing now ({reason(error)}): it waits in .san/spool for it, or for"
                " `san track --resume`"
            )
            return False
        return True

    def _tell(self, text: str) -> None:
        if not self._told:
            self._listener.note(f"{self._stage} goes on. {text}")
        self._told = True


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
    started = _now()
    if isinstance(getattr(settings, stage, None), Schedule):
        with LiveRun(stage, settings, paths, listener) as live:
            yield live
        remember_stage(paths, stage, (started, _now()), live.run_id, live.spool)
    else:
        yield SILENT
        remember_stage(paths, stage, (started, _now()))


def _now() -> int:
    """Return milliseconds since 1970."""
    return time.time_ns() // 1_000_000
