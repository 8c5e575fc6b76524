"""Made-up descriptors and scores of people who are drawn several times."""

import numpy as np


def faces(people_count=12, images=5, seed=0):
    """Descriptors whose whole numbers make ties; people are numbered with holes, images mixed."""
    rng = np.random.default_rng(seed)
    people = rng.permutation(np.repeat(3 * np.arange(people_count), images))
    centres = rng.integers(0, 9, (3 * people_count, 3))
    gallery = (centres[people] + rng.integers(-1, 2, (len(people), 3))).astype(float)
    return gallery + rng.integers(-1, 2, gallery.shape), gallery, people


def answers(people, seed=0):
    """Labels of each person, scores with ties."""
    rng = np.random.default_rng(seed)
    labels = (people // 3 % 2).astype(np.int64)
    return labels, np.round(np.clip(0.5 * labels + rng.random(len(people)) * 0.6, 0, 1), 1)


def repeated(people, times):
    """Places of the images where each person is there several times, and the copy of each."""
    numbers = np.unique(people)
    copies = times[np.searchsorted(numbers, people)]
    places = np.repeat(np.arange(len(people)), copies)
    return places, np.concatenate([np.arange(count) for count in copies])
