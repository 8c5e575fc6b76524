"""Progress on the terminal: a bar where there is a screen, a line now and then in a log."""

from collections.abc import Mapping
from types import TracebackType

from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    SpinnerColumn,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)

from sanmodel.observer import Observer

LOG_LINES = 5
"""Lines that a task writes to a log."""


class TerminalObserver(Observer):
    """Shows tasks, speed and loss terms; use it as a context manager."""

    def __init__(self) -> None:
        self._console = Console(stderr=True, highlight=False)
        self._bar = Progress(
            SpinnerColumn(),
            TextColumn("{task.description}"),
            BarColumn(),
            MofNCompleteColumn(),
            TimeElapsedColumn(),
            TimeRemainingColumn(),
            TextColumn("{task.fields[speed]} {task.fields[losses]}"),
            console=self._console,
            disable=not self._console.is_terminal,
        )
        self._task = self._bar.add_task("", total=None, speed="", losses="", visible=False)
        self._name, self._done, self._total = "", 0, 0
        self._speed, self._losses = "", ""

    def __enter__(self) -> "TerminalObserver":
        self._bar.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._bar.stop()

    def start(self, task: str, total: int, done: int = 0) -> None:
        """See :meth:`sanmodel.observer.Observer.start`."""
        self._name, self._done, self._total = task, done, total
        self._speed, self._losses = "", ""
        self._bar.reset(self._task, description=task, total=total, completed=done, visible=True)
        self._bar.update(self._task, speed="", losses="")
        if done:
            self.note(f"{task}: going on after {done} of {total}")

    def advance(self, steps: int = 1) -> None:
        """See :meth:`sanmodel.observer.Observer.advance`."""
        before, self._done = self._done, self._done + steps
        self._bar.advance(self._task, steps)
        passed = self._done * LOG_LINES // max(self._total, 1)
        if not self._console.is_terminal and passed > before * LOG_LINES // max(self._total, 1):
            line = f"{self._name}: {self._done}/{self._total}", self._speed, self._losses
            self._console.print(*filter(None, line))

    def losses(self, step: int, terms: Mapping[str, float]) -> None:
        """See :meth:`sanmodel.observer.Observer.losses`."""
        self._losses = " ".join(f"{name}={value:.4g}" for name, value in terms.items())
        self._bar.update(self._task, losses=self._losses)

    def speed(self, images_per_second: float) -> None:
        """See :meth:`sanmodel.observer.Observer.speed`."""
        self._speed = f"{images_per_second:.4g} images/s"
        self._bar.update(self._task, speed=self._speed)

    def note(self, text: str) -> None:
        """See :meth:`sanmodel.observer.Observer.note`."""
        self._console.print(text, markup=False, soft_wrap=True)
