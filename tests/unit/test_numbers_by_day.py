"""Numbers whose mixture is another one on weekends are held against their own kind of day's."""

from base64 import b64decode, b64encode
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pytest

from detectors import Promise, StateUnreadable
from streams.budget import AHEAD
from streams.change import Change
from streams.learning import Settings
from streams.seen import Seen
from streams.series import Series
from streams.series_number import NumberReference, NumberSample
from streams.shipping import line_of, reference_of
from streams.vote_by_day import VoteByDay
from streams.votes import MIXTURE

DAY_US, PER_DAY = 86_400_000_000, 300
KVP = np.array([80.0, 100.0, 120.0])
ALIKE, OTHER = (0.6, 0.25, 0.15), (0.45, 0.25, 0.3)
GOLDEN = Path(__file__).parents[1] / "golden" / "state" / "numbers-by-day-1.json"
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


def test_the_golden_record_stays_readable() -> None:
    golden = msgspec.json.decode(GOLDEN.read_bytes())
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
        lambda record: record.__setitem__(0, 2),
        lambda record: record.__setitem__(1, b"nothing"),
    ],
)
def test_a_spoilt_record_is_refused(spoil: Any) -> None:
    record = msgspec.msgpack.decode(reference().to_bytes())
    spoil(record)

    with pytest.raises(StateUnreadable):
        NumberReference.read(msgspec.msgpack.encode(record), ())


if __name__ == "__main__":  # how the golden file was written, once
    known = reference()
    vote = known.arm(PROMISE, {})[MIXTURE]
    watched = known.readings(seen(OTHER, 4, seed=3, first=9))
    vote.run(watched, np.full(4 * PER_DAY, 1 / PER_DAY))
    told = {
        "reference": b64encode(known.to_bytes()).decode(),
        "n": known.n,
        "mean": known.mean,
        "state": vote.state(),
    }
    GOLDEN.write_bytes(msgspec.json.encode(told) + b"\n")
