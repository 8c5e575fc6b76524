import io
from pathlib import Path

import numpy as np
import pytest
from PIL import ExifTags, Image, ImageCms

from sanmodel.errors import SanError
from sanmodel.photos.pictures import open_photo, write_photo


@pytest.fixture
def photo(tmp_path: Path) -> Path:
    """A turned JPEG with a place, a thumbnail, an owner's note, a date and a profile."""
    thumbnail = io.BytesIO()
    Image.new("RGB", (16, 16), "red").save(thumbnail, "JPEG")
    exif = Image.Exif()
    exif[ExifTags.Base.Orientation] = 6
    exif[ExifTags.Base.Make] = "Maker"
    exif[ExifTags.Base.ImageDescription] = "Ann at the lake"
    details = exif.get_ifd(ExifTags.IFD.Exif)
    details[ExifTags.Base.DateTimeOriginal] = "2026:11:24 10:00:00"
    details[ExifTags.Base.MakerNote] = thumbnail.getvalue()
    exif.get_ifd(ExifTags.IFD.GPSInfo)[ExifTags.GPS.GPSLatitude] = (52.0, 31.0, 12.0)
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    path = tmp_path / "photo.jpg"
    pixels = np.random.default_rng(1).integers(0, 256, (40, 60, 3), dtype=np.uint8)
    Image.fromarray(pixels).save(path, "JPEG", exif=exif, icc_profile=profile, comment=b"Ann")
    return path


def written(photo: Path, keep_location: bool = False) -> Image.Image:
    opened = open_photo(photo, keep_location)
    out = photo.with_name(f"out{opened.ending}")
    write_photo(out, opened.pixels, opened)
    assert sorted(path.name for path in photo.parent.iterdir()) == [out.name, photo.name]
    return Image.open(out)


def test_the_picture_stands_upright_and_its_metadata_says_so(photo: Path) -> None:
    found = written(photo)
    assert (found.format, found.size) == ("JPEG", (40, 60))
    assert ExifTags.Base.Orientation not in found.getexif()
    upright = np.asarray(Image.open(photo).transpose(Image.Transpose.ROTATE_270)).astype(int)
    assert np.abs(np.asarray(found) - upright).mean() < 4


def test_place_thumbnail_and_words_go_and_date_camera_and_colours_stay(photo: Path) -> None:
    found = written(photo)
    exif = found.getexif()
    assert dict(exif.get_ifd(ExifTags.IFD.GPSInfo)) == {}
    assert exif[ExifTags.Base.Make] == "Maker"
    details = exif.get_ifd(ExifTags.IFD.Exif)
    assert details == {ExifTags.Base.DateTimeOriginal: "2026:11:24 10:00:00"}
    assert found.info["icc_profile"] == Image.open(photo).info["icc_profile"]
    content = photo.with_name("out.jpg").read_bytes()
    assert b"Ann" not in content
    assert content.count(b"\xff\xd8\xff") == 1  # one picture, no thumbnail


def test_the_place_stays_if_it_is_asked_for(photo: Path) -> None:
    place = written(photo, keep_location=True).getexif().get_ifd(ExifTags.IFD.GPSInfo)
    assert place[ExifTags.GPS.GPSLatitude] == (52.0, 31.0, 12.0)


@pytest.mark.parametrize(
    ("kind", "expected"),
    [("PNG", "PNG"), ("WEBP", "WEBP"), ("TIFF", "TIFF"), ("BMP", "PNG"), ("GIF", "PNG")],
)
def test_formats_stay_where_they_can(tmp_path: Path, kind: str, expected: str) -> None:
    path = tmp_path / "photo"
    Image.new("RGB", (30, 20), "green").save(path, kind)
    assert written(path).format == expected


def test_a_file_that_cannot_be_written_leaves_the_old_one(photo: Path) -> None:
    opened = open_photo(photo)
    with pytest.raises(SanError, match="cannot be written"):
        write_photo(photo / "below" / "out.jpg", opened.pixels, opened)
    with pytest.raises(SanError, match=r"nowhere\.jpg is missing: check its name"):
        open_photo(photo.with_name("nowhere.jpg"))
    with pytest.raises(SanError, match="cannot be read"):
        open_photo(photo.parent)
