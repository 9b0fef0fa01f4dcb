"""Numbers whose mixture is another one on weekends are held against their own kind of day's."""

from base64 import b64decode, b64encode
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pytest

from detectors import Promise, StateUnreadable
from detectors.overdispersion import ratio_told
from streams.budget import AHEAD
from streams.series.change import Change
from streams.series.learning import Settings
from streams.series.number import NumberReference, NumberSample
from streams.series.seen import Seen
from streams.series.shipping import line_of, reference_of
from streams.series.vote_by_day import VoteByDay, told
from streams.series.votes import MIXTURE
from streams.series.watched import Series
from streams.series.word import WordSample

DAY_US, PER_DAY = 86_400_000_000, 300
KVP = np.array([80.0, 100.0, 120.0])
ALIKE, OTHER = (0.6, 0.25, 0.15), (0.45, 0.25, 0.3)
MIXED = (1_600, 700, 400, 0)  # how often each came, about
GOLDEN = Path(__file__).parents[1] / "golden" / "state"
NEWEST = "numbers-by-day-2.json"
BUSY = Settings(2_000, 60 * DAY_US, week_us=8 * DAY_US)
PROMISE = Promise(200.0, AHEAD * PER_DAY)


def seen(weekend: Sequence[float], days_n: int, seed: int = 1, first: int = 0) -> Seen:
    """Tube voltages of weekdays, and of weekends; the first day is a Monday."""
    rng, n = np.random.default_rng(seed), days_n * PER_DAY
    days = first + np.arange(n) / PER_DAY
    edges = np.where((days % 7 >= 5)[:, None], np.cumsum(weekend), np.cumsum(ALIKE))
    values = KVP[(rng.random(n)[:, None] > edges[:, :2]).sum(axis=1)]
    weekhours = (days * 24 % 168).astype(np.uint8)
    return Seen(values, rng.random(n), (days * DAY_US).astype(np.int64), weekhours)


def reference(weekend: Sequence[float] = OTHER) -> NumberReference:
    sample = NumberSample()
    sample.take(seen(weekend, 9))
    return sample.freeze()


def test_only_where_it_differs() -> None:
    same, different = (reference(mix).arm(PROMISE, {})[MIXTURE] for mix in (ALIKE, OTHER))

    assert not isinstance(same, VoteByDay)
    assert isinstance(different, VoteByDay)
    assert different.threshold == same.threshold


def test_weekends_are_no_change_and_a_change_of_them_is_one() -> None:
    series = Series(BUSY, NumberSample)

    calm = [*series.observe(seen(OTHER, 42), lambda _: 200.0)]
    moved = [*series.observe(seen(ALIKE, 21, seed=2, first=42), lambda _: 200.0)]

    assert not [what for what in calm if isinstance(what, Change)]
    alarm = next(what for what in moved if isinstance(what, Change))
    assert alarm.at_us // DAY_US % 7 >= 5


def restless(seed: int, days_n: int = 9) -> Seen:
    """Each day has up to a tenth more of the lowest value and less of the next, or less."""
    rng = np.random.default_rng(seed)
    days = np.arange(days_n * PER_DAY) / PER_DAY
    more = rng.uniform(-0.1, 0.1, days_n)[days.astype(np.int64)]
    edges = np.cumsum(ALIKE)[:2] + more[:, None] * [1, 0]
    values = KVP[(rng.random(len(days))[:, None] > edges).sum(axis=1)]
    weekhours = (days * 24 % 168).astype(np.uint8)
    return Seen(values, rng.random(len(days)), (days * DAY_US).astype(np.int64), weekhours)


def test_what_days_told_of_few_values_is_known_at_once() -> None:
    sample = NumberSample()
    sample.take(restless(4))

    of = sample.freeze()
    vote = of.arm(PROMISE, {})[MIXTURE]
    again = NumberReference.read(of.to_bytes(), ()).arm(PROMISE, {})[MIXTURE]
    calm = reference(ALIKE).arm(PROMISE, {})[MIXTURE]

    assert ratio_told(told(vote.state())[0], MIXED) > 2 > ratio_told(told(calm.state())[0], MIXED)
    assert again.state() == vote.state()


def test_days_of_their_own_are_not_taken_for_weekends() -> None:
    """One in twenty is by chance, up to 4 of 40 in 95 %; without what days tell 14, and 11."""
    numbers_n = words_n = 0
    for seed in range(40):
        seen_now, numbers, words = restless(seed), NumberSample(), WordSample()
        numbers.take(seen_now)
        words.take(seen_now._replace(values=[f"{value:g}" for value in seen_now.values]))
        numbers_n += isinstance(numbers.freeze().arm(PROMISE, {})[MIXTURE], VoteByDay)
        words_n += isinstance(words.freeze().arm(PROMISE, {})[MIXTURE], VoteByDay)

    assert numbers_n <= 4
    assert words_n <= 4


def test_a_record_says_all_of_it_and_can_be_shipped() -> None:
    series = Series(BUSY, NumberSample)
    list(series.observe(seen(OTHER, 10), lambda _: 200.0))
    assert series.original is not None
    of = series.original

    line = line_of(("north", "", "acquisition.kvp"), series)
    read = NumberReference.read(of.to_bytes(), of.notes)

    assert line is not None
    arrived = reference_of(line.reference)
    assert arrived is not None
    assert read.to_bytes() == arrived.to_bytes() == of.to_bytes() != read.standard.to_bytes()
    assert read.arm(PROMISE, {})[MIXTURE].state() == of.arm(PROMISE, {})[MIXTURE].state()


@pytest.mark.parametrize("name", ["numbers-by-day-1.json", NEWEST])
def test_the_golden_record_stays_readable(name: str) -> None:
    golden = msgspec.json.decode((GOLDEN / name).read_bytes())
    of = NumberReference.read(b64decode(golden["reference"]), ())

    assert (of.n, of.mean) == (golden["n"], golden["mean"])
    went_on = of.arm(PROMISE, {MIXTURE: golden["state"]})[MIXTURE]
    assert isinstance(went_on, VoteByDay)
    written = went_on.state()
    for now, then in zip(written["by_day"], golden["state"]["by_day"], strict=True):
        assert (now["counts"], now["began"]) == (then["counts"], then["began"])
        assert now["blocks"] == then["blocks"]
    assert written["turns"] == golden["state"]["turns"]


@pytest.mark.parametrize(
    "spoil",
    [
        lambda record: record[2][0].append(1),
        lambda record: record[2].__setitem__(0, [0, 0, 0, 0]),
        lambda record: record[2][1].__setitem__(0, -1),
        lambda record: record.__setitem__(0, 3),
        lambda record: record[3].pop(),
        lambda record: record[3][1][0].append(1.0),
        lambda record: record[3][0][1].__setitem__(2, -1.0),
        lambda record: record.__setitem__(1, b"nothing"),
    ],
)
def test_a_spoilt_record_is_refused(spoil: Any) -> None:
    record = msgspec.msgpack.decode(reference().to_bytes())
    spoil(record)

    with pytest.raises(StateUnreadable):
        NumberReference.read(msgspec.msgpack.encode(record), ())


if __name__ == "__main__":  # how the newest golden file was written, once
    known = reference()
    vote = known.arm(PROMISE, {})[MIXTURE]
    watched = known.readings(seen(OTHER, 4, seed=3, first=9))
    vote.run(watched, np.full(4 * PER_DAY, 1 / PER_DAY))
    written = {
        "reference": b64encode(known.to_bytes()).decode(),
        "n": known.n,
        "mean": known.mean,
        "state": vote.state(),
    }
    (GOLDEN / NEWEST).write_bytes(msgspec.json.encode(written) + b"\n")
