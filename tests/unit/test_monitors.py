"""`watch.monitors`: one that is left out says nothing, costs nothing and remembers nothing."""

import json
from collections.abc import Sequence
from datetime import timedelta

import pytest
from msgspec.structs import replace

from schemas.config import MONITORS, Config, Model, Monitor, Watch
from schemas.messages import Event
from schemas.outcome import Outcome
from streams.hospital.faults import Outage
from streams.hospital.settings import Hospital, config_for
from streams.pipeline import Pipeline
from streams.simulate import simulate
from streams.stages import record_kinds, stages_of
from tests.unit.builders import Shard, outcomes, prediction, report, study

DAY_S = 86_400.0


def config(monitors: Sequence[Monitor], **watch: object) -> Config:
    return Config(
        models=[Model(name="ptx", deadline_s=100.0, intended_use={"modality": ["CR"]})],
        watch=replace(Watch(), monitors=tuple(monitors), **watch),
    )


def day(n: int = 60) -> list[Event]:
    """Studies that are answered off label and read, one with a tube voltage that cannot be."""
    told: list[Event] = []
    for number in range(n):
        at_s, name = number * 600.0, f"s{number}"
        kvp = -1.0 if number == n // 2 else 80.0
        told += [
            study(study=name, at_s=at_s, modality="CT", acquisition={"kvp": kvp}),
            prediction(study=name, at_s=at_s + 30),
            report(study=name, at_s=at_s + 300),
        ]
    return told


def kinds(log: dict[bytes, bytes]) -> set[str]:
    return {json.loads(key)[0] for key in log}


def test_all_of_them_run_unless_told_otherwise() -> None:
    shard = Shard(config(MONITORS))

    assert len(shard.pipeline._parts.stages) == len(MONITORS)
    assert Config().watch.monitors == MONITORS


@pytest.mark.parametrize("left_out", MONITORS)
def test_one_that_is_left_out_is_not_built(left_out: Monitor) -> None:
    all_of_them = Shard(config(MONITORS)).pipeline._parts.stages
    others = Shard(config([one for one in MONITORS if one != left_out])).pipeline._parts.stages

    gone = {type(one) for one in all_of_them} - {type(one) for one in others}
    assert len(gone) == 1
    assert len(others) == len(MONITORS) - 1


def test_deadlines_alone_say_the_same_of_deadlines() -> None:
    watched, bare = Shard(config(MONITORS)), Shard(config([], exclude=("*",), slices=()))

    watched.send(*day())
    bare.send(*day())
    watched.proved(DAY_S)
    bare.proved(DAY_S)

    assert outcomes(bare.said) == outcomes(watched.said)
    assert watched.incidents("data_quality")
    assert watched.incidents("off_label")
    assert {type(one).__name__ for one in bare.said} == {"Outcome"}
    bare.checkpoint()
    assert not kinds(bare.log) & record_kinds().keys()


def test_in_a_simulated_hospital_deadlines_alone_say_the_same_of_deadlines() -> None:
    began = Hospital().start + timedelta(hours=9)
    outage = Outage("north", "ptx", began, timedelta(hours=4), catches_up=True)
    hospital = Hospital(studies_per_day=300, days=2, faults=(outage,))
    arrivals = list(simulate(hospital, seed=5))
    alone = Watch(exclude=("*",), slices=(), monitors=())
    watched = Pipeline(config_for(hospital))
    bare = Pipeline(replace(config_for(hospital), watch=alone))

    told = [
        [one for one in pipeline.handle_all(arrivals) if isinstance(one, Outcome)]
        for pipeline in (watched, bare)
    ]

    assert told[1] == told[0]
    assert len(told[1]) > 500
    assert {one.outcome for one in told[1]} >= {"on_time", "missing", "late"}
    assert bare.sizes()["pending"] == watched.sizes()["pending"]


def test_monitors_that_are_switched_on_again_begin_in_the_midst() -> None:
    bare = Shard(config([], exclude=("*",), slices=()))
    bare.send(*day(10))

    bare.config = config(MONITORS)
    bare.restart()
    bare.send(*day(70)[3 * 10 :])

    assert bare.incidents("data_quality")
    assert bare.incidents("off_label")


def test_what_one_knew_is_forgotten_when_it_is_switched_off() -> None:
    shard = Shard(config(MONITORS))
    shard.send(*day())
    shard.checkpoint()
    before = kinds(shard.log) & record_kinds().keys()
    assert before >= {"feed/1", "use/1", "impossible/1"}

    shard.config = config(["silence"])
    shard.restart()
    shard.checkpoint()

    assert kinds(shard.log) & record_kinds().keys() == {"feed/1", "profile/1"} & before
    shard.config = config(MONITORS)
    shard.restart()
    assert shard.pipeline.sizes()["uses"] == 0


def test_an_open_incident_of_one_that_is_off_stays_until_a_person_resolves_it() -> None:
    shard = Shard(config(MONITORS))
    shard.send(*day())
    (opened, *_) = shard.incidents("off_label")

    shard.config = config([])
    shard.restart()
    shard.send(*(event for event in day(120)[-30:]))

    assert opened.incident in {case.incident for case in shard.pipeline._incidents.live()}


def test_the_order_in_which_they_are_named_changes_nothing() -> None:
    forwards, backwards = Shard(config(MONITORS)), Shard(config(MONITORS[::-1]))

    assert forwards.send(*day()) == backwards.send(*day())


def test_the_register_knows_them_all() -> None:
    shard = Shard()
    parts = shard.pipeline._parts

    for monitor in MONITORS:
        (stage,) = stages_of(config([monitor]), parts.budget, parts.lost)
        assert stage.kinds.keys() <= record_kinds().keys()
