"""`mlflow/promotion.yaml`: what is misspelt or out of range is named."""

from pathlib import Path

import pytest
from small import PROJECT

from sanmodel.errors import SanError
from sanmodel.rules import Rules, load_rules


def test_the_projects_own_rules_are_the_defaults() -> None:
    assert load_rules(PROJECT / "mlflow/promotion.yaml") == Rules()


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("floors: {min_eror: 0.2}", "floors.min_eror is not a known key, did you mean min_error?"),
        ("floors: {min_error: 20}", "floors.min_error: input should be less than or equal to 1"),
        ("champion: {max_psnr_fall: much}", "champion.max_psnr_fall: input should be a valid num"),
        ("florrs: {}", "florrs is not a known key, did you mean floors?"),
        ("floors: [", "is not valid YAML"),
    ],
)
def test_a_rule_that_is_wrong_is_named(text: str, told: str, tmp_path: Path) -> None:
    (tmp_path / "promotion.yaml").write_text(text)
    with pytest.raises(SanError, match=told.replace("?", r"\?")):
        load_rules(tmp_path / "promotion.yaml")


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(SanError, match=r"promotion\.yaml is missing"):
        load_rules(tmp_path / "promotion.yaml")
