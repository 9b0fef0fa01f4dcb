"""The realistic hospital in its short form; `python -m bench.hospital` is the long one."""

import json
from functools import cache

import pytest

from bench.hospital.__main__ import main
from bench.hospital.fault import Fault
from bench.hospital.faults_answers import ANSWERS
from bench.hospital.faults_inputs import INPUTS
from bench.hospital.lines import of_found
from bench.hospital.planted import FAULTS, Found, judged
from bench.hospital.rhythm import day_us
from bench.hospital.told import Opening
from bench.hospital.unplanted import Quiet, breaks
from bench.hospital.world import SHORT, World
from schemas.messages import Event
from schemas.study import Study

HOUR_US = 3_600_000_000


def events(seed: int, fault: Fault | None = None, days: int = 4) -> list[tuple[Event, int]]:
    world = World(SHORT, seed)
    world.alter = None if fault is None else fault.planted(onset_day=1)
    return [arrival for _ in range(days) for arrival in world.events()]


@cache
def healthy_days() -> list[tuple[Event, int]]:
    return events(1)


def named(name: str) -> Fault:
    return next(fault for fault in FAULTS if fault.name.startswith(name))


def test_a_seed_is_one_hospital() -> None:
    first = healthy_days()

    assert first == events(1)
    assert first != events(2)
    assert len(first) > 500


def test_events_come_in_order_of_arrival_and_none_before_it_happened() -> None:
    arrivals = [arrived_us for _, arrived_us in healthy_days()]

    assert arrivals == sorted(arrivals)
    assert all(event.at.timestamp() * 1e6 <= arrived_us for event, arrived_us in healthy_days())


def test_a_fault_changes_nothing_else() -> None:
    healthy, faulty = healthy_days(), events(1, named("kVp of DX1"))

    differing = [(one, other) for one, other in zip(healthy, faulty, strict=True) if one != other]
    assert differing
    for (before, _), (after, _) in differing:
        assert isinstance(before, Study)
        assert isinstance(after, Study)
        assert (after.site, after.scanner and after.scanner.station) == ("north", "DX1")
        assert after.at.timestamp() * 1e6 >= day_us(1) + 10 * HOUR_US
        assert before.acquisition and after.acquisition
        assert after.acquisition["kvp"] == pytest.approx(float(before.acquisition["kvp"]) + 4)


@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: fault.name)
def test_every_fault_is_there_from_its_onset(fault: Fault) -> None:
    healthy, faulty = healthy_days(), events(1, fault)

    early = [one for one in healthy if one[1] < fault.onset_us(1)]
    assert healthy != faulty
    assert early == faulty[: len(early)]


def opening(
    kind: str, at_us: int, subject: str = "acquisition.kvp", site: str = "north"
) -> Opening:
    return Opening(at_us, kind, site, "", subject, "warning", "")


def judge(fault: Fault, without: list[Opening], with_it: list[Opening]) -> Found:
    return judged(fault, SHORT, without, with_it)


def test_what_the_twin_is_told_as_well_is_false() -> None:
    fault = named("kVp of DX1")
    onset_us = fault.onset_us(SHORT.onset_day)
    early = opening("input_drift", onset_us - HOUR_US)
    late = opening("input_drift", onset_us + HOUR_US)
    own = opening("input_drift", onset_us + 30 * HOUR_US)

    alone = judge(fault, [early, late], [early, late])
    seen = judge(fault, [early, late], [early, late, own])

    assert (alone.told, alone.before, alone.beside) == (None, [early], [late])
    assert not alone.is_right
    assert seen.told == own
    assert seen.delay_days == pytest.approx(30 / 24)
    assert seen.names_slice is False


def test_what_else_came_of_a_fault_is_told_besides_it() -> None:
    fault = named("kVp of DX1")
    onset_us = fault.onset_us(SHORT.onset_day)
    own = opening("input_drift", onset_us + HOUR_US, "acquisition.kvp scanner.station=DX1")
    told = opening("input_drift", onset_us + 2 * HOUR_US)
    elsewhere = opening("input_drift", onset_us + HOUR_US, site="south")

    found = judge(fault, [], [own, told, elsewhere])

    assert found.told == told
    assert found.also == [own, elsewhere]


def test_where_nothing_is_wrong_nothing_is_to_be_told() -> None:
    fault = named("half as many negatives verified")
    onset_us = fault.onset_us(SHORT.onset_day)
    told = opening("performance_drift", onset_us + HOUR_US, "pneumothorax.sensitivity")

    assert judge(fault, [], []).is_right
    assert not judge(fault, [], [told]).is_right


def test_a_broken_promise_is_seen() -> None:
    false = [opening("input_drift", number) for number in range(9)]

    assert breaks([Quiet(1, 60, 1, false, 2.0, 0)])
    assert not breaks([Quiet(1, 60, 1, false[:6], 2.0, 0)])


def test_a_row_says_what_was_found_and_what_was_not() -> None:
    fault = named("kVp of DX1")
    own = opening("input_drift", fault.onset_us(SHORT.onset_day) + HOUR_US)

    assert of_found(judge(fault, [], [own])) == (
        "| kVp of DX1 + 4 | 1 | 60 min | input_drift acquisition.kvp "
        "| **not scanner.station=DX1** | 0 + 0 |  |"
    )
    assert "| **never** | - |" in of_found(judge(fault, [], []))


def test_the_short_form_finds_what_is_found_at_once(capsys: pytest.CaptureFixture[str]) -> None:
    status = main(["--short", "--json"])

    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    quiet, *found = lines
    assert status == 0
    assert quiet["false"] == []
    assert quiet["events_n"] > 2_000
    assert [one["told"] and one["told"]["kind"] for one in found] == [
        "missing_output",
        "data_quality",
        "version_change",
    ]
    assert all(one["is_right"] and one["delay_days"] < 1 for one in found)


def test_names_of_faults_are_their_own() -> None:
    names = [fault.name for fault in FAULTS]

    assert len(set(names)) == len(names) == len(ANSWERS) + len(INPUTS) + 7
