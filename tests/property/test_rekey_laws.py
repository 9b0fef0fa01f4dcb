"""Whatever retention takes of a source and wherever the re-keyer dies, each offset is told once."""

import asyncio
from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from streams.clock import to_us
from streams.loss_marker import SourceLoss, loss_of
from streams.rekey import source_of
from tests.unit.rekeying import PARTITIONS, Broker, Copying, as_read

Step = tuple[str, int]
numbers = st.integers(0, PARTITIONS - 1)
steps = st.lists(
    st.one_of(
        st.tuples(st.just("add"), numbers),
        st.tuples(st.just("delete"), numbers),
        st.tuples(st.just("turns"), st.integers(1, 12)),
        st.tuples(st.just("crash"), st.just(0)),
    ),
    max_size=25,
)


async def played(taken: list[Step], monkeypatch: pytest.MonkeyPatch) -> Broker:
    """What the steps leave when the last re-keyer had time to finish."""
    broker = Broker()
    copying = Copying(broker, monkeypatch)
    for number, (step, n) in enumerate(taken):
        broker.now_ms = number + 1
        if step == "add":
            broker.add(n, broker.now_ms, "abc"[number % 3])
        elif step == "delete":
            broker.delete(n)
        elif step == "turns":
            await copying.turns(n)
        else:
            await copying.stop()
            copying = Copying(broker, monkeypatch)
    broker.now_ms += 1
    await copying.turns(60)
    await copying.stop()
    return broker


@given(steps)
def test_each_offset_is_copied_once_or_told_lost_once_to_every_partition(taken: list[Step]) -> None:
    with pytest.MonkeyPatch.context() as monkeypatch:
        broker = asyncio.run(played(taken, monkeypatch))

    told = broker.losses(0)
    assert all(broker.losses(number) == told for number in range(1, PARTITIONS))
    for number in range(PARTITIONS):
        copied = [one.offset for one in broker.sources() if one.partition == number]
        lost = [offset for loss in told if loss.partition == number for offset in gone(loss)]
        begun = broker.begun.get(number, 0)
        assert [one for one in sorted(copied + lost) if one >= begun] == list(
            range(begun, broker.end(number))
        )
        assert len(set(copied + lost)) == len(copied + lost)
        assert all(offset < broker.beginnings[number] for offset in lost)


@given(steps)
def test_a_marker_stands_behind_all_that_is_older_and_names_a_time_that_is_not(
    taken: list[Step],
) -> None:
    with pytest.MonkeyPatch.context() as monkeypatch:
        broker = asyncio.run(played(taken, monkeypatch))

    newest_ms: Counter[int] = Counter()
    for partition, row in broker.copied:
        loss, source = loss_of(as_read(row)), source_of(as_read(row))
        if loss is None:
            assert source is not None
            newest_ms[partition] = max(newest_ms[partition], source.append_ms)
        else:
            lost = [broker.source[loss.partition][offset].timestamp for offset in gone(loss)]
            assert newest_ms[partition] <= min(lost)
            assert max(lost) * 1000 <= to_us(loss.until)


def gone(loss: SourceLoss) -> range:
    return range(loss.offset, loss.offset + loss.lost_n)
