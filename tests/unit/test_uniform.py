"""The draw that places a value among its equals."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from detectors.uniform import study_key, subject_key, uniform, uniforms


def test_the_draw_is_the_same_for_ever() -> None:
    """Pinned: a replay of last year's events must score as it did then."""
    assert uniform("north", "st-1", "view") == pytest.approx(0.9337943427963182, abs=1e-12)
    assert uniform("north", "st-1", "acquisition.kvp") == pytest.approx(
        0.020915679750032723, abs=1e-12
    )


@given(st.lists(st.text(max_size=8), max_size=20), st.text(max_size=8))
def test_many_draws_are_the_same_numbers(studies: list[str], subject: str) -> None:
    keys = np.array([study_key("north", study) for study in studies], dtype=np.uint64)

    drawn = uniforms(keys, subject_key(subject))

    assert drawn.tolist() == [uniform("north", study, subject) for study in studies]


def test_draws_are_uniform_and_do_not_follow_each_other_or_another_series() -> None:
    keys = np.array([study_key("north", f"st-{i:06}") for i in range(20_000)], dtype=np.uint64)
    a, b = (uniforms(keys, subject_key(f"acquisition.{s}")) for s in ("kvp", "exposure_mas"))
    counts, _ = np.histogram(a, bins=20, range=(0, 1))
    together, *_ = np.histogram2d(a, b, bins=5, range=[[0, 1], [0, 1]])

    assert 0 < a.min() < a.max() < 1
    assert ((counts - 1000) ** 2 / 1000).sum() < 43.8  # chi-squared(19), p = .001
    assert ((together - 800) ** 2 / 800).sum() < 51.2  # chi-squared(24), p = .001
    assert abs(np.corrcoef(a[:-1], a[1:])[0, 1]) < 0.025
    assert abs(np.corrcoef(a, b)[0, 1]) < 0.025
