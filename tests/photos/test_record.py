from pathlib import Path

from sanmodel.photos.inputs import Job
from sanmodel.photos.record import FILE, Entry, Record, state_of


def job(folder: Path, name: str = "a") -> Job:
    path = folder / f"{name}.jpg"
    path.write_bytes(b"photo")
    return Job(path, Path(name))


def done(folder: Path, one: Job, output: str = "out.jpg") -> str:
    state = state_of(one.source, "asked")
    (folder / "out.jpg").touch()
    record = Record(folder)
    record.begin([one])
    record.add([Entry(str(one.source), state, 1, output=output)])
    return state


def test_a_photo_is_done_if_nothing_changed_and_its_output_is_there(tmp_path: Path) -> None:
    one = job(tmp_path)
    state = done(tmp_path, one)
    assert Record(tmp_path).is_done(one, state)
    assert not Record(tmp_path).is_done(one, state_of(one.source, "asked otherwise"))
    assert not Record(tmp_path).is_done(job(tmp_path, "b"), state)
    (tmp_path / "out.jpg").unlink()
    assert not Record(tmp_path).is_done(one, state)


def test_a_photo_that_changed_is_done_again(tmp_path: Path) -> None:
    one = job(tmp_path)
    done(tmp_path, one)
    one.source.write_bytes(b"another photo")
    assert not Record(tmp_path).is_done(one, state_of(one.source, "asked"))


def test_a_photo_that_failed_is_tried_again(tmp_path: Path) -> None:
    one = job(tmp_path)
    state = done(tmp_path, one, output="")
    assert not Record(tmp_path).is_done(one, state)


def test_a_row_that_was_cut_short_is_dropped_and_the_others_stay(tmp_path: Path) -> None:
    one, other = job(tmp_path), job(tmp_path, "b")
    state = done(tmp_path, one)
    path = tmp_path / FILE
    path.write_text(path.read_text() + f"{other.source},12")
    record = Record(tmp_path)
    assert record.is_done(one, state)
    record.begin([other])
    record.add([Entry(str(other.source), "state", note='of "two", lines\nof text')])
    lines = path.read_text().splitlines()
    assert lines[0].startswith("photo,state,face,left")
    assert len(lines) == 4  # one entry has two lines
    assert Record(tmp_path).is_done(one, state)


def test_a_file_that_is_no_table_is_begun_anew(tmp_path: Path) -> None:
    (tmp_path / FILE).write_bytes(b"\xff\xfe\x00")
    one = job(tmp_path)
    state = done(tmp_path, one)
    assert Record(tmp_path).is_done(one, state)
