"""Settings that shrink the pipeline to seconds, and the landmarks of a face that is made up."""

from pathlib import Path

from sanmodel.settings import Settings, parse_settings
from sanmodel.tables import LANDMARKS

PROJECT = Path(__file__).parents[1]
POINTS = ((145.0, 104.0), (126.0, 105.0), (79.0, 104.0), (98.0, 105.0), (112.0, 145.0))
"""Landmarks of a frontal face in a crop."""

LANDMARK_COLUMNS = dict(zip(LANDMARKS, (value for point in POINTS for value in point), strict=True))
"""The same as columns of the crops table."""


def small_settings(**sections: object) -> Settings:
    """Settings of a pipeline on six people; ``sections`` replace keys, a dict at a time."""
    content: dict[str, object] = {
        "workers": 1,
        "fetch": {"folder": str(PROJECT / "data/sample"), "people": 6},
        "preprocess": {"test_share": 0.34},
        "train_classifier": {"steps": 3, "batch_size": 4},
        "train_matcher": {"steps": 3, "batch_size": 4},
        "pretrain": {"steps": 3, "batch_size": 2},
        "train": {"steps": 3, "batch_size": 2},
        "evaluate": {"baselines": ["noise"], "probe_steps": 1, "outside_images": 4},
    }
    for name, section in sections.items():
        old = content.get(name)
        content[name] = {**old, **section} if isinstance(old, dict) else section
    return parse_settings(content)
