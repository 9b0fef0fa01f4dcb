"""A reference that holds no whole week yet: its own kind of day is judged, the other is learnt."""

from random import Random

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from streams.series.blocks import Block, Blocks
from streams.series.change import Change
from streams.series.learning import Settings
from streams.series.seen import SeriesKind
from streams.series.week import usual_days
from tests.unit.series_feed import DAY_US, Fed, Values, seen, told_alike

PER_DAY = 144
BUSY = Settings(observations=2 * PER_DAY, max_us=60 * DAY_US, week_us=8 * DAY_US)
EVERY_US = DAY_US // PER_DAY
MIXTURES = {0: ["no"] * 9 + ["yes"], 1: ["no"] * 8 + ["yes"] * 2, 3: ["yes"]}


class Days(Fed):
    """Whole days of one level; the first is a Monday."""

    def __init__(self, kind: SeriesKind = "number", using: Settings = BUSY) -> None:
        super().__init__(using, seed=4, kind=kind)
        self.kind = kind

    def days(self, n: int, level: int = 0, weekend: int | None = None) -> list[str]:
        """What changes they brought about."""
        told = []
        for _ in range(n):
            is_weekend = self.n // PER_DAY % 7 >= 5
            now = weekend if is_weekend and weekend is not None else level
            told += [what.what for what in self.feed(self.values(now), EVERY_US)]
        return told

    def values(self, level: int) -> Values:
        if self.kind == "number":
            return [self.random.gauss(level, 1.0) for _ in range(PER_DAY)]
        return self.random.choices(MIXTURES[level], k=PER_DAY)


KINDS: list[SeriesKind] = ["number", "word", "yes_no"]


@pytest.mark.parametrize("kind", KINDS)
class TestFirstWeek:
    def test_it_is_frozen_after_so_many_and_says_what_it_does_not_know(
        self, kind: SeriesKind
    ) -> None:
        one = Days(kind)

        one.days(2)

        assert (one.series.phase, one.series.notes) == ("watching", ("weekdays_only",))
        assert one.series.original is not None
        assert one.series.original.n == BUSY.observations

    def test_a_change_is_found_at_once_on_the_days_that_it_knows(self, kind: SeriesKind) -> None:
        one = Days(kind)
        one.days(3)

        assert "alarm" in one.days(1, level=3)

    def test_the_first_weekend_is_learnt_and_no_other_one_is_a_change(
        self, kind: SeriesKind
    ) -> None:
        one = Days(kind)

        assert one.days(30, weekend=1) == []
        assert one.series.notes == ()
        assert one.grants == [True]

    def test_a_change_that_begins_on_the_weekend_is_found_on_monday(self, kind: SeriesKind) -> None:
        one = Days(kind)
        one.days(5)

        assert one.days(2, level=3) == []
        assert "alarm" in one.days(1, level=3)

    def test_after_eight_days_it_is_of_all_of_them_and_weekends_are_judged(
        self, kind: SeriesKind
    ) -> None:
        one = Days(kind)
        one.days(9)
        assert one.series.original is not None
        of_all = one.series.original.n

        assert one.days(3) == []
        assert "alarm" in one.days(2, weekend=3)
        assert of_all == 8 * PER_DAY + 1
        assert (one.series.references.history.numbers_given, one.grants) == (1, [True])


@pytest.mark.parametrize("kind", KINDS)
class TestAfterAnAlarm:
    def test_what_is_learnt_then_knows_no_weekend_either_and_learns_it(
        self, kind: SeriesKind
    ) -> None:
        one = Days(kind)
        one.days(14)  # a reference of all days
        one.days(5, level=1)
        provisional = one.series.provisional

        assert provisional is not None
        assert "weekdays_only" in provisional.notes
        assert one.days(16, level=1, weekend=0) == []
        assert one.series.provisional is not None
        assert "weekdays_only" not in one.series.provisional.notes

    def test_it_relearns_as_soon_as_in_the_first_week(self, kind: SeriesKind) -> None:
        one = Days(kind)
        one.days(14)
        one.days(2, level=3)

        told = [what for what in one.said if isinstance(what, Change)]

        assert [what.what for what in told] == ["alarm", "changed"]
        assert told[1].at_us - told[0].at_us == BUSY.observations // 2 * EVERY_US

    def test_half_a_day_of_it_is_over_when_a_week_has_shown_that(self, kind: SeriesKind) -> None:
        one = Days(kind)
        one.days(14)
        one.feed(one.values(3)[: PER_DAY // 2], EVERY_US)
        told = one.days(14)

        assert told[-1:] == ["returned"]
        assert (one.series.provisional, one.series.notes) == (None, ())

    def test_it_returns_to_a_reference_of_some_days_which_goes_on_learning(
        self, kind: SeriesKind
    ) -> None:
        one = Days(kind)
        one.days(2)
        one.days(2, level=3)
        told = one.days(6)

        assert "returned" in told
        assert one.series.notes == ("weekdays_only",)
        one.days(8)
        assert one.series.notes == ()
        assert one.series.provisional is None


def test_where_days_of_both_kinds_came_it_is_of_those_that_most_came_on() -> None:
    one = Days()
    one.n = 5 * PER_DAY - PER_DAY // 2  # from Friday noon to Sunday noon

    one.days(2)

    assert one.series.notes == ("weekends_only",)
    assert one.series.original is not None
    assert one.series.original.n == 216
    assert one.days(1) == []


@pytest.mark.parametrize(
    ("weekdays", "found"),
    [([0] * 90 + [6] * 60, (90, "weekdays_only")), ([0] * 60 + [5] * 90, (90, "weekends_only"))],
)
def test_the_usual_days(weekdays: list[int], found: tuple[int, str]) -> None:
    usual = usual_days(np.array(weekdays))

    assert usual is not None
    assert (np.count_nonzero(usual.mine), usual.note) == found


@pytest.mark.parametrize("weekdays", [[0] * 49 + [5] * 49, [-1] * 200], ids=["few", "unknown"])
def test_too_few_or_unknown_days_are_of_no_kind(weekdays: list[int]) -> None:
    assert usual_days(np.array(weekdays)) is None


def test_a_change_is_dated_by_what_was_judged() -> None:
    blocks = Blocks()
    blocks.extend([5.0] * 10, [*range(10)])
    blocks.end()
    blocks.extend([9.0] * 20, [*range(10, 30)], judged=False)
    blocks.end()
    blocks.extend([5.0] * 10, [*range(30, 40)])

    since = blocks.since(15)

    assert (since.at_us, since.n, since.mean) == (5, 15, 5.0)


WEEKS: dict[SeriesKind, list[Values]] = {
    "number": [[Random(day).gauss(level, 1) for day in range(400)] for level in (0, 2, 2, 0, 5)],
    "word": [Random(9).choices(mix, k=400) for mix in ("ab", "ac", "ac", "ab", "dd")],
}


@given(
    st.sampled_from([*WEEKS]),
    st.integers(0, 6),
    st.lists(st.integers(1, 400), min_size=1, max_size=20),
)
@settings(max_examples=60, deadline=None)
def test_however_observations_of_weeks_are_cut_the_result_is_the_same(
    kind: SeriesKind, first: int, cuts: list[int]
) -> None:
    values = [value for part in WEEKS[kind] for value in part]
    row = seen(values, first * PER_DAY, EVERY_US)

    at_once = told_alike(BUSY, kind, row, cuts)

    assert sum(not isinstance(what, Block) for what in at_once) >= 2


BUSIER = Settings(
    observations=PER_DAY // 2, max_us=60 * DAY_US, week_us=8 * DAY_US, most_n=100 * PER_DAY
)


@pytest.mark.parametrize("kind", KINDS)
class TestPartOfADay:
    def test_it_is_told_and_replaced_by_one_of_two_days(self, kind: SeriesKind) -> None:
        one = Days(kind, BUSIER)

        one.days(1)

        assert one.series.notes == ("part_of_a_day", "weekdays_only")
        one.days(2)
        assert one.series.notes == ("weekdays_only",)
        assert one.series.original is not None
        assert one.series.original.n == 2 * PER_DAY + 1
        assert one.days(20) == []
        assert one.series.notes == ()
        assert one.grants == [True]

    def test_a_change_within_it_is_found(self, kind: SeriesKind) -> None:
        one = Days(kind, BUSIER)
        one.feed(one.values(0)[: PER_DAY // 2], EVERY_US)

        assert [what.what for what in one.feed(one.values(3), EVERY_US)] == ["alarm", "changed"]

    def test_a_return_to_it_goes_on_to_two_days(self, kind: SeriesKind) -> None:
        one = Days(kind, BUSIER)
        one.random.seed(2)  # of 72 observations chance makes something now and then
        one.days(1)
        one.days(1, level=3)

        assert one.days(1)[-1:] == ["returned"]
        assert one.series.notes == ("part_of_a_day", "weekdays_only")
        one.days(2)
        assert one.series.notes == ("weekdays_only",)


def test_what_comes_faster_than_any_hospital_is_not_waited_for() -> None:
    one = Days()
    one.feed([one.random.gauss(0, 1) for _ in range(BUSY.observations)], DAY_US // 20_000)

    assert (one.series.phase, one.series.notes) == ("watching", ())
