"""Stage 8: semi-adversarial training with J_total (paper, section 2.3)."""

from torch import Tensor

from sanmodel.augmentation import Augmentation
from sanmodel.errors import SanError
from sanmodel.files import sha256
from sanmodel.losses import TotalLoss
from sanmodel.models.autoencoders import load_autoencoder
from sanmodel.models.ensemble import Glance, load_classifiers
from sanmodel.models.frozen import load_matcher
from sanmodel.models.weights import load_weights
from sanmodel.observer import SILENT, Metrics, Observer
from sanmodel.paths import Paths
from sanmodel.prototypes import Prototypes
from sanmodel.settings import Settings
from sanmodel.stages.training import Training, final_losses, load_side
from sanmodel.training.data import Batch, Examples

MATCHED = Augmentation(
    shift=0.02,
    scale=0.04,
    turn=0.05,
    contrast=0.15,
    light=0.05,
    blur=0.3,
    noise=0.02,
    compression=0.05,
)
"""Looks before the matcher: milder than those before classifiers, since they hide details."""


def run(settings: Settings, paths: Paths, observer: Observer = SILENT) -> Metrics:
    """Write ``paths.autoencoder``.

    Returns:
        The final loss terms.

    Raises:
        SanError: If an input is missing, damaged or of another attribute or autoencoder, or the
            training diverges.
    """
    inputs = [paths.pretrained, paths.classifier, paths.matcher, paths.prototypes]
    choices = {"autoencoder": settings.autoencoder}
    training = Training("train", settings, settings.train, paths, inputs, choices=choices)
    prototypes = training.place(Prototypes.load(paths.prototypes, settings.attribute))
    autoencoder = load_autoencoder(
        paths.pretrained, settings.attribute, prototypes.align, settings.autoencoder
    )
    J_total = training.place(_total_loss(settings, paths))
    examples = load_side(settings, paths, "train")
    R_X = training.place(_known_descriptors(paths, examples))

    def outputs(batch: Batch) -> list[Tensor]:
        P = prototypes.for_faces(batch.y, batch.landmarks)
        X: list[Tensor] = autoencoder(batch.X, P.same, [P.same, P.opposite])
        return X

    def losses(batch: Batch) -> dict[str, Tensor]:
        X_SM, X_OP = outputs(batch)
        return J_total(batch.X, batch.y, batch.landmarks, X_SM, X_OP, R_X[batch.row], batch.step)

    history = training.fit(autoencoder, losses, examples, observer, outputs)
    about = {"architecture": settings.autoencoder, "align": prototypes.align}
    training.save(paths.autoencoder, autoencoder, kind="autoencoder", **about)
    return training.finish(dict(final_losses(history)))


def _known_descriptors(paths: Paths, examples: Examples) -> Tensor:
    """Load R_vgg(X) of all training crops, (N, d).

    Raises:
        SanError: If the file is missing, damaged, or of other crops or another matcher.
    """
    about = {"crops": examples.digest, "matcher": sha256(paths.matcher)}
    known = load_weights(paths.descriptors, kind="descriptors", **about).get("R_X")
    if known is None or known.ndim != 2 or len(known) != len(examples):
        raise SanError(
            f"{paths.descriptors} does not hold the descriptors of {len(examples)} crops: run"
            " `dvc repro -f train_matcher` to make it again"
        )
    return known


def _total_loss(settings: Settings, paths: Paths) -> TotalLoss:
    """Put the frozen networks behind equation 5."""
    how, classifiers = settings.train, load_classifiers(paths.classifier, settings.attribute)
    return TotalLoss(
        f_G=[Glance(one, Augmentation()) if how.augment else one for one in classifiers],
        R_vgg=load_matcher(paths.matcher),
        lambda_G=how.lambda_G,
        lambda_M=how.lambda_M,
        lambda_D=how.lambda_D,
        lambda_S=how.lambda_S,
        reconstruction=how.reconstruction,
        fidelity=how.fidelity,
        matching=how.matching,
        matching_from=how.matching_from,
        looks=MATCHED if how.augment else None,
    )
