from pathlib import Path

import pytest

from sanmodel.errors import SanError
from sanmodel.photos.inputs import jobs_of


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    for name in ("a.jpg", "b.PNG", "notes.txt", "deep/c.webp", "deep/a.jpg", "film.mp4"):
        path = tmp_path / "photos" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()
    return tmp_path / "photos"


def named(*arguments: str) -> list[tuple[str, str]]:
    return [(str(job.source), str(job.name)) for job in jobs_of(arguments)]


def test_a_folder_gives_all_photos_and_videos_below_it(folder: Path) -> None:
    assert named("photos") == [
        ("photos/a.jpg", "a"),
        ("photos/b.PNG", "b"),
        ("photos/deep/a.jpg", "deep/a"),
        ("photos/deep/c.webp", "deep/c"),
        ("photos/film.mp4", "film"),
    ]
    assert [job.is_video for job in jobs_of(["photos"])] == [False] * 4 + [True]


def test_a_pattern_gives_the_files_that_match(folder: Path) -> None:
    assert named("photos/*.jpg") == [("photos/a.jpg", "a")]
    assert len(named("photos/**/*.jpg")) == 2
    with pytest.raises(SanError, match=r"no file matches photos/\*\.gif: check the pattern"):
        jobs_of(["photos/*.gif"])


def test_a_file_that_is_named_twice_is_done_once(folder: Path) -> None:
    assert named("photos/a.jpg", "photos/*.jpg", str(folder / "a.jpg")) == [("photos/a.jpg", "a")]


def test_a_name_with_brackets_is_a_file_if_it_is_there(folder: Path) -> None:
    (folder / "x[1].jpg").touch()
    assert named("photos/x[1].jpg") == [("photos/x[1].jpg", "x[1]")]


def test_a_missing_file_is_left_to_whoever_opens_it() -> None:
    assert named("nowhere.jpg") == [("nowhere.jpg", "nowhere")]


def test_a_table_names_photos_and_perhaps_their_class(folder: Path) -> None:
    (folder / "list.csv").write_text("photo,attribute\na.jpg,male\ndeep/c.webp,\n../d.jpg,no\n")
    jobs = jobs_of(["photos/list.csv"])
    assert [(str(job.source), str(job.name), job.word) for job in jobs] == [
        ("photos/a.jpg", "a", "male"),
        ("photos/deep/c.webp", "deep/c", None),
        ("photos/../d.jpg", "d", "no"),
    ]


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"name\na.jpg\n", "has no column photo, or no row"),
        (b"photo\n", "has no column photo, or no row"),
        (b"photo,attribute\n,male\n", "line 2, names no photo: fill it in"),
        (b"\xff\xfe\x00", "cannot be read as a table"),
    ],
)
def test_a_table_that_cannot_be_used_is_said(folder: Path, content: bytes, message: str) -> None:
    (folder / "list.csv").write_bytes(content)
    with pytest.raises(SanError, match=message):
        jobs_of(["photos/list.csv"])


def test_a_folder_without_photos_is_said(tmp_path: Path) -> None:
    with pytest.raises(SanError, match="holds no photo: name a folder"):
        jobs_of([str(tmp_path)])
