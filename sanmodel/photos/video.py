"""A video, frame by frame; its sound is kept, what its file says of place and time is not."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np

from sanmodel.detection import Face
from sanmodel.detection.search import Box, overlap
from sanmodel.errors import SanError
from sanmodel.files import atomic_file
from sanmodel.images import Picture
from sanmodel.photos.deciding import Decision, decide, label_of
from sanmodel.photos.inputs import Job
from sanmodel.photos.perturbing import FoundFace, PhotoPerturber, put_back
from sanmodel.photos.record import Entry, state_of
from sanmodel.photos.work import Done, Order, entry_of, output_of
from sanmodel.photos.work import Face as SeenFace

SAME_PERSON = 0.3
"""Intersection over union from which a face is taken for the one in the frame before."""

FORGOTTEN = 12
"""Frames after which a face that is not found again is another person's."""

DEFAULT_RATE = Fraction(25)

UNDECIDED = Decision(0, None, 0.0)
"""Of a face that was found and not yet read."""


@dataclass
class Track:
    """A face through the frames.

    Attributes:
        box: Where it was last.
        frame: When.
        decision: How it is perturbed.
        read: Probabilities of having the attribute that were read so far.
    """

    box: Face
    frame: int
    decision: Decision
    read: list[float] = field(default_factory=list)


def perturb_video(job: Job, order: Order, perturber: PhotoPerturber) -> Done:
    """Perturb all faces of a video; errors as of :func:`sanmodel.photos.work.work`.

    The class of a face is read again in each frame and the mean taken, so that it does not flicker.
    """
    state = state_of(job.source, order.asked)
    try:
        path = output_of(job, order, ".mp4")
        with atomic_file(path) as partial:
            tracks = _perturbed(job, order, perturber, partial)
        if not tracks:
            raise SanError(f"no face was found in {job.source}: give a video with upright faces")
    except SanError as error:
        return Done([Entry(str(job.source), state, note=str(error))], str(error))
    entries = [
        entry_of(job, number, track.box, track.decision, path, order, perturber.attribute)
        for number, track in enumerate(tracks, start=1)
    ]
    return Done(entries, None, _seen(tracks))


def _seen(tracks: Sequence[Track]) -> list[SeenFace]:
    nothing = np.zeros((0, 0), np.uint8)
    return [SeenFace(nothing, nothing, (0, 0, 0, 0)) for _ in tracks]


def _perturbed(job: Job, order: Order, perturber: PhotoPerturber, out: Path) -> list[Track]:
    """Write the perturbed video; return its faces."""
    av = _library()
    told = label_of(job.word or order.word, perturber.attribute)
    tracks: list[Track] = []
    try:
        with av.open(str(job.source)) as source, av.open(str(out), "w", format="mp4") as target:
            writer = _Writer(source, target)
            for number, picture in enumerate(writer.pictures()):
                found = perturber.find(picture)
                found = found[:1] if order.largest_only else found
                decisions = _decided(found, tracks, number, told, order, perturber)
                writer.write(put_back(picture, perturber.perturb(found, decisions)))
            writer.end()
    except (av.FFmpegError, StopIteration) as error:
        raise SanError(f"{job.source} is no video, or damaged ({error}): replace it") from error
    return tracks


def _decided(
    found: Sequence[FoundFace],
    tracks: list[Track],
    frame: int,
    told: int | None,
    order: Order,
    perturber: PhotoPerturber,
) -> list[Decision]:
    """Follow faces from frame to frame and decide on each."""
    read = perturber.read(found) if told is None and found else np.zeros(len(found))
    decisions = []
    for face, probability in zip(found, read, strict=True):
        track = _track_of(face.box, tracks, frame)
        track.box, track.frame = face.box, frame
        track.read.append(float(probability))
        mean = [float(np.mean(track.read))]
        (track.decision,) = decide(told, mean, order.mode, order.least_confidence)
        decisions.append(track.decision)
    return decisions


def _track_of(box: Face, tracks: list[Track], frame: int) -> Track:
    """Return the track that a face goes on, a new one if there is none."""
    alive = [one for one in tracks if 0 < frame - one.frame <= FORGOTTEN]
    last = {id(one): Box(one.box.left, one.box.top, one.box.right, one.box.bottom) for one in alive}
    best = max(alive, key=lambda one: overlap(box, last[id(one)]), default=None)
    if best is None or overlap(box, last[id(best)]) < SAME_PERSON:
        best = Track(box, frame, UNDECIDED)
        tracks.append(best)
    return best


class _Writer:
    """Reads a video's frames and writes them again, with its sound.

    Args:
        source: PyAV's container.
        target: Likewise.
    """

    def __init__(self, source: Any, target: Any) -> None:
        if not source.streams.video:
            raise SanError(f"{source.name} has no picture: give a video")
        self._source, self._target = source, target
        self._video = source.streams.video[0]
        self._out: Any = None
        sounds = source.streams.audio[:1]
        self._sounds = {s.index: target.add_stream_from_template(s) for s in sounds}
        self._time: tuple[int | None, Any] = (None, None)

    def pictures(self) -> Iterator[Picture]:
        """Yield the frames, upright RGB; sound goes to the target meanwhile."""
        for packet in self._source.demux(self._video, *self._source.streams.audio[:1]):
            if packet.stream is not self._video:
                self._copy(packet)
                continue
            for frame in packet.decode():
                self._time = frame.pts, frame.time_base
                turns = round(frame.rotation / 90) % 4
                yield np.ascontiguousarray(np.rot90(frame.to_ndarray(format="rgb24"), turns))

    def write(self, picture: Picture) -> None:
        """Write a frame at the time of the one that was read last."""
        import av

        height, width = (side - side % 2 for side in picture.shape[:2])  # H.264 has no odd sides
        if self._out is None:
            self._out = self._target.add_stream(
                "libx264", rate=self._video.average_rate or DEFAULT_RATE, options={"crf": "18"}
            )
            self._out.width, self._out.height, self._out.pix_fmt = width, height, "yuv420p"
        even = np.ascontiguousarray(picture[:height, :width])
        frame = av.VideoFrame.from_ndarray(even, format="rgb24")
        frame.pts, frame.time_base = self._time
        self._target.mux(self._out.encode(frame))

    def end(self) -> None:
        """Write what the encoder still holds."""
        if self._out is not None:
            self._target.mux(self._out.encode())

    def _copy(self, packet: Any) -> None:
        out = self._sounds[packet.stream.index]
        if packet.dts is not None:
            packet.stream = out
            self._target.mux(packet)


def _library() -> Any:
    try:
        import av
    except ModuleNotFoundError as error:
        raise SanError(
            "a video needs PyAV, which the base install goes without: pip install 'sanmodel[video]'"
        ) from error
    return av
