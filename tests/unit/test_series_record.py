"""A series written down: cut anywhere it goes on bit for bit, and nothing is written twice."""

from random import Random
from struct import pack

import msgspec
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from streams.pace import Pace
from streams.series.kept import Kept
from streams.series.learning import Settings
from streams.series.record import CHUNK_N, SeriesRecord, Written, kept_of, record_of
from streams.series.record_1 import Block1, Blocks1, SeriesRecord1, kept_of_version_1
from streams.series.seen import SeriesKind
from tests.unit.series_feed import DAY_US, MINUTE_US, Values, seen

KEY = ("north", "ptx", "nodule.score")
USING = Settings(observations=600, max_us=10**15)
BUSY = Settings(observations=200, max_us=10**15, week_us=8 * DAY_US)
PACES = [(USING, MINUTE_US), (BUSY, 10 * MINUTE_US)]
"""All of the values within two days of a week, or within three weeks."""
VALUES_N = 3_000
PLACES = [(0, 900), (3, 700), (6, 700), (0, 700)]
MIXTURES = {0: ["1.0", "1.1"], 3: ["1.0", "1.2"], 6: ["2.0"]}


def values(kind: SeriesKind = "number", seed: int = 1) -> Values:
    """Learning, a change, another, and back: every phase and every kind of record."""
    random = Random(seed)
    if kind == "number":
        return [random.gauss(level, 1) for level, n in PLACES for _ in range(n)]
    words = [random.choice(MIXTURES[level]) for level, n in PLACES for _ in range(n)]
    return words if kind == "word" else ["yes" if word > "1.0" else "no" for word in words]


def fed(kept: Kept, given: Values, start: int, every_us: int = MINUTE_US) -> list[object]:
    row = seen(given, start, every_us)
    return list(kept.series.observe(row, lambda _: 60.0)) if given else []


class Log:
    """A compacted log of one series."""

    def __init__(self, kind: SeriesKind = "number", using: Settings = USING) -> None:
        self.using = using
        self.kept = Kept(KEY, kind, using)
        self.marks = Written()
        self.small = b""
        self.bulk: dict[str, bytes] = {}
        self.written: list[tuple[str, int]] = []

    def checkpoint(self) -> SeriesRecord:
        for name, value in self.marks.news(self.kept.series):
            self.written.append((name, 0 if value is None else len(value)))
            if value is None:
                del self.bulk[name]
            else:
                self.bulk[name] = value
        record = record_of(self.kept)
        self.small = msgspec.msgpack.encode(record)
        return record

    def restart(self) -> None:
        record = msgspec.msgpack.decode(self.small, type=SeriesRecord)
        self.kept, self.marks = kept_of(record, self.bulk, self.using)


KINDS = st.sampled_from(["number", "word", "yes_no"])


@given(
    KINDS,
    st.sampled_from(PACES),
    st.lists(st.integers(1, VALUES_N - 1), min_size=1, max_size=6, unique=True).map(sorted),
    st.sets(st.integers(0, 5)),
)
@settings(max_examples=80, deadline=None)
def test_cut_and_restored_anywhere_it_goes_on_bit_for_bit(
    kind: SeriesKind, pace: tuple[Settings, int], cuts: list[int], restarts: set[int]
) -> None:
    (using, every_us), given = pace, values(kind)
    whole, log = Log(kind, using), Log(kind, using)
    at_once = fed(whole.kept, given, 0, every_us)

    in_parts, start = [], 0
    for number, stop in enumerate([*cuts, VALUES_N]):
        in_parts += fed(log.kept, given[start:stop], start, every_us)
        log.checkpoint()
        if number in restarts:
            log.restart()
        start = stop

    assert in_parts == at_once
    assert log.checkpoint() == whole.checkpoint()


@given(KINDS, st.sampled_from(PACES), st.lists(st.integers(1, 400), min_size=1, max_size=20))
@settings(max_examples=50, deadline=None)
def test_after_any_checkpoint_the_log_holds_exactly_what_a_restore_needs(
    kind: SeriesKind, pace: tuple[Settings, int], steps: list[int]
) -> None:
    using, every_us = pace
    given, log, start = values(kind), Log(kind, using), 0

    for step in steps:
        fed(log.kept, given[start : start + step], start, every_us)
        start += step
        record = log.checkpoint()

    needed = {f"sample/{record.generation}/{chunk}" for chunk in range(record.chunks)}
    slots = ("original", "provisional")
    needed |= {slot for slot in slots if getattr(log.kept.series, slot) is not None}
    assert set(log.bulk) == needed


def test_a_reference_is_written_once_and_never_again() -> None:
    log, given = Log(), values()[:900]

    for start in range(0, 900, 10):
        fed(log.kept, given[start : start + 10], start)
        log.checkpoint()

    names = [name for name, _ in log.written]
    assert names.count("original") == 1
    assert len(log.small) < 10_000


def test_a_sample_is_written_in_chunks_as_it_grows_and_buried_with_the_reference() -> None:
    log, given = Log(), values()[:700]

    for start in range(0, 700, 10):
        fed(log.kept, given[start : start + 10], start)
        log.checkpoint()

    chunks = [entry for entry in log.written if entry[0].startswith("sample/")]
    assert chunks == [
        ("sample/0/0", 9 * CHUNK_N),
        ("sample/0/1", 9 * CHUNK_N),
        ("sample/0/0", 0),
        ("sample/0/1", 0),
    ]
    assert set(log.bulk) == {"original"}


@pytest.mark.parametrize("kind", ["number", "word"])
def test_accepting_moves_the_reference_in_the_log_as_well(kind: SeriesKind) -> None:
    log = Log(kind)
    fed(log.kept, values(kind)[:1_500], 0)
    log.checkpoint()
    first, provisional = log.bulk["original"], log.bulk["provisional"]

    list(log.kept.series.accept())
    log.checkpoint()
    log.restart()

    assert log.bulk == {"original": provisional, "past/1": first}
    assert log.kept.series.provisional is None
    assert log.kept.series.reference is not None


def test_a_checkpoint_without_news_writes_no_bulk() -> None:
    log = Log()
    fed(log.kept, values()[:1_500], 0)
    log.checkpoint()
    written = len(log.written)

    log.checkpoint()

    assert len(log.written) == written


@pytest.mark.parametrize("state", [{"adwin": {"format": 0}}, {"retired_detector": {"format": 1}}])
def test_a_vote_that_cannot_be_read_begins_anew(state: dict[str, dict[str, int]]) -> None:
    log = Log()
    fed(log.kept, values()[:900], 0)
    record = log.checkpoint()
    votes = set(record.votes)

    record.votes = state  # type: ignore[assignment]
    log.small = msgspec.msgpack.encode(record)
    log.restart()

    assert set(log.kept.series.votes) == votes - {"day_levels"}
    assert any(fed(log.kept, values()[900:1_600], 900))


@pytest.mark.parametrize(("kind", "row"), [("number", 9), ("word", 1)])
def test_a_sample_is_written_in_rows(kind: SeriesKind, row: int) -> None:
    log = Log(kind)
    fed(log.kept, values(kind)[:550], 0)

    record = log.checkpoint()

    assert [len(raw) for raw in log.bulk.values()] == [row * CHUNK_N] * 2
    assert len(record.tail) == row * 50


def test_a_sample_of_words_without_their_order_is_taken_for_independent_ones() -> None:
    """As it was written when only how often each came was kept."""
    log, words = Log("word"), ["1.0"] * 300 + ["1.1"] * 250
    fed(log.kept, words, 0)
    log.checkpoint()
    record = msgspec.msgpack.decode(log.small, type=SeriesRecord)
    record.chunks, record.tail = 0, b""

    kept, marks = kept_of(record, {}, USING)
    fed(kept, ["1.0", "1.1"] * 25, 550)

    assert kept.series.reference is not None
    assert (kept.series.reference.mean, kept.series.reference.n) == (325 / 600, 600)
    assert kept.series.reference.ratio < 1.5
    assert kept.series.is_promised
    assert [name for name, raw in marks.news(kept.series) if raw] == ["original"]


def test_names_stay_unwatched_after_a_restart() -> None:
    log = Log("word")
    fed(log.kept, [f"name {number}" for number in range(300)], 0)
    log.checkpoint()
    log.restart()

    assert log.kept.series.closed
    assert fed(log.kept, ["name"] * 1_000, 300) == []
    assert log.bulk == {}


class TestVersion1:
    """Numbers alone; chunks of values; a share in observations."""

    def record(
        self, given: list[float], **fields: object
    ) -> tuple[SeriesRecord1, dict[str, bytes]]:
        blocks = Blocks1([Block1(0, 9, 50, 1.0, 0.0, 1.0)], Block1(10, 19, 3, 1.0, 0.0, 1.0))
        plain = {"phase": "learning", "blocks": blocks, "generation": 3, "tail": given[500:]}
        single = np.array(given[:500], dtype="<f4")
        bulk = {f"sample/3/{n}": part.tobytes() for n, part in enumerate(np.split(single, 2))}
        return SeriesRecord1(*KEY, **plain | {"chunks": 2} | fields), bulk

    def test_a_sample_goes_on_growing_and_its_old_chunks_are_over(self) -> None:
        given = [*values()[:600]]
        kept, marks = kept_of_version_1(*self.record(given[:550]), USING)

        news = dict(marks.news(kept.series))
        list(kept.series.observe(seen(given[550:], 550), lambda _: 60.0))

        over = [name for name, value in news.items() if value is None]
        assert over == ["sample/3/0", "sample/3/1"]
        assert {name for name, value in news.items() if value} == {"sample/4/0", "sample/4/1"}
        assert kept.series.reference is not None
        assert kept.series.reference.mean == pytest.approx(sum(given) / 600, abs=1e-6)

    def test_its_share_was_observations_at_the_pace_of_learning(self) -> None:
        sample = np.sort(np.array(values()[:600], dtype="<f4"))
        exact = sample.astype(np.float64)
        reference = pack("<Bdd", 1, exact.mean(), exact.std(ddof=1)) + sample.tobytes()
        day_us = 86_400_000_000
        learnt = Pace(first_us=5, newest_us=5 + 6 * day_us)
        record, _ = self.record([], phase="watching", chunks=0, tail=[], pace=learnt, arl=30_000.0)

        kept, _ = kept_of_version_1(record, {"original": reference}, USING)

        assert kept.series.share.days == pytest.approx(30_000 / 100)
        assert kept.series.share.given
        assert any(fed(kept, values()[900:1_600], 900))
