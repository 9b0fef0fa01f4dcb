"""The calibration counts what series raise: by days and weeks as they have them."""

import pytest

from bench.calibration import ARL, Cell, false_alarms

REFERENCES_N = 20


@pytest.mark.parametrize("data", ["yes in 30 %, each day 20 to 40 %", "all three, days alike"])
def test_days_are_told_apart_by_their_hours(data: str) -> None:
    """18 and 4 alarms; 64 and 28 while a week was taken for one day. Twenty are promised."""
    cell = Cell(data, 500, ARL, REFERENCES_N)

    votes_n = sum(false_alarms((cell, seed))[-1] for seed in range(REFERENCES_N))

    assert votes_n <= 1.2 * REFERENCES_N
