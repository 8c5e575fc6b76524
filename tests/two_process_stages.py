"""A program that ``torchrun`` starts: two stages that read each other's weights, on a slow disk.

``torchrun ... two_process_stages.py FOLDER`` trains the matcher and the autoencoder in a work tree.
"""

import os
import sys
import time
from contextlib import nullcontext
from pathlib import Path

import pytest

from sanmodel.files import writing_nothing
from sanmodel.paths import Paths
from sanmodel.settings import load_settings
from sanmodel.stages import pretrain, train, train_classifier, train_matcher, training

FIRST = os.environ["RANK"] == "0"
SLOW = 0.5
"""Seconds that the first process takes longer to write weights."""


def main(paths: Paths) -> None:
    """Run the trainings as one of two processes."""
    settings, save = load_settings(paths.params), training.save_weights

    def save_slowly(*args, **about) -> None:
        time.sleep(SLOW if FIRST else 0)
        save(*args, **about)

    with pytest.MonkeyPatch.context() as patched, nullcontext() if FIRST else writing_nothing():
        patched.setattr(training, "save_weights", save_slowly)
        for stage in (train_classifier, train_matcher, pretrain, train):
            stage.run(settings, paths)


if __name__ == "__main__":
    main(Paths(Path(sys.argv[1])))
