"""Scores of programs that cannot run in here: a commercial matcher, a service, another language.

The test images go out as files, and what the program makes of them comes back as a CSV table::

    folder/manifest.csv         file,image_id,person,variant,sha256   for who runs the program
    folder/pairs.csv            probe,gallery                         what a matcher is to compare
    folder/original/000000.png  the grey crops and their outputs, 224x224, lossless
    folder/SM/000000.png ...

An attribute classifier answers with the columns ``file,score``, a matcher with
``probe,gallery,score``, one row for each file or pair of the lists, in any order; further columns
are ignored. A higher score means class 1, or more alike. The lists do not say which class an image
is of, and a program should be shown the pictures alone: image ids, of AR-face say, may tell it.
"""

from sanmodel.evaluation.exchange.reading import Exchange, read_exchange, require_current
from sanmodel.evaluation.exchange.scores import (
    read_attribute_scores,
    read_match_scores,
)
from sanmodel.evaluation.exchange.writing import choose_pairs, export_images

__all__ = [
    "Exchange",
    "choose_pairs",
    "export_images",
    "read_attribute_scores",
    "read_exchange",
    "read_match_scores",
    "require_current",
]
