"""Laws of performance from reports: arrival order, repeats, cuts and restarts change nothing."""

from collections.abc import Sequence
from random import Random

import msgspec
from hypothesis import given, settings
from hypothesis import strategies as st

from schemas.config import Limits
from schemas.report import Feedback
from streams.performance.readout import Readout
from streams.stage import Happened, Said
from tests.unit import builders
from tests.unit.builders import us
from tests.unit.reports import (
    DAY_S,
    MATURITY_S,
    advanced,
    answer,
    happened,
    readout,
    report,
    told,
)

MADE_S = {key: 3_600.0 * number for number, key in enumerate("abcd")}
END_S = 30 * DAY_S

_keys = st.sampled_from("abcd")
_stamps = st.integers(0, 2 * DAY_S)
_answers = st.builds(
    lambda key, at_s, positive, score, model, version: answer(
        key, at_s, positive, score=score, model=model, model_version=version
    ),
    _keys,
    _stamps,
    st.booleans(),
    st.none() | st.sampled_from((0.0, 0.3, 1.0)),
    st.sampled_from(("ptx", "other")),
    st.sampled_from("12"),
)
_feedback = st.none() | st.sampled_from(("agree", "disagree")).map(
    lambda verdict: [Feedback(model="ptx", finding="pneumothorax", verdict=verdict)]
)
_reports = st.builds(
    lambda key, at_s, value, status, name, feedback: report(
        key, at_s, value, status=status, report=name, feedback=feedback
    ),
    _keys,
    _stamps,
    st.sampled_from(("present", "absent", "uncertain")),
    st.sampled_from(
        ("preliminary", "final", "corrected", "amended", "appended", "entered_in_error")
    ),
    st.sampled_from(("r-1", "r-2")),
    _feedback,
)
_cancels = st.builds(lambda key, at_s: builders.study(key, at_s, state="cancelled"), _keys, _stamps)
_events = st.lists(_answers | _reports | _cancels, max_size=25)
LIMITS = Limits(min_ppv=0.9, max_for=0.05)


def arrivals(events: Sequence, arrived_s: Sequence[float]) -> list[Happened]:
    """Each event of a study whose date is known, in the order of arrival."""
    pairs = zip(events, arrived_s, strict=True)
    found = [happened(event, MADE_S[event.study], at_s) for event, at_s in pairs]
    return sorted(found, key=lambda one: one.arrived_us)


def words(stage: Readout, found: Sequence[Happened]) -> list[Said]:
    return told(stage, found, END_S)


def written(stage: Readout) -> dict[tuple[str, ...], bytes | None]:
    return {
        (kind, *key): None if record is None else msgspec.msgpack.encode(record)
        for kind, key, record in stage.changes()
    }


@given(_events, st.data())
@settings(deadline=None)
def test_the_order_of_arrival_before_maturity_changes_nothing(events: list, data: st.DataObject):
    times = st.lists(
        st.integers(0, MATURITY_S - 1), min_size=len(events), max_size=len(events), unique=True
    )
    one, other = readout(limits=LIMITS), readout(limits=LIMITS)

    assert words(one, arrivals(events, data.draw(times))) == words(
        other, arrivals(events, data.draw(times))
    )


@given(_events, st.data())
@settings(deadline=None)
def test_what_is_delivered_again_changes_nothing(events: list, data: st.DataObject):
    times = [data.draw(st.integers(0, MATURITY_S - 1)) for _ in events]
    again = [data.draw(st.integers(at_s, MATURITY_S + DAY_S)) for at_s in times]
    once = arrivals(events, times)
    twice = sorted(once + arrivals(events, again), key=lambda one: one.arrived_us)

    assert words(readout(), once) == words(readout(), twice)


@given(_events, st.data())
@settings(deadline=None)
def test_time_may_be_advanced_in_any_steps(events: list, data: st.DataObject):
    found = arrivals(events, [data.draw(st.integers(0, 6 * DAY_S)) for _ in events])
    leaps, steps = readout(limits=LIMITS), readout(limits=LIMITS)
    said: list[Said] = []
    for one in found:
        for at_us in sorted(data.draw(st.lists(st.integers(0, one.watermark_us), max_size=2))):
            said += advanced(steps, at_us)
        said += advanced(steps, one.watermark_us)
        said += steps.take(one)
    said += advanced(steps, us(END_S))

    assert said == words(leaps, found)
    assert written(steps) == written(leaps)


def restarted(stage: Readout, log: dict[tuple[str, ...], bytes]) -> Readout:
    """A fresh stage that has read the compacted log, backwards."""
    for key, value in written(stage).items():
        if value is None:
            log.pop(key, None)
        else:
            log[key] = value
    fresh = readout(observations=50, limits=LIMITS)
    fresh.restore(
        msgspec.msgpack.decode(value, type=Readout.kinds[key[0]])
        for key, value in reversed(log.items())
    )
    return fresh


def stream(bits: list[tuple[bool, bool, bool]]) -> list[Happened]:
    """Studies an hour apart; called, present, read."""
    found = []
    for number, (called, present, read) in enumerate(bits):
        made_s = number * 3_600.0
        score = 0.8 if called else 0.2
        found.append(happened(answer(str(number), made_s + 1, called, score=score), made_s))
        if read:
            value = "present" if present else "absent"
            found.append(happened(report(str(number), made_s + 7_200, value), made_s))
    return sorted(found, key=lambda one: one.arrived_us)


@given(st.integers(0, 2**32), st.lists(st.integers(0, 600), max_size=4))
@settings(deadline=None, max_examples=8)
def test_restored_at_any_point_it_goes_on_bit_for_bit(seed: int, cuts: list[int]):
    """Through the freezing of references, alarms and their end."""
    random = Random(seed)
    bits = []
    for number in range(330):
        present = random.random() < 0.5
        wrong = 0.1 if number < 200 else 0.6
        bits.append((present ^ (random.random() < wrong), present, random.random() < 0.9))
    found = stream(bits)
    uncut, resumed = (readout(observations=50, limits=LIMITS) for _ in range(2))
    log: dict[tuple[str, ...], bytes] = {}
    said: list[Said] = []
    for number, one in enumerate(found):
        if number in cuts:
            resumed = restarted(resumed, log)
        said += advanced(resumed, one.watermark_us)
        said += resumed.take(one)
    resumed = restarted(resumed, log)
    said += advanced(resumed, us(END_S))

    assert said == words(uncut, found)
    whole = {key: value for key, value in written(uncut).items() if value is not None}
    restarted(resumed, log)
    assert log == whole
