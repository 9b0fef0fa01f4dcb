"""A series learns a reference, is watched, and after an alarm learns again."""

from random import Random

import msgspec
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from streams.budget import AHEAD
from streams.series.blocks import BLOCK_N, Block, Blocks
from streams.series.change import Change, NewWord
from streams.series.learning import Settings
from streams.series.seen import SeriesKind
from tests.unit.series_feed import DAY_US, MINUTE_US, SHORT, Fed, Values, seen, told_alike


class TestLearning:
    def test_a_reference_is_frozen_after_so_many_observations(self) -> None:
        one = Fed()

        one.around(0, 99)
        before = one.series.phase
        one.around(0, 1)

        assert (before, one.series.phase) == ("learning", "watching")
        assert one.series.original is not None and one.series.original.n == 100
        assert one.series.learning.sample.n == 0

    def test_or_after_so_many_days_with_fifty_at_least(self) -> None:
        rare = Fed(Settings(observations=2_000, max_us=60 * DAY_US))

        rare.feed([1.0] * 49, every_us=10 * DAY_US)
        before = rare.series.phase
        rare.feed([1.0], every_us=10 * DAY_US)

        assert (before, rare.series.phase) == ("learning", "watching")

    def test_or_when_it_is_declared_complete_with_fifty_at_least(self) -> None:
        one = Fed()

        one.around(0, 49)
        list(one.series.complete(one.grant))
        before = one.series.phase
        one.around(0, 1)
        list(one.series.complete(one.grant))

        assert (before, one.series.phase) == ("learning", "watching")

    def test_its_share_is_granted_once_and_its_votes_are_armed_for_twice_its_pace(self) -> None:
        one = Fed()

        one.around(0, 500)

        assert one.grants == [True]
        assert one.series.share.per_day == pytest.approx(AHEAD * 1440 * 100 / 99)

    def test_values_of_one_moment_have_a_pace(self) -> None:
        one = Fed()

        one.feed([0.5] * 100, every_us=0)

        assert one.series.phase == "watching"
        assert one.series.share.per_day == AHEAD * 100 * 86_400

    def test_nothing_alarms_while_it_learns(self) -> None:
        one = Fed()

        assert one.around(0, 50) + one.around(1e6, 49) == []

    def test_one_ancient_stamp_neither_ends_the_learning_nor_sets_the_pace(self) -> None:
        honest, troubled = Fed(), Fed()

        honest.around(10, 100)
        troubled.feed([10.0], every_us=0)  # at the epoch, the rest 25 years later
        troubled.n = 25 * 365 * DAY_US // MINUTE_US
        troubled.around(10, 98)
        learning = troubled.series.phase
        troubled.around(10, 1)

        assert (learning, troubled.series.phase) == ("learning", "watching")
        assert troubled.series.share.per_day == pytest.approx(honest.series.share.per_day, rel=0.05)


class TestPace:
    def test_the_votes_are_armed_again_before_a_faster_pace_costs_the_promise(self) -> None:
        one = Fed()
        one.around(0, 200)
        granted = one.series.share.per_day

        one.n *= 4
        one.feed([one.random.gauss(0, 1) for _ in range(20_000)], every_us=MINUTE_US // 4)

        assert granted == pytest.approx(AHEAD * 1440, rel=0.02)
        assert one.series.share.per_day == pytest.approx(AHEAD * 4 * 1440, rel=0.3)
        assert one.grants == [True]

    def test_a_slower_one_leaves_them_as_they_are(self) -> None:
        one = Fed()
        one.around(0, 200)
        granted = one.series.share.per_day

        one.feed([one.random.gauss(0, 1) for _ in range(3_000)], every_us=10 * MINUTE_US)

        assert one.series.share.per_day == granted


class TestConstants:
    def test_a_constant_stays_quiet(self) -> None:
        one = Fed()

        assert one.feed([0.148] * 5_000) == []

    def test_another_constant_is_a_change_at_once(self) -> None:
        one = Fed()
        one.feed([0.148] * 200)

        (alarm, *_) = one.feed([0.139] * 60)

        assert (alarm.before, alarm.after) == (pytest.approx(0.148), pytest.approx(0.139, rel=0.1))
        assert alarm.current_n <= 2 * BLOCK_N


class TestDrift:
    def test_a_change_is_confirmed_with_its_start_before_and_after(self) -> None:
        one = Fed()
        one.around(10, 300)

        alarm, confirmed = one.around(13, 200)

        assert (alarm.what, alarm.again, confirmed.what, confirmed.again) == (
            "alarm",
            False,
            "changed",
            False,
        )
        assert alarm.since_us == pytest.approx(300 * MINUTE_US, abs=8 * MINUTE_US)
        assert confirmed.since_us == alarm.since_us
        assert (confirmed.before, confirmed.after) == (
            pytest.approx(10, abs=0.5),
            pytest.approx(13, abs=0.5),
        )
        assert one.series.provisional is not None

    def test_a_return_is_seen_and_the_reference_is_the_old_one(self) -> None:
        one = Fed()
        one.around(10, 300)
        original = one.series.original
        one.around(13, 200)

        alarm, returned = one.around(10, 300)

        assert (alarm.again, returned.what) == (True, "returned")
        assert (one.series.original, one.series.provisional) == (original, None)
        assert one.series.phase == "watching"

    def test_a_second_change_is_not_hidden_behind_the_first(self) -> None:
        one = Fed()
        one.around(10, 300)
        one.around(13, 200)

        alarm, again = one.around(16, 300)

        assert (alarm.again, again.what, again.again) == (True, "changed", True)
        assert (again.before, again.after) == (
            pytest.approx(13, abs=0.5),
            pytest.approx(16, abs=0.5),
        )

    def test_what_was_soon_over_has_returned_though_half_of_it_was_learnt(self) -> None:
        one = Fed(Settings(observations=200, max_us=10**15))
        one.around(10, 300)

        told = one.around(12, 40)
        told += one.around(10, 400)

        assert [what.what for what in told] == ["alarm", "changed", "returned"]
        assert told[-1].after == pytest.approx(10, abs=0.3)
        assert (one.series.provisional, one.series.learning.sample.n) == (None, 0)

    def test_a_small_change_that_stays_is_no_return(self) -> None:
        one = Fed(Settings(observations=200, max_us=10**15))
        one.around(10, 300)

        told = one.around(10.7, 4_000)

        assert [what.what for what in told] == ["alarm", "changed"]

    def test_another_spread_with_the_same_mean_is_a_change(self) -> None:
        one = Fed(Settings(observations=500, max_us=10**15))
        one.around(0, 700)

        alarm, *_ = one.feed([one.random.gauss(0, 2.0) for _ in range(400)])

        assert alarm.what == "alarm"


MIXTURES = {"PA": 0.7, "AP": 0.3}


class TestWords:
    def fed(self, n: int = 600, mixture: dict[str, float] | None = None) -> Fed:
        one = Fed(Settings(observations=500, max_us=10**15), kind="word")
        one.words(mixture or MIXTURES, n)
        return one

    def test_a_mixture_in_control_stays_quiet(self) -> None:
        one = self.fed()

        assert one.words(MIXTURES, 5_000) == []
        assert one.news() == []

    def test_another_mixture_is_a_change_with_the_share_of_the_usual_word(self) -> None:
        one = self.fed()

        alarm, changed = one.words({"PA": 0.2, "AP": 0.8}, 600)

        assert alarm.moved is not None and changed.moved is not None
        assert {alarm.moved.word, changed.moved.word} <= {"PA", "AP"}
        assert changed.what == "changed"
        assert (changed.before, changed.after) == (
            pytest.approx(0.7, abs=0.07),
            pytest.approx(0.2, abs=0.07),
        )

    @pytest.mark.parametrize("at_weekends", [["PA", "AP", "LL"], ["PA"]], ids=["alike", "others"])
    def test_a_rare_word_that_moved_is_named_with_its_shares(self, at_weekends: list[str]) -> None:
        before, since = [60, 35, 5], [53, 29, 18]
        one = Fed(Settings(observations=2_016, max_us=60 * DAY_US), kind="word")
        told: list[Change] = []
        for n in range(28 * 144):  # four weeks, from a Monday
            words = at_weekends if n // 144 % 7 >= 5 else ["PA", "AP", "LL"]
            weights = before if n < 2_100 else since
            told += one.feed(one.random.choices(words, weights[: len(words)]), 10 * MINUTE_US)

        alarm, changed = told[:2]
        assert (alarm.what, changed.what) == ("alarm", "changed")
        assert alarm.moved is not None and changed.moved is not None
        assert (alarm.moved.word, changed.moved.word) == ("LL", "LL")
        assert alarm.moved.before == pytest.approx(0.045, abs=0.015)
        assert changed.moved.after == pytest.approx(0.18, abs=0.05)
        assert alarm.before > 0.5  # as the series is drawn

    def test_a_return_is_seen(self) -> None:
        one = self.fed()
        one.words({"PA": 0.2, "AP": 0.8}, 600)

        alarm, returned = one.words(MIXTURES, 600)

        assert (alarm.again, returned.what) == (True, "returned")

    def test_what_blocks_told_of_the_reference_outlasts_an_alarm_and_a_return(self) -> None:
        one = self.fed()
        one.words(MIXTURES, 200)
        before = one.series.states()["cat_sr"]["blocks"]
        one.words({"PA": 0.1, "AP": 0.9}, 80)
        assert one.series.phase == "relearning"
        (returned,) = one.words(MIXTURES, 600)

        assert returned.what == "returned"
        told, told_before = one.series.states()["cat_sr"]["blocks"][0][1], before[0][1]
        assert told > 1.5 * told_before

    def test_what_days_told_goes_on_under_a_provisional_reference(self) -> None:
        """Each day shows more of one word: the sample after a change knows nothing of that."""
        one = Fed(Settings(observations=8 * 1_440, max_us=60 * DAY_US), kind="word")
        for day in range(10):
            share = 0.5 + 0.05 * (-1) ** day
            one.words({"PA": share, "AP": 1 - share}, 144 * 10)
        told = one.series.states()["cat_sr"]["blocks"][1][:3]
        one.words({"PA": 0.02, "AP": 0.98}, 9_000)

        assert one.series.provisional is not None
        assert told[0] > 5 * told[1] > 0
        assert one.series.states()["cat_sr"]["blocks"][1][1] >= told[1]

    def test_a_word_never_seen_is_told_at_once_and_as_it_doubles(self) -> None:
        one = self.fed()

        one.feed(["LL", *["PA"] * 20, "LL", "LL", *["PA"] * 10])

        told = [(new.holds, new.n, new.word) for new in one.news()]
        assert told == [(True, 1, "LL"), (True, 2, "LL")]
        assert one.news()[0].since_us == one.news()[1].since_us == 600 * MINUTE_US

    def test_it_is_over_when_half_the_reference_came_without_one(self) -> None:
        one = self.fed()
        one.feed(["LL"])

        one.words(MIXTURES, 249)
        before = len(one.news())
        one.words(MIXTURES, 1)

        assert (before, [new.holds for new in one.news()]) == (1, [True, False])

    def test_one_that_persists_is_an_alarm(self) -> None:
        one = self.fed(mixture={"1.0": 1.0})

        alarm, *_ = one.feed(["2.0"] * 10)

        assert alarm.what == "alarm"
        assert alarm.at_us <= (600 + 7) * MINUTE_US

    def test_words_that_come_in_rows_say_less(self) -> None:
        one = Fed(Settings(observations=500, max_us=10**15), kind="word")
        words = one.random.choices([*MIXTURES], weights=[*MIXTURES.values()], k=125)

        one.feed([word for word in words for _ in range(4)])

        in_rows, on_their_own = one.series.reference, self.fed(500).series.reference
        assert in_rows is not None
        assert on_their_own is not None
        assert in_rows.ratio > 3
        assert on_their_own.ratio < 1.5
        assert one.series.is_promised

    def test_words_that_stay_for_long_are_not_promised(self) -> None:
        one = Fed(Settings(observations=500, max_us=10**15), kind="word")

        one.feed(["PA"] * 250 + ["AP"] * 250)

        assert one.series.notes == ("not_promised",)
        assert one.grants == [False]

    def test_more_than_a_category_has_are_names_and_are_watched_no_more(self) -> None:
        one = Fed(Settings(observations=2_000, max_us=10**15), kind="word")

        one.feed([f"name {number}" for number in range(257)])
        one.feed(["name"] * 5_000)

        assert one.series.closed
        assert one.series.learning.sample.n == 0
        assert one.grants == []


def test_yes_and_no_are_watched_and_neither_is_ever_news() -> None:
    one = Fed(Settings(observations=500, max_us=10**15), kind="yes_no")
    one.feed(["no"] * 500)

    alarm, *_ = one.feed(["yes", "no"] * 100)

    assert alarm.what == "alarm"
    assert (alarm.before, one.news()) == (0.0, [])


class TestAccepting:
    def changed(self) -> Fed:
        one = Fed()
        one.around(10, 300)
        one.around(13, 200)
        return one

    def test_the_provisional_reference_becomes_the_reference(self) -> None:
        one = self.changed()
        provisional = one.series.provisional

        list(one.series.accept())

        assert (one.series.original, one.series.provisional) == (provisional, None)
        assert one.around(10, 300)[0].again is False

    def test_while_it_learns_again_what_it_has_learnt_counts(self) -> None:
        one = Fed()
        one.around(10, 300)
        while not one.around(13, 1):
            pass
        one.around(13, 20)

        list(one.series.accept())
        one.around(13, 80)

        assert one.series.phase == "watching"
        assert one.series.reference is not None
        assert one.series.reference.mean == pytest.approx(13, abs=0.5)

    def test_without_a_change_it_learns_anew(self) -> None:
        one = Fed()
        one.around(10, 300)

        list(one.series.accept())
        one.around(20, 100)

        assert one.series.reference is not None
        assert one.series.reference.mean == pytest.approx(20, abs=0.5)

    def test_while_it_learns_nothing_changes(self) -> None:
        one = Fed()
        one.around(10, 50)

        list(one.series.accept())
        one.around(10, 50)

        assert one.series.phase == "watching"

    def test_its_share_of_the_promise_stays_what_it_was(self) -> None:
        one = self.changed()
        list(one.series.accept())
        list(one.series.accept())
        one.around(13, 300)

        assert one.grants == [True]

    def test_a_new_word_is_over_when_what_is_now_is_accepted(self) -> None:
        one = Fed(kind="word")
        one.words(MIXTURES, 200)
        one.feed(["LL"])

        (over,) = [what for what in one.series.accept() if not isinstance(what, Block)]

        assert (over.holds, over.n) == (False, 1)

    def test_a_new_epoch_learns_anew_and_ends_what_was_away(self) -> None:
        one = self.changed()

        told = [what for what in one.series.begin_anew() if not isinstance(what, Block)]

        assert [what.what for what in told] == ["ended"]
        assert (one.series.phase, one.series.reference) == ("learning", None)
        assert one.grants == [True]


KINDS: dict[SeriesKind, list[Values]] = {
    "number": [[Random(place).gauss(level, 1) for place in range(250)] for level in (0, 3, 0)],
    "word": [Random(9).choices(mix, k=250) for mix in (["a", "b"], ["a", "c"], ["a", "b"])],
    "yes_no": [Random(8).choices(mix, k=250) for mix in (["no"], ["no", "yes"], ["no"])],
}


@given(
    st.sampled_from([*KINDS]),
    st.lists(st.integers(1, 130), min_size=1, max_size=30),
)
@settings(max_examples=40, deadline=None)
def test_however_the_observations_are_cut_the_result_is_the_same(
    kind: SeriesKind, cuts: list[int]
) -> None:
    values = [value for part in KINDS[kind] for value in part]
    at_once = told_alike(SHORT, kind, seen(values), cuts)

    assert sum(not isinstance(what, Block) for what in at_once) >= 2


@given(st.lists(st.integers(1, 60), min_size=1, max_size=30))
@settings(max_examples=40, deadline=None)
def test_a_new_word_is_over_where_the_reference_learnt_since_asks_for_less(
    cuts: list[int],
) -> None:
    """More than 30 without one are too few of a reference of 100 words, enough of one of 60."""
    values = [*"a" * 100, *"c" * 20, *"a" * 80]
    at_once = told_alike(SHORT, "word", seen(values), cuts)

    changed, *_ = [one for one in at_once if isinstance(one, Change) and one.what == "changed"]
    over = [one for one in at_once if isinstance(one, NewWord) and not one.holds]
    assert (changed.reference_n, changed.current_n) == (100, 60)
    assert len(over) == 1
    assert over[0].at_us == changed.at_us + MINUTE_US


class TestNeitherDeafNorForEver:
    """Whatever has happened: steady data fall silent, and what then changes is found."""

    LEVELS = st.lists(st.sampled_from([0.0, 0.6, 1.5, 3.0, -2.0]), min_size=1, max_size=5)

    @given(LEVELS, st.lists(st.integers(30, 900), min_size=5, max_size=5), st.integers(0, 99))
    @settings(max_examples=12, deadline=None)
    def test_numbers(self, levels: list[float], lengths: list[int], seed: int) -> None:
        one = Fed(Settings(observations=300, max_us=10**15), seed)
        one.around(0, 300)
        for level, length in zip(levels, lengths, strict=False):
            one.around(level, length)

        settling = one.around(levels[-1], 3_000)
        silent = one.around(levels[-1], 3_000)
        found = one.around(levels[-1] + 4, 400)

        assert len(settling) <= 12
        assert len(silent) <= 2
        assert any(change.what == "alarm" for change in found)

    @given(
        st.lists(st.sampled_from(["ab", "aab", "ac", "cd"]), min_size=1, max_size=4),
        st.integers(30, 900),
        st.integers(0, 99),
    )
    @settings(max_examples=10, deadline=None)
    def test_words(self, mixtures: list[str], length: int, seed: int) -> None:
        one = Fed(Settings(observations=300, max_us=10**15), seed, kind="word")
        for mixture in ["ab", *mixtures]:
            one.words(dict.fromkeys(mixture, 1.0), max(length, 300))

        last = dict.fromkeys(mixtures[-1], 1.0)
        one.words(last, 3_000)
        silent = one.words(last, 3_000)
        found = one.words({"e": 1.0, "f": 1.0}, 400)

        assert len(silent) <= 2
        assert any(change.what == "alarm" for change in found)


def test_a_change_of_a_slow_series_is_dated_to_the_day() -> None:
    early_days, afters = [], []
    for seed in range(100, 112):
        one = Fed(Settings(observations=500, max_us=400 * DAY_US), seed)
        one.feed([one.random.gauss(0.0, 1.0) for _ in range(530)], DAY_US // 5)
        began_us = one.n * DAY_US // 5
        told = one.feed([one.random.gauss(1.0, 1.0) for _ in range(60)], DAY_US // 5)
        early_days += [abs(began_us - told[0].since_us) / DAY_US]
        afters.append(told[0].after)

    assert np.median(early_days) <= 2  # ten observations; to whole blocks it was seven days
    assert np.mean(afters) == pytest.approx(1.0, abs=0.3)


class TestBlocks:
    def test_a_block_knows_its_sum_and_range(self) -> None:
        blocks = Blocks()

        blocks.extend([1.0, 5.0, 3.0], [10, 20, 30], [0.1, 0.2, 0.3])

        assert blocks.filling == Block(10, 30, 3, 9.0, 1.0, 5.0, pytest.approx(0.6), 3)

    def test_only_the_last_ones_are_kept(self) -> None:
        blocks = Blocks()

        for number in range(1_000):
            blocks.extend([float(number)] * BLOCK_N, [number] * BLOCK_N)

        assert len(blocks.full) == 50
        assert blocks.full[-1].at_us == 999

    def test_what_came_since_is_told_to_the_observation(self) -> None:
        blocks = Blocks()
        for start in range(0, 4 * BLOCK_N + 10, 2):  # the last ones in a block of ten
            blocks.extend([float(start), start + 1.0], [10 * start, 10 * start + 10])

        n = 4 * BLOCK_N + 10
        for wanted in (1, 2, 10, 11, BLOCK_N + 10, BLOCK_N + 27, n):
            since = blocks.since(wanted)
            assert (since.at_us, since.n) == (10 * (n - wanted), wanted)
            assert since.mean == pytest.approx((2 * n - wanted - 1) / 2, abs=4)
        assert blocks.since(0) == blocks.since(1)
        assert blocks.since(10_000) == blocks.since(n)

    def test_only_the_last_blocks_are_dated_within(self) -> None:
        blocks = Blocks()
        blocks.extend([1.0] * BLOCK_N, [*range(BLOCK_N - 1), 10_000])
        marks = [block.marks for block in blocks.full]
        for _ in range(4):
            blocks.extend([1.0] * BLOCK_N, [10_000] * BLOCK_N)

        assert [len(each) for each in marks] == [BLOCK_N // 8]
        assert [len(block.marks) for block in blocks.full] == [0, 8, 8, 8, 8]

    def test_blocks_that_were_written_without_marks_are_dated_by_their_ends(self) -> None:
        written = msgspec.json.encode([0, 630, BLOCK_N, 64.0, 1.0, 1.0, 0.0, 0, True])

        blocks = Blocks(full=[msgspec.json.decode(written, type=Block)])

        assert blocks.since(16).at_us == 480
        assert blocks.since(16).mean == 1.0

    def test_a_stamp_that_comes_late_does_not_turn_a_block_around(self) -> None:
        blocks = Blocks()

        blocks.extend([1.0, 2.0, 3.0], [20, 10, 15])

        assert blocks.filling is not None
        assert (blocks.filling.since_us, blocks.filling.at_us) == (10, 20)

    def test_a_block_ends_with_its_phase(self) -> None:
        one = Fed()

        one.around(0, 100 + BLOCK_N)

        blocks = [what for what in one.said if isinstance(what, Block)]
        assert [block.n for block in blocks] == [BLOCK_N, 100 - BLOCK_N, BLOCK_N]
