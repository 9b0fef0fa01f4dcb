"""However the fetches interleave, the merge hands out the same sequence: all of it, once."""

from collections.abc import Sequence
from typing import NamedTuple

from hypothesis import given
from hypothesis import strategies as st

from streams.merge import Chunk, Merge

NAMES = ("studies", "predictions", "reports")


class Written(NamedTuple):
    """A record of the log."""

    offset: int
    timestamp: int
    key: bytes | None = None
    value: bytes | None = b"x"
    headers: Sequence[tuple[str, bytes]] = ()


Log = dict[str, list[Written]]


@st.composite
def logs(draw: st.DrawFn) -> Log:
    """Topics with rising offsets (some hold no record) and stamps that mostly rise."""
    log: Log = {}
    for name in NAMES:
        offset, stamp, records = 0, 100, []
        for _ in range(draw(st.integers(0, 12))):
            offset += draw(st.sampled_from([1, 1, 1, 2]))
            stamp += draw(st.sampled_from([-1, 0, 0, 1, 5]))
            records.append(Written(offset - 1, stamp))
        log[name] = records
    return log


def ends(log: Log) -> dict[str, int]:
    return {name: records[-1].offset + 1 if records else 0 for name, records in log.items()}


def in_order(log: Log) -> list[tuple[int, int]]:
    """What must come out, (topic, offset), computed the simple way."""
    keyed = []
    for place, name in enumerate(NAMES):
        latest = -1
        for record in log[name]:
            latest = max(latest, record.timestamp)
            keyed.append((latest, place, record.offset))
    return [(place, offset) for _, place, offset in sorted(keyed)]


def fetch(log: Log, name: str, start: int, end: int) -> Chunk:
    records = [record for record in log[name] if start <= record.offset < end]
    return Chunk(name, 0, start, end, records)


def prove_all(merge: Merge, log: Log) -> None:
    for name, end in ends(log).items():
        merge.prove(name, end, 10**9)


def handed_out(merge: Merge) -> list[tuple[int, int]]:
    return [(arrival.topic, arrival.record.offset) for arrival in merge.ready()]


@given(logs(), st.data())
def test_any_interleaving_of_fetches_gives_the_same_order(log: Log, data: st.DataObject) -> None:
    merge, out = Merge(NAMES), []
    prove_all(merge, log)

    while unread := [name for name in NAMES if merge.wanted(name) < ends(log)[name]]:
        name = data.draw(st.sampled_from(unread))
        start = data.draw(st.integers(0, merge.wanted(name)))
        end = data.draw(st.integers(merge.wanted(name) + 1, ends(log)[name]))
        assert merge.offer(fetch(log, name, start, end)) is None
        out += handed_out(merge)

    assert out == in_order(log)


@given(logs(), st.data())
def test_a_restart_anywhere_loses_nothing_and_doubles_nothing(
    log: Log, data: st.DataObject
) -> None:
    merge, out = Merge(NAMES), []

    for _ in range(data.draw(st.integers(1, 5))):
        merge = Merge(NAMES, merge.places())
        prove_all(merge, log)
        for name in NAMES:
            end = data.draw(st.integers(merge.wanted(name), ends(log)[name]))
            merge.offer(fetch(log, name, merge.wanted(name), end))
        out += [(one.topic, one.record.offset) for one in merge.take(data.draw(st.integers(0, 9)))]
    merge = Merge(NAMES, merge.places())
    prove_all(merge, log)
    for name in NAMES:
        merge.offer(fetch(log, name, merge.wanted(name), ends(log)[name]))
    out += handed_out(merge)

    assert out == in_order(log)


@given(logs(), st.data())
def test_what_was_proved_never_proves_wrong(log: Log, data: st.DataObject) -> None:
    """Nothing leaves before a record that may still come, whatever has been proved so far."""
    merge, out = Merge(NAMES), []
    for t0 in sorted(data.draw(st.lists(st.integers(95, 170), max_size=4))):
        before = {
            name: max((r.offset + 1 for r in log[name] if r.timestamp < t0), default=0)
            for name in NAMES
        }
        for name in NAMES:
            merge.prove(name, before[name], t0 * 1000)
            merge.offer(fetch(log, name, merge.wanted(name), max(merge.wanted(name), before[name])))
        out += handed_out(merge)

    assert out == in_order(log)[: len(out)]


@given(logs())
def test_times_never_go_backwards(log: Log) -> None:
    merge = Merge(NAMES)
    prove_all(merge, log)
    for name in NAMES:
        merge.offer(fetch(log, name, 0, ends(log)[name]))

    times = [arrival.arrived_us for arrival in merge.ready()]

    assert times == sorted(times)
