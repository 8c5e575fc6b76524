"""The learning rate of a step: warmup, then the same or half a cosine."""

import math

from sanmodel.settings import Schedule


def learning_rate(schedule: Schedule, step: int) -> float:
    """Return Adam's step size in one step, counted from 0.

    It depends on nothing else, so a resumed training needs no state for it.
    """
    if step < schedule.warmup:
        return schedule.learning_rate * (step + 1) / schedule.warmup
    if schedule.decay == "none":
        return schedule.learning_rate
    done = (step - schedule.warmup) / (schedule.steps - schedule.warmup)
    return schedule.learning_rate * (1 + math.cos(math.pi * done)) / 2
