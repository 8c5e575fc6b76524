"""A made-up evaluation, with everything that a report can tell."""

import numpy as np
import pandas as pd

from sanmodel.evaluation.page import Person, Report
from sanmodel.evaluation.report import ATTRIBUTE_COLUMNS, MATCHING_COLUMNS
from sanmodel.evaluation.variants import BASELINES, OURS
from sanmodel.evaluation.verdicts import Verdict

VARIANTS = (*OURS, *BASELINES)
GAP = "39 impostor pairs are too few for a false match rate of 0.001"


def interval(name, value):
    return {name: value, f"{name}_low": value - 0.02, f"{name}_high": value + 0.03}


def classifier(error):
    by_class = {"error_rate_class_0": error / 2, "error_rate_class_1": error * 1.5}
    return interval("error_rate", error) | by_class | interval("auc", 1 - error)


def matcher(rate):
    return interval("tmr_at_fmr_0.01", rate) | {"tmr_at_fmr_0.001": None}


def probes():
    """What two probes of the stage and one that nobody has answer."""
    shown = {"original": 0.93, "OP": 0.9}
    ranks = {f"face-net {v}": {"rank_1": r, "rank_5": r + 0.01} for v, r in shown.items()}
    of_group = {"error_rate_original": 0.05, "error_rate_OP": 0.17}
    of_pairs = {"tmr_at_fmr_0.01_original": 0.93, "tmr_at_fmr_0.01_OP": 0.9}
    nothing = dict.fromkeys({**of_group, **of_pairs})
    return {
        "attack": {"trained on OP": {"error_rate": 0.125, "auc": None, "guesses": 3}},
        "identification": ranks,
        "who-pays": {
            "gender-net all": {"images": 12_952, **nothing, **of_group},
            "gender-net Young=0": {"images": 12, **nothing},
            "face-net all": {"images": 12_940, **nothing, **of_pairs},
        },
    }


def of_set(name):
    """The metrics of one set, without further sets."""
    outputs = VARIANTS[1:]
    return {
        "set": name,
        "people": 1_048,
        "images": 952,
        "matched_images": 940,
        "images_class_0": 574,
        "images_class_1": 378,
        "genuine_pairs": 21_662,
        "impostor_pairs": 883_690,
        "classifiers": {
            "gender-net": {v: classifier(0.05 + 0.04 * i) for i, v in enumerate(VARIANTS)}
        },
        "matchers": {"face-net": {v: matcher(0.93 - 0.01 * i) for i, v in enumerate(VARIANTS)}},
        "quality": {v: {"psnr": 39.0 - i, "ssim": 0.99 - 0.01 * i} for i, v in enumerate(outputs)},
        "probes": probes(),
        "gaps": [GAP],
    }


def example_metrics():
    attackers = {"steps": 60, "faces": 400}
    main = {"schema": 1, "attribute": "Male", "attackers": attackers, **of_set("test")}
    return main | {"sets": {"lfw": of_set("lfw")}}


def curves(columns):
    points = [(0.001, 0.2), (0.1, 0.6), (1.0, 1.0)]
    rows = [("net", v, x, y - 0.02 * i) for i, v in enumerate(VARIANTS) for x, y in points]
    return pd.DataFrame(rows, columns=columns)


def black_and_white(number):
    """People whose original faces are black and whose outputs are white, but OP, which is grey."""
    levels = {v: 255 for v in VARIANTS} | {"original": 0, "OP": 128}
    faces = {v: np.full((224, 224), level, np.uint8) for v, level in levels.items()}
    return [Person(f"Male = {i % 2}", faces) for i in range(number)]


def example_report(people=None, **changes):
    """A report with faces of two people and one of a further set, or of those that are given."""
    told = {
        "metrics": example_metrics(),
        "questions": {"attack": ("Attack", "Does an attacker who trains on outputs read them?")},
        "attribute_roc": curves(ATTRIBUTE_COLUMNS),
        "matching_roc": curves(MATCHING_COLUMNS),
        "people": {"test": black_and_white(2), "lfw": black_and_white(1)}
        if people is None
        else people,
        "prototypes": [("P_0", np.full((224, 224, 3), 90, np.uint8))] * 3,
        "rules": [
            Verdict("The error after OP is 0.2 at least.", True),
            Verdict("The true match rate is 0.95 at least.", False),
            Verdict("Ranks stay.", None),
            Verdict("The PSNR is 24 dB at least.", True, certain=False),
            Verdict("The SSIM is 0.99 at least.", False, certain=False),
        ],
        "seed": 7,
        "sources": {"test": "celeba"},
        "notes": ["Faces that nobody has."],
    }
    return Report(**(told | changes))
