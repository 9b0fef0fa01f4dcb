"""A busy series is not judged before its reference holds a weekend."""

from datetime import UTC, datetime, timedelta

import numpy as np

from schemas.config import Config, Reference, Watch
from schemas.incident import Incident
from schemas.study import Study
from streams.clock import to_us
from streams.pipeline import Pipeline

MONDAY = datetime(2026, 1, 5, tzinfo=UTC)
PER_DAY, DAYS, SERIES = 400, 30, 4


def studies(seed: int = 3) -> list[tuple[Study, int]]:
    """Half a standard deviation more on Saturdays and Sundays, and nothing ever changes."""
    rng, told = np.random.default_rng(seed), []
    for number in range(PER_DAY * DAYS):
        at = MONDAY + timedelta(days=number / PER_DAY)
        more = 0.5 if at.weekday() >= 5 else 0.0
        values = {f"a{k}": float(x) for k, x in enumerate(rng.normal(more, 1, SERIES))}
        study = Study(site="north", study=f"s{number}", at=at, modality="DX", attributes=values)
        told.append((study, to_us(at)))
    return told


def opened(min_days: float) -> list[Incident]:
    pipeline = Pipeline(
        Config(
            reference=Reference(observations=1_000, min_days=min_days),
            watch=Watch(include=("attributes.*",), monitors=()),
        )
    )
    said = pipeline.handle_all(studies())
    return [one for one in said if isinstance(one, Incident) and one.reason == "opened"]


def test_a_weekend_is_a_change_only_to_a_reference_that_holds_none() -> None:
    without, with_one = opened(min_days=0), opened(min_days=8)

    assert len(without) >= SERIES
    assert {one.at.strftime("%A") for one in without} <= {"Saturday", "Sunday"}
    assert not with_one
