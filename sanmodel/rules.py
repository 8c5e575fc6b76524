"""``mlflow/promotion.yaml``: what a model must show to become the champion.

Figures are those of the test side's faces, by the first classifier and the first matcher of
``evaluate`` at the highest false match rate. A rule that is null is dropped.
"""

from pathlib import Path

from pydantic import Field

from sanmodel.settings import Section
from sanmodel.strict import parse, read_yaml


class Floors(Section):
    """What every model must show, the first one too.

    Attributes:
        min_error: Least attribute error on X'_OP.
        max_match_loss: Most that the true match rate may fall from the originals to X'_OP.
        max_same_error_rise: Most that the attribute error may rise from the originals to X'_SM.
        min_psnr: Least PSNR of X'_OP in dB.
        min_ssim: Least SSIM of X'_OP.
        max_undetected: Largest share of the faces that a face detector finds in the original and
            no longer in X'_OP.
        max_attacker_auc: Largest area under the ROC curve of the best attacker that was trained
            on other people's X'_OP.
        max_latency: Most seconds that the exported model takes for one face, on the machine that
            judges.
    """

    min_error: float | None = Field(default=0.25, ge=0, le=1)
    max_match_loss: float | None = Field(default=0.05, ge=0, le=1)
    max_same_error_rise: float | None = Field(default=0.02, ge=0, le=1)
    min_psnr: float | None = Field(default=24.0, ge=0)
    min_ssim: float | None = Field(default=0.9, ge=0, le=1)
    max_undetected: float | None = Field(default=0.02, ge=0, le=1)
    max_attacker_auc: float | None = Field(default=None, ge=0.5, le=1)
    max_latency: float | None = Field(default=0.5, gt=0)


class AgainstChampion(Section):
    """What a challenger must show beside the champion, on the same faces.

    Attributes:
        min_error_gain: Least gain in attribute error on X'_OP; besides, zero must lie below its
            95 % interval: with other test people, too, the challenger would protect better.
        max_match_fall: Most that the true match rate on X'_OP may fall.
        max_psnr_fall: Most that the PSNR of X'_OP may fall, in dB.
    """

    min_error_gain: float | None = Field(default=0.0, ge=0, le=1)
    max_match_fall: float | None = Field(default=0.01, ge=0, le=1)
    max_psnr_fall: float | None = Field(default=1.0, ge=0)


class Rules(Section):
    """All of ``mlflow/promotion.yaml``."""

    floors: Floors = Floors()
    champion: AgainstChampion = AgainstChampion()


def load_rules(path: Path) -> Rules:
    """Read ``mlflow/promotion.yaml``.

    Raises:
        SanError: If it is missing or malformed, a rule is unknown or a limit has a wrong type or
            range; the message names the rule.
    """
    return parse(Rules, read_yaml(path), str(path))
