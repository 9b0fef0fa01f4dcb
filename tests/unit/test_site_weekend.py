"""Hospitals rest on different days: which ones is a setting."""

from random import Random

import pytest

from schemas.config import Config, Reference
from schemas.site import SiteSettings, Weekend
from streams.budget import Budget
from streams.clock import to_us
from streams.detect import Detect, Said
from streams.finding import Finding
from streams.observations.observe import Observations
from streams.site_time import SiteTimes
from tests.unit.builders import START, at

DAY_S = 86_400
PER_DAY = 144
MONDAY, FRIDAY, SATURDAY, SUNDAY = 0, 4, 5, 6  # the start is a Monday


def found(config: Config, resting: tuple[int, int]) -> list[Finding]:
    """What is told in seven weeks of a site that rests on such days; nothing ever changes."""
    detect, random = Detect(config, Budget(config)), Random(3)
    said: list[Said] = []
    for n in range(49 * PER_DAY):
        rests = n // PER_DAY % 7 in resting
        values = [
            ("attributes.dose", random.gauss(1.5 * rests, 1.0)),
            ("view", "AP" if random.random() < (0.5 if rests else 0.2) else "PA"),
            ("attributes.portable", random.random() < (0.5 if rests else 0.2)),
        ]
        at_us = to_us(at(n * DAY_S / PER_DAY))
        said += detect.observe(Observations("north", "", f"s{n}", at_us, values))
    return [what for what in [*said, *detect.flush()] if isinstance(what, Finding)]


def weekend(which: Weekend) -> Config:
    return Config(weekend=which, reference=Reference(observations=2 * PER_DAY))


class TestDetection:
    def test_a_weekend_that_is_not_set_is_told_as_a_change(self) -> None:
        told = found(weekend("saturday-sunday"), (FRIDAY, SATURDAY))

        assert {one.subject for one in told} >= {"attributes.dose", "view"}

    @pytest.mark.parametrize(
        ("which", "resting"),
        [("saturday-sunday", (SATURDAY, SUNDAY)), ("friday-saturday", (FRIDAY, SATURDAY))],
    )
    def test_one_that_is_set_is_learnt(self, which: Weekend, resting: tuple[int, int]) -> None:
        assert found(weekend(which), resting) == []


class TestWorkingWeek:
    @pytest.mark.parametrize(
        ("which", "first_working_day"),
        [("saturday-sunday", MONDAY), ("friday-saturday", SUNDAY), ("thursday-friday", SATURDAY)],
    )
    def test_it_begins_with_the_first_working_day(
        self, which: Weekend, first_working_day: int
    ) -> None:
        times = SiteTimes(Config(weekend=which))
        first_us = to_us(at(first_working_day * DAY_S))

        assert START.weekday() == MONDAY
        assert times.working("north").weekhour(first_us) == 0
        assert times.working("north").weekhour(first_us - 1) == 167

    def test_a_site_has_its_own_weekend_or_that_of_the_deployment(self) -> None:
        east = SiteSettings(name="east", timezone="Asia/Tokyo", weekend="saturday-sunday")
        times = SiteTimes(Config(weekend="friday-saturday", sites=[east]))
        monday_us = to_us(at(0))

        assert times.working("east").weekhour(monday_us) == 9
        assert times.working("north").weekhour(monday_us) == 24

    def test_silence_goes_by_the_calendar_and_asks_for_no_weekend(self) -> None:
        set_, unset = SiteTimes(Config(weekend="friday-saturday")), SiteTimes(Config())
        monday_us = to_us(at(0))

        assert set_.of("north").weekhour(monday_us) == unset.of("north").weekhour(monday_us) == 0
