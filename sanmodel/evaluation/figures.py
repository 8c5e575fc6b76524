"""The paper's figures 5, 6 and 7, drawn without a display and without pyplot's global state."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import NDArray

from sanmodel.evaluation.outputs import VARIANTS
from sanmodel.images import IMAGE_SIZE

ROWS = {"original": "original", "SM": "same", "NT": "neutral", "OP": "opposite"}
"""What each variant is called beside its faces."""

COLOURS = {"original": "#222222", "SM": "#1b7fbd", "NT": "#e69f00", "OP": "#c8372d"}
"""Colours that stay apart for colour-blind readers too."""

DPI = 150
FACE = IMAGE_SIZE / DPI
"""Side of a shown face in inches: its pixels are drawn as they are."""

GAP = 0.03
"""Inches between two faces."""

LETTERS = 0.25
"""Inches above and beside the faces for what they are called."""

Faces = dict[str, NDArray[np.uint8]]


def draw_faces(faces: Sequence[Faces], captions: Sequence[str], path: Path) -> None:
    """Draw figure 5: a column per person, a row per variant.

    Args:
        faces: For each person the grey images of all variants, (224, 224).
        captions: What stands above each column.
        path: PNG file to write.
    """
    width = LETTERS + len(faces) * (FACE + GAP)
    height = LETTERS + len(VARIANTS) * (FACE + GAP)
    figure = Figure(figsize=(width, height))
    place = {"left": LETTERS / width, "right": 1, "bottom": 0, "top": 1 - LETTERS / height}
    place |= {"wspace": GAP / FACE, "hspace": GAP / FACE}
    grid = figure.subplots(len(VARIANTS), len(faces), squeeze=False, gridspec_kw=place)
    for row, variant in zip(grid, VARIANTS, strict=True):
        row[0].set_ylabel(ROWS[variant], fontsize=9)
        for cell, person in zip(row, faces, strict=True):
            cell.imshow(person[variant], cmap="gray", vmin=0, vmax=255)
            cell.set(xticks=[], yticks=[])
            cell.spines[:].set_visible(False)
    for cell, caption in zip(grid[0], captions, strict=True):
        cell.set_title(caption, fontsize=8)
    figure.savefig(path, dpi=DPI)


def draw_attribute_roc(curves: pd.DataFrame, path: Path) -> None:
    """Draw figure 6: one panel per classifier.

    Args:
        curves: Columns classifier, variant, fpr, tpr.
        path: PNG file to write.
    """
    figure, panels = _panels(curves, "classifier")
    for panel in panels:
        panel.plot([0, 1], [0, 1], color="0.8", linewidth=1, zorder=0)
        panel.set(xlabel="false positive rate", ylabel="true positive rate")
        panel.set(xlim=(-0.02, 1.02), ylim=(-0.02, 1.02), aspect="equal")
    figure.savefig(path, dpi=DPI)


def draw_matching_roc(curves: pd.DataFrame, path: Path) -> None:
    """Draw figure 7: one panel per matcher, the false match rate on a log axis.

    Args:
        curves: Columns matcher, variant, fmr, tmr.
        path: PNG file to write.
    """
    figure, panels = _panels(curves, "matcher")
    for panel in panels:
        panel.set(xlabel="false match rate", ylabel="true match rate", xscale="log")
        panel.set(ylim=(-0.02, 1.02), box_aspect=1)
    figure.savefig(path, dpi=DPI)


def _panels(curves: pd.DataFrame, kind: str) -> tuple[Figure, list[Axes]]:
    """Plot the last column over the one before it, a panel for each name in column ``kind``."""
    x, y = curves.columns[-2:]
    names = list(dict.fromkeys(curves[kind])) or [f"no {kind} could be measured"]
    figure = Figure(figsize=(4.2 * len(names), 4.4), layout="constrained")
    panels = list(figure.subplots(1, len(names), squeeze=False)[0])
    for panel, name in zip(panels, names, strict=True):
        for variant, curve in curves[curves[kind] == name].groupby("variant", sort=False):
            label = str(variant)
            panel.plot(curve[x], curve[y], color=COLOURS[label], label=label, linewidth=1.6)
        if panel.lines:
            panel.legend(loc="lower right", frameon=False)
        panel.set_title(name)
        panel.grid(color="0.93")
    return figure, panels
