"""Values of a study by path, and the rules that look at them."""

from typing import Any

import pytest

from schemas.config import Deadlines, Match, Model, Range
from schemas.study import Patient, Scanner
from streams.clock import seconds_to_us
from streams.fields import FIXED, getter
from streams.outcomes.expectation import _SPELLINGS, Expectations, _Coded, rule_of
from tests.unit.builders import study

FULL = study(
    body_part="CHEST",
    priority="stat",
    view="PA",
    scanner=Scanner(manufacturer="Siemens", model="Ysio", software="VE10A", station="DX1"),
    acquisition={"kvp": 117.0, "kernel": "B30"},
    patient=Patient(key="0815", sex="F", age_years=93.0),
    attributes={"snr": 3.5, "scanner.colour": "grey", "trial": "yes"},
)
PATHS = {
    "site": "north",
    "modality": "DX",
    "state": "complete",
    "priority": "stat",
    "body_part": "CHEST",
    "view": "PA",
    "procedure": None,
    "scanner.station": "DX1",
    "scanner.software": "VE10A",
    "patient.sex": "F",
    "patient.age_years": 90.0,
    "acquisition.kvp": 117.0,
    "acquisition.kernel": "B30",
    "acquisition.rows": None,
    "attributes.snr": 3.5,
    "trial": "yes",
    "scanner.colour": "grey",
    "unheard.of": None,
    "": None,
}


@pytest.mark.parametrize(("path", "value"), PATHS.items())
def test_a_value_is_found_by_its_path(path: str, value: object) -> None:
    assert getter(path)(FULL) == value


@pytest.mark.parametrize("path", [path for path in PATHS if "." in path])
def test_what_is_not_sent_is_not_known(path: str) -> None:
    assert getter(path)(study()) is None


@pytest.mark.parametrize("path", ["patient.key", "patient", "key", "study", "event_id"])
def test_who_the_patient_is_cannot_be_asked_for(path: str) -> None:
    assert getter(path)(FULL) is None
    assert path not in dict(FIXED)


MATCHES: dict[str, tuple[Match, bool]] = {
    "nothing asked": ({}, True),
    "one of several": ({"modality": ["CR", "DX"]}, True),
    "none of them": ({"modality": ["CT"]}, False),
    "a coded string in lower case": ({"modality": ["dx"], "body_part": ["Chest"]}, True),
    "and with spaces around it": ({"modality": [" DX"], "view": ["pa "]}, True),
    "another one": ({"modality": ["dxx"]}, False),
    "what is no coded string": ({"scanner.station": ["dx1"]}, False),
    "all must hold": ({"modality": ["DX"], "body_part": ["HAND"]}, False),
    "sites": ({"sites": ["south", "north"]}, True),
    "other sites": ({"sites": ["south"]}, False),
    "within a range": ({"acquisition.kvp": Range(min=100, max=117)}, True),
    "below it": ({"acquisition.kvp": Range(min=118)}, False),
    "above it": ({"acquisition.kvp": Range(max=116.9)}, False),
    "a word is in no range": ({"acquisition.kernel": Range(min=0)}, False),
    "unknown is in no range": ({"acquisition.rows": Range(min=0)}, False),
    "unknown is in no list": ({"procedure": ["CHEST PA"]}, False),
    "an attribute by its name": ({"trial": ["yes"]}, True),
    "a number in a list": ({"attributes.snr": [3.5]}, True),
    "an age of ninety or more": ({"patient.age_years": Range(min=90)}, True),
}


@pytest.mark.parametrize(("match", "applies"), MATCHES.values(), ids=MATCHES)
def test_a_rule_applies_when_all_of_it_holds(match: Match, applies: bool) -> None:
    expectations = Expectations([Model(name="ptx", applies=match)])

    facts = expectations.facts(FULL)

    assert expectations.rules["ptx"].matches(facts) is applies


DEADLINES: dict[str, tuple[Any, tuple[float, float, float]]] = {
    "one number": (60.0, (60, 60, 60)),
    "a table": (Deadlines(routine=3, urgent=2, stat=1), (3, 2, 1)),
    "urgent left out": (Deadlines(routine=3, stat=1), (3, 3, 1)),
    "stat left out": (Deadlines(routine=3, urgent=2), (3, 2, 2)),
    "both left out": (Deadlines(routine=3), (3, 3, 3)),
}


@pytest.mark.parametrize(("deadline_s", "lengths"), DEADLINES.values(), ids=DEADLINES)
def test_a_priority_left_out_takes_that_of_the_next_less_urgent(
    deadline_s: float | Deadlines, lengths: tuple[float, float, float]
) -> None:
    rule = rule_of(Model(name="ptx", deadline_s=deadline_s))

    told = [rule.deadline_us[priority] for priority in ("routine", "urgent", "stat")]

    assert told == [seconds_to_us(length) for length in lengths]


def test_only_facts_that_some_rule_looks_at_are_kept() -> None:
    expectations = Expectations([Model(name="ptx", applies={"view": ["PA"]})])

    kept = expectations.facts(FULL)

    assert kept == {"view": "PA"}


@pytest.mark.parametrize("sent", ["DX", "dx", " Dx "])
def test_a_site_that_sends_codes_in_lower_case_is_expected_of_all_the_same(sent: str) -> None:
    rule = rule_of(Model(name="ptx", applies={"modality": ["DX"]}))

    assert rule.matches({"modality": sent})
    assert not rule.matches({"modality": None})


def test_spellings_are_remembered_within_bounds() -> None:
    holds = _Coded(["DX"])

    assert [holds[f"x{number}"] for number in range(5_000)] == [False] * 5_000
    assert len(holds) <= _SPELLINGS
    assert holds["dx "]
