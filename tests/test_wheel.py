"""The wheel holds all that the package needs away from its repository."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from small import PROJECT
from wheels import source_tree

DETECTION = """
import sanmodel.validation.page
from sanmodel.detection import DETECTORS
from sanmodel.images import decode_rgb
from sanmodel.settings import PreprocessSettings
import pathlib, sys

photo = pathlib.Path(sys.argv[1])
faces = DETECTORS.get("dpm")(PreprocessSettings()).detect(decode_rgb(photo.read_bytes(), "x"))
print(sanmodel.__file__, len(faces))
"""


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The package as a wheel installs it, without its dependencies, which are here already."""
    tree = source_tree(tmp_path_factory.mktemp("wheel") / "tree")
    flags = ("--quiet", "--no-deps", "--no-build-isolation", "--disable-pip-version-check")
    target = tree / "installed"
    command = [sys.executable, "-m", "pip", "install", *flags, "--target", target, tree]
    subprocess.run(command, check=True)
    return target


def test_the_detector_finds_its_model_in_the_wheel(installed: Path, tmp_path: Path):
    photo = next((PROJECT / "data/sample/photos").glob("*.jpg"))
    found = subprocess.run(
        [sys.executable, "-c", DETECTION, photo],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(installed)},
        capture_output=True,
        text=True,
        check=True,
    )
    where, faces = found.stdout.split()
    assert Path(where).is_relative_to(installed)
    assert int(faces) == 1


def test_every_file_of_the_package_is_in_the_wheel(installed: Path):
    tracked = {
        path.relative_to(PROJECT)
        for path in (PROJECT / "sanmodel").rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    }
    assert {path for path in tracked if not (installed / path).is_file()} == set()
