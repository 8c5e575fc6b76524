"""The authors' released autoencoder (repository iPRoBe-lab/semi-adversarial-networks).

Its five layers are ours (figure 2) under other names. It was trained with prototypes that were
aligned to the landmarks of each face, and expects such.
"""

from pathlib import Path

from sanmodel.files import sha256
from sanmodel.foreign.reading import check_weights, read_head, read_state_dict, require_file
from sanmodel.models.autoencoder import Autoencoder
from sanmodel.models.weights import save_weights

LAYERS = {
    "autoencoder.0": "encoder_1",
    "autoencoder.3": "encoder_2",
    "autoencoder.6": "decoder_1",
    "autoencoder.9": "decoder_2",
    "protocombiner.0": "proto_combiner",
}
"""Their names, which count activations, poolings and upsamplings too, and ours."""

TENSORS = {
    f"{theirs}.{kind}": f"{ours}.{kind}"
    for theirs, ours in LAYERS.items()
    for kind in ("weight", "bias")
}


def import_authors(path: Path, out: Path) -> str:
    """Write the authors' checkpoint as weights of our autoencoder.

    Args:
        path: ``conv-autoencoder-e20.pkl``, a pickle of tensors on a GPU.
        out: Weights file to write; its metadata keep the checkpoint's SHA-256 as ``source``.

    Returns:
        The checkpoint's SHA-256.

    Raises:
        SanError: If the checkpoint is missing, damaged, a web page or of another network.
    """
    require_file(path, "give the path of conv-autoencoder-e20.pkl")
    read_head(path)
    ours = Autoencoder().state_dict()
    shapes = {theirs: ours[name].shape for theirs, name in TENSORS.items()}
    weights = check_weights(path, read_state_dict(path), shapes)
    source = sha256(path)
    state = {TENSORS[theirs]: weight for theirs, weight in weights.items()}
    about = {"attribute": "Male", "align": "landmarks", "architecture": "paper", "source": source}
    save_weights(out, state, kind="autoencoder", **about)
    return source
