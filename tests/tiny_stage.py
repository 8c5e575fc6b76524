"""A pipeline of five stages that take no time; `python tiny_stage.py STAGE` runs one."""

import sys

from sanmodel.errors import SanError
from sanmodel.export.manifest import artifact, write_manifest
from sanmodel.files import write_json
from sanmodel.observer import Observer
from sanmodel.paths import Paths
from sanmodel.settings import Settings, load_settings
from sanmodel.tables import CROP_COLUMNS, TableWriter
from sanmodel.tracking import tracked

PATHS = Paths()
MAX_BATCH = 4
PNG = bytes.fromhex("89504e470d0a1a0a")


class Printer(Observer):
    def note(self, text: str) -> None:
        print("note:", text)


def preprocess(settings: Settings) -> None:
    PATHS.crops.mkdir(parents=True, exist_ok=True)
    with TableWriter(PATHS.crops, CROP_COLUMNS, [settings.attribute]) as writer:
        for number in range(5):
            writer.add({"image_id": str(number), "split": "train", settings.attribute: 1})
    write_json(PATHS.metrics("preprocess"), {"crops": 5, "detector": "none"})


def validate() -> None:
    (PATHS.data_docs / "suites").mkdir(parents=True, exist_ok=True)
    (PATHS.data_docs / "index.html").write_text("<p>All is well.</p>")
    (PATHS.data_docs / "suites/raw.html").write_text("<p>All is well.</p>")
    write_json(PATHS.metrics("validate"), {"expectations": 1})


def train(settings: Settings, observer: Observer) -> None:
    rows = ["step,J_G,J_total"]
    for step in range(1, settings.train.steps + 1):
        terms = {"J_G": 1 / step, "J_total": settings.train.learning_rate / step}
        # The first step was reported by a run that was interrupted.
        if step > 1:
            observer.losses(step, terms)
        rows.append(f"{step},{terms['J_G']},{terms['J_total']}")
    if settings.train.steps > 10:
        raise SanError("the photos have run out: take fewer steps")
    PATHS.curve("train").parent.mkdir(parents=True, exist_ok=True)
    PATHS.curve("train").write_text("\n".join(rows) + "\n")
    PATHS.picture("train").parent.mkdir(parents=True, exist_ok=True)
    PATHS.picture("train").write_bytes(PNG)
    PATHS.autoencoder.parent.mkdir(exist_ok=True)
    PATHS.autoencoder.write_text(f"{settings.seed} {settings.train}")
    write_json(PATHS.metrics("train"), {"loss": settings.train.learning_rate, "skipped": None})


def evaluate() -> None:
    for part in ("tables", "figures"):
        (PATHS.evaluation / part).mkdir(parents=True, exist_ok=True)
    (PATHS.evaluation / "index.html").write_text("<p>It hides well.</p>")
    (PATHS.evaluation / "tables/matching-roc.csv").write_text("fmr,tmr\n0,1\n")
    (PATHS.evaluation / "figures/figure-5-faces.png").write_bytes(PNG)
    error = {"original": {"error": 0.1}, "opposite": {"error": 0.4}}
    row = {"error_rate": 0.25, "auc": None}
    probes = {"retrained": {"small CNN, learned from OP, OP": row, "Age > 50: 1/2": row}}
    metrics = {"classifiers": {"tiny@1": error}, "psnr": [20.5, None], "probes": probes}
    gaps = ["39 impostor pairs are too few for a false match rate of 0.001"]
    write_json(PATHS.metrics("evaluate"), {**metrics, "gaps": gaps, "sets": {"lfw": metrics}})


def export(settings: Settings) -> None:
    """Write a graph whose outputs are X, X / 2 and |y - X|.

    If it is aligned, the first is X times the mean of the face's landmarks.
    """
    import onnx
    from onnx import TensorProto, helper

    PATHS.export.mkdir(parents=True, exist_ok=True)
    nodes = [
        helper.make_node("Identity", ["image"], ["same"]),
        helper.make_node("Mul", ["image", "half"], ["neutral"]),
        helper.make_node("Cast", ["attribute"], ["y"], to=TensorProto.FLOAT),
        helper.make_node("Reshape", ["y", "shape"], ["y4"]),
        helper.make_node("Sub", ["y4", "image"], ["difference"]),
        helper.make_node("Abs", ["difference"], ["opposite"]),
    ]
    aligned = settings.prototypes.align == "landmarks"
    if aligned:
        nodes[:1] = [
            helper.make_node("ReduceMean", ["landmarks", "axes"], ["mean"], keepdims=0),
            helper.make_node("Reshape", ["mean", "shape"], ["factor"]),
            helper.make_node("Mul", ["image", "factor"], ["same"]),
        ]
    shape = ["batch", 1, 224, 224]
    inputs = {"image": (TensorProto.FLOAT, shape), "attribute": (TensorProto.INT64, ["batch"])}
    if aligned:
        inputs["landmarks"] = (TensorProto.FLOAT, ["batch", 5, 2])
    outputs = ("same", "neutral", "opposite")
    graph = helper.make_graph(
        nodes,
        "tiny",
        [helper.make_tensor_value_info(name, *kind) for name, kind in inputs.items()],
        [helper.make_tensor_value_info(name, TensorProto.FLOAT, shape) for name in outputs],
        [
            helper.make_tensor("half", TensorProto.FLOAT, [], [0.5]),
            helper.make_tensor("shape", TensorProto.INT64, [4], [-1, 1, 1, 1]),
            helper.make_tensor("axes", TensorProto.INT64, [2], [1, 2]),
        ],
    )
    opset = [helper.make_opsetid("", 20)]
    path = PATHS.export / "san.onnx"
    model = helper.make_model(graph, opset_imports=opset, ir_version=10)
    about = {"attribute": settings.attribute, "crop_size": "224", "max_batch": str(MAX_BATCH)}
    helper.set_model_props(model, about)
    onnx.save(model, path)
    file = artifact(path, "onnx", "onnx", (), MAX_BATCH)
    write_manifest(PATHS.export, settings, tuple(inputs), [file], "too tiny")
    write_json(PATHS.metrics("export"), {"bytes": path.stat().st_size})


def main(stage: str) -> None:
    settings = load_settings(PATHS.params)
    with tracked(stage, settings, PATHS, Printer()) as observer:
        match stage:
            case "preprocess":
                preprocess(settings)
            case "validate":
                validate()
            case "train":
                train(settings, observer)
            case "evaluate":
                evaluate()
            case "export":
                export(settings)


if __name__ == "__main__":
    try:
        main(sys.argv[1])
    except SanError as error:
        sys.exit(f"error: {error}")
