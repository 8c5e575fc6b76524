"""Stage 7: the autoencoder learns to reconstruct faces with J_D (paper, section 2.2.1)."""

from torch import Tensor

from sanmodel.losses import J_D
from sanmodel.models.autoencoders import new_autoencoder
from sanmodel.observer import SILENT, Metrics, Observer
from sanmodel.paths import Paths
from sanmodel.prototypes import Prototypes
from sanmodel.settings import Settings
from sanmodel.stages.training import Training, final_losses, load_side
from sanmodel.training.data import Batch


def run(settings: Settings, paths: Paths, observer: Observer = SILENT) -> Metrics:
    """Write ``paths.pretrained``.

    Returns:
        The final J_D; nothing if there are no steps.

    Raises:
        SanError: If an input is missing or the training diverges.
    """
    inputs = [paths.prototypes]
    choices = {"autoencoder": settings.autoencoder}
    training = Training("pretrain", settings, settings.pretrain, paths, inputs, choices=choices)
    prototypes = training.place(Prototypes.load(paths.prototypes, settings.attribute))
    autoencoder = new_autoencoder(settings.autoencoder)

    def outputs(batch: Batch) -> list[Tensor]:
        P_SM = prototypes.for_faces(batch.y, batch.landmarks).same
        X: list[Tensor] = autoencoder(batch.X, P_SM, [P_SM])
        return X

    def losses(batch: Batch) -> dict[str, Tensor]:
        (X_SM,) = outputs(batch)
        return {"J_D": J_D(batch.X, X_SM)}

    examples = load_side(settings, paths, "train")
    history = training.fit(autoencoder, losses, examples, observer, outputs)
    about = {"architecture": settings.autoencoder, "align": prototypes.align}
    training.save(paths.pretrained, autoencoder, kind="autoencoder", **about)
    return training.finish(dict(final_losses(history)))
