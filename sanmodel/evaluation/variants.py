"""What readers are told each variant of a face is."""

from collections.abc import Iterable

OURS = ("original", "SM", "NT", "OP")
"""The paper's variants, in its order."""

HIDING = "OP"
"""The output that is to hide the attribute, of ours; those of further models add their names."""

BASELINES = ("mixing", "authors", "blur", "pixelation", "noise")
"""What ours is compared with, in the order of tables and figures."""

_MEANINGS = {
    "original": "the original, grey",
    "SM": "same-class prototype",
    "NT": "neutral prototype",
    "OP": "opposite-class prototype",
    "mixing": "face mixing (Othman and Ross, 2014)",
    "authors": "the authors' released model",
}


def meaning(variant: str) -> str:
    """Return what a variant is, in a few words; its own name says it where nothing else does."""
    member = variant.removeprefix(HIDING)
    if variant.startswith(HIDING) and member:
        return f"opposite-class prototype, model {member}"
    return _MEANINGS.get(variant, variant)


def in_order(variants: Iterable[str]) -> list[str]:
    """Sort variants, each once: ours, then baselines, then others by name."""
    known = {variant: place for place, variant in enumerate((*OURS, *BASELINES))}
    return sorted(set(variants), key=lambda variant: (known.get(variant, len(known)), variant))
