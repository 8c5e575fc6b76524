from pathlib import Path

import pytest

from sanmodel.errors import SanError
from sanmodel.settings import load_settings, parse_settings

PROJECT = Path(__file__).parents[1]


def test_the_projects_own_params_are_valid_and_complete():
    settings = load_settings(PROJECT / "params.yaml")
    written = (PROJECT / "params.yaml").read_text()
    assert settings.attribute == "Male"
    for section in settings.model_dump(by_alias=True).values():
        for key in section if isinstance(section, dict) else ():
            assert f"  {key}:" in written, f"params.yaml does not show {key}"


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ({"train": {"step": 3}}, "train.step is not a known key, did you mean steps?"),
        ({"trian": {}}, "trian is not a known key, did you mean train?"),
        ({"train": {"steps": "many"}}, "train.steps: input should be a valid integer"),
        ({"train": {"steps": 0}}, "train.steps: input should be greater than or equal to 1"),
        ({"pretrain": {"steps": -1}}, "pretrain.steps: input should be greater than or equal to 0"),
        ({"autoencoder": "unet"}, "autoencoder: input should be 'paper' or 'skip'"),
        (
            {"train": {"steps": 5, "matching_from": 5}},
            "train: matching_from 5 leaves J_M out of all 5 steps: lower it, or set lambda_M to 0",
        ),
        (
            {"autoencoder": "paper", "pretrain": {"steps": 0}},
            "the file: pretrain.steps is 0, but the first outputs of the paper's autoencoder are no"
            " faces: set it to 150 or more, or autoencoder to skip",
        ),
        ({"sets": {"test": {"source": "lfw", "folder": "x"}}}, "sets: test is the test side"),
        ({"sets": {"../lfw": {"source": "lfw", "folder": "x"}}}, "sets.../lfw"),
        ({"sets": {"lfw": {"source": "lfw"}}}, "sets.lfw.folder: field required"),
        ({"evaluate": {"false_match_rates": []}}, "evaluate.false_match_rates: list should have"),
        (
            {"evaluate": {"scores": [{"name": "a", "kind": "match", "file": "a.csv"}]}},
            "evaluate: scores need exchange, the folder of `san evaluate --export-images`",
        ),
        (
            {"evaluate": {"classifiers": ["a"], "matchers": ["a"]}},
            "evaluate: two classifiers, matchers or scores are called a: rename one",
        ),
        (
            {
                "evaluate": {
                    "exchange": "out",
                    "scores": [{"name": "a", "kind": "match", "file": "a.csv", "set": "lfw"}],
                }
            },
            "the file: evaluate.scores a is of the set lfw, but the sets are test",
        ),
        ({"seed": 1.5}, "seed: input should be a valid integer"),
        ({"preprocess": {"split": "people"}}, "preprocess.split: input should be 'identity'"),
        ({"train": None}, "train: input should be"),
        (["train"], "the file: input should be"),
    ],
)
def test_a_wrong_key_or_value_is_named(content: object, words: str):
    with pytest.raises(SanError) as caught:
        parse_settings(content)
    assert words in str(caught.value)


def test_a_missing_or_malformed_file_is_named(tmp_path: Path):
    with pytest.raises(SanError, match=r"params\.yaml is missing"):
        load_settings(tmp_path / "params.yaml")
    (tmp_path / "params.yaml").write_text("train: [")
    with pytest.raises(SanError, match="is not valid YAML"):
        load_settings(tmp_path / "params.yaml")
