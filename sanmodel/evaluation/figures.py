"""The paper's figures 3, 5, 6 and 7, drawn without a display and without pyplot's global state."""

from collections.abc import Sequence
from itertools import cycle
from pathlib import Path

import numpy as np
import pandas as pd
from matplotlib import rc_context
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import NDArray

from sanmodel.evaluation.variants import in_order
from sanmodel.images import IMAGE_SIZE, Picture, grey_to_rgb

ROWS = {"SM": "same", "NT": "neutral", "OP": "opposite"}
"""What a variant is called beside its faces, where its own name is too short."""

STYLES = {
    "original": ("#222222", "-"),
    "SM": ("#0072b2", "-"),
    "NT": ("#e69f00", "-"),
    "OP": ("#c8372d", "-"),
    "mixing": ("#009e73", "--"),
    "authors": ("#8e5ea2", "--"),
    "blur": ("#56b4e9", ":"),
    "pixelation": ("#a6761d", ":"),
    "noise": ("#7f7f7f", ":"),
}
"""Colours that stay apart for colour-blind readers too, and kinds of line for the others."""

OTHER_STYLES = (("#cc79a7", "-."), ("#117733", "-."), ("#332288", "-."), ("#ddcc77", "-."))
"""Of variants that nothing is known of, say other models' outputs, in turn."""

FORMATS = (".png", ".svg")
"""Every figure is written in each."""

DPI = 150

PANEL = (4.2, 4.4)
"""Width and height of one panel of curves in inches, with its labels."""

GAP = 4
"""Pixels between two faces."""

LETTERS = 38
"""Pixels above and beside the faces for what they are called."""

Faces = dict[str, NDArray[np.uint8]]


def draw_faces(faces: Sequence[Faces], captions: Sequence[str], path: Path) -> None:
    """Draw figure 5: a column per person, a row per variant.

    Args:
        faces: For each person the grey images of the same variants, (224, 224).
        captions: What stands above each column.
        path: Name of the files to write; :data:`FORMATS` are their endings.
    """
    variants = in_order(faces[0])
    sheet = [[grey_to_rgb(person[variant]) for person in faces] for variant in variants]
    _draw_sheet(sheet, [ROWS.get(variant, variant) for variant in variants], captions, path)


def draw_prototypes(prototypes: Sequence[tuple[str, Picture]], path: Path) -> None:
    """Draw figure 3: the prototypes beside each other.

    Args:
        prototypes: For each its caption and its image, RGB (224, 224, 3).
        path: As in :func:`draw_faces`.
    """
    sheet = [[image for _, image in prototypes]]
    _draw_sheet(sheet, [""], [caption for caption, _ in prototypes], path)


def draw_attribute_roc(curves: pd.DataFrame, path: Path) -> None:
    """Draw figure 6: one panel per classifier, below each other one row per set.

    Args:
        curves: Columns classifier, variant, fpr, tpr; before them, with several sets, set.
        path: As in :func:`draw_faces`.
    """
    figure, panels = _panels(curves, "classifier")
    for panel in panels:
        panel.plot([0, 1], [0, 1], color="0.8", linewidth=1, zorder=0)
        panel.set(xlabel="false positive rate", ylabel="true positive rate")
        panel.set(xlim=(-0.02, 1.02), ylim=(-0.02, 1.02), aspect="equal")
    _save(figure, path)


def draw_matching_roc(curves: pd.DataFrame, path: Path) -> None:
    """Draw figure 7: one panel per matcher, below each other one row per set.

    The false match rate is on a log axis.

    Args:
        curves: Columns matcher, variant, fmr, tmr; before them, with several sets, set.
        path: As in :func:`draw_faces`.
    """
    figure, panels = _panels(curves, "matcher")
    for panel in panels:
        panel.set(xlabel="false match rate", ylabel="true match rate", xscale="log")
        panel.set(ylim=(-0.02, 1.02), box_aspect=1)
    _save(figure, path)


def _draw_sheet(
    sheet: Sequence[Sequence[Picture]], rows: Sequence[str], columns: Sequence[str], path: Path
) -> None:
    """Draw RGB images of 224x224 pixels in rows and columns, pixel for pixel, with their names."""
    mosaic = np.vstack([np.hstack([_framed(image) for image in row]) for row in sheet])
    high, wide = mosaic.shape[:2]
    size = np.array([wide + LETTERS, high + LETTERS])
    figure = Figure(figsize=tuple(size / DPI))
    axes = figure.add_axes((LETTERS / size[0], 0, wide / size[0], high / size[1]))
    axes.imshow(mosaic, aspect="auto", interpolation="none")
    axes.spines[:].set_visible(False)
    axes.tick_params(length=0, labeltop=True, labelbottom=False)
    centres = np.arange(max(len(rows), len(columns))) * (IMAGE_SIZE + GAP) + IMAGE_SIZE / 2
    axes.set_xticks(centres[: len(columns)], columns, fontsize=8)
    axes.set_yticks(centres[: len(rows)], rows, fontsize=9, rotation=90, va="center")
    _save(figure, path)


def _framed(image: Picture) -> Picture:
    """Add the gap to the next images, white, at the right and below."""
    return np.pad(image, ((0, GAP), (0, GAP), (0, 0)), constant_values=255)


def _panels(curves: pd.DataFrame, kind: str) -> tuple[Figure, list[Axes]]:
    """Plot the last column over the one before it, a row per set and a column per ``kind``."""
    parts = _parts(curves, kind)
    sets, networks = ([*dict.fromkeys(names)] for names in zip(*parts, strict=True))
    width, height = PANEL[0] * len(networks), PANEL[1] * len(sets)
    figure = Figure(figsize=(width, height))
    edges = {"left": 0.65 / width, "right": 1 - 0.15 / width, "wspace": 0.25}
    edges |= {"bottom": 0.55 / height, "top": 1 - 0.35 / height, "hspace": 0.3}
    grid = figure.add_gridspec(len(sets), len(networks), **edges)
    panels = []
    for (of_set, network), part in parts.items():
        panel = figure.add_subplot(grid[sets.index(of_set), networks.index(network)])
        panel.set_title(", ".join(name for name in (network, of_set) if name))
        _plot(panel, part)
        panels.append(panel)
    return figure, panels


def _parts(curves: pd.DataFrame, kind: str) -> dict[tuple[str, str], pd.DataFrame]:
    """Return the curves of each panel by set, which is empty where there is one, and network."""
    sets = curves["set"] if "set" in curves else pd.Series("", index=curves.index)
    parts = curves.groupby([sets, curves[kind]], sort=False)
    named = {(str(of_set), str(network)): part for (of_set, network), part in parts}
    return named or {("", f"no {kind} could be measured"): curves}


def _plot(panel: Axes, curves: pd.DataFrame) -> None:
    """Plot the last column over the one before it, a line for each variant."""
    x, y = curves.columns[-2:]
    others = cycle(OTHER_STYLES)
    for variant in in_order(curves["variant"]):
        curve = curves[curves["variant"] == variant]
        colour, line = STYLES.get(variant) or next(others)
        panel.plot(curve[x], curve[y], color=colour, ls=line, label=variant, linewidth=1.6)
    if panel.lines:
        panel.legend(loc="lower right", frameon=False, fontsize=8)
    panel.grid(color="0.93")


def _save(figure: Figure, path: Path) -> None:
    """Write a figure in each of ``FORMATS``; the same figure gives the same bytes."""
    with rc_context({"svg.hashsalt": "sanmodel"}):
        for ending in FORMATS:
            about = {"Date": None} if ending == ".svg" else None
            figure.savefig(path.with_suffix(ending), dpi=DPI, metadata=about)
