"""The simulation itself: its faults happen, its checks bite, its oracle is heard."""

from collections import Counter
from random import Random

import pytest
from msgspec.structs import replace

from schemas.incident import Incident
from schemas.outcome import Outcome
from streams.simulate import simulate
from tests.simulation.checks import agreement, laws
from tests.simulation.delivery import Delivery, deliver
from tests.simulation.monitor import Trouble, watch
from tests.simulation.oracle import account
from tests.simulation.run import problems
from tests.simulation.shrink import shrink
from tests.simulation.stories import CONFIG, story
from tests.simulation.swarm import Weights, World, world

SEEDS = range(200)
OUTAGE = [Delivery(event, us) for event, us in story("complete@0 b.complete@200 b.done@210")]


def delivered(**weights: float) -> tuple[list[Delivery], list[Delivery]]:
    """What is delivered of one hospital without faults and with these."""
    still = replace(world(0), weights=Weights())
    faulty = replace(still, weights=Weights(**weights))  # type: ignore[arg-type]
    return tuple(deliver(each, simulate(each.hospital, 0)) for each in (still, faulty))  # type: ignore[return-value]


def test_the_same_seed_is_the_same_world():
    assert [world(seed) for seed in range(20)] == [world(seed) for seed in range(20)]


def test_every_fault_is_on_in_some_worlds_and_off_in_others():
    weights = [world(seed).weights for seed in SEEDS]

    for name in Weights.__struct_fields__:
        assert any(getattr(each, name) for each in weights), f"{name} never happens"
    for name in set(Weights.__struct_fields__) - {"checkpoints", "rows"}:
        assert any(not getattr(each, name) for each in weights), f"{name} always happens"


def test_some_worlds_are_healthy_and_most_are_not():
    assert 20 <= sum(world(seed).is_healthy for seed in SEEDS) <= 60


@pytest.mark.parametrize(
    "fault",
    sorted(set(Weights.__struct_fields__) - set(Trouble.__struct_fields__)),
)
def test_each_fault_of_the_delivery_changes_what_arrives(fault):
    still, faulty = delivered(**{fault: 5 if fault == "stalls" else 0.9})

    assert faulty != still
    assert [d.arrived_us for d in faulty] == sorted(d.arrived_us for d in faulty)


def test_without_faults_everything_is_delivered_as_it_was_sent():
    still, _ = delivered()

    assert [(d.event.at, d.arrived_us) for d in still] == [
        (a.event.at, a.arrived_us) for a in simulate(world(0).hospital, 0)
    ]


def test_outcomes_of_every_kind_and_long_outages_are_simulated():
    seen: Counter[str] = Counter()
    for seed in range(1, 80):
        subject = world(seed)
        told = account(subject.config, deliver(subject, simulate(subject.hospital, seed)))
        seen.update(outcome.outcome for outcome in told.outcomes)
        seen.update(step.step for step in told.transitions)

    kinds = "on_time late missing failed incomplete rejected not_applicable cancelled"
    for kind in [*kinds.split(), "opened", "recovering", "recurred", "recovered"]:
        assert seen[kind], f"no {kind} in 79 worlds"


def test_the_laws_bite():
    effects = watch(CONFIG, OUTAGE, Trouble(), Random(0)).effects
    first = next(e for e in effects if isinstance(e, Incident))
    outcome = next(e for e in effects if isinstance(e, Outcome))

    assert not list(laws(effects, ["patient-1"]))
    assert "said twice" in next(laws([*effects, outcome], []))
    assert "seq 9 after" in next(laws([*effects, replace(first, seq=9)], []))
    assert "two live" in next(laws([first, replace(first, incident="other")], []))
    assert "patient-1" in next(laws([replace(first, title="patient-1")], ["patient-1"]))


def test_the_agreement_bites():
    effects = watch(CONFIG, OUTAGE, Trouble(), Random(0)).effects
    wanted = account(CONFIG, OUTAGE)

    assert not list(agreement(effects, wanted))
    for lost in effects:
        if isinstance(lost, Outcome) or (
            isinstance(lost, Incident) and lost.reason in ("opened", "recovering", "recovered")
        ):
            assert list(agreement([e for e in effects if e is not lost], wanted))


def test_a_failing_run_is_made_small():
    numbers = [Delivery(b"x", number) for number in range(100)]

    smallest = shrink(numbers, lambda some: {17, 71} <= {d.arrived_us for d in some})
    assert [d.arrived_us for d in smallest] == [17, 71]


def test_what_is_wrong_with_a_world_is_said():
    subject = World(
        seed=0,
        hospital=world(0).hospital,
        config=CONFIG,
        weights=Weights(),
        partitions=1,
        is_healthy=True,
    )

    assert any(problem.startswith("false: missing_output") for problem in problems(subject, OUTAGE))
