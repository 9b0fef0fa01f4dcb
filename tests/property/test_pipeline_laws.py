"""Laws of the pipeline that hold for every order, every repetition, every cut and every tick."""

from datetime import timedelta
from functools import cache
from random import Random

from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from schemas.config import Reference
from schemas.messages import Effect
from schemas.prediction import Prediction
from schemas.study import Study
from streams.hospital.settings import Hospital, config_for
from streams.pipeline import Pipeline
from streams.simulate import simulate
from tests.simulation.oracle import Expected
from tests.simulation.oracle_incidents import Transition
from tests.simulation.stories import CONFIG, story
from tests.simulation.transitions import outcomes, transitions

Arrivals = list[tuple[Study | Prediction, int]]
SECOND_US = 1_000_000
END_US = 45 * 86_400 * SECOND_US  # beyond all that is remembered
_SOON_US = 3 * 86_400 * SECOND_US  # beyond all that is due
_ends = st.sampled_from([END_US] + 7 * [_SOON_US])  # a long time is told at length, and costs it

_UPSERTS = ("received", "stable", "complete", "urgent", "stat", "cancel", "hand", "blank")
_PROMISES = ("promise", "nobody", "other")
_ANSWERS = ("done", "part", "failed", "rejected", "inapplicable", "withdrawn")
_OTHERS = ("shadow", "stranger")
_words = st.builds(
    "{}.{}@{}>{}".format,
    st.sampled_from("abc"),
    st.sampled_from((*_UPSERTS, *_PROMISES, *_ANSWERS, *_OTHERS)),
    st.integers(0, 400),
    st.integers(0, 600),
)
_stories = st.lists(_words, max_size=25).map(lambda words: story(" ".join(words)))


def run(arrivals: Arrivals, end_us: int) -> list[Effect]:
    pipeline = Pipeline(CONFIG)
    effects = [effect for arrival in arrivals for effect in pipeline.handle(*arrival)]
    return effects + pipeline.tick(end_us)


def in_order(arrivals: Arrivals) -> Arrivals:
    return sorted(arrivals, key=lambda arrival: arrival[1])


def told(effects: list[Effect]) -> tuple[list[Expected], list[Transition]]:
    """What does not depend on when it was told."""
    return sorted(outcomes(effects)), sorted(transitions(effects))


@given(_stories, _ends, st.data())
def test_what_is_delivered_again_changes_nothing(
    arrivals: Arrivals, end_us: int, data: st.DataObject
):
    honest = [(event, max(us, int(event.at.timestamp()) * SECOND_US)) for event, us in arrivals]
    later = st.integers(0, 86_400).map(lambda seconds: seconds * SECOND_US)
    again = [(event, us + data.draw(later)) for event, us in honest if data.draw(st.booleans())]

    assert told(run(in_order(honest + again), end_us)) == told(run(in_order(honest), end_us))


@st.composite
def _plain_study(draw: st.DrawFn, key: str) -> list[str]:
    """A study that is complete once and answered at most once.

    An answer less than the lateness after its deadline may come before or after the deadline is
    proved to have passed, so there is none.
    """
    start = draw(st.integers(0, 600))
    words = [f"{key}.complete@{start}"]
    if draw(st.booleans()):
        words.append(f"{key}.received@{start - draw(st.integers(1, 50))}")
    if draw(st.booleans()):
        answered = start + draw(st.integers(1, 100) | st.integers(161, 300))
        words.append(f"{key}.{draw(st.sampled_from(['done', 'part', 'failed']))}@{answered}")
    return words


@st.composite
def _twice_within_lateness(draw: st.DrawFn) -> tuple[Arrivals, Arrivals]:
    keys = "abcdefgh"[: draw(st.integers(1, 8))]
    words = [word for key in keys for word in draw(_plain_study(key))]
    arrivals = story(" ".join(words))
    delays = st.lists(st.integers(0, 59_999), min_size=len(words), max_size=len(words))

    def delayed() -> Arrivals:
        pairs = zip(arrivals, draw(delays), strict=True)
        return in_order([(event, us + delay_ms * 1000) for (event, us), delay_ms in pairs])

    return delayed(), delayed()


@given(_twice_within_lateness(), _ends)
def test_reordered_within_lateness_changes_nothing(both: tuple[Arrivals, Arrivals], end_us: int):
    one, other = both

    assert told(run(one, end_us)) == told(run(other, end_us))


@given(_stories, _stories, _ends)
def test_sites_are_independent(here: Arrivals, there: Arrivals, end_us: int):
    there = [(replace(event, site="t"), us) for event, us in there]

    together = run(in_order(here + there), end_us)
    assert [effect for effect in together if effect.site == "s"] == run(here, end_us)
    assert [effect for effect in together if effect.site == "t"] == run(there, end_us)


@given(_stories, st.integers(0, 1000), st.integers(0, 1000))
def test_time_may_be_advanced_in_any_steps(arrivals: Arrivals, first: int, second: int):
    a_us, b_us = sorted((first * SECOND_US, second * SECOND_US))
    steps, leap = Pipeline(CONFIG), Pipeline(CONFIG)
    for arrival in arrivals:
        assert steps.handle(*arrival) == leap.handle(*arrival)

    assert steps.tick(a_us) + steps.tick(b_us) == leap.tick(b_us)
    assert steps.tick(a_us) == []
    assert dict(steps.changes()) == dict(leap.changes())


@given(_stories)
def test_after_its_deadline_a_pipeline_has_a_later_one_or_none(arrivals: Arrivals):
    pipeline = Pipeline(CONFIG)
    for arrival in arrivals:
        pipeline.handle(*arrival)

    deadline_us = pipeline.deadline()
    while deadline_us is not None and deadline_us < END_US:  # what is open is told again for ever
        pipeline.tick(deadline_us)
        later_us = pipeline.deadline()
        assert later_us is None or later_us > deadline_us
        deadline_us = later_us
    assert pipeline.sizes()["studies"] == 0


_HOSPITAL = Hospital(sites=("north",), days=1.0, studies_per_day=250, corrected=0.1, cancelled=0.1)
_ARRIVALS = list(simulate(_HOSPITAL, 11))
_CONFIG = replace(config_for(_HOSPITAL), reference=Reference(observations=50))


def watched(cuts: list[int], order: Random) -> tuple[list[Effect], dict[bytes, bytes | None]]:
    """Effects and final state of the hospital's day, with a new pipeline at each cut."""
    pipeline, effects, state = Pipeline(_CONFIG), [], {}
    for start, end in zip([0, *cuts], [*cuts, len(_ARRIVALS)], strict=True):
        if start:
            records = list(state.items())
            order.shuffle(records)
            pipeline = Pipeline(_CONFIG)
            pipeline.restore(records)
        for event, arrived_us in _ARRIVALS[start:end]:
            effects += pipeline.handle(event, arrived_us)
        state |= dict(pipeline.changes())
        state = {key: value for key, value in state.items() if value is not None}
    return effects, state


@cache
def uncut() -> tuple[list[Effect], dict[bytes, bytes | None]]:
    """The day as it is where nothing happens."""
    return watched([], Random(0))


@settings(max_examples=15, deadline=None)
@given(st.lists(st.integers(1, len(_ARRIVALS) - 1), max_size=3).map(sorted), st.randoms())
def test_cut_anywhere_and_resumed_nothing_is_different(cuts: list[int], order: Random):
    assert watched(cuts, order) == uncut()


@settings(max_examples=15, deadline=None)
@given(st.lists(st.integers(1, 60), max_size=200))
def test_events_in_a_row_say_the_same_as_one_by_one(lengths: list[int]):
    in_rows = Pipeline(_CONFIG)
    effects, state = uncut()

    rest, rows = list(_ARRIVALS), []
    for length in [*lengths, len(_ARRIVALS)]:
        rows, rest = [*rows, rest[:length]], rest[length:]
    said = {repr(effect) for row in rows for effect in in_rows.handle_all(row)}
    assert said == set(map(repr, effects))
    left = dict(in_rows.changes())
    assert {key: value for key, value in left.items() if value is not None} == state


def test_the_day_that_is_cut_reaches_past_learning():
    _, state = uncut()

    assert any(b"watching" in value for value in state.values())
    assert _ARRIVALS[-1].arrived_us > _ARRIVALS[0].arrived_us + timedelta(hours=20).seconds * 1e6
