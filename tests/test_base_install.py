"""``pip install sanmodel`` alone, in an environment of its own: all that `san perturb` needs."""

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import torch
from mlflow_servers import Server
from PIL import Image
from small import PROJECT
from small_models import exported_model
from tiny_project import project, template
from wheels import source_tree

from sanmodel import runtime
from sanmodel.builtin import builtin_model
from sanmodel.models.autoencoders import new_autoencoder
from sanmodel.photos.inputs import jobs_of
from sanmodel.photos.running import run
from sanmodel.photos.work import Order
from sanmodel.prototypes import Prototypes
from sanmodel.tracking import register

__all__ = ["project", "template"]

PHOTO = PROJECT / "data/sample/photos/000000.jpg"
LIMIT_MB = 400
INSTALLERS = ("pip", "setuptools", "pkg_resources", "_distutils_hack")
"""What a fresh environment holds of itself."""

ABSENT = ("torch", "dvc", "prefect", "great_expectations", "mlflow", "onnx", "pandas", "pyarrow")
ABSENT += ("numba", "scipy", "safetensors")
PRESENT = """
import importlib.util, sys
print([name for name in sys.argv[1:] if importlib.util.find_spec(name)])
"""
RUN = """
import sys
from pathlib import Path
import numpy as np
from sanmodel import runtime

folder, inputs, outputs = map(Path, sys.argv[1:])
given = np.load(inputs)
model = runtime.load(folder)
np.save(outputs, model.perturb(given["images"], [0, 1], landmarks=given["landmarks"]))
print(sorted({"torch", "numba", "scipy", "mlflow"} & set(sys.modules)))
"""


class Base:
    """An environment with the base install."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.tree = folder.parent / "tree"
        # Where pip looks for packages stays as it is; this tree must not be found.
        self._environment = {k: v for k, v in os.environ.items() if k != "PYTHONPATH"}
        self._environment["NO_COLOR"] = "1"

    def install(self, what: str) -> None:
        """Let pip install something."""
        flags = ("--quiet", "--disable-pip-version-check", "-c", PROJECT / "constraints.txt")
        self.run("python", "-m", "pip", "install", *flags, what, cwd=self.folder)

    def run(
        self, *command: str | Path, cwd: Path, check: bool = True, **more: str
    ) -> subprocess.CompletedProcess[str]:
        """Run a program of the environment."""
        name, *arguments = command
        done = subprocess.run(
            [self.folder / "bin" / name, *arguments],
            cwd=cwd,
            env=self._environment | more,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0 or not check, done.stderr
        return done


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> Base:
    folder = tmp_path_factory.mktemp("base")
    subprocess.run([sys.executable, "-m", "venv", folder / "venv"], check=True)
    made = Base(folder / "venv")
    made.install(str(source_tree(made.tree)))
    return made


def test_it_is_small(base: Base):
    (site,) = base.folder.glob("lib/python*/site-packages")
    sizes = {
        path.name: sum(file.lstat().st_size for file in [path, *path.rglob("*")]) / 1e6
        for path in site.iterdir()
        if path.name.partition("-")[0] not in INSTALLERS
    }
    total, largest = sum(sizes.values()), sorted(sizes, key=lambda name: -sizes[name])[:5]
    shown = ", ".join(f"{name} {sizes[name]:.0f}" for name in largest)
    assert 100 < total < LIMIT_MB, f"the base install has {total:.0f} MB ({shown})"


def test_nothing_of_the_extras_can_be_imported(base: Base, tmp_path: Path):
    assert base.run("python", "-c", PRESENT, *ABSENT, cwd=tmp_path).stdout == "[]\n"
    assert base.run("python", "-c", PRESENT, "numpy", cwd=tmp_path).stdout == "['numpy']\n"


def test_a_photo_is_perturbed_as_the_whole_install_does_with_the_same_detector(
    base: Base, tmp_path: Path
):
    way = ("--runtime", "onnxruntime", "--precision", "fp32")
    done = base.run("san", "perturb", PHOTO, "-o", "out", *way, cwd=tmp_path)
    assert done.stdout.startswith(f"out/000000.jpg: 1 face of {PHOTO}\n")
    order = Order(
        builtin_model("Male"),
        tmp_path / "whole",
        detector="dlib",
        runtime="onnxruntime",
        precision="fp32",
    )
    assert run(jobs_of([str(PHOTO)]), order).photos == 1
    found, expected = ((tmp_path / name / "000000.jpg").read_bytes() for name in ("out", "whole"))
    assert found == expected


def test_the_networks_of_the_check_are_named_as_missing(base: Base, tmp_path: Path):
    failed = base.run("san", "perturb", PHOTO, "-o", "out", "--check", cwd=tmp_path, check=False)
    assert failed.returncode == 1
    assert failed.stderr.startswith("error: --check asks networks that the base install goes")
    assert failed.stderr.endswith(": pip install 'sanmodel[pipeline]'\n")


def test_a_video_names_its_extra(base: Base, tmp_path: Path):
    (tmp_path / "a.mp4").touch()
    failed = base.run("san", "perturb", "a.mp4", "-o", "out", cwd=tmp_path, check=False)
    assert failed.stderr.endswith(": pip install 'sanmodel[video]'\n")


def test_the_fastest_runtime_is_chosen_at_first_use_and_shown(base: Base, tmp_path: Path):
    cache = {"XDG_CACHE_HOME": str(tmp_path / "cache")}
    base.run("san", "perturb", PHOTO, "-o", "out", cwd=tmp_path, **cache)
    assert len(list((tmp_path / "cache/sanmodel/runtimes").glob("*.json"))) == 1
    shown = base.run("san", "runtimes", cwd=tmp_path).stdout
    assert "onnxruntime: fp32, int8\n" in shown
    assert "openvino: not here, the package openvino is not installed\n" in shown
    assert "pytorch: not here, the package torch is not installed\n" in shown


def test_the_detector_of_the_pipeline_is_named_as_missing(base: Base, tmp_path: Path):
    options = ("-o", "out", "--detector", "dpm")
    failed = base.run("san", "perturb", PHOTO, *options, cwd=tmp_path, check=False)
    assert failed.returncode == 1
    assert failed.stderr.startswith("error: the face detector dpm needs ")
    assert failed.stderr.endswith(": pip install 'sanmodel[pipeline]'\n")
    assert failed.stderr.count("\n") == 1


def test_an_export_with_aligned_prototypes_runs(base: Base, tmp_path: Path):
    torch.manual_seed(0)
    points = 224 * torch.rand(5, 2)
    prototypes = Prototypes(*torch.rand(2, 3, 224, 224), 0.5, points)
    folder = exported_model(tmp_path / "export", new_autoencoder("paper"), prototypes, "Smiling")
    images = np.random.default_rng(1).integers(0, 256, (2, 224, 224), dtype=np.uint8)
    landmarks = points.expand(2, 5, 2).numpy()
    np.savez(tmp_path / "given.npz", images=images, landmarks=landmarks)
    done = base.run("python", "-c", RUN, folder, "given.npz", "made.npy", cwd=tmp_path)
    assert done.stdout == "[]\n"
    expected = runtime.load_exact(folder).perturb(images, [0, 1], landmarks=landmarks)
    np.testing.assert_array_equal(np.load(tmp_path / "made.npy"), expected)
    options = ("--model", folder, "--attribute", "no", "-o", "out", "--write", "crops")
    base.run("san", "perturb", PHOTO, *options, cwd=tmp_path)
    with Image.open(tmp_path / "out/000000-1.png") as image:
        assert (image.mode, image.size) == ("L", (224, 224))


@pytest.mark.parametrize(
    "command",
    [
        ("fetch",),
        ("train",),
        ("evaluate",),
        ("export",),
        ("sources",),
        ("download", "sample"),
        ("make-builtin",),
        ("benchmark", "training"),
        ("dpm", "train", "--out", "a"),
        ("crop-set", "a"),
        ("import-authors", "a"),
    ],
)
def test_every_other_command_names_the_extra(command: tuple[str, ...], base: Base, tmp_path: Path):
    failed = base.run("san", *command, cwd=tmp_path, check=False)
    assert failed.returncode == 1
    assert failed.stderr.startswith(f"error: `san {command[0]}` needs ")
    assert failed.stderr.endswith(
        ", which the base install goes without: pip install 'sanmodel[pipeline]'\n"
    )
    assert failed.stderr.count("\n") == 1


def test_every_command_is_there_with_its_help(base: Base, tmp_path: Path):
    shown = base.run("san", "--help", cwd=tmp_path).stdout
    assert "perturb" in shown
    assert "train-classifier" in shown
    assert "--detector" in base.run("san", "perturb", "--help", cwd=tmp_path).stdout


@pytest.fixture
def registered(
    project: Path, tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch
) -> Iterator[str]:
    """The address of a server that has a model."""
    server = Server(tmp_path_factory.mktemp("server"))
    server.start()
    monkeypatch.setenv("MLFLOW_TRACKING_URI", server.address)
    register(project)
    yield server.address
    server.kill()


def test_a_registered_model_is_pulled_and_runs_with_one_extra_more(
    base: Base, registered: str, tmp_path: Path
):
    pull = ("san", "pull", "models:/san-young@challenger", "model")
    failed = base.run(*pull, cwd=tmp_path, check=False)
    assert "pip install 'sanmodel[registry]'" in failed.stderr
    base.install(f"{base.tree}[registry]")
    assert base.run("python", "-c", PRESENT, *ABSENT[:4], cwd=tmp_path).stdout == "[]\n"
    done = base.run(*pull, cwd=tmp_path, MLFLOW_TRACKING_URI=registered)
    assert done.stdout.startswith("model: version 1 of san-young")
    Image.fromarray(np.full((224, 224), 51, np.uint8)).save(tmp_path / "face.png")
    base.run("python", "model/example.py", "face.png", "hidden.png", "1", cwd=tmp_path)
    assert (np.asarray(Image.open(tmp_path / "hidden.png")) == 204).all()  # the tiny graph's
