"""Laws of the watches over versions, shadows, intended use and data quality."""

from collections.abc import Callable
from random import Random
from typing import NamedTuple

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from schemas.config import Clock, Model, Range, Watch
from schemas.oversight import DataQuality, OffLabel, VersionChange, VersionDisagreement
from schemas.prediction import Output
from schemas.study import Patient
from streams.disagreement import Disagreement
from streams.finding import Finding
from streams.off_label import OffLabel as OffLabelWatch
from streams.outcomes.study_record import StudyFacts
from streams.quality.stage import Quality
from streams.stage import Happened, Said, Stage
from streams.versions import Versions
from tests.unit.builders import prediction, study, us
from tests.unit.happenings import Watched, happened

MODELS = [Model(name="ptx", intended_use={"patient.age_years": Range(min=18)})]
SOON_DAYS = 1e-3  # so short a promise that there is something to be told


def soon(site: str) -> float:
    return SOON_DAYS * len(site)


MAKES: dict[str, Callable[[], Stage]] = {
    "versions": lambda: Versions(MODELS, VersionChange(settled_after=6, epoch_after=2)),
    "disagreement": lambda: Disagreement(
        MODELS, VersionDisagreement(waiting_s=400, waiting_per_site=4), soon
    ),
    "off_label": lambda: OffLabelWatch(MODELS, OffLabel(tolerated_share=0.1), soon),
    "off_label_none": lambda: OffLabelWatch(MODELS, OffLabel(tolerated_share=0), soon),
    "quality": lambda: Quality(MODELS, DataQuality(learn_from=50), Watch(), Clock(), soon),
}
stages = pytest.mark.parametrize("make", MAKES.values(), ids=MAKES.keys())


class Mood(NamedTuple):
    """How a stretch of events goes."""

    new_version: float
    differs: float
    child: float
    stuck: float
    fault: float
    early: float


_chance = st.sampled_from((0.0, 0.05, 0.5, 1.0))
_moods = st.lists(
    st.builds(Mood, _chance, _chance, _chance, _chance, _chance, _chance), min_size=1, max_size=4
)


def events(moods: list[Mood], seed: int) -> list[Happened]:
    """Studies with their answers, live and shadow, in two sites, at all moments and orders."""
    rng, at_s, told = Random(seed), 0.0, []
    for mood in moods:
        for _ in range(rng.choice((20, 80, 140))):
            at_s += rng.choice((0.0, 1.0, 30.0, 200.0))
            told += _study(rng, mood, at_s, f"s{len(told)}")
    return told


def _study(rng: Random, mood: Mood, at_s: float, key: str) -> list[Happened]:
    def is_so(chance: float) -> bool:
        return rng.random() < chance

    site = rng.choice(("north", "north", "south"))
    facts = StudyFacts(us(at_s), {"patient.age_years": 5.0 if is_so(mood.child) else 50.0})
    counts = {"counts": not is_so(0.1)}
    call = is_so(0.5)
    came = study(
        key,
        at_s,
        site=site,
        patient=Patient(age_years=140.0 if is_so(mood.fault) else 50.0),
        acquisition={"kvp": -1.0 if is_so(mood.fault) else 90.0},
        view=None if is_so(mood.fault) else "PA",
    )
    score = 0.5 if is_so(mood.stuck) else round(rng.random(), 3)
    plain = {"site": site, "outputs": [Output(finding="x", score=score, positive=call)]}
    live = prediction(key, at_s, **plain, model_version="b" if is_so(mood.new_version) else "a")
    other = [Output(finding="x", positive=call != is_so(mood.differs))]
    shadow = prediction(key, at_s, **plain | {"outputs": other, "role": "shadow"})
    answers = [live, shadow] if is_so(0.8) else [live]
    if is_so(mood.early):
        rng.shuffle(answers)
        before = [happened(answer, at_s, **counts) for answer in answers]
        return [*before, happened(came, at_s, study=facts, **counts)]
    after = [happened(answer, at_s, study=facts, **counts) for answer in answers]
    return [happened(came, at_s, study=facts, **counts), *after]


def run(make: Callable[[], Stage], row: list[Happened]) -> Watched:
    watched = Watched(make())
    for one in row:
        watched.take(one)
    watched.checkpoint()
    return watched


@stages
@given(_moods, st.integers(0, 9), st.sets(st.integers(0, 500), max_size=6))
@settings(max_examples=40, deadline=None)
def test_a_restart_anywhere_changes_nothing(
    make: Callable[[], Stage], moods: list[Mood], seed: int, restarts: set[int]
) -> None:
    row = events(moods, seed)
    straight = run(make, row)

    cut = Watched(make())
    for index, one in enumerate(row):
        if index in restarts:
            cut.restart(make)
        cut.take(one)
    cut.checkpoint()

    assert cut.said == straight.said
    assert cut.log == straight.log
    assert cut.stage.sizes() == straight.stage.sizes()


@stages
@given(_moods, st.integers(0, 9))
@settings(max_examples=25, deadline=None)
def test_sites_are_independent(make: Callable[[], Stage], moods: list[Mood], seed: int) -> None:
    row = events(moods, seed)

    together = run(make, row).said
    alone = run(make, [one for one in row if one.event.site == "north"]).said

    assert [one for one in together if one.site == "north"] == alone


@stages
@given(_moods, st.integers(0, 9))
@settings(max_examples=25, deadline=None)
def test_what_is_told_once_more_changes_nothing(
    make: Callable[[], Stage], moods: list[Mood], seed: int
) -> None:
    row = events(moods, seed)
    twice = [again for one in row for again in (one, replace(one, fresh=False, counts=False))]

    assert run(make, twice).said == run(make, row).said


@stages
@given(_moods, st.integers(0, 9))
@settings(max_examples=40, deadline=None)
def test_only_what_holds_is_eased_and_nothing_is_told_by_time(
    make: Callable[[], Stage], moods: list[Mood], seed: int
) -> None:
    watched = run(make, events(moods, seed))

    assert list(watched.stage.tick(us(1e9))) == []
    assert _out_of_order(watched.said) == []


def _out_of_order(said: list[Said]) -> list[Finding]:
    """Findings that ease what does not hold, or that begin with a change."""
    holds: set[tuple[str, str | None, str | None]] = set()
    wrong = []
    for one in said:
        if not isinstance(one, Finding):
            continue
        key = (one.site, one.model, one.subject)
        if one.signal != "holds" and key not in holds:
            wrong.append(one)
        if one.signal in ("eased", "returned"):
            holds.discard(key)
        else:
            holds.add(key)
    return wrong


def test_the_events_of_these_laws_make_every_stage_speak() -> None:
    quiet, wild = Mood(0, 0, 0, 0, 0, 0.5), Mood(0.2, 0.5, 0.5, 1, 0.5, 0.5)
    row = events([quiet, wild, *[quiet] * 12], seed=1)

    for name, make in MAKES.items():
        signals = {one.signal for one in run(make, row).said if isinstance(one, Finding)}
        assert {"holds"} < signals, name
