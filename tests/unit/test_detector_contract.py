"""What detectors.Detector promises, over every kind there is."""

from functools import cache
from statistics import median

import msgspec
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from detectors import Detector, StateUnreadable, kinds, make, restore
from detectors.reference import Reference

ARL = 1e5
REFERENCE_N = 500

pytestmark = pytest.mark.parametrize("kind", kinds())


@cache
def scored(seed: int, n: int, shift: float = 0.0) -> list[float]:
    """Scores of n values against a reference of their own, all values shifted by so many sd."""
    rng = np.random.default_rng(seed)
    reference = Reference(rng.normal(size=REFERENCE_N).tolist())
    return reference.scores((shift + rng.normal(size=n)).tolist(), rng.random(n).tolist())


def alarms(detector: Detector, scores: list[float]) -> int:
    found, begin = 0, 0
    while (index := detector.run(scores[begin:])) is not None:
        found, begin = found + 1, begin + index + 1
    return found


def everything(detector: Detector) -> tuple[object, ...]:
    return detector.state(), detector.statistic, detector.threshold, detector.changed_n


def test_false_alarms_are_at_most_those_promised(kind: str) -> None:
    """80 references, each watched for one ARL: at most 80, measured .1 to .8 of that."""
    arl, references = 1e4, 80

    found = sum(alarms(make(kind, arl, REFERENCE_N), scored(seed, 10_000)) for seed in range(80))

    assert found <= references


@pytest.mark.parametrize("shift", [1.0, -1.0])
def test_a_shift_of_one_sd_is_found_soon_and_dated(kind: str, shift: float) -> None:
    delays, errors = [], []
    for seed in range(40):
        detector = make(kind, ARL, REFERENCE_N)
        before = scored(3000 + seed, 800)[:400]
        after = scored(3000 + seed, 800, shift)[400:]
        assert detector.run(before) is None
        delays.append(detector.run(after))
        errors.append(detector.changed_n - delays[-1] - 1)

    assert median(delays) <= 40
    assert max(delays) <= 120
    assert abs(median(errors)) <= 5
    assert sorted(map(abs, errors))[35] <= 30


def test_a_shift_from_the_first_score_on_is_found(kind: str) -> None:
    delays = [make(kind, ARL, REFERENCE_N).run(scored(seed, 400, 1.0)) for seed in range(40)]

    assert median(delays) <= 40
    assert max(delays) <= 150


@settings(max_examples=60, deadline=None)
@given(data=st.data())
def test_resuming_anywhere_changes_nothing(kind: str, data: st.DataObject) -> None:
    shift = data.draw(st.sampled_from([0.0, 1.0]))
    scores = scored(data.draw(st.integers(0, 9)), 300, shift)
    cuts = sorted(data.draw(st.lists(st.integers(0, 300), max_size=4)))
    uncut = make(kind, ARL, REFERENCE_N)
    resumed = make(kind, ARL, REFERENCE_N)

    for begin, end in zip([0, *cuts], [*cuts, 300], strict=True):
        state = msgspec.msgpack.decode(msgspec.msgpack.encode(resumed.state()))
        resumed = restore(kind, ARL, REFERENCE_N, state)

        assert everything(resumed) == everything(uncut)

        assert resumed.run(scores[begin:end]) == uncut.run(scores[begin:end])

    assert everything(resumed) == everything(uncut)


@settings(max_examples=30, deadline=None)
@given(sizes=st.lists(st.integers(0, 40), max_size=20), seed=st.integers(0, 9))
def test_how_scores_are_batched_changes_nothing(kind: str, sizes: list[int], seed: int) -> None:
    scores = scored(seed, 300, 1.0)
    at_once, in_pieces = make(kind, ARL, REFERENCE_N), make(kind, ARL, REFERENCE_N)
    alarm = at_once.run(scores)
    begin = 0
    for size in [*sizes, 300]:
        found = in_pieces.run(scores[begin : begin + size])
        if found is not None:
            break
        begin += size

    assert begin + found == alarm
    assert everything(in_pieces) == everything(at_once)


def test_the_statistic_reaches_its_threshold_when_it_alarms_and_not_before(kind: str) -> None:
    detector = make(kind, ARL, REFERENCE_N)
    evidence = []
    for score in scored(3, 400)[:200] + scored(3, 400, 1.0)[200:]:
        alarm = detector.run([score])
        evidence.append(detector.statistic)
        if alarm is not None:
            break

    assert alarm == 0
    assert evidence[-1] >= detector.threshold
    # ADWIN looks at every eighth score, and what it finds may be older than its look.
    assert max(evidence[:-8]) < detector.threshold
    assert max(evidence[:200]) < 0.9 * detector.threshold


def test_after_an_alarm_it_begins_anew_with_the_next_score(kind: str) -> None:
    detector, new = make(kind, ARL, REFERENCE_N), make(kind, ARL, REFERENCE_N)
    alarm = detector.run(scored(0, 400, 1.0))

    assert alarm is not None
    assert detector.changed_n > 0
    assert detector.run([]) is None
    assert detector.changed_n > 0

    assert detector.run(scored(1, 50)) == new.run(scored(1, 50))
    assert everything(detector) == everything(new)
    assert detector.changed_n == 0


def test_a_new_promise_keeps_the_evidence(kind: str) -> None:
    """A stricter one alarms later on the same scores, and sooner than from the start."""
    detector = make(kind, 1e4, REFERENCE_N)
    detector.run(scored(0, 400, 1.0)[:15])
    stricter = restore(kind, 1e9, REFERENCE_N, detector.state())

    rest = scored(0, 400, 1.0)[15:]
    sooner, later = detector.run(rest), stricter.run(rest)
    from_the_start = make(kind, 1e9, REFERENCE_N).run(rest)

    assert sooner is not None
    assert later is not None
    assert sooner < later
    assert from_the_start is None or later <= from_the_start


def test_the_state_does_not_grow_with_time(kind: str) -> None:
    detector = make(kind, 1e12, 2000)
    detector.run(scored(5, 30_000))

    assert len(msgspec.msgpack.encode(detector.state())) < 2_600


@pytest.mark.parametrize("score", [float("nan"), float("inf"), float("-inf")])
def test_a_score_that_is_not_finite_is_refused_and_moves_nothing(kind: str, score: float) -> None:
    detector = make(kind, ARL, REFERENCE_N)
    detector.run(scored(0, 50))
    before = everything(detector)

    with pytest.raises(ValueError, match="finite"):
        detector.run([0.1, score, 0.2])

    assert everything(detector) == before


@pytest.mark.parametrize(
    ("arl", "reference_n", "named"),
    [
        (999.0, 500, "arl"),
        (float("inf"), 500, "arl"),
        (float("nan"), 500, "arl"),
        (1e5, 49, "reference_n"),
    ],
)
def test_settings_outside_what_was_measured_are_refused(
    kind: str, arl: float, reference_n: int, named: str
) -> None:
    with pytest.raises(ValueError, match=named):
        make(kind, arl, reference_n)


def test_a_state_of_another_format_is_said_to_be_unreadable(kind: str) -> None:
    state = make(kind, ARL, REFERENCE_N).state()

    with pytest.raises(StateUnreadable):
        restore(kind, ARL, REFERENCE_N, {**state, "format": 99})
