"""Hospitals from seeds under swarms of faults, against the oracle; see `make sim` for thousands.

`RADVIGIL_SIM_SEEDS` is a number of seeds, or some of them like `17` with `17-17` or `200-5000`.
"""

import os

import pytest

from tests.simulation.run import problems_of

_PER_TEST = 10


def _seeds() -> range:
    first, dash, last = os.environ.get("RADVIGIL_SIM_SEEDS", "200").partition("-")
    return range(int(first), int(last) + 1) if dash else range(int(first))


_SEEDS = _seeds()


@pytest.mark.parametrize(
    "seeds",
    [_SEEDS[i : i + _PER_TEST] for i in range(0, len(_SEEDS), _PER_TEST)],
    ids=lambda seeds: f"{seeds[0]}-{seeds[-1]}",
)
def test_every_hospital_is_told_as_it_was(seeds):
    for seed in seeds:
        problems = problems_of(seed)

        assert not problems, f"to repeat: python -m tests.simulation {seed}\n" + "\n".join(problems)
