"""What the paper reports, to stand beside our own figures."""

from collections.abc import Mapping
from dataclasses import dataclass

Rates = Mapping[str, float]
"""By variant a rate as a fraction."""


@dataclass(frozen=True)
class Published:
    """Sizes and rates that a publication reports, per set and, of rates, per software.

    Attributes:
        source: The publication.
        attribute: The attribute that they are about.
        sets: What it calls each of our data sources.
        sizes: By set numbers of people and images, named like ours in docs/evaluation.md.
        attribute_error: By set and software the error of reading the attribute.
        true_match_rate: By set and software the true match rate at a false match rate of 1 %.
    """

    source: str
    attribute: str
    sets: Mapping[str, str]
    sizes: Mapping[str, Mapping[str, int]]
    attribute_error: Mapping[str, Mapping[str, Rates]]
    true_match_rate: Mapping[str, Mapping[str, Rates]]


def _of_people(images: int, male: int, female: int) -> dict[str, int]:
    """Read a row of table 1 that counts men and women: far fewer than images, they are people."""
    return {"people": male + female, "images": images}


def _of_images(images: int, male: int, female: int) -> dict[str, int]:
    """Read a row of table 1 that counts images of men and of women: they add up to all images."""
    return {"images": images, "images_class_0": female, "images_class_1": male}


def _errors(before: float, after: float, mixing: float) -> Rates:
    """Read a row of table 2: its columns "Original", "Perturbed (after OP)" and "Ref. [21]"."""
    return {"original": before, "OP": after, "mixing": mixing}


def _matches(original: float, same: float, neutral: float, opposite: float) -> dict[str, Rates]:
    """Read a row of table 3, which has one software, M-COTS."""
    return {"M-COTS": {"original": original, "SM": same, "NT": neutral, "OP": opposite}}


PAPER = Published(
    source="Mirjalili, Raschka, Namboodiri, Ross: Semi-Adversarial Networks: Convolutional"
    " Autoencoders for Imparting Privacy to Face Images, ICB 2018, tables 1, 2 and 3",
    attribute="Male",
    sets={"celeba": "CelebA-test", "muct": "MUCT", "lfw": "LFW", "arface": "AR-face"},
    sizes={
        "CelebA-test": _of_images(39_411, 16_318, 23_093),
        "MUCT": _of_people(3_754, 131, 145),
        "LFW": _of_people(12_969, 4_205, 1_448),
        "AR-face": _of_people(3_286, 76, 60),
    },
    attribute_error={
        "CelebA-test": {
            "IntraFace": _errors(0.197, 0.393, 0.446),
            "G-COTS": _errors(0.022, 0.136, 0.424),
        },
        "MUCT": {
            "IntraFace": _errors(0.080, 0.392, 0.577),
            "G-COTS": _errors(0.051, 0.254, 0.539),
        },
        "LFW": {
            "IntraFace": _errors(0.334, 0.725, 0.709),
            "G-COTS": _errors(0.028, 0.188, 0.461),
        },
        "AR-face": {
            "IntraFace": _errors(0.169, 0.538, 0.542),
            "G-COTS": _errors(0.093, 0.269, 0.406),
        },
    },
    true_match_rate={
        "MUCT": _matches(0.9988, 0.9979, 0.9957, 0.9844),
        "LFW": _matches(0.9029, 0.9002, 0.8847, 0.8345),
        "AR-face": _matches(0.9497, 0.9411, 0.9195, 0.9081),
    },
)
"""The face mixing that it compares with ("mixing") is that of Othman and Ross (2014)."""
