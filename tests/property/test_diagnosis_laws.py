"""What explains a change of performance is the same however the events are cut and restarted."""

from functools import cache
from random import Random

from hypothesis import given, settings
from hypothesis import strategies as st

from schemas.config import Budget, Config, Model, Reference
from schemas.incident import Incident
from schemas.messages import Effect, Event
from schemas.performance import Performance
from schemas.prediction import Output
from schemas.report import Label
from streams.clock import to_us
from streams.pipeline import Pipeline
from tests.unit.builders import prediction, report, study

EVERY_S = 432.0  # 200 studies a day
CONFIG = Config(
    models=[Model(name="ptx", deadline_s=600.0)],
    reference=Reference(observations=600),
    performance=Performance(maturity_s=7_200.0),
    budget=Budget(false_incidents=20, sites=1),
)


@cache
def arrivals() -> list[tuple[Event, int]]:
    """2,400 studies, each read; from the 1,200th on, many without the finding are called."""
    random, told = Random(5), []
    for number in range(2_400):
        key, at_s = f"s{number}", number * EVERY_S
        present = random.random() < 0.3
        false_alarms = 0.05 if number < 1_200 else 0.3
        called = random.random() < (0.9 if present else false_alarms)
        output = Output(finding="pneumothorax", positive=called)
        label = Label(finding="pneumothorax", value="present" if present else "absent")
        told += [study(key, at_s), prediction(key, at_s + 60, outputs=[output])]
        told.append(report(key, at_s + 3_600, labels=[label], report=f"r{number}"))
    told.sort(key=lambda event: event.at)
    return [(event, to_us(event.at)) for event in told]


def run(cuts: list[int], restarts: bool) -> tuple[list[str], dict[bytes, bytes]]:
    """All that is said, and the state left, of events taken in rows.

    But for studies: one that is over may be forgotten a little later after a restart.
    """
    pipeline, effects, state = Pipeline(CONFIG), list[Effect](), dict[bytes, bytes]()
    events = arrivals()
    for start, end in zip([0, *cuts], [*cuts, len(events)], strict=True):
        effects += pipeline.handle_all(events[start:end])
        changed = dict(pipeline.changes()) if restarts or end == len(events) else {}
        state = {key: value for key, value in (state | changed).items() if value is not None}
        if restarts and end < len(events):
            pipeline = Pipeline(CONFIG)
            pipeline.restore(state.items())
    left = {key: value for key, value in state.items() if not key.startswith(b'["study/1"')}
    return sorted(map(repr, effects)), left


@cache
def in_one_row() -> tuple[list[str], dict[bytes, bytes]]:
    return run([], restarts=False)


@settings(max_examples=8, deadline=None)
@given(st.lists(st.integers(3_000, 6_000), max_size=6).map(sorted), st.booleans())
def test_any_cutting_says_the_same_of_performance(cuts: list[int], restarts: bool) -> None:
    assert run(cuts, restarts) == in_one_row()


def test_event_by_event_says_the_same() -> None:
    assert run([*range(1, len(arrivals()))], restarts=False) == in_one_row()


def test_a_lost_specificity_is_named_in_evidence_and_title() -> None:
    effects = Pipeline(CONFIG).handle_all(arrivals())
    told = [one for one in effects if isinstance(one, Incident) and one.evidence.diagnosis]

    assert {"pneumothorax.ppv", "pneumothorax.call_rate"} <= {one.subject for one in told}
    for one in told:
        assert one.evidence.diagnosis is not None
        assert one.evidence.diagnosis[0] == "specificity lost"
        assert "(specificity lost" in one.title
