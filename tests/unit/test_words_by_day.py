"""Words whose weekends have other shares are held against their own kind of day."""

from base64 import b64decode, b64encode
from itertools import pairwise
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import detectors
from detectors import Promise, StateUnreadable
from streams.budget import AHEAD
from streams.series.change import Change
from streams.series.learning import Settings
from streams.series.seen import Readings, Seen
from streams.series.shipping import line_of, reference_of
from streams.series.vote_by_day import VoteByDay, carried
from streams.series.votes import MIXTURE
from streams.series.watched import Series
from streams.series.word import WordSample, YesNoSample
from streams.series.word_reference import WordReference

DAY_US = 86_400_000_000
GOLDEN = Path(__file__).parents[1] / "golden" / "state" / "words-by-day-1.json"
PROMISE = Promise(60.0, AHEAD * 400)


def seen(
    words: list[str], per_day: int, start: int = 0, sample: type[WordSample] = WordSample
) -> Seen:
    """The first of all comes on a Monday at midnight."""
    places = np.arange(start, start + len(words))
    days = places / per_day
    return Seen(
        words, np.empty(0), (days * DAY_US).astype(np.int64), (days % 7 * 24).astype(np.uint8)
    )


def drawn(n: int, per_day: int, *, weekday: float, weekend: float, seed: int = 1) -> list[str]:
    """Yes and no: the share of a yes."""
    rng, days = np.random.default_rng(seed), np.arange(n) / per_day
    shares = np.where(days % 7 >= 5, weekend, weekday)
    return np.where(rng.random(n) < shares, "yes", "no").tolist()


def reference(weekend: float = 0.3, seed: int = 1) -> WordReference:
    """Ten days of 200, a yes in ten on weekdays."""
    sample = YesNoSample()
    sample.take(seen(drawn(2_000, 200, weekday=0.1, weekend=weekend, seed=seed), 200))
    return sample.freeze()


def vote(of: WordReference, states: dict[str, detectors.State] | None = None) -> VoteByDay:
    armed = of.arm(PROMISE, states or {})[MIXTURE]
    assert isinstance(armed, VoteByDay)
    return armed


def readings(of: WordReference, n: int, **shares: float) -> tuple[Readings, np.ndarray[Any, Any]]:
    return of.readings(seen(drawn(n, 200, seed=9, **shares), 200)), np.full(n, 1 / 200)


def test_where_they_do_not_differ_all_days_are_one() -> None:
    armed = reference(weekend=0.1).arm(PROMISE, {})

    assert not isinstance(armed[MIXTURE], VoteByDay)


def test_one_that_differs_is_promised_and_independent() -> None:
    assert reference().notes == ()
    assert reference().ratio < 1.5


@pytest.mark.parametrize("per_day", [200, 1_000])
def test_weekends_are_no_change_and_no_dependence(per_day: int) -> None:
    series = Series(Settings(2_000, 60 * DAY_US, week_us=8 * DAY_US), YesNoSample)
    words = drawn(40 * per_day, per_day, weekday=0.1, weekend=0.2)

    told = [*series.observe(seen(words, per_day), lambda _: 200.0)]

    assert not [what for what in told if isinstance(what, Change)]
    assert series.notes == ()


def test_a_change_of_weekends_alone_is_found() -> None:
    series = Series(Settings(2_000, 60 * DAY_US, week_us=8 * DAY_US), YesNoSample)
    words = drawn(20 * 300, 300, weekday=0.1, weekend=0.3)
    then = drawn(20 * 300, 300, weekday=0.1, weekend=0.1, seed=2)
    list(series.observe(seen(words, 300), lambda _: 200.0))

    told = list(series.observe(seen(then, 300, 21 * 300), lambda _: 200.0))

    alarm = next(what for what in told if isinstance(what, Change))
    assert (alarm.what, alarm.at_us // DAY_US % 7) == ("alarm", 5)


def test_a_change_is_as_long_ago_as_all_days_tell() -> None:
    of = reference()
    one = vote(of)
    calm, calm_days = readings(of, 800, weekday=0.1, weekend=0.3)  # until Thursday
    assert one.run(calm, calm_days) is None
    moved = of.readings(seen(drawn(1_000, 200, weekday=0.17, weekend=0.3, seed=3), 200, 800))

    at = one.run(moved, np.full(1_000, 1 / 200))

    assert at is not None
    assert at > 600, "on Monday at the earliest, for this to tell anything"
    assert one.changed_n == pytest.approx(at + 1, abs=150)
    assert one.statistic >= one.threshold


@given(
    cuts=st.sets(st.integers(1, 2_999), max_size=8), restarts=st.sets(st.integers(0, 8), max_size=4)
)
@settings(max_examples=30, deadline=None)
def test_however_it_is_cut_and_restored_it_says_the_same(
    cuts: set[int], restarts: set[int]
) -> None:
    of = reference()
    whole, cut = vote(of), vote(of)
    given, days = readings(of, 3_000, weekday=0.12, weekend=0.35)

    at_once, in_parts, start = whole.run(given, days), None, 0
    for number, (start, stop) in enumerate(pairwise([0, *sorted(cuts), 3_000])):
        index = cut.run(given.part(start, stop), days[start:stop])
        if index is not None:
            in_parts = start + index
            break
        if number in restarts:
            written = msgspec.msgpack.encode(cut.state())
            cut = vote(of, {MIXTURE: msgspec.msgpack.decode(written)})

    assert in_parts == at_once
    assert (cut.statistic, cut.changed_n) == (whole.statistic, whole.changed_n)
    assert cut.learnt() == whole.learnt()


@pytest.mark.parametrize("state", [{}, {"format": 3}, {"format": 1, "by_day": [{}, {}]}])
def test_a_state_of_another_kind_begins_anew(state: detectors.State) -> None:
    assert vote(reference(), {MIXTURE: state}).state() == vote(reference()).state()


def test_either_kind_of_day_has_to_agree_for_a_return() -> None:
    of, same, other, no_weekend = reference(), YesNoSample(), YesNoSample(), YesNoSample()
    same.take(seen(drawn(2_000, 200, weekday=0.1, weekend=0.3, seed=4), 200))
    other.take(seen(drawn(2_000, 200, weekday=0.1, weekend=0.1, seed=4), 200))
    no_weekend.take(seen(drawn(800, 200, weekday=0.1, weekend=0.1, seed=4), 200))

    assert of.agrees(same)
    assert not of.agrees(other)
    assert of.agrees(no_weekend)


def test_a_record_says_all_of_it() -> None:
    of = reference()

    read = WordReference.read(of.to_bytes(), of.notes)

    assert read.to_bytes() == of.to_bytes()
    assert vote(read).state() == vote(of).state()
    assert (read.ratio, read.n, read.counts) == (of.ratio, of.n, of.counts)


def test_the_golden_record_and_the_state_of_its_vote_stay_readable() -> None:
    golden = msgspec.json.decode(GOLDEN.read_bytes())
    of = WordReference.read(b64decode(golden["reference"]), ())

    went_on = vote(of, {MIXTURE: golden["state"]})

    assert (of.n, dict(of.counts)) == (2_000, golden["counts"])
    written = went_on.state()
    assert [_kept(of_kind) for of_kind in written.pop("by_day")] == [
        _kept(of_kind) for of_kind in golden["state"].pop("by_day")
    ]
    assert written == golden["state"]
    assert went_on.state() != vote(of).state()


def _kept(state: detectors.State) -> dict[str, Any]:
    """What a later format of the detector keeps; its evidence has other rows."""
    return {name: state[name] for name in state if name not in ("format", "evidence")}


@pytest.mark.parametrize(
    "spoil",
    [
        lambda record: record[2][0][0].append(1),
        lambda record: record[2][0].__setitem__(0, [0, 0, 0]),
        lambda record: record[2][1][0].__setitem__(0, -1),
        lambda record: record[2][1][1].__setitem__(0, 0.5),
        lambda record: record.__setitem__(0, 5),
        lambda record: record.__setitem__(1, b"nothing"),
    ],
)
def test_a_spoilt_record_is_refused(spoil: Any) -> None:
    record = msgspec.msgpack.decode(reference().to_bytes())
    spoil(record)

    with pytest.raises(StateUnreadable):
        WordReference.read(msgspec.msgpack.encode(record), ())


def test_it_can_be_shipped() -> None:
    series = Series(Settings(2_000, 60 * DAY_US, week_us=8 * DAY_US), YesNoSample)
    words = drawn(12 * 300, 300, weekday=0.1, weekend=0.3)
    list(series.observe(seen(words, 300), lambda _: 200.0))

    line = line_of(("north", "ptx", "nodule.positive"), series)

    assert line is not None
    arrived = reference_of(line.reference)
    assert arrived is not None
    assert series.original is not None
    assert arrived.to_bytes() == series.original.to_bytes()


if __name__ == "__main__":  # how the golden file was written, once
    known = reference()
    watched = vote(known)
    watched.run(*readings(known, 1_500, weekday=0.1, weekend=0.3))
    told = {
        "reference": b64encode(known.to_bytes()).decode(),
        "counts": known.counts,
        "state": watched.state(),
    }
    GOLDEN.write_bytes(msgspec.json.encode(told) + b"\n")


def test_a_sample_agrees_with_what_days_are_known_to_have_of_their_own() -> None:
    """A yes in 16 % of one day, in 10 % of the reference; days are known to differ tenfold."""
    of, day = reference(0.1), YesNoSample()
    day.take(seen(drawn(400, 400, weekday=0.16, weekend=0.16), 400))
    differ = [[0.0, 0.0, 0.0], [300.0, 30.0, 60.0]]

    assert not of.agrees(day)
    assert of.agrees(day, states={MIXTURE: {"told": [differ]}})


def test_what_days_told_goes_on_under_another_reference_whose_kinds_of_days_differ() -> None:
    weekdays, weekends = [[0.0, 0.0, 0.0], [3e4, 3e3, 6e5]], [[0.0, 0.0, 0.0], [2e4, 2e3, 4e5]]
    both = {MIXTURE: {"told": [weekdays, weekends]}}

    by_day, of_all = vote(reference(), both), reference(0.1).arm(PROMISE, both)[MIXTURE]

    parts = [one["blocks"][1][:3] for one in by_day.state()["by_day"]]
    assert parts == [weekdays[1], weekends[1]]
    assert of_all.state()["blocks"][1][:3] == [5e4, 5e3, 1e6]
    assert carried({MIXTURE: by_day.state()})[MIXTURE]["told"][0][1] == weekdays[1]
    assert carried({"mean_sr": {"format": 4}}) == {}
