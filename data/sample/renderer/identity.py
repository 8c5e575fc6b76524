"""Samples a person: head shape, age, colours, brows, beard and hair style."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from head_mesh import Floats, load_head
from value_noise import smoothstep

YOUNG_BELOW = 0.33  # ages are 0 (about 25 years) to 1 (about 90); about 60 % lie below this
_STREAM = 7  # keeps the random numbers of people apart from those of their photos

_OPPOSITES = (
    ("incr", "decr"),
    ("up", "down"),
    ("in", "out"),
    ("forward", "backward"),
    ("convex", "concave"),
    ("compress", "uncompress"),
)
# Standard deviation of the local shape weights. Above about 0.3 the faces become caricatures.
_SPREAD = {
    "head": 0.20,
    "nose": 0.28,
    "mouth": 0.22,
    "eyes": 0.22,
    "chin": 0.24,
    "cheek": 0.24,
    "ears": 0.22,
    "forehead": 0.18,
    "eyebrows": 0.20,
    "neck": 0.12,
}
_SKIPPED = (
    "shape-",
    "head-age",
    "nose-trans-in",
    "nose-trans-out",
    "mouth-trans-in",
    "mouth-trans-out",
    "nubian",
    "nose-greek",
)  # lopsided, or not human in their extremes
_SUBTLE = ("eyefold", "eye-push", "eye-bag", "double")
# Mean shape of each class beyond what the age and build targets give. (name, men, women); the
# sign chooses between the two targets of a pair.
_CLASS_SHAPE = (
    ("chin/chin-width-incr", 0.36, -0.25),
    ("chin/chin-bones-incr", 0.44, -0.20),
    ("chin/chin-prominent-incr", 0.30, -0.10),
    ("chin/chin-height-incr", 0.22, -0.18),
    ("chin/chin-jaw-drop-incr", 0.28, -0.15),
    ("forehead/forehead-trans-backward", 0.22, -0.12),
    ("eyebrows/eyebrows-trans-forward", 0.25, -0.25),
    ("eyebrows/eyebrows-trans-down", 0.15, -0.30),
    ("eyebrows/eyebrows-angle-down", 0.10, -0.15),
    ("mouth/mouth-upperlip-volume-decr", 0.48, -0.22),
    ("mouth/mouth-lowerlip-volume-decr", 0.44, -0.22),
    ("mouth/mouth-upperlip-height-decr", 0.26, -0.12),
    ("mouth/mouth-scale-horiz-incr", 0.14, -0.06),
    ("nose/nose-scale-horiz-incr", 0.18, -0.18),
    ("nose/nose-scale-depth-incr", 0.12, -0.08),
    ("nose/nose-hump-incr", 0.15, -0.10),
    ("cheek/l-cheek-volume-decr", 0.18, -0.15),
    ("eyes/l-eye-scale-decr", 0.02, -0.20),
    ("neck/neck-scale-horiz-incr", 0.45, -0.25),
    ("neck/neck-scale-depth-incr", 0.30, -0.15),
    ("head/head-square", 0.45, 0.0),
    ("head/head-oval", 0.0, 0.25),
)
_PEOPLES = ("caucasian", "african", "asian")  # the names of the source's targets
_SKIN = np.array([[0.78, 0.55, 0.44], [0.30, 0.175, 0.115], [0.74, 0.53, 0.385]])  # linear RGB
_HAIR = np.array(
    [
        [0.022, 0.018, 0.016],
        [0.050, 0.032, 0.022],
        [0.105, 0.062, 0.036],
        [0.20, 0.125, 0.065],
        [0.40, 0.28, 0.14],
        [0.25, 0.095, 0.04],
    ]
)
_HAIR_SHARE = np.array([0.20, 0.27, 0.24, 0.14, 0.09, 0.06])
_STYLES_MEN = {
    "crop": 0.34,
    "side": 0.20,
    "swept": 0.13,
    "buzz": 0.09,
    "receding": 0.07,
    "curls": 0.06,
    "long": 0.06,
    "bald": 0.05,
}
_STYLES_WOMEN = {
    "long": 0.36,
    "bob": 0.20,
    "tied": 0.15,
    "crop": 0.09,
    "side": 0.06,
    "curls": 0.07,
    "swept": 0.05,
    "buzz": 0.02,
}


@dataclass(frozen=True)
class Identity:
    """One person. Colours are linear RGB in 0..1, lengths those of the head mesh.

    Attributes:
        number: Number of the person in the data set.
        is_male: The class of the person.
        age: 0 (about 25 years) to 1 (about 90 years).
        weights: Morph target weights of the neutral face.
        skin: Colour of the skin.
        hair: Colour of the hair on the head, grey included.
        brow: Colour of brows and beard.
        iris: Colour of the irises.
        lip_tint: How much redder than the skin the lips are, 0..1.
        hair_style: A key of `hairstyle.STYLES`.
        hair_part: Where the hair parts, from the middle to the person's left.
        hair_length: Factor on the length of the style.
        hairline_lift: How much higher than usual the hairline runs.
        beard: Density of the beard, from 0.0 (none) to 1.0 (full).
        beard_length: Length of the hairs of the beard.
        brow_width: Half the height of the brows at their thick end.
        brow_lift: How much higher than usual the brows run.
        brow_arch: Height of the arch of the brows.
        freckles: Strength of the freckles, 0..1.
        make_up: Strength of lash and lip make-up, 0..1.
        garment: Colour of the clothes.
        texture_seed: Seed of the noise in skin and hair.
    """

    number: int
    is_male: bool
    age: float
    weights: Mapping[str, float]
    skin: Floats
    hair: Floats
    brow: Floats
    iris: Floats
    lip_tint: float
    hair_style: str
    hair_part: float
    hair_length: float
    hairline_lift: float
    beard: float
    beard_length: float
    brow_width: float
    brow_lift: float
    brow_arch: float
    freckles: float
    make_up: float
    garment: Floats
    texture_seed: int

    @property
    def is_young(self) -> bool:
        """Whether the person counts as young."""
        return self.age < YOUNG_BELOW


@lru_cache(maxsize=1)
def _shape_axes() -> dict[str, str | None]:
    """Pairs every local target with its opposite, which is None for a target without one.

    Targets of the right side are left out: they follow those of the left side.
    """
    names = load_head().targets
    axes: dict[str, str | None] = {}
    for name in names:
        family, base = name.split("/", 1)
        if family not in _SPREAD or base.startswith("r-") or any(s in base for s in _SKIPPED):
            continue
        opposite = _opposite(name)
        if opposite not in axes:
            axes[name] = opposite if opposite in names else None
    return axes


def _opposite(name: str) -> str | None:
    """Names the target that moves the other way, if the name says which it would be."""
    for pair in _OPPOSITES:
        for end, other in (pair, pair[::-1]):
            if name.endswith("-" + end):
                return name[: -len(end)] + other
    return None


def _body_weights(
    age: float, is_male: bool, rng: np.random.Generator, peoples: Floats
) -> dict[str, float]:
    """Weights of the targets for sex, age, build and descent, which add up to one each."""
    muscle = float(np.clip(rng.normal(0.55 if is_male else -0.25, 0.26), -1.0, 1.0))
    weight = float(np.clip(rng.normal(-0.05, 0.38), -0.8, 0.9))
    build = {
        f"{m}-{w}": mv * wv
        for m, mv in _three_way("muscle", muscle).items()
        for w, wv in _three_way("weight", weight).items()
    }
    sex = "male" if is_male else "female"
    weights = {}
    for period, share in (("young", 1.0 - age), ("old", age)):
        for people, amount in zip(_PEOPLES, peoples, strict=True):
            weights[f"macrodetails/{people}-{sex}-{period}"] = float(amount) * share
        for name, amount in build.items():
            weights[f"macrodetails/universal-{sex}-{period}-{name}"] = amount * share
    return weights


def _three_way(name: str, value: float) -> dict[str, float]:
    """Splits a value in -1..1 between the targets min, average and max."""
    return {
        f"max{name}": max(value, 0.0),
        f"min{name}": max(-value, 0.0),
        f"average{name}": 1.0 - abs(value),
    }


def _class_means(is_male: bool) -> dict[str, float]:
    """Mean of the local shape weights of a class, for the axes that have one."""
    axes = _shape_axes()
    means = {}
    for name, men, women in _CLASS_SHAPE:
        value = men if is_male else women
        if name in axes:
            means[name] = value
        else:
            opposite = _opposite(name)
            if opposite is not None:
                means[opposite] = -value
    return means


def _local_weights(is_male: bool, rng: np.random.Generator) -> dict[str, float]:
    """Samples the weights of the local targets: class mean, personal shape, a little asymmetry."""
    means = _class_means(is_male)
    weights: dict[str, float] = {}
    for name, opposite in _shape_axes().items():
        spread = _SPREAD[name.split("/")[0]] * (0.6 if any(s in name for s in _SUBTLE) else 1.0)
        value = means.get(name, 0.0) + float(np.clip(rng.normal(0.0, spread), -0.6, 0.6))
        skew = float(rng.normal(0.0, 0.04))
        if opposite is None:
            value = 0.6 * max(value, 0.0)
        if "/l-" not in name:
            _add_weight(weights, name, opposite, value)
            continue
        for side, amount in (("/l-", value), ("/r-", value + skew)):
            other = opposite.replace("/l-", side) if opposite else None
            _add_weight(weights, name.replace("/l-", side), other, amount)
    return weights


def _add_weight(weights: dict[str, float], name: str, opposite: str | None, value: float) -> None:
    """Adds a signed weight; a negative one goes to the opposite target."""
    target = name if value >= 0.0 else opposite
    if target is not None:
        weights[target] = abs(value)


def _skin_colour(peoples: Floats, rng: np.random.Generator) -> Floats:
    colour = (peoples[:, None] * _SKIN).sum(axis=0) * np.exp(rng.normal(0.0, 0.10))
    return np.clip(colour * (1.0 + rng.normal(0.0, 0.025, 3)), 0.07, 0.88)


def _hair_colours(peoples: Floats, age: float, rng: np.random.Generator) -> tuple[Floats, Floats]:
    """Samples the colours of the hair and of the brows, which go grey later."""
    share = _HAIR_SHARE * peoples[0] + np.array([0.7, 0.3, 0, 0, 0, 0]) * (1.0 - peoples[0])
    natural = _HAIR[rng.choice(len(_HAIR), p=share / share.sum())] * np.exp(rng.normal(0.0, 0.15))
    grey = float(smoothstep(age, 0.28, 0.62)) * rng.uniform(0.2, 0.95)
    hair = natural * (1.0 - grey) + 0.40 * grey
    return hair, np.minimum(natural * (1.0 - 0.6 * grey) + 0.22 * 0.6 * grey, 0.16)


def _iris_colour(peoples: Floats, rng: np.random.Generator) -> Floats:
    light = np.array([[0.16, 0.26, 0.36], [0.17, 0.22, 0.12], [0.22, 0.25, 0.26]])
    brown = np.array([0.10, 0.05, 0.022])
    choice, chance = int(rng.integers(3)), rng.random()
    colour = light[choice] if chance < 0.55 * peoples[0] else brown
    return colour * np.exp(rng.normal(0.0, 0.2))


def _beard(is_male: bool, rng: np.random.Generator) -> tuple[float, float]:
    """Samples density and length of the beard: shaved, stubble or grown."""
    density, length, jitter = rng.choice(3, p=[0.34, 0.42, 0.24]), rng.random(), rng.random()
    if not is_male:
        return 0.0, 0.0
    low, high = ((0.42, 0.60), (0.70, 0.95), (0.85, 1.0))[density]
    return low + (high - low) * jitter, (0.0, 0.0, 0.055)[density] * (0.8 + 0.6 * length)


def sample_identity(seed: int, number: int) -> Identity:
    """Samples a person; even numbers are men, odd numbers women.

    Args:
        seed: Seed of the data set.
        number: Number of the person.

    Returns:
        The person, always the same one for the same arguments.
    """
    rng = np.random.default_rng([seed, number, _STREAM])
    is_male = number % 2 == 0
    peoples = rng.gamma([0.9, 0.45, 0.45]) + 1e-6
    peoples /= peoples.sum()
    age = float(np.clip(rng.beta(1.1, 2.6), 0.0, 0.68))
    weights = _local_weights(is_male, rng) | _body_weights(age, is_male, rng, peoples)
    skin = _skin_colour(peoples, rng)
    hair, brow = _hair_colours(peoples, age, rng)
    beard, beard_length = _beard(is_male, rng)
    styles = _STYLES_MEN if is_male else _STYLES_WOMEN
    return Identity(
        number=number,
        is_male=is_male,
        age=age,
        weights=weights,
        skin=skin,
        hair=hair,
        brow=brow,
        iris=_iris_colour(peoples, rng),
        lip_tint=float(rng.uniform(0.05, 0.3) if is_male else rng.uniform(0.35, 0.75)),
        hair_style=str(rng.choice(list(styles), p=list(styles.values()))),
        hair_part=float(rng.uniform(-0.35, 0.35)),
        hair_length=float(rng.uniform(0.8, 1.25)),
        hairline_lift=float(rng.normal(0.05 if is_male else 0.0, 0.04)),
        beard=beard,
        beard_length=beard_length,
        brow_width=float((0.041 if is_male else 0.024) * np.exp(rng.normal(0.0, 0.15))),
        brow_lift=float(rng.normal(-0.012 if is_male else 0.012, 0.01)),
        brow_arch=float(rng.normal(0.004 if is_male else 0.022, 0.008)),
        freckles=float(max(0.0, rng.normal(-0.4, 0.5))),
        make_up=0.0 if is_male else float(rng.beta(1.6, 1.6)),
        garment=rng.uniform(0.03, 0.5, 3),
        texture_seed=int(rng.integers(1 << 20)),
    )
