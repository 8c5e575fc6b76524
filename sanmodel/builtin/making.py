"""How a trained model becomes a built-in one: the same weights in half the bytes."""

from dataclasses import replace
from pathlib import Path

from sanmodel.builtin import builtin_files
from sanmodel.files import sha256
from sanmodel.models.autoencoders import load_autoencoder
from sanmodel.models.weights import read_about, save_weights
from sanmodel.perturber import ModelFiles
from sanmodel.prototypes import Prototypes


def make_builtin(trained: ModelFiles, attribute: str, folder: Path) -> ModelFiles:
    """Round a trained model to float16 and write it as the built-in one of its attribute.

    Rounding moves a weight by 0.05 % or by 3e-8, whichever is more, and a prototype by less than a
    tenth of a grey level. The network computes in float32 all the same.

    Args:
        trained: Files of the pipeline.
        attribute: The attribute that both must be of.
        folder: Where to write.

    Returns:
        The files written.

    Raises:
        SanError: If a file is missing, damaged or of another attribute, or the two do not fit
            together.
    """
    prototypes = Prototypes.load(trained.prototypes, attribute)
    network = load_autoencoder(trained.autoencoder, attribute, prototypes.align)
    rounded = {name: weight.half() for name, weight in network.state_dict().items()}
    made = builtin_files(attribute, folder)
    save_weights(made.autoencoder, rounded, **read_about(trained.autoencoder))
    smaller = replace(prototypes, P_0=prototypes.P_0.half(), P_1=prototypes.P_1.half())
    smaller.save(made.prototypes, attribute)
    return made


def card_row(path: Path) -> str:
    """Return a file's row in the table of its model card: name, bytes, SHA-256."""
    return f"| `{path.name}` | {path.stat().st_size:,} | `{sha256(path)}` |"
