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
    """Write a graph whose same, neutral and opposite outputs are X, X / 2 and |y - X|.

    If it is aligned, the first is X times the mean of the face's landmarks.
    """
    import onnx
    from onnx import TensorProto, helper

    PATHS.export.mkdir(parents=True, exist_ok=True)
    aligned = settings.prototypes.align == "landmarks"
    nodes = [
        helper.make_node("Cast", ["image"], ["x"], to=TensorProto.FLOAT),
        helper.make_node("Unsqueeze", ["x", "one"], ["X"]),
        helper.make_node("Unsqueeze", ["mode", "axes"], ["place"]),
        helper.make_node("Mul", ["X", "half"], ["neutral"]),
        helper.make_node("Cast", ["attribute"], ["y"], to=TensorProto.FLOAT),
        helper.make_node("Mul", ["y", "white"], ["y255"]),
        helper.make_node("Reshape", ["y255", "shape"], ["y4"]),
        helper.make_node("Sub", ["y4", "X"], ["difference"]),
        helper.make_node("Abs", ["difference"], ["opposite"]),
        helper.make_node("ReduceMean", ["landmarks", "plane"], ["mean"], keepdims=0),
        helper.make_node("Reshape", ["mean", "shape"], ["factor"]),
        helper.make_node("Mul", ["X", "factor"], ["same"]),
        helper.make_node("Less", ["place", "quarter"], ["is_same"]),
        helper.make_node("Greater", ["place", "half"], ["is_opposite"]),
        helper.make_node("Where", ["is_opposite", "opposite", "neutral"], ["other"]),
        helper.make_node("Where", ["is_same", "same", "other"], ["values"]),
        helper.make_node("Round", ["values"], ["levels"]),
        helper.make_node("Cast", ["levels"], ["perturbed"], to=TensorProto.UINT8),
    ]
    if not aligned:
        nodes[9:12] = [helper.make_node("Identity", ["X"], ["same"])]
    inputs = {
        "image": (TensorProto.UINT8, ["batch", 224, 224]),
        "attribute": (TensorProto.INT64, ["batch"]),
        "mode": (TensorProto.FLOAT, ["batch", "modes"]),
    }
    if aligned:
        inputs["landmarks"] = (TensorProto.FLOAT, ["batch", 5, 2])
    shape = ["batch", "modes", 224, 224]
    graph = helper.make_graph(
        nodes,
        "tiny",
        [helper.make_tensor_value_info(name, *kind) for name, kind in inputs.items()],
        [helper.make_tensor_value_info("perturbed", TensorProto.UINT8, shape)],
        [
            helper.make_tensor("quarter", TensorProto.FLOAT, [], [0.25]),
            helper.make_tensor("half", TensorProto.FLOAT, [], [0.5]),
            helper.make_tensor("white", TensorProto.FLOAT, [], [255.0]),
            helper.make_tensor("one", TensorProto.INT64, [1], [1]),
            helper.make_tensor("shape", TensorProto.INT64, [4], [-1, 1, 1, 1]),
            helper.make_tensor("axes", TensorProto.INT64, [2], [2, 3]),
            helper.make_tensor("plane", TensorProto.INT64, [2], [1, 2]),
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
