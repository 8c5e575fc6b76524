"""Where the pipeline keeps its files: the one place that knows the layout of the work tree."""

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Paths:
    """The files of one work tree; ``dvc.yaml`` declares the same ones.

    Attributes:
        root: The folder that holds ``dvc.yaml`` and ``params.yaml``.
    """

    root: Path = Path()

    @property
    def params(self) -> Path:
        """Settings of every stage."""
        return self.root / "params.yaml"

    @property
    def promotion_rules(self) -> Path:
        """What a model must show to be promoted."""
        return self.root / "mlflow/promotion.yaml"

    @property
    def lock(self) -> Path:
        """DVC's record of what the last pipeline run read and wrote."""
        return self.root / "dvc.lock"

    @property
    def raw(self) -> Path:
        """Table of raw images (``fetch``)."""
        return self.root / "data/raw"

    @property
    def crops(self) -> Path:
        """Table of face crops (``preprocess``)."""
        return self.root / "data/crops"

    @property
    def quarantine(self) -> Path:
        """Table of images that were set aside, with the reason (``preprocess``)."""
        return self.root / "data/quarantine"

    @property
    def data_docs(self) -> Path:
        """Page for the owner of the data, with Great Expectations' Data Docs (``validate``)."""
        return self.root / "reports/data_docs"

    @property
    def prototypes(self) -> Path:
        """Mean image of each class (``prototypes``)."""
        return self.root / "models/prototypes.safetensors"

    @property
    def classifier(self) -> Path:
        """Auxiliary attribute classifier (``train_classifier``)."""
        return self.root / "models/classifier.safetensors"

    @property
    def matcher(self) -> Path:
        """Auxiliary face matcher (``train_matcher``)."""
        return self.root / "models/matcher.safetensors"

    @property
    def descriptors(self) -> Path:
        """What the auxiliary face matcher says of each training crop (``train_matcher``)."""
        return self.root / "models/descriptors.safetensors"

    @property
    def pretrained(self) -> Path:
        """Autoencoder after pre-training with J_D (``pretrain``)."""
        return self.root / "models/pretrained.safetensors"

    @property
    def autoencoder(self) -> Path:
        """Autoencoder after semi-adversarial training (``train``)."""
        return self.root / "models/autoencoder.safetensors"

    @property
    def export(self) -> Path:
        """ONNX file, TensorRT engine and manifest (``export``)."""
        return self.root / "models/export"

    @property
    def evaluation(self) -> Path:
        """Curves and pictures of the evaluation (``evaluate``)."""
        return self.root / "reports/evaluation"

    @property
    def promotion(self) -> Path:
        """What the gate found, its last decision and the model's card (``san registry``)."""
        return self.root / "reports/promotion"

    def of_set(self, name: str) -> "SetPaths":
        """Files of a further set of faces that the model is evaluated on (``crop_set``)."""
        return SetPaths(self.root / "data/sets" / name)

    def metrics(self, stage: str) -> Path:
        """Figures of one stage, a JSON object."""
        return self.root / "reports" / f"{stage}.json"

    def curve(self, stage: str) -> Path:
        """Loss terms of one training stage by step, a CSV table."""
        return self.root / "reports/curves" / f"{stage}.csv"

    def picture(self, stage: str) -> Path:
        """Picture that one stage shows its result with."""
        return self.root / "reports/pictures" / f"{stage}.png"

    @property
    def scratch(self) -> Path:
        """Checkpoints and caches: safe to delete, never an output."""
        return self.root / ".san"

    @property
    def decoded(self) -> Path:
        """Decoded crops."""
        return self.scratch / "crops"

    def of_weight(self, weight: float) -> "Paths":
        """Work tree in which one weight of J_G is tried (``san benchmark tradeoff``)."""
        return Paths(self.scratch / "tradeoff" / str(float(weight)))

    def of_seed(self, seed: int) -> "Paths":
        """Work tree in which the training is repeated with another seed (``san seed``)."""
        return Paths(self.scratch / "seeds" / str(seed))

    def seed_metrics(self, seed: int) -> Path:
        """Figures of the training that was repeated with another seed."""
        return self.root / "reports/seeds" / f"{seed}.json"

    @property
    def answers(self) -> Path:
        """What independent networks said of images before."""
        return self.scratch / "answers.sqlite"


class SetPaths(Paths):
    """The files of a further set: they lie under ``data/sets`` like those of a work tree."""

    @property
    def scratch(self) -> Path:
        """The work tree's own, so that no scratch file becomes an output."""
        work_tree = Paths(self.root.parents[2])
        return work_tree.scratch / "sets" / self.root.name
