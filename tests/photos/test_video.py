from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from small import PROJECT

from sanmodel.builtin import builtin_model
from sanmodel.photos.inputs import jobs_of
from sanmodel.photos.running import run
from sanmodel.photos.work import Done, Order

av = pytest.importorskip("av", reason="the extra video is not installed")

PHOTO = PROJECT / "data/sample/photos/000001.jpg"
FRAMES, RATE = 6, 10


def film(path: Path) -> Path:
    """A face that moves to the right, with a tone."""
    with Image.open(PHOTO) as image, av.open(str(path), "w") as out:
        out.metadata["location"] = "+52.52+013.40/"
        picture, sound = out.add_stream("libx264", rate=RATE), out.add_stream("aac", rate=16000)
        picture.width, picture.height, picture.pix_fmt = 360, 320, "yuv420p"
        for number in range(FRAMES):
            page = Image.new("RGB", (360, 320), "grey")
            page.paste(image, (4 * number, 0))
            out.mux(picture.encode(av.VideoFrame.from_image(page)))
        tone = (8000 * np.sin(np.arange(9600) / 5)).astype(np.int16)[None]
        frame = av.AudioFrame.from_ndarray(tone, format="s16", layout="mono")
        frame.rate = 16000
        out.mux(sound.encode(frame))
        out.mux(sound.encode())
        out.mux(picture.encode())
    return path


def perturb(path: Path, out: Path) -> Done:
    found: list[Done] = []
    order = Order(
        builtin_model("Male"), out, "auto", detector="dlib", runtime="onnxruntime", precision="fp32"
    )
    run(jobs_of([str(path)]), order, None, lambda _, one: found.append(one))
    return found[0]


def test_a_face_is_perturbed_in_every_frame_and_the_sound_stays(tmp_path: Path) -> None:
    done = perturb(film(tmp_path / "film.mov"), tmp_path / "out")
    assert done.problem is None
    (entry,) = done.entries  # one face, followed through the frames
    assert (entry.output, entry.attribute) == ("film.mp4", "male")
    with (
        av.open(str(tmp_path / "film.mov")) as before,
        av.open(str(tmp_path / "out/film.mp4")) as after,
    ):
        assert "location" not in after.metadata
        assert len(after.streams.audio) == 1
        pairs = list(zip(before.decode(video=0), after.decode(video=0), strict=True))
        assert len(pairs) == FRAMES
        for old, new in pairs:
            assert old.time == pytest.approx(new.time, abs=1e-3)
            change = np.abs(
                old.to_ndarray(format="gray").astype(int) - new.to_ndarray(format="gray")
            )
            assert change[100:240, 120:280].mean() > 4
            assert change[:30].mean() < 3
    with av.open(str(tmp_path / "out/film.mp4")) as after:
        assert sum(frame.samples for frame in after.decode(audio=0)) >= 9600


def test_what_is_no_video_is_said(tmp_path: Path) -> None:
    (tmp_path / "film.mp4").write_bytes(b"no film")
    done = perturb(tmp_path / "film.mp4", tmp_path / "out")
    assert "film.mp4 is no video, or damaged" in str(done.problem)
    assert [path.name for path in (tmp_path / "out").iterdir()] == ["faces.csv"]
