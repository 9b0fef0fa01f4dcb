"""A series written down: cut anywhere it goes on bit for bit, and nothing is written twice."""

from random import Random

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from streams.series import Seen, Series, Settings
from streams.series_record import CHUNK_N, Kept, SeriesRecord

KEY = ("north", "ptx", "nodule.score")
USING = Settings(observations=600, max_us=10**15)
VALUES_N = 3_000


def values(seed: int = 1) -> list[float]:
    """Learning, a change, another, and back: every phase and every kind of record."""
    random = Random(seed)
    levels = [0] * 900 + [3] * 700 + [6] * 700 + [0] * 700
    return [random.gauss(level, 1) for level in levels]


def fed(series: Series, given: list[float], start: int) -> list[object]:
    places = range(start, start + len(given))
    uniforms = [(place * 0.618) % 1 or 0.5 for place in places]
    return list(series.observe(Seen(given, uniforms, [*places]), lambda _: 1e5))


class Log:
    """A compacted log of one series."""

    def __init__(self) -> None:
        self.small = b""
        self.bulk: dict[str, bytes] = {}
        self.written: list[tuple[str, int]] = []

    def checkpoint(self, kept: Kept) -> None:
        for name, value in kept.bulk():
            self.written.append((name, 0 if value is None else len(value)))
            if value is None:
                del self.bulk[name]
            else:
                self.bulk[name] = value
        self.small = msgspec.msgpack.encode(kept.record())

    def restored(self) -> Kept:
        record = msgspec.msgpack.decode(self.small, type=SeriesRecord)
        return Kept.restore(record, self.bulk, USING)


@given(
    st.lists(st.integers(1, VALUES_N - 1), min_size=1, max_size=6, unique=True).map(sorted),
    st.sets(st.integers(0, 5)),
)
@settings(max_examples=25, deadline=None)
def test_cut_and_restored_anywhere_it_goes_on_bit_for_bit(
    cuts: list[int], restarts: set[int]
) -> None:
    given = values()
    whole, log, kept = Kept(KEY, USING), Log(), Kept(KEY, USING)
    at_once = fed(whole.series, given, 0)

    in_parts, start = [], 0
    for number, stop in enumerate([*cuts, VALUES_N]):
        in_parts += fed(kept.series, given[start:stop], start)
        log.checkpoint(kept)
        kept = log.restored() if number in restarts else kept
        start = stop

    assert in_parts == at_once
    assert msgspec.msgpack.encode(kept.record()) == msgspec.msgpack.encode(whole.record())


@given(st.lists(st.integers(1, 400), min_size=1, max_size=20))
@settings(max_examples=25, deadline=None)
def test_after_any_checkpoint_the_log_holds_exactly_what_a_restore_needs(steps: list[int]) -> None:
    given, log, kept, start = values(), Log(), Kept(KEY, USING), 0

    for step in steps:
        fed(kept.series, given[start : start + step], start)
        start += step
        log.checkpoint(kept)

    record = msgspec.msgpack.decode(log.small, type=SeriesRecord)
    needed = {f"sample/{record.generation}/{chunk}" for chunk in range(record.chunks)}
    slots = ("original", "provisional")
    needed |= {slot for slot in slots if getattr(kept.series, slot) is not None}
    assert set(log.bulk) == needed


def test_a_reference_is_written_once_and_never_again() -> None:
    log, kept = Log(), Kept(KEY, USING)
    given = values()[:900]

    for start in range(0, 900, 10):
        fed(kept.series, given[start : start + 10], start)
        log.checkpoint(kept)

    names = [name for name, _ in log.written]
    assert names.count("original") == 1
    assert len(log.small) < 6_000


def test_a_sample_is_written_in_chunks_as_it_grows_and_buried_with_the_reference() -> None:
    log, kept = Log(), Kept(KEY, USING)
    given = values()[:700]

    for start in range(0, 700, 10):
        fed(kept.series, given[start : start + 10], start)
        log.checkpoint(kept)

    chunks = [entry for entry in log.written if entry[0].startswith("sample/")]
    assert chunks == [
        ("sample/0/0", 4 * CHUNK_N),
        ("sample/0/1", 4 * CHUNK_N),
        ("sample/0/0", 0),
        ("sample/0/1", 0),
    ]
    assert set(log.bulk) == {"original"}


def test_accepting_moves_the_reference_in_the_log_as_well() -> None:
    log, kept = Log(), Kept(KEY, USING)
    fed(kept.series, values()[:1_500], 0)
    log.checkpoint(kept)
    provisional = log.bulk["provisional"]

    kept.series.accept()
    log.checkpoint(kept)

    assert log.bulk == {"original": provisional}
    restored = log.restored().series
    assert restored.provisional is None
    assert restored.reference is not None


def test_a_checkpoint_without_news_writes_no_bulk() -> None:
    kept = Kept(KEY, USING)
    fed(kept.series, values()[:1_500], 0)
    list(kept.bulk())

    assert list(kept.bulk()) == []


@pytest.mark.parametrize("state", [{"adwin": {"format": 0}}, {"retired_detector": {"format": 1}}])
def test_a_detector_that_cannot_be_read_begins_anew(state: dict[str, dict[str, int]]) -> None:
    log, kept = Log(), Kept(KEY, USING)
    fed(kept.series, values()[:900], 0)
    log.checkpoint(kept)
    record = msgspec.msgpack.decode(log.small, type=SeriesRecord)

    record.detectors = state  # type: ignore[assignment]
    restored = Kept.restore(record, log.bulk, USING)

    assert set(restored.series.detectors) == set(USING.kinds)
    assert any(fed(restored.series, values()[900:1_600], 900))
