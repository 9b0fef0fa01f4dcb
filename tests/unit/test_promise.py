"""The one promise through the real Detect, in short; `python -m bench.promise` is the long form.

Two worlds, fixed seeds. More than is allowed by three standard errors is no chance.
"""

from itertools import pairwise

import pytest

from bench.promise import WORLDS, Measured, World, breaks, run, studies


@pytest.mark.parametrize("name", ["correlated, rho .5", "all of it"])
def test_what_never_changes_raises_no_more_than_promised(name: str) -> None:
    world = next(one for one in WORLDS if one.name == name)

    found = run(world, series_n=40, seed=1, reference_n=1_000, watched_n=1_500)

    assert found.observations > 60_000
    assert found.allowed > 15
    assert not breaks(world, found)


def test_a_broken_promise_is_seen() -> None:
    world = World("independent")

    assert breaks(world, Measured(world.name, 100, 0, 60.0, 60, 1, 1.0))
    assert not breaks(world, Measured(world.name, 70, 0, 60.0, 60, 1, 1.0))


def test_the_worlds_are_what_they_say() -> None:
    dependent = World("", common=0.5, follows=0.3)

    rows = [[value for _, value in one.values] for one in studies(dependent, 2, 1, 4_000)]

    first, second = zip(*rows, strict=True)
    n = len(first)
    together = sum(float(a) * float(b) for a, b in zip(first, second, strict=True)) / n
    after = sum(float(a) * float(b) for a, b in pairwise(first)) / n
    assert together == pytest.approx(0.5, abs=0.06)
    assert after == pytest.approx(0.3, abs=0.06)
