import numpy as np
from descriptor_studies import VARIANTS, make_study

from sanmodel.evaluation.identification import identify
from sanmodel.evaluation.intervals import identification_intervals, with_intervals
from sanmodel.evaluation.probes import PROBES


def test_every_matcher_and_variant_is_ranked():
    study = make_study(np.repeat(np.arange(12), 4), {})
    answer = PROBES.get("identification")().answer(study)
    assert list(answer) == [f"matcher {variant}" for variant in VARIANTS]
    original = study.descriptors["matcher", "original"]
    for variant in VARIANTS:
        probes = study.descriptors["matcher", variant]
        result = identify(probes, original, study.test.faces.people)
        intervals = identification_intervals(result, seed=study.seed)
        rates = {"rank_1": result.rate(1), "rank_5": result.rate(5)}
        assert answer[f"matcher {variant}"] == with_intervals(rates, intervals)
        assert "rank_1_low" in answer[f"matcher {variant}"]
    assert answer["matcher OP"]["rank_1"] < answer["matcher original"]["rank_1"]


def test_faces_that_are_not_matched_are_neither_probe_nor_gallery():
    people = np.repeat(np.arange(12), 4)
    hidden = np.arange(48) % 4 == 3
    answer = PROBES.get("identification")().answer(make_study(people, {}, hidden))
    study = make_study(people, {})
    shown = [study.descriptors["matcher", v][~hidden] for v in ("OP", "original")]
    assert answer["matcher OP"]["rank_1"] == identify(*shown, people[~hidden]).rate(1)


def test_one_person_alone_has_no_rank():
    answer = PROBES.get("identification")().answer(make_study(np.zeros(4, dtype=np.int64), {}))
    assert answer["matcher original"] == {"rank_1": None, "rank_5": None}


def test_people_with_one_image_each_have_no_rank():
    answer = PROBES.get("identification")().answer(make_study(np.arange(5), {}))
    assert answer["matcher OP"] == {"rank_1": None, "rank_5": None}
