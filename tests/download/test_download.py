"""`san download` from end to end: fakes of the data sets, real servers, real archives."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import fake_sources as fakes
import pytest
from file_server import QUOTA_PAGE, Files

from sanmodel.download import download
from sanmodel.download.transfer import Patience
from sanmodel.errors import SanError
from sanmodel.sources import SOURCES, Archive, Item, Source, SourceFile

Get = Callable[..., tuple[int, int]]
ALIGNED = fakes.zipped(fakes.photos(fakes.CELEBA_NAMES, "img_align_celeba/"))
WILD = fakes.seven_zipped(fakes.photos(fakes.CELEBA_NAMES, "img_celeba/"))
CUTS = [len(WILD) * part // 14 for part in range(15)]
CELEBA_FILES = {
    **{name.rpartition("/")[2]: text.encode() for name, text in fakes.CELEBA_TEXTS.items()},
    "img_align_celeba.zip": ALIGNED,
    **{f"img_celeba.7z.{i + 1:03d}": WILD[CUTS[i] : CUTS[i + 1]] for i in range(14)},
}


def shrunk(item: Item, contents: dict[str, bytes], images: int) -> Item:
    """The entry of a published file, with size, checksum and rows of its small fake."""
    if isinstance(item, Archive):
        parts = [shrunk(part, contents, images) for part in item.parts]
        assert all(isinstance(part, SourceFile) for part in parts)
        count = None if item.images is None else images
        return replace(item, parts=tuple(parts), images=count)  # type: ignore[arg-type]
    content = contents[item.name]
    return replace(
        item,
        size=None if item.size is None else len(content),
        checksum=fakes.md5(content) if item.checksum else "",
        rows=None if item.rows is None else images,
    )


def shrink(name: str, contents: dict[str, bytes], images: int, total: int) -> Source:
    source = SOURCES.get(name)

    def each(items: tuple[Item, ...]) -> tuple[Item, ...]:
        return tuple(shrunk(item, contents, images) for item in items)

    variants = {variant: each(items) for variant, items in source.variants.items()}
    return replace(source, items=each(source.items), variants=variants, images=total)


CELEBA = shrink("celeba", CELEBA_FILES, 3, 3)
LFW_FILES = {
    **{name: text.encode() for name, text in fakes.LFW_LISTS.items()},
    "lfw.tgz": fakes.tarred(fakes.photos(fakes.LFW_NAMES, "lfw/")),
}
LFW = shrink("lfw", LFW_FILES, 3, 3)
MUCT_FILES = {
    **{
        f"muct-{camera}-jpg-v1.tar.gz": fakes.tarred({f"jpg/i000q{camera}-fn.jpg": fakes.photo(1)})
        for camera in "abcde"
    },
    "muct-landmarks-v1.tar.gz": fakes.tarred(
        {"muct-landmarks/muct76-opencv.csv": fakes.MUCT_POINTS.encode()}
    ),
}
MUCT = shrink("muct", MUCT_FILES, 1, 5)


@pytest.fixture
def get(server: str, tmp_path: Path, patience: Patience) -> Get:
    """Download from the mirror to a folder of the test's own."""

    def download_it(source: Source, variant: str = "", mirror: str = server) -> tuple[int, int]:
        return download(source, tmp_path / "data", mirror, variant, patience)

    return download_it


def serve(files: Files, contents: dict[str, bytes], prefix: str = "/") -> None:
    files.content.update({f"{prefix}{name}": content for name, content in contents.items()})


@pytest.mark.parametrize("variant", ["", "aligned", "wild"])
def test_celeba_comes_from_a_mirror(variant: str, get: Get, files: Files, tmp_path: Path):
    serve(files, CELEBA_FILES)
    assert get(CELEBA, variant) == (3, 2)
    images = "Img/img_celeba" if variant == "wild" else "Img/img_align_celeba"
    assert (tmp_path / "data" / images / "000003.jpg").read_bytes() == fakes.photo(2)
    assert not list((tmp_path / "data").rglob("*.part"))
    assert not list((tmp_path / "data").rglob(".*"))


def test_celeba_comes_from_google_drive(drive_files: Files, tmp_path: Path, patience: Patience):
    for item in (*CELEBA.items, *CELEBA.variants["aligned"]):
        for file in item.parts if isinstance(item, Archive) else (item,):
            drive_files.content[file.drive_id] = CELEBA_FILES[file.name]
    assert download(CELEBA, tmp_path / "data", patience=patience) == (3, 2)
    assert not list((tmp_path / "data").rglob("*.part"))


def test_a_used_up_quota_says_what_to_place_where(
    drive_files: Files, tmp_path: Path, patience: Patience
):
    drive_files.quota = {"0B7EVK8r0v71pblRyaVFSWGxPY0U"}
    with pytest.raises(SanError) as caught:
        download(CELEBA, tmp_path / "data", patience=patience)
    size = len(CELEBA_FILES["list_attr_celeba.txt"])
    checksum = fakes.md5(CELEBA_FILES["list_attr_celeba.txt"])
    assert str(caught.value) == (
        "Google Drive does not give it out now (too many downloads or no access):"
        f" get list_attr_celeba.txt ({size} bytes, {checksum})"
        " from https://drive.google.com/file/d/0B7EVK8r0v71pblRyaVFSWGxPY0U/view"
        f" and place it at {tmp_path}/data/Anno/list_attr_celeba.txt"
    )


def test_muct_and_lfw_come_by_url(get: Get, files: Files, tmp_path: Path):
    serve(files, MUCT_FILES)
    assert get(MUCT) == (5, 1)
    listing = MUCT.list_images(tmp_path / "data")
    assert listing["box_left"].notna().tolist() == [True, False, False, False, False]


def test_lfw_asks_for_the_lists_of_names_before_anything_is_downloaded(
    get: Get, files: Files, tmp_path: Path
):
    serve(files, {"lfw.tgz": LFW_FILES["lfw.tgz"]})
    with pytest.raises(SanError) as caught:
        get(LFW, mirror="")
    for name in ("male_names.txt", "female_names.txt"):
        assert f"get {name} (size not published) from http://bit.ly/lfw-gender" in str(caught.value)
        assert f"place it at {tmp_path}/data/{name}" in str(caught.value)
    assert files.asked == []
    fakes.write(tmp_path / "data", fakes.LFW_LISTS)
    assert get(LFW) == (3, 2)


def test_a_second_run_does_nothing(get: Get, files: Files, tmp_path: Path):
    serve(files, CELEBA_FILES)
    get(CELEBA)
    before = {path: path.stat().st_mtime_ns for path in (tmp_path / "data").rglob("*")}
    files.asked.clear()
    (tmp_path / "data/Img/img_align_celeba.zip").unlink()  # not needed any more
    assert get(CELEBA) == (3, 2)
    assert files.asked == []
    del before[tmp_path / "data/Img/img_align_celeba.zip"], before[tmp_path / "data/Img"]
    assert before == {path: path.stat().st_mtime_ns for path in before}


def test_what_was_placed_by_hand_is_used_wherever_in_the_folder(
    get: Get, files: Files, tmp_path: Path
):
    fakes.write(tmp_path / "data", CELEBA_FILES)
    assert get(CELEBA) == (3, 2)
    assert get(CELEBA, "wild") == (3, 2)
    assert files.asked == []
    assert (tmp_path / "data/Anno/list_attr_celeba.txt").exists()
    assert (tmp_path / "data/Img/img_celeba.7z/img_celeba.7z.014").exists()


def test_a_mirror_in_the_official_layout_serves_as_well(get: Get, files: Files):
    paths = {
        file.name: file.path
        for item in (*CELEBA.items, *CELEBA.variants["aligned"])
        for file in (item.parts if isinstance(item, Archive) else (item,))
    }
    serve(files, {path: CELEBA_FILES[name] for name, path in paths.items()})
    assert get(CELEBA) == (3, 2)


def test_a_missing_file_names_both_addresses_and_its_place(
    get: Get, files: Files, server: str, tmp_path: Path
):
    serve(files, {name: text for name, text in CELEBA_FILES.items() if "zip" not in name})
    with pytest.raises(SanError) as caught:
        get(CELEBA)
    told = str(caught.value)
    assert f"{server}/img_align_celeba.zip is not there (HTTP 404)" in told
    assert f"{server}/Img/img_align_celeba.zip is not there (HTTP 404)" in told
    assert f"get img_align_celeba.zip ({len(ALIGNED):,} bytes, {fakes.md5(ALIGNED)})" in told
    assert f"place it at {tmp_path}/data/Img/img_align_celeba.zip" in told
    assert (tmp_path / "data/Anno/list_attr_celeba.txt").exists()  # what has come stays


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (ALIGNED[:-9] + b"xxxxxxxxx", "has the checksum md5:[0-9a-f]{32}, not md5:"),
        (ALIGNED[:1000], "has 1,000 of [0-9,]+ bytes"),
        (QUOTA_PAGE, "is a web page"),
    ],
)
def test_wrong_bytes_are_refused_and_not_kept(
    content: bytes, words: str, get: Get, files: Files, tmp_path: Path
):
    serve(files, CELEBA_FILES | {"img_align_celeba.zip": content})
    with pytest.raises(SanError, match=f"the downloaded img_align_celeba.zip {words}.*: get img_"):
        get(CELEBA)
    assert not (tmp_path / "data/Img/img_align_celeba.zip").exists()
    assert not (tmp_path / "data/Img/img_align_celeba.zip.part").exists()


def test_wrong_bytes_of_an_earlier_run_are_fetched_again(get: Get, files: Files, tmp_path: Path):
    serve(files, CELEBA_FILES)
    fakes.write(tmp_path / "data/Img", {"img_align_celeba.zip.part": b"of another server"})
    assert get(CELEBA) == (3, 2)


def test_a_half_file_placed_by_hand_is_told_and_not_touched(get: Get, files: Files, tmp_path: Path):
    serve(files, CELEBA_FILES)
    half = fakes.write(tmp_path / "data", {"Img/img_align_celeba.zip": ALIGNED[:500]})
    with pytest.raises(SanError, match=r"celeba\.zip has 500 of [0-9,]+ bytes: delete it and run"):
        get(CELEBA)
    assert (half / "Img/img_align_celeba.zip").read_bytes() == ALIGNED[:500]


def test_a_half_volume_is_found_when_it_is_extracted(get: Get, files: Files, tmp_path: Path):
    serve(files, CELEBA_FILES | {"img_celeba.7z.007": CELEBA_FILES["img_celeba.7z.007"][:9]})
    with pytest.raises(SanError, match=r"img_celeba\.7z\.001 is damaged or cut short"):
        get(CELEBA, "wild")
    assert not (tmp_path / "data/Img/img_celeba").exists()


def test_rows_and_images_are_counted(get: Get, files: Files, tmp_path: Path):
    serve(files, CELEBA_FILES)
    first = CELEBA.items[0]
    assert isinstance(first, SourceFile)
    short = replace(CELEBA, items=(replace(first, rows=202_599), *CELEBA.items[1:]))
    with pytest.raises(SanError, match=r"list_attr_celeba\.txt has 3 rows, not 202,599: get list_"):
        get(short)
    get(CELEBA)
    (tmp_path / "data/Img/img_align_celeba/000002.jpg").unlink()
    with pytest.raises(SanError, match="img_align_celeba holds 2 images, not 3: remove the folder"):
        get(CELEBA)


def test_the_whole_data_set_must_be_there(get: Get, files: Files):
    serve(files, MUCT_FILES)
    with pytest.raises(SanError, match="lists 5 images, MUCT face database has 3,755"):
        get(replace(MUCT, images=3755))


def test_an_unknown_variant_names_those_that_there_are(get: Get):
    with pytest.raises(SanError, match="no variant 'png': choose one of aligned, wild"):
        get(CELEBA, "png")
    with pytest.raises(SanError, match="no variant 'png': choose one of none"):
        get(MUCT, "png")


def test_what_is_placed_by_hand_only_is_checked(get: Get, tmp_path: Path):
    with pytest.raises(SanError, match="holds no image of the AR face database"):
        get(SOURCES.get("arface"))
    fakes.write(tmp_path / "data", {"dbf1/M-001-01.bmp": fakes.photo(1, "BMP")})
    assert get(SOURCES.get("arface")) == (1, 1)


def test_the_published_entries_are_what_their_makers_published():
    """Counts and places: the fakes above replace sizes and checksums only."""
    celeba = SOURCES.get("celeba")
    wild = celeba.variants["wild"][-1]
    assert isinstance(wild, Archive)
    assert [part.name for part in wild.parts][::13] == ["img_celeba.7z.001", "img_celeba.7z.014"]
    assert len({part.drive_id for part in wild.parts}) == 14
    counts = {name: SOURCES.get(name).images for name in ("celeba", "lfw", "muct")}
    assert counts == {"celeba": 202_599, "lfw": 13_233, "muct": 3_755}
    for name in SOURCES.names():
        source = SOURCES.get(name)
        items = source.items + sum(source.variants.values(), ())
        for item in items:
            for file in item.parts if isinstance(item, Archive) else (item,):
                assert file.drive_id or file.urls or file.page
                kind, _, digest = (file.checksum or "md5:" + "0" * 32).partition(":")
                assert len(digest) == {"md5": 32, "sha256": 64}[kind]
