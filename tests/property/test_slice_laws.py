"""Series with slices: however the input is cut, wherever it is restored, the bits are the same."""

import msgspec
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from schemas.config import Reference
from schemas.series import SeriesPoint
from streams.fields import Value
from tests.unit.sliced_feed import INPUTS, Sliced, events, inputs

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


def _fault(scanner: int, told: dict[str, Value]) -> None:
    if scanner == 3:
        told["acquisition.kvp"], told["acquisition.kernel"] = 80.0, "Br40"
    told["scanner.software"] = f"V{scanner}"


_INPUTS = [*inputs(N, (600, 900), _fault)]
_NAMES = [
    one._replace(values=[*one.values, ("view", f"V{place if place > 150 else 1}")])
    for place, one in enumerate(_INPUTS)
    if not one.model
]
_LONG = msgspec.structs.replace(INPUTS, reference=Reference(observations=600, min_days=0))
_INPUTS_FED, _NAMES_FED = Sliced(INPUTS), Sliced(_LONG)
_INPUTS_FED.feed(_INPUTS)
_NAMES_FED.feed(_NAMES)
for _one in (_INPUTS_FED, _NAMES_FED):
    _one.checkpoint()


def test_there_is_something_to_be_told_of_inputs() -> None:
    for subject in ("acquisition.kvp", "acquisition.kernel"):
        found = [one for one in _INPUTS_FED.findings(subject) if one.kind == "input_drift"]
        assert any(one.evidence.slices for one in found)
    by_a_slice = _INPUTS_FED.findings("acquisition.kvp")[0]
    assert " moved in scanner.station=CT3 from " in by_a_slice.title
    assert _NAMES_FED.detect.dropped["words_are_names"] == 1


@_LAW
@given(cuts=_cuts)
def test_inputs_are_told_and_kept_the_same_however_they_are_cut(cuts: list[int]) -> None:
    for seen, whole in ((_INPUTS, _INPUTS_FED), (_NAMES, _NAMES_FED)):
        shard = Sliced(whole.config)
        shard.feed(seen, cuts)

        assert findings(shard) == findings(whole)
        assert shard.checkpoint() == whole.log


@_LAW
@given(cut=st.integers(1, 2 * N - 1))
def test_inputs_restored_anywhere_go_on_bit_for_bit(cut: int) -> None:
    first = Sliced(INPUTS)
    first.feed(_INPUTS[:cut])

    second = first.restarted()
    second.feed(_INPUTS[cut:])

    assert findings(second) == findings(_INPUTS_FED)
    assert second.checkpoint() == _INPUTS_FED.log


def findings(shard: Sliced) -> list[object]:
    """In an order that does not depend on cuts."""
    return sorted(shard.findings(), key=lambda one: (one.subject or "", one.kind, one.at_us))
