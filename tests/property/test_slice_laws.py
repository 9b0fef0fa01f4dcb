"""Series with slices: however the input is cut, wherever it is restored, the bits are the same."""

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from schemas.series import SeriesPoint
from tests.unit.sliced_feed import Sliced, events

N, MOVED = 1_400, (700, 1_000)
_cuts = st.lists(st.integers(0, N - 1), max_size=12)
_LAW = settings(max_examples=6, deadline=None, suppress_health_check=[HealthCheck.too_slow])
_EVENTS = [*events(N, moved=MOVED)]


def told(shard: Sliced) -> tuple[object, ...]:
    points = [what for what in shard.said if isinstance(what, SeriesPoint)]
    return (
        shard.findings("p.score"),
        shard.findings("p.positive"),
        sorted(points, key=lambda point: (point.subject, point.at)),
    )


_WHOLE = Sliced()
_WHOLE.feed(_EVENTS)
_WHOLE.checkpoint()


def test_there_is_something_to_be_told() -> None:
    calls = _WHOLE.findings("p.positive")

    assert [calls[0].signal, calls[-1].signal] == ["holds", "returned"]
    assert calls[0].evidence.slices


@_LAW
@given(cuts=_cuts)
def test_however_the_events_are_cut_the_same_is_told_and_kept(cuts: list[int]) -> None:
    shard = Sliced()

    shard.feed(_EVENTS, cuts)

    assert told(shard) == told(_WHOLE)
    assert shard.checkpoint() == _WHOLE.log


@_LAW
@given(cut=st.integers(1, N - 1))
def test_restored_anywhere_it_goes_on_bit_for_bit(cut: int) -> None:
    first = Sliced()
    first.feed(_EVENTS[:cut])

    second = first.restarted()
    second.feed(_EVENTS[cut:])

    assert told(second) == told(_WHOLE)
    assert second.checkpoint() == _WHOLE.log
