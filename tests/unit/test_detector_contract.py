"""What detectors.Detector promises, over every kind there is."""

from functools import cache
from statistics import median

import msgspec
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from detectors import Dependence, Detector, Promise, StateUnreadable, kinds, make, restore
from detectors.standard import Standard

PER_DAY = 200.0
PROMISE = Promise(days=1e5 / PER_DAY, per_day=PER_DAY)
REFERENCE_N = 500
DEPENDENT = Dependence(ratio=2.0, block_n=8, effective_n=250.0, promised=True)

pytestmark = pytest.mark.parametrize("kind", kinds())


@cache
def scored(seed: int, n: int, shift: float = 0.0) -> np.ndarray:
    """Scores of n values against a reference of their own, all values shifted by so many sd."""
    rng = np.random.default_rng(seed)
    standard = Standard.learn(rng.normal(size=REFERENCE_N), rng.random(REFERENCE_N))
    scores = standard.scores(shift + rng.normal(size=n), rng.random(n))
    return scores * standard.dependence.ratio**0.5


def pace(scores: np.ndarray) -> np.ndarray:
    return np.full(len(scores), 1 / PER_DAY)


def fed(detector: Detector, scores: np.ndarray) -> int | None:
    return detector.run(scores, pace(scores))


def alarms(detector: Detector, scores: np.ndarray) -> int:
    found, begin = 0, 0
    while (index := fed(detector, scores[begin:])) is not None:
        found, begin = found + 1, begin + index + 1
    return found


def everything(detector: Detector) -> tuple[object, ...]:
    return detector.state(), detector.statistic, detector.threshold, detector.changed_n


def test_false_alarms_are_at_most_those_promised(kind: str) -> None:
    """40 references, each watched for one promise: at most 40, measured .1 to .8 of that."""
    promise = Promise(1e4 / PER_DAY, PER_DAY)

    found = sum(
        alarms(make(kind, promise, REFERENCE_N), scored(seed, 10_000)) for seed in range(40)
    )

    assert found <= 40


@pytest.mark.parametrize("shift", [1.0, -1.0])
def test_a_shift_of_one_sd_is_found_soon_and_dated(kind: str, shift: float) -> None:
    delays, errors = [], []
    for seed in range(40):
        detector = make(kind, PROMISE, REFERENCE_N)
        before = scored(3000 + seed, 800)[:400]
        after = scored(3000 + seed, 800, shift)[400:]
        assert fed(detector, before) is None
        delays.append(fed(detector, after))
        errors.append(detector.changed_n - delays[-1] - 1)

    assert median(delays) <= 40
    assert max(delays) <= 120
    assert abs(median(errors)) <= 5
    assert sorted(map(abs, errors))[35] <= 30


def test_a_shift_from_the_first_score_on_is_found(kind: str) -> None:
    delays = [fed(make(kind, PROMISE, REFERENCE_N), scored(seed, 400, 1.0)) for seed in range(40)]

    assert median(delays) <= 45
    assert max(delays) <= 150


@pytest.mark.parametrize("dependence", [None, DEPENDENT])
@settings(max_examples=30, deadline=None)
@given(data=st.data())
def test_however_scores_are_cut_and_state_is_restored_the_result_is_the_same_bits(
    kind: str, dependence: Dependence | None, data: st.DataObject
) -> None:
    known = () if dependence is None else (dependence,)
    shift = data.draw(st.sampled_from([0.0, 1.0]))
    scores = scored(data.draw(st.integers(0, 9)), 500, shift)
    days = np.random.default_rng(1).exponential(1 / PER_DAY, size=500)
    cuts = sorted(data.draw(st.lists(st.integers(0, 500), max_size=5)))
    uncut = make(kind, PROMISE, REFERENCE_N, *known)
    resumed = make(kind, PROMISE, REFERENCE_N, *known)
    expected = alarm_places(uncut, scores, days)

    found = []
    for begin, end in zip([0, *cuts], [*cuts, 500], strict=True):
        state = msgspec.msgpack.decode(msgspec.msgpack.encode(resumed.state()))
        resumed = restore(kind, PROMISE, REFERENCE_N, state, *known)
        part = alarm_places(resumed, scores[begin:end], days[begin:end])
        found += [begin + place for place in part]

    assert found == expected
    assert resumed.state() == uncut.state()
    assert resumed.statistic == uncut.statistic


def alarm_places(detector: Detector, scores: np.ndarray, days: np.ndarray) -> list[int]:
    found: list[int] = []
    at = 0
    while (index := detector.run(scores[at:], days[at:])) is not None:
        at += index + 1
        found.append(at - 1)
    return found


def test_one_by_one_is_the_same_bits_and_an_alarm_begins_anew(kind: str) -> None:
    scores = np.concatenate([scored(2, 150), scored(2, 300, 1.5)])
    at_once, one_by_one = (make(kind, PROMISE, REFERENCE_N) for _ in range(2))
    alarm = fed(at_once, scores)
    assert alarm is not None

    for score in scores[:alarm]:
        assert fed(one_by_one, np.array([score])) is None
        assert one_by_one.changed_n == 0
    assert fed(one_by_one, scores[alarm : alarm + 1]) == 0
    assert everything(one_by_one) == everything(at_once)
    assert one_by_one.statistic >= one_by_one.threshold
    assert one_by_one.changed_n > 0

    assert fed(one_by_one, np.empty(0)) is None
    assert one_by_one.changed_n > 0

    new = make(kind, PROMISE, REFERENCE_N)
    assert fed(one_by_one, scored(1, 50)) == fed(new, scored(1, 50))
    assert everything(one_by_one) == everything(new)
    assert one_by_one.changed_n == 0


def test_a_new_promise_keeps_the_evidence(kind: str) -> None:
    """A stricter one alarms later on the same scores, and sooner than from the start."""
    detector = make(kind, Promise(1e4 / PER_DAY, PER_DAY), REFERENCE_N)
    stricter_promise = Promise(1e9 / PER_DAY, PER_DAY)
    fed(detector, scored(0, 400, 1.0)[:15])
    stricter = restore(kind, stricter_promise, REFERENCE_N, detector.state())

    rest = scored(0, 400, 1.0)[15:]
    sooner, later = fed(detector, rest), fed(stricter, rest)
    from_the_start = fed(make(kind, stricter_promise, REFERENCE_N), rest)

    assert sooner is not None
    assert later is not None
    assert sooner < later
    assert from_the_start is None or later <= from_the_start


def test_the_state_does_not_grow_with_time(kind: str) -> None:
    detector = make(kind, Promise(1e12, 1.0), 2000)
    fed(detector, scored(5, 30_000))

    assert len(msgspec.msgpack.encode(detector.state())) < 2_600


@pytest.mark.parametrize("score", [float("nan"), float("inf"), float("-inf")])
def test_a_score_that_is_not_finite_is_refused_and_moves_nothing(kind: str, score: float) -> None:
    detector = make(kind, PROMISE, REFERENCE_N)
    fed(detector, scored(0, 50))
    before = everything(detector)

    with pytest.raises(ValueError, match="finite"):
        fed(detector, np.array([0.1, score, 0.2]))

    assert everything(detector) == before


@pytest.mark.parametrize("days", [[-1.0, 0.0], [float("nan"), 0.0], [float("inf"), 0.0], [0.0]])
def test_a_time_that_is_none_is_refused_and_moves_nothing(kind: str, days: list[float]) -> None:
    detector = make(kind, PROMISE, REFERENCE_N)
    before = everything(detector)

    with pytest.raises(ValueError, match="time since"):
        detector.run(np.array([0.1, 0.2]), np.array(days))

    assert everything(detector) == before


@pytest.mark.parametrize(
    ("promise", "reference_n", "named"),
    [
        (Promise(0.0, 1.0), 500, "promise"),
        (Promise(float("inf"), 1.0), 500, "promise"),
        (Promise(30.0, float("nan")), 500, "promise"),
        (PROMISE, 49, "reference_n"),
    ],
)
def test_settings_that_promise_nothing_are_refused(
    kind: str, promise: Promise, reference_n: int, named: str
) -> None:
    with pytest.raises(ValueError, match=named):
        make(kind, promise, reference_n)


def test_a_state_of_another_format_is_said_to_be_unreadable(kind: str) -> None:
    state = make(kind, PROMISE, REFERENCE_N).state()

    with pytest.raises(StateUnreadable):
        restore(kind, PROMISE, REFERENCE_N, {**state, "format": 99})
