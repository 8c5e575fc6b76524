import importlib
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from sanmodel.detection import DETECTORS
from sanmodel.errors import SanError
from sanmodel.registry import Registry
from sanmodel.sources import SOURCES


def test_a_module_in_the_package_is_found_without_being_named():
    assert {"dlib", "dpm", "none"} <= set(DETECTORS.names())
    assert {"celeba", "sample"} <= set(SOURCES.names())


def test_an_unknown_name_lists_the_known_ones():
    with pytest.raises(SanError, match=r"no face detector 'hog': choose one of dlib, dpm, none"):
        DETECTORS.get("hog")


def test_a_name_is_registered_once():
    registry: Registry[int] = Registry("thing", "sanmodel.sources")
    registry.register("a")(1)
    with pytest.raises(ValueError, match="twice"):
        registry.register("a")(2)


@pytest.fixture
def package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """A package with an entry that needs numba, which seems not to be installed."""
    folder = tmp_path / "things_of_a_test"
    folder.mkdir()
    (folder / "__init__.py").write_text(
        "from sanmodel.registry import Registry\n"
        "THINGS = Registry('thing', __name__, extras={'compiled': 'fast'})\n"
    )
    for module, imports, name in (("compiled", "numba", "fast"), ("plain", "math", "slow")):
        (folder / f"{module}.py").write_text(
            f"import {imports}\nfrom things_of_a_test import THINGS\nTHINGS.register('{name}')(1)\n"
        )
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setitem(sys.modules, "numba", None)
    yield "things_of_a_test"
    for name in [name for name in sys.modules if name.startswith("things_of_a_test")]:
        del sys.modules[name]


def test_an_entry_whose_library_is_not_installed_says_so_when_it_is_asked_for(package: str):
    things = importlib.import_module(package).THINGS
    assert things.names() == ["slow"]
    assert things.get("slow") == 1
    with pytest.raises(SanError, match=r"the thing fast needs numba, .* 'sanmodel\[pipeline\]'"):
        things.get("fast")


def test_a_library_that_no_extra_names_is_an_error_of_the_module(package: str):
    registry: Registry[int] = Registry("thing", package)
    with pytest.raises(ModuleNotFoundError, match="numba"):
        registry.get("slow")
