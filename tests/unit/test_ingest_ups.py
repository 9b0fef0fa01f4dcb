"""Workflow steps: which end in what, from a file or from a DICOMweb server's JSON."""

import json
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydicom.dataset import Dataset

from schemas.ingest import Code, DeclaredModel
from schemas.prediction import Prediction, Reason
from streams.ingest import Translated, Untranslated, make
from tests.unit import sr_files as sr
from tests.unit.dicom_files import PLANTED
from tests.unit.test_ingest_sr import KEYS, NOW, setting


def told(content: bytes, *rows: Code | DeclaredModel, stamps: Any = "header") -> list[Translated]:
    return list(make("ups", setting(*rows, stamps=stamps)).translate(content, NOW))


def predicted(content: bytes, *rows: Code | DeclaredModel) -> Prediction:
    (found,) = (one for one in told(content, *rows) if isinstance(one, Prediction))
    return found


def as_json(*steps: Dataset) -> bytes:
    return json.dumps([step.to_json_dict() for step in steps]).encode()


@pytest.mark.parametrize(
    ("code", "status"),
    [
        ("110501", "failed"),
        ("110524", "failed"),
        ("110526", "failed"),
        ("110527", "failed"),
        ("110533", "failed"),
        ("110521", "rejected"),
        ("110522", "rejected"),
        ("110523", "rejected"),
        ("110530", "rejected"),
        ("110500", "not_applicable"),
        ("110507", "not_applicable"),
        ("110510", "not_applicable"),
        ("110511", "not_applicable"),
        ("110514", "not_applicable"),
        ("110513", "cancelled"),
        ("110528", "cancelled"),
    ],
)
def test_the_reason_says_who_has_to_act(code: str, status: str) -> None:
    found = predicted(sr.step("CANCELED", sr.dcm(code)))

    assert (found.status, found.reason) == (status, Reason(code=code, scheme="DCM"))
    assert found.study == KEYS.key("study", sr.STUDY)
    assert found.at == datetime(2026, 1, 5, 8, 30, tzinfo=UTC)


def test_every_reason_of_dicom_is_known() -> None:
    from pydicom.sr._cid_dict import cid_concepts
    from pydicom.sr._concepts_dict import concepts

    names = cid_concepts[9300]["DCM"]
    codes = [code for name in names for code in concepts["DCM"][name]]

    assert len(codes) > 20
    for code in codes:
        assert [type(one) for one in told(sr.step("CANCELED", sr.dcm(code)))] == [Prediction]


@pytest.mark.parametrize("state", ["SCHEDULED", "IN PROGRESS", "COMPLETED"])
def test_a_step_that_was_not_cancelled_is_no_event(state: str) -> None:
    assert told(sr.step(state)) == [Untranslated("ignored", "(0074,1000)")]


def test_a_clinical_reason_is_not_repeated() -> None:
    found = told(sr.step("CANCELED", ("418290006", "SCT")))

    assert [one.status for one in found if isinstance(one, Prediction)] == ["not_applicable"]
    assert "418290006" not in repr(found)


def test_a_reason_of_the_vendors_own_is_named_and_cancels() -> None:
    found = told(sr.step("CANCELED", ("NOGPU", "99ACME")))

    assert [one.status for one in found if isinstance(one, Prediction)] == ["cancelled"]
    assert Untranslated("unknown_code", "(0074,100E)", "99ACME NOGPU") in found


def test_no_reason_is_only_cancelled() -> None:
    found = predicted(sr.step("CANCELED"))

    assert (found.status, found.reason) == ("cancelled", None)


def test_the_station_is_the_model_by_the_sites_name_for_it() -> None:
    row = DeclaredModel(declared="ACMECXR", name="cxr", version="2.1")
    found = predicted(sr.step("CANCELED"), row)

    assert (found.model, found.model_version) == ("cxr", "2.1")
    assert predicted(sr.step("CANCELED")).model == "ACMECXR"


def test_the_kind_of_work_names_the_model_where_no_station_does() -> None:
    work = [sr.coded(("CXRREAD", "99NORTH"))]
    content = sr.step("CANCELED", station=None, ScheduledWorkitemCodeSequence=work)

    assert predicted(content).model == "CXRREAD"
    assert told(sr.step("CANCELED", station=None)) == [Untranslated("missing_field", "(0040,4025)")]


def test_the_study_may_be_known_by_its_accession_number_only() -> None:
    request = Dataset()
    request.AccessionNumber = "A17"
    content = sr.step(
        "CANCELED", InputInformationSequence=None, ReferencedRequestSequence=[request]
    )

    assert predicted(content).study == KEYS.key("accession", "A17")
    content = sr.step("CANCELED", InputInformationSequence=None)
    assert told(content) == [Untranslated("missing_field", "(0040,4021)")]


def test_json_of_a_dicomweb_server_says_the_same_as_a_file() -> None:
    steps = [sr.step_of("CANCELED", sr.dcm("110523")), sr.step_of("SCHEDULED")]
    found = told(as_json(*steps))

    assert found[1:] == [Untranslated("ignored", "(0074,1000)")]
    assert isinstance(found[0], Prediction)
    assert (found[0].status, found[0].model, found[0].at) == (
        "rejected",
        "ACMECXR",
        datetime(2026, 1, 5, 8, 30, tzinfo=UTC),
    )


def test_what_comes_now_is_dated_by_its_arrival() -> None:
    (found,) = told(sr.step("CANCELED"), stamps="arrival")

    assert isinstance(found, Prediction)
    assert found.at == NOW


def test_nothing_planted_gets_out() -> None:
    for content in (
        sr.step("CANCELED", ("PLANTED", "99ACME")),
        sr.step("CANCELED", sr.dcm("110513"), station="Petra"),
        as_json(sr.step_of("CANCELED", ("PLANTED", "99ACME"))),
    ):
        text = repr(told(content))
        for value in [*PLANTED.values(), "Planted", "PLANTED", "Petra", sr.STUDY]:
            assert value not in text


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", "not_of_this_kind"),
        (b"[", "unreadable"),
        (b'{"00741000": 3}', "unreadable"),
        (b'{"00741000": {"vr": "CS"}}', "not_of_this_kind"),
        (b"[1]", "unreadable"),
        (b"[" * 100_000, "unreadable"),
        (b'"\xff"', "not_of_this_kind"),
        (b'{"a": "\xff"}', "unreadable"),
        (b"{" + b" " * (1 << 20), "too_large"),
    ],
)
def test_what_is_no_step_is_refused(content: bytes, reason: str) -> None:
    (found,) = told(content)

    assert isinstance(found, Untranslated)
    assert found.reason == reason


SAMPLE = as_json(sr.step_of("CANCELED", sr.dcm("110523")))


@settings(max_examples=60, deadline=None)
@given(data=st.data())
def test_no_bytes_make_it_raise(data: st.DataObject) -> None:
    content = bytearray(SAMPLE)
    for _ in range(data.draw(st.integers(1, 6))):
        content[data.draw(st.integers(0, len(content) - 1))] = data.draw(st.integers(0, 255))

    assert all(isinstance(one, Prediction | Untranslated) for one in told(bytes(content)))
