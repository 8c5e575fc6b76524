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
