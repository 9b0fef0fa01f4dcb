"""A series learns a reference, is watched, and after an alarm learns again."""

from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from detectors.reference import Reference
from streams.blocks import BLOCK_N, Block, Blocks
from streams.series import Change, Seen, Series, Settings, agree

MINUTE_US = 60_000_000
DAY_US = 86_400_000_000
SHORT = Settings(observations=100, max_us=60 * DAY_US)


class Watched:
    """A series that is fed a value a minute; noise of one around a level."""

    def __init__(self, using: Settings = SHORT, seed: int = 1) -> None:
        self.series = Series(using)
        self.random = Random(seed)
        self.n = 0
        self.paces: list[float] = []

    def feed(self, values: list[float], every_us: int = MINUTE_US) -> list[Change]:
        ats_us = [(self.n + number) * every_us for number in range(len(values))]
        self.n += len(values)
        uniforms = [self.random.random() for _ in values]
        return [
            what
            for what in self.series.observe(Seen(values, uniforms, ats_us), self.grant)
            if isinstance(what, Change)
        ]

    def around(self, level: float, n: int) -> list[Change]:
        return self.feed([self.random.gauss(level, 1.0) for _ in range(n)])

    def grant(self, pace: float) -> float:
        self.paces.append(pace)
        return 1e5


class TestLearning:
    def test_a_reference_is_frozen_after_so_many_observations(self) -> None:
        one = Watched()

        one.around(0, 99)
        before = one.series.phase
        one.around(0, 1)

        assert (before, one.series.phase) == ("learning", "watching")
        assert one.series.original is not None and one.series.original.n == 100
        assert one.series.sample == []

    def test_or_after_so_many_days_with_fifty_at_least(self) -> None:
        rare = Watched(Settings(observations=2_000, max_us=60 * DAY_US))

        rare.feed([1.0] * 49, every_us=10 * DAY_US)
        before = rare.series.phase
        rare.feed([1.0], every_us=10 * DAY_US)

        assert (before, rare.series.phase) == ("learning", "watching")

    def test_the_pace_is_told_once_in_observations_a_day(self) -> None:
        one = Watched()

        one.around(0, 500)

        assert one.paces == [pytest.approx(1440 * 100 / 99)]

    def test_values_of_one_moment_have_a_pace(self) -> None:
        one = Watched()

        one.feed([0.5] * 100, every_us=0)

        assert one.paces == [100 * 86_400]
        assert one.series.phase == "watching"

    def test_nothing_alarms_while_it_learns(self) -> None:
        one = Watched()

        assert one.around(0, 50) + one.around(1e6, 49) == []


class TestConstants:
    def test_a_constant_stays_quiet(self) -> None:
        one = Watched()

        assert one.feed([0.148] * 5_000) == []

    def test_another_constant_is_a_change_at_once(self) -> None:
        one = Watched()
        one.feed([0.148] * 200)

        (alarm, *_) = one.feed([0.139] * 60)

        assert (alarm.before, alarm.after) == (pytest.approx(0.148), pytest.approx(0.139, rel=0.1))
        assert alarm.current_n <= 100

    def test_two_values_of_which_one_gets_more_frequent_are_a_change(self) -> None:
        one = Watched()
        one.feed([float(one.random.random() < 0.1) for _ in range(400)])

        changes = one.feed([float(one.random.random() < 0.6) for _ in range(400)])

        assert changes[0].what == "alarm"


class TestDrift:
    def test_a_change_is_confirmed_with_its_start_before_and_after(self) -> None:
        one = Watched()
        one.around(10, 300)

        alarm, confirmed = one.around(13, 200)

        assert (alarm.what, alarm.again, confirmed.what, confirmed.again) == (
            "alarm",
            False,
            "changed",
            False,
        )
        assert alarm.since_us == pytest.approx(300 * MINUTE_US, abs=BLOCK_N * MINUTE_US)
        assert confirmed.since_us == alarm.since_us
        assert (confirmed.before, confirmed.after) == (
            pytest.approx(10, abs=0.5),
            pytest.approx(13, abs=0.5),
        )
        assert one.series.provisional is not None

    def test_after_it_has_changed_it_does_not_alarm_for_ever(self) -> None:
        one = Watched()
        one.around(10, 300)
        one.around(13, 200)

        assert one.around(13, 3_000) == []

    def test_a_return_is_seen_and_the_reference_is_the_old_one(self) -> None:
        one = Watched()
        one.around(10, 300)
        original = one.series.original
        one.around(13, 200)

        alarm, returned = one.around(10, 300)

        assert (alarm.again, returned.what) == (True, "returned")
        assert (one.series.original, one.series.provisional) == (original, None)
        assert one.series.phase == "watching"

    def test_a_second_change_is_not_hidden_behind_the_first(self) -> None:
        one = Watched()
        one.around(10, 300)
        one.around(13, 200)

        alarm, again = one.around(16, 300)

        assert (alarm.again, again.what, again.again) == (True, "changed", True)
        assert (again.before, again.after) == (
            pytest.approx(13, abs=0.5),
            pytest.approx(16, abs=0.5),
        )

    def test_an_alarm_over_nothing_returns_by_itself(self) -> None:
        one = Watched()
        one.around(10, 300)

        changes = one.feed([40.0] * 30)
        changes += one.around(10, 200)

        assert [change.what for change in changes][:1] == ["alarm"]
        assert one.series.reference is not None

    @given(st.lists(st.integers(1, 130), min_size=1, max_size=30), st.integers(0, 5))
    @settings(max_examples=25, deadline=None)
    def test_however_the_values_are_cut_the_result_is_the_same(
        self, cuts: list[int], seed: int
    ) -> None:
        random = Random(seed)
        values = [random.gauss(level, 1) for level in (0, 3, 0) for _ in range(250)]
        uniforms = [random.random() for _ in values]
        ats_us = list(range(len(values)))
        whole, cut = Series(SHORT), Series(SHORT)
        seen = Seen(values, uniforms, ats_us)

        at_once = list(whole.observe(seen, lambda _: 1e5))
        in_parts, start = [], 0
        for size in [*cuts, len(values)]:
            in_parts += cut.observe(seen.part(start, start + size), lambda _: 1e5)
            start += size

        assert at_once == in_parts


class TestAccepting:
    def changed(self) -> Watched:
        one = Watched()
        one.around(10, 300)
        one.around(13, 200)
        return one

    def test_the_provisional_reference_becomes_the_reference(self) -> None:
        one = self.changed()
        provisional = one.series.provisional

        one.series.accept()

        assert (one.series.original, one.series.provisional) == (provisional, None)
        assert one.around(13, 2_000) == []
        assert one.around(10, 300)[0].again is False

    def test_while_it_learns_again_what_it_has_learnt_counts(self) -> None:
        one = Watched()
        one.around(10, 300)
        changes: list[Change] = []
        while not changes:
            changes = one.around(13, 1)
        one.around(13, 20)

        one.series.accept()
        one.around(13, 80)

        assert one.series.phase == "watching"
        assert one.series.reference is not None
        assert one.series.reference.mean == pytest.approx(13, abs=0.5)

    def test_without_a_change_it_learns_anew(self) -> None:
        one = Watched()
        one.around(10, 300)

        one.series.accept()
        one.around(20, 100)

        assert one.series.reference is not None
        assert one.series.reference.mean == pytest.approx(20, abs=0.5)

    def test_while_it_learns_nothing_changes(self) -> None:
        one = Watched()
        one.around(10, 50)

        one.series.accept()
        one.around(10, 50)

        assert one.series.phase == "watching"

    def test_its_share_of_the_promise_stays_what_it_was(self) -> None:
        one = self.changed()
        one.series.accept()
        one.series.accept()
        one.around(13, 300)

        assert len(one.paces) == 1


@pytest.mark.parametrize(
    ("shift", "same"), [(0.0, True), (0.05, True), (1.0, False), (-1.0, False)]
)
def test_samples_agree_unless_they_are_shown_to_differ(shift: float, same: bool) -> None:
    random = Random(3)
    old = Reference([random.gauss(0, 1) for _ in range(500)])
    new = Reference([random.gauss(shift, 1) for _ in range(250)])

    assert agree(old, new) is same


def test_constants_agree_with_themselves_alone() -> None:
    assert agree(Reference([1.0] * 100), Reference([1.0] * 60))
    assert not agree(Reference([1.0] * 100), Reference([2.0] * 60))


class TestBlocks:
    def test_a_block_knows_its_sum_and_range(self) -> None:
        blocks = Blocks()

        blocks.extend([1.0, 5.0, 3.0], [10, 20, 30], [0.1, 0.2, 0.3])

        assert blocks.filling == Block(10, 30, 3, 9.0, 1.0, 5.0, pytest.approx(0.6), 3)

    def test_only_the_last_ones_are_kept(self) -> None:
        blocks = Blocks()

        for number in range(1_000):
            blocks.extend([float(number)] * BLOCK_N, [number] * BLOCK_N)

        assert len(blocks.full) == 64
        assert blocks.full[-1].at_us == 999

    def test_what_came_since_is_told_to_whole_blocks(self) -> None:
        blocks = Blocks()
        for number in range(4):
            blocks.extend([float(number)] * BLOCK_N, [number] * BLOCK_N)
        blocks.extend([9.0] * 10, [4] * 10)

        assert [blocks.since(n).at_us for n in (0, 10, 11, 60, 61, 10_000)] == [4, 4, 3, 3, 2, 0]
        assert blocks.since(11).n == 60

    def test_a_stamp_that_comes_late_does_not_turn_a_block_around(self) -> None:
        blocks = Blocks()

        blocks.extend([1.0, 2.0, 3.0], [20, 10, 15])

        assert blocks.filling is not None
        assert (blocks.filling.since_us, blocks.filling.at_us) == (10, 20)


def test_one_ancient_stamp_neither_ends_the_learning_nor_sets_the_pace() -> None:
    years_us = 25 * 365 * DAY_US
    honest, troubled = Watched(), Watched()

    honest.around(10, 100)
    troubled.feed([10.0], every_us=0)  # at the epoch, the rest 25 years later
    troubled.n = years_us // MINUTE_US
    troubled.around(10, 98)
    learning = troubled.series.phase
    troubled.around(10, 1)

    assert (learning, troubled.series.phase) == ("learning", "watching")
    assert troubled.paces[0] == pytest.approx(honest.paces[0], rel=0.05)
