"""Counts of calls and labels: shares, their errors, the last 2,000, and which change explains."""

from math import exp

import numpy as np
import pytest

from streams.performance.diagnosis import Cause, causes
from streams.performance.table import Estimate, Recent, Table


def table(
    n: int,
    prevalence: float = 0.1,
    sensitivity: float = 0.9,
    specificity: float = 0.92,
    read_called: float = 0.95,
    read_uncalled: float = 0.65,
) -> Table:
    """What is expected of n studies."""
    present_called = prevalence * sensitivity
    called = present_called + (1 - prevalence) * (1 - specificity)
    missed = prevalence * (1 - sensitivity)
    shares = (
        called,
        called * read_called,
        present_called * read_called,
        1 - called,
        (1 - called) * read_uncalled,
        missed * read_uncalled,
    )
    return Table(*(round(n * share) for share in shares))


def share(estimate: Estimate) -> float:
    return 1 / (1 + exp(-estimate.log_odds))


@pytest.mark.parametrize("read_uncalled", [0.2, 0.65, 1.0])
def test_sensitivity_does_not_depend_on_who_is_read(read_uncalled: float):
    counts = table(200_000, read_uncalled=read_uncalled)

    assert share(counts.sensitivity()) == pytest.approx(0.9, abs=0.003)
    assert share(counts.call_rate()) == pytest.approx(0.162, abs=0.001)
    assert share(counts.ppv()) == pytest.approx(0.09 / 0.162, abs=0.002)
    assert share(counts.false_omission()) == pytest.approx(0.01 / 0.838, abs=0.001)


def test_the_error_of_sensitivity_is_that_of_repeated_samples():
    rng = np.random.default_rng(6)
    found = []
    for _ in range(300):
        counts = Table()
        present = rng.random(1_500) < 0.2
        called = rng.random(1_500) < np.where(present, 0.8, 0.1)
        read = rng.random(1_500) < np.where(called, 0.95, 0.65)
        for c, r, p in zip(called, read, present, strict=True):
            counts.add(bool(c), bool(p) if r else None)
        found.append(counts.sensitivity())

    assert np.std([one.log_odds for one in found]) == pytest.approx(
        np.mean([one.se for one in found]), rel=0.15
    )


def test_an_empty_table_has_shares():
    counts = Table()

    assert share(counts.sensitivity()) == 0.5
    assert (counts.read_share(True), counts.read_share(False)) == (0.5, 0.5)


def test_the_last_2000_studies_are_kept():
    recent = Recent(Table(), [])
    for number in range(5_050):
        recent.add(number, number % 2 == 0, number >= 5_000)

    assert recent.total.studies_n == 1_950
    assert sum(block.table.studies_n for block in recent.blocks) == 1_950
    assert recent.total.present_n == 50
    assert recent.since(4_950).studies_n == 50
    assert recent.since(0).studies_n == 1_950
    assert recent.since(10**6).studies_n == 50


@pytest.mark.parametrize(
    ("after", "cause"),
    [
        ({"prevalence": 0.15}, "prevalence moved"),
        ({"prevalence": 0.06}, "prevalence moved"),
        ({"sensitivity": 0.7}, "sensitivity lost"),
        ({"specificity": 0.86}, "specificity lost"),
        ({"sensitivity": 0.78, "specificity": 0.965}, "threshold moved"),
        ({"sensitivity": 0.955, "specificity": 0.83}, "threshold moved"),
    ],
)
def test_what_moved_is_named_first(after: dict[str, float], cause: Cause):
    assert causes(table(20_000), table(4_000, **after))[:1] == (cause,)


def test_labels_that_changed_leave_the_call_rate_alone():
    before, after = table(20_000), table(4_000)
    after.called_present_n = round(after.called_present_n * 0.7)
    after.uncalled_present_n = round(after.uncalled_present_n * 0.7)

    assert causes(before, after) == ("labels changed",)


@pytest.mark.parametrize("read_uncalled", [0.65, 0.95])
def test_where_nothing_moved_nothing_is_named(read_uncalled: float):
    assert causes(table(2_000), table(2_000, read_uncalled=read_uncalled)) == ()


def test_what_cannot_be_told_apart_is_not_named():
    assert causes(table(500), table(150, sensitivity=0.8)) == ()


def test_tables_without_a_study_name_nothing():
    assert causes(Table(), Table()) == ()
