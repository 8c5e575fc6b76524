"""The networks of InsightFace's pack ``buffalo_l``, for classifier and matcher.

Its code is under the MIT licence; its weights are for non-commercial research only.
"""

import os
from pathlib import Path
from typing import Any

from sanmodel.evaluation.optional import load_package, release_of, weights_explained

PACK = "buffalo_l"
ORIGIN = f"https://github.com/deepinsight/insightface/releases/download/model-zoo/{PACK}.zip"
ROOT = "INSIGHTFACE_ROOT"
"""Environment variable with the folder that holds ``models/buffalo_l``; ``~/.insightface``, the
package's own, otherwise."""


def open_network(name: str) -> tuple[Any, str]:
    """Return one network and its version, downloaded with its pack if it is not there.

    It runs on the CPU, so that its answers do not depend on the machine.

    Args:
        name: File of the pack.

    Raises:
        SanError: If the package is missing, or the file cannot be had or read.
    """
    zoo = load_package("insightface.model_zoo", "insightface")
    storage = load_package("insightface.utils", "insightface")
    root = Path(os.environ.get(ROOT, "~/.insightface")).expanduser()
    path = root / "models" / PACK / name
    with weights_explained(path, ORIGIN):
        if not path.exists():
            storage.ensure_available("models", PACK, root=str(root))
        network = zoo.get_model(str(path), providers=["CPUExecutionProvider"])
        if network is None:
            raise ValueError("the package does not know such a network")
        return network, release_of("insightface", path)
