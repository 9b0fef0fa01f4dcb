"""The short form of bench/performance.py: what is found in days, and what stays quiet."""

from dataclasses import replace
from statistics import median

import pytest

from bench.performance_watch import Told, watch
from bench.performance_world import QUIET, USUAL, Task, World


def first(told: Told, *subjects: str) -> float:
    """Days from the change to the first alarm after it."""
    days = [day for subject in subjects for day in told.alarms.get(subject, ()) if day > 0]
    return min(days, default=float("inf"))


@pytest.mark.parametrize(
    ("after", "subjects", "median_days"),
    [
        (replace(USUAL, sensitivity=0.7), ("sensitivity",), 12),
        (replace(USUAL, specificity=0.85), ("ppv", "call_rate"), 12),
        (replace(USUAL, score_shift=-1.0), ("calibration",), 12),
    ],
)
def test_a_model_that_got_worse_is_found(
    after: World, subjects: tuple[str, ...], median_days: float
):
    tasks = [Task("worse", USUAL, after, 20, seed, calm_days=7) for seed in range(3)]

    assert median(first(watch(task), *subjects) for task in tasks) <= median_days


@pytest.mark.parametrize("name", ["backlog week", "verification .65 to .95"])
def test_late_reports_and_other_readers_raise_nothing(name: str):
    """The promise is 500 days each for five subjects, over 3 x 30 days: 0.9 expected at most."""
    before, after = QUIET[name]
    told = [watch(Task(name, before, after, 30, seed, calm_days=3)) for seed in range(3)]

    assert sum(len(days) for one in told for days in one.alarms.values()) <= 2
