"""Small fakes of the published data sets, in their own layouts and packings."""

import hashlib
import io
import tarfile
import zipfile
from pathlib import Path

import numpy as np
import py7zr
from PIL import Image

CELEBA_NAMES = ("000001.jpg", "000002.jpg", "000003.jpg")
CELEBA_TEXTS = {
    "Anno/list_attr_celeba.txt": "3\nMale Smiling \n000001.jpg -1  1\n000002.jpg  1 -1\n"
    "000003.jpg  1  1\n",
    "Anno/identity_CelebA.txt": "000001.jpg 2880\n000002.jpg 2937\n000003.jpg 2937\n",
    "Eval/list_eval_partition.txt": "000001.jpg 0\n000002.jpg 1\n000003.jpg 2\n",
    "Anno/list_bbox_celeba.txt": "3\nimage_id x_1 y_1 width height\n000001.jpg    95  71 226 313\n"
    "000002.jpg    72  94 221 306\n000003.jpg 0 0 0 0\n",
    "Anno/list_landmarks_align_celeba.txt": "3\nlefteye_x lefteye_y righteye_x righteye_y nose_x"
    " nose_y leftmouth_x leftmouth_y rightmouth_x rightmouth_y\n"
    "000001.jpg  69 109  106 113   77 142   73 152  108 154\n"
    "000002.jpg  69 110  107 112   81 135   70 151  108 153\n"
    "000003.jpg  76 112  104 106  108 128   74 156   98 158\n",
}
LFW_NAMES = ("Ann_Lee/Ann_Lee_0001.jpg", "Ann_Lee/Ann_Lee_0002.jpg", "Bob_Roe/Bob_Roe_0001.jpg")
LFW_LISTS = {
    "male_names.txt": "Bob_Roe_0001.jpg\n",
    "female_names.txt": "Ann_Lee_0001.jpg\nAnn_Lee_0002.jpg\n",
}
MUCT_NAMES = ("i000qa-fn.jpg", "i000ra-fn.jpg", "i001qa-mg.jpg")
MUCT_POINTS = (
    "name,tag,x00,y00,x01,y01,x02,y02\n"
    "i000qa-fn,0000,201,348,201,381,340.5,400\n"
    "i000ra-fn,0000,0,0,210,300,330,420\n"  # a hidden point
    "ir000qa-fn,0001,1,2,3,4,5,6\n"  # the mirror image of the first
)


def photo(seed: int, kind: str = "JPEG") -> bytes:
    """A small picture of noise."""
    pixels = np.random.default_rng(seed).integers(0, 256, (40, 30, 3), dtype=np.uint8)
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, kind)
    return buffer.getvalue()


def photos(names: tuple[str, ...], prefix: str = "") -> dict[str, bytes]:
    return {f"{prefix}{name}": photo(seed) for seed, name in enumerate(names)}


def write(folder: Path, files: dict[str, bytes] | dict[str, str]) -> Path:
    """Write files below a folder and return it."""
    for name, content in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return folder


def zipped(members: dict[str, bytes]) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return buffer.getvalue()


def tarred(members: dict[str, bytes]) -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w:gz") as archive:
        for name, content in members.items():
            info = tarfile.TarInfo(name)
            info.size = len(content)
            archive.addfile(info, io.BytesIO(content))
    return buffer.getvalue()


def seven_zipped(members: dict[str, bytes]) -> bytes:
    buffer = io.BytesIO()
    with py7zr.SevenZipFile(buffer, "w") as archive:
        for name, content in members.items():
            archive.writestr(content, name)
    return buffer.getvalue()


def md5(content: bytes) -> str:
    return f"md5:{hashlib.md5(content).hexdigest()}"


def celeba(folder: Path, images: str = "Img/img_celeba") -> Path:
    """CelebA of three photos, with its lists."""
    write(folder, CELEBA_TEXTS)
    return write(folder, photos(CELEBA_NAMES, f"{images}/"))


def lfw(folder: Path) -> Path:
    write(folder, LFW_LISTS)
    return write(folder, photos(LFW_NAMES, "lfw/"))


def muct(folder: Path) -> Path:
    write(folder, {"muct-landmarks/muct76-opencv.csv": MUCT_POINTS})
    return write(folder, photos(MUCT_NAMES, "jpg/"))
