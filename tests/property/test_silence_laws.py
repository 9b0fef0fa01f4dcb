"""Laws of the watch over silence: time alone tells of it, arrivals alone end it, nothing else."""

from random import Random
from typing import NamedTuple

from hypothesis import given, settings
from hypothesis import strategies as st

from streams.finding import Finding
from streams.silence import Silence
from streams.stage import Happened
from tests.unit.builders import LATENESS_S, us
from tests.unit.ward_hours import DAY_S, EVENTS, HOUR_S, WEEK_S, Ward

_NAMES = ("ct1", "ct2", "ptx", "cad", "report")


class Stretch(NamedTuple):
    """Two days in which these feeds come, so often."""

    alive: frozenset[str]
    every_s: float


_stretches = st.lists(
    st.builds(
        Stretch,
        st.frozensets(st.sampled_from(_NAMES)),
        st.sampled_from((300.0, 900.0, 1800.0, 7200.0)),
    ),
    min_size=1,
    max_size=4,
)


def arrivals(stretches: list[Stretch], seed: int) -> list[tuple[float, str]]:
    """Two and a half weeks of regular days and nights, then the stretches; times in seconds."""
    rng = Random(seed)
    row: list[tuple[float, str]] = []
    usual = Stretch(frozenset(_NAMES), 1200.0)
    begin_s = 0.0
    for stretch, length_s in [(usual, 2.5 * WEEK_S), *((one, 2 * DAY_S) for one in stretches)]:
        at_s = begin_s
        while at_s < begin_s + length_s:
            if 7 * HOUR_S < at_s % DAY_S < 19 * HOUR_S:
                at = round(at_s + rng.random() * 60, 3)
                row += [(at, name) for name in _NAMES if name in stretch.alive]
            at_s += stretch.every_s
        begin_s += length_s
    row.sort(key=lambda one: one[0])
    return row


def run(row: list[tuple[float, str]], until_s: float) -> list[Finding]:
    ward = Ward()
    for at_s, name in row:
        ward.arrive(name, at_s)
    ward.prove(until_s)
    return ward.said


def end_of(row: list[tuple[float, str]]) -> float:
    return row[-1][0] + 3 * DAY_S


@given(_stretches, st.integers(0, 99), st.sets(st.integers(0, 3000), max_size=5))
@settings(max_examples=7, deadline=None)
def test_a_restart_anywhere_changes_nothing(
    stretches: list[Stretch], seed: int, restarts: set[int]
) -> None:
    row = arrivals(stretches, seed)
    cut = Ward()
    for index, (at_s, name) in enumerate(row):
        if index in restarts:
            cut.restart()
        cut.arrive(name, at_s)
    cut.restart()
    cut.prove(end_of(row))

    assert cut.said == run(row, end_of(row))


@given(_stretches, st.integers(0, 99), st.lists(st.integers(0, 40 * 86_400), max_size=20))
@settings(max_examples=7, deadline=None)
def test_time_may_be_proved_in_any_steps(
    stretches: list[Stretch], seed: int, proofs: list[int]
) -> None:
    """The broker proves time up to what has arrived, and no further than the next arrival."""
    row = arrivals(stretches, seed)
    waiting, stepped = sorted(proofs), Ward()
    for at_s, name in row:
        while waiting and waiting[0] <= at_s - LATENESS_S:
            stepped.prove(waiting.pop(0))
        stepped.arrive(name, at_s)
    stepped.prove(end_of(row))

    assert stepped.said == run(row, end_of(row))


@given(_stretches, st.integers(0, 99), st.randoms(use_true_random=False))
@settings(max_examples=7, deadline=None)
def test_the_order_of_what_arrives_at_one_time_does_not_matter(
    stretches: list[Stretch], seed: int, rng: Random
) -> None:
    row = arrivals(stretches, seed)
    keys = {name: rng.random() for name in _NAMES}
    other = sorted(row, key=lambda one: (one[0], keys[one[1]]))

    def story(said: list[Finding]) -> list[tuple[str, ...]]:
        return sorted((f.signal, f.kind, str(f.model), str(f.subject), str(f.at_us)) for f in said)

    assert story(run(other, end_of(row))) == story(run(row, end_of(row)))


@given(_stretches, st.integers(0, 99))
@settings(max_examples=7, deadline=None)
def test_an_arrival_alone_opens_nothing_and_time_alone_ends_no_silence(
    stretches: list[Stretch], seed: int
) -> None:
    row, ward = arrivals(stretches, seed), Ward()
    for at_s, name in row:
        by_time = ward.prove(at_s - LATENESS_S)
        assert {(one.signal, one.kind) for one in by_time} <= {
            ("holds", "silence"),
            ("holds", "partial_silence"),
            ("eased", "partial_silence"),  # an hour in which enough came has been proved
        }
        assert all(one.at_us <= us(at_s - LATENESS_S) for one in by_time)
        by_arrival = ward.arrive(name, at_s)
        assert {(one.signal, one.kind) for one in by_arrival} <= {("eased", "silence")}
    before = len(ward.said)
    ward.prove(end_of(row) + 10 * WEEK_S)

    assert "eased" not in {one.signal for one in ward.said[before:] if one.kind == "silence"}


@given(_stretches, st.integers(0, 99))
@settings(max_examples=7, deadline=None)
def test_one_silence_at_a_time_of_each_scope_and_none_of_what_a_lasting_one_explains(
    stretches: list[Stretch], seed: int
) -> None:
    row = arrivals(stretches, seed)
    lasting: set[tuple[str, str | None, str | None]] = set()
    for one in run(row, end_of(row)):
        key = (one.kind, one.model, one.subject)
        if one.signal == "holds":
            assert key not in lasting
            assert (one.kind, None, "all feeds") not in lasting
            assert (one.kind, None, "studies") not in lasting
            lasting.add(key)
        else:
            lasting.remove(key)


def test_what_is_behind_says_nothing_however_late_it_takes_its_events() -> None:
    """No proof of time but the arrivals' own: a backlog of a regular feed is silent throughout."""
    stage: Silence = Ward().stage
    said: list[object] = []
    for at_s in range(0, int(3 * WEEK_S), 600):
        happened = Happened(EVENTS["plain"], us(at_s), us(at_s), us(at_s - 60), True, True, None)
        while (at_us := stage.earliest_us()) <= us(at_s - 60):
            said += stage.tick(at_us)
        said += stage.take(happened)

    assert said == []
