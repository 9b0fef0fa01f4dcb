"""Every kind of incident has its suggested codes, or says why there are none."""

import re
from typing import get_args

import pytest
from msgspec.structs import replace

from schemas.incident import IncidentKind
from streams.incidents.imdrf import suggested, table
from tests.unit.builders import finding
from tests.unit.incident_desk import Desk
from tests.unit.notices import incident

KINDS = get_args(IncidentKind)


def test_every_kind_has_a_row() -> None:
    assert set(table().kinds) == set(KINDS)


@pytest.mark.parametrize("kind", KINDS)
def test_a_row_has_codes_of_the_table_or_a_reason(kind: IncidentKind) -> None:
    row = table().kinds[kind]

    assert bool(row.codes) != bool(row.none)
    assert set(row.codes) <= set(table().terms)


def test_the_table_names_its_edition_and_has_no_term_too_many() -> None:
    used = {code for row in table().kinds.values() for code in row.codes}

    assert used == set(table().terms)
    assert all(re.fullmatch(r"A\d{2}(\d{2}){0,2}", code) for code in used)
    assert table().release in table().source


@pytest.mark.parametrize("kind", KINDS)
def test_what_is_suggested_fits_the_field(kind: IncidentKind) -> None:
    told = suggested(incident(kind=kind, suggested_codes=None))

    for code in told or ():
        assert len(code) <= 256 and code.endswith("(IMDRF 2023)")


def test_what_an_incident_carries_stands() -> None:
    assert suggested(incident(kind="missing_output", suggested_codes=None)) == [
        "A0907 No Device Output (IMDRF 2023)"
    ]
    assert suggested(replace(incident(), suggested_codes=["X"])) == ["X"]
    assert suggested(incident(kind="input_drift", suggested_codes=None)) is None


def test_every_message_of_an_incident_carries_them() -> None:
    desk = Desk()

    desk.hears(finding("holds", 0), finding("eased", 10))
    drifted = Desk().hears(finding("holds", 0, kind="input_drift"))

    codes = ["A0907 No Device Output (IMDRF 2023)"]
    assert [one.suggested_codes for one in desk.told] == [codes] * len(desk.told)
    assert [one.suggested_codes for one in drifted] == [None]
