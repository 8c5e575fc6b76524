"""What the handlers of requests share: the model, the threads, and the gate before them."""

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TypeVar

from sanmodel.photos.perturbing import FaceFinder, FaceModel
from sanmodel.runtime.classifier import KIND
from sanmodel.runtime.manifest import read_manifest
from sanmodel.serving.batching import Batcher
from sanmodel.serving.face_work import FaceWork, Granted, Wish
from sanmodel.serving.finding import Finding, Found
from sanmodel.serving.matching import Matching
from sanmodel.serving.measures import Measures
from sanmodel.serving.refusals import RefusedError, not_ready, overloaded
from sanmodel.serving.settings import ServeSettings

T = TypeVar("T")


def unheard() -> None:
    """Take no notice."""


class Service:
    """Works on photos for many requests at once.

    Photos are decoded and searched by a few threads; the model belongs to one thread more, which
    takes the faces of several requests together.

    Args:
        settings: Limits.
        folder: Export folder of the model.

    Raises:
        SanError: If the folder is no export folder.
    """

    def __init__(self, settings: ServeSettings, folder: Path) -> None:
        self.settings, self.measures = settings, Measures()
        manifest = read_manifest(folder)
        self._folder, self._crop = folder, manifest.crop
        self.attribute = manifest.attribute
        self.reads = KIND in {file.kind for file in manifest.files}
        self.matching = Matching(settings.match)
        self.failed: Callable[[], None] = unheard
        """Called if the model cannot be loaded, in the thread that tried."""
        self._finding = Finding(settings, self._crop)
        self._pool = ThreadPoolExecutor(settings.workers, "photo")
        self._model = Batcher[Wish, Granted](
            self._open, settings.max_batch, settings.max_waiting, settings.gather, self._heard
        )
        self._in_work = 0
        # Decoded photos are large: no more of them are held than fill a batch.
        self._decoded = asyncio.Semaphore(settings.max_batch)
        watch = self.measures.watch
        watch("san_requests_in_work", "Photos in work or waiting.", lambda: self._in_work)
        watch(
            "san_queue_requests", "Requests that wait for the model.", lambda: self._model.waiting
        )

    def start(self) -> None:
        """Begin to load the model."""
        self._model.opened.add_done_callback(self._tell_failure)
        self._model.start()

    def stop(self) -> None:
        """Finish what was taken and end all threads."""
        self._pool.shutdown()
        self._model.stop()

    @property
    def ready(self) -> bool:
        """Whether the model is loaded."""
        return self._model.opened.done() and self.failure is None

    @property
    def failure(self) -> BaseException | None:
        """Why the model cannot be loaded; None if it can or the loading goes on."""
        return self._model.opened.exception() if self._model.opened.done() else None

    @asynccontextmanager
    async def admitted(self) -> AsyncIterator[None]:
        """Hold one of the places for requests, for as long as the block takes.

        Raises:
            RefusedError: If none is free, the model is not loaded, or the time is up.
        """
        if not self.ready:
            raise not_ready()
        if self._in_work >= self.settings.max_waiting:
            raise overloaded()
        self._in_work += 1
        try:
            async with asyncio.timeout(self.settings.timeout):
                yield
        except TimeoutError as error:
            limit = self.settings.timeout
            raise RefusedError(
                504, f"the photo took longer than {limit:g} seconds: try again, or a smaller one"
            ) from error
        finally:
            self._in_work -= 1

    @asynccontextmanager
    async def found(self, content: bytes) -> AsyncIterator[Found]:
        """Decode a photo and find its faces; the photo may be held for as long as the block takes.

        Raises:
            SanError: See :meth:`sanmodel.serving.finding.Finding.find`.
        """
        async with self._decoded:
            yield await self.in_pool(lambda: self._finding.find(content))

    async def grant(self, wishes: Sequence[Wish]) -> list[Granted]:
        """Let the model work, together with the wishes of other requests.

        Raises:
            RefusedError: If too many wait, or no classifier can tell a class that is not told.
        """
        if not self.reads and any(wish.told is None for wish in wishes):
            raise RefusedError(
                422,
                "this model has no classifier to tell the class of a face: say it with attribute=",
            )
        return await asyncio.wrap_future(self._model.submit(wishes))

    async def in_pool(self, work: Callable[[], T]) -> T:
        """Do something slow in a thread."""
        return await asyncio.get_running_loop().run_in_executor(self._pool, work)

    def _open(self) -> FaceWork:
        FaceFinder(self._crop, self.settings.detector)  # a detector that lacks is heard of now
        return FaceWork(FaceModel(self._folder), self.settings.least_confidence)

    def _heard(self, crops: int) -> None:
        self.measures.batch(crops)

    def _tell_failure(self, opened: Future[None]) -> None:
        if opened.exception() is not None:
            self.failed()
