"""Settings that shrink the pipeline to seconds."""

from pathlib import Path

from sanmodel.settings import Settings, parse_settings

PROJECT = Path(__file__).parents[1]


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
    }
    for name, section in sections.items():
        old = content.get(name)
        content[name] = {**old, **section} if isinstance(old, dict) else section
    return parse_settings(content)
