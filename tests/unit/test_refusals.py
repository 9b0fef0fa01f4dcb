"""What the decoder refuses, and how it says so without saying what was sent."""

from typing import get_args

import pytest

from schemas.deadletter import Refusal
from schemas.decoding import Refused, decode_event
from schemas.fields import MAX_MESSAGE_BYTES
from tests.unit.messages import COMMAND, PREDICTION, STUDY, outputs, raw, study, text, without

REFUSED = [
    (None, "$ empty"),
    (b"", "$ empty"),
    (b" \n", "$ not_json"),
    (b"hello", "$ not_json"),
    (study()[:-5], "$ not_json"),
    (study() + b"x", "$ not_json"),
    (b"\x00\x00\x00\x00\x07" + study(), "$ not_json"),
    (b"\xef\xbb\xbf" + study(), "$ not_json"),
    (raw(b'"view":"\\ud800"'), "$ not_json"),
    (raw(b'"zz":' + b"[" * 1_000), "$ not_json"),
    (study().decode().encode("utf-16"), "$ not_utf8"),
    (raw(b'"view":"\xe4"'), "$ not_utf8"),
    (raw(b'"a field that nobody reads":"\xe4"'), "$ not_utf8"),
    (b"[1]", "$ not_an_object"),
    (b"null", "$ not_an_object"),
    (study() + b" " * MAX_MESSAGE_BYTES, "$ oversized"),
    (raw(b'"zz":' + b"[" * 601 + b"]" * 601), "$ too_many"),
    (raw(b'"zz":' + b'{"a":' * 99_999 + b"1" + b"}" * 99_999), "$ too_many"),
    (without(STUDY, "type"), "$.type missing_field"),
    (study(type=1), "$.type wrong_type"),
    (study(type=["x"]), "$.type wrong_type"),
    (study(type="radvigil.study.v2"), "$.type unknown_type"),
    (study(type="radvigil.outcome.v1"), "$.type not_an_event"),
    (raw(b'"type":"radvigil.report.v1"'), "$.type inconsistent"),
    (without(STUDY, "site"), "$.site missing_field"),
    (study(site="North"), "$.site bad_pattern"),
    (study(site="north\n"), "$.site bad_pattern"),
    (study(site="n" * 33), "$.site too_long"),
    (study(study=""), "$.study bad_value"),
    (study(study="s" * 129), "$.study too_long"),
    (study(study=7), "$.study wrong_type"),
    (raw(b'"study":7,"study":"s"'), "$.study wrong_type"),
    (study(view=["PA"]), "$.view wrong_type"),
    (study(state="done"), "$.state bad_value"),
    (study(state=None), "$.state wrong_type"),
    (study(scanner="CT2"), "$.scanner wrong_type"),
    (study(at="2026-03-01T06:30:00"), "$.at bad_time"),
    (study(at="2026-03-01"), "$.at bad_time"),
    (study(at=1772346600), "$.at wrong_type"),
    (study(at="1899-12-31T23:59:59Z"), "$.at out_of_range"),
    (study(at="3000-01-01T00:00:00Z"), "$.at out_of_range"),
    (text(COMMAND, until="9999-12-31T23:59:59Z"), "$.until out_of_range"),
    (study(patient={"age_years": 151}), "$.patient.age_years out_of_range"),
    (study(patient={"age_years": True}), "$.patient.age_years wrong_type"),
    (raw(b'"patient":{"age_years":-Infinity}'), "$.patient.age_years not_finite"),
    (study(acquisition={"x": [1]}), "$.acquisition[...] wrong_type"),
    (study(acquisition={"x": None}), "$.acquisition[...] wrong_type"),
    (study(acquisition={"": 1}), "$.acquisition[...] bad_value"),
    (study(acquisition={"x" * 257: 1}), "$.acquisition[...] too_long"),
    (study(acquisition={str(n): n for n in range(65)}), "$.acquisition too_many"),
    (study(acquisition={"x": 1e31}), "$.acquisition[...] out_of_range"),
    (raw(b'"acquisition":{"x":1e999}'), "$.acquisition[...] not_finite"),
    (raw(b'"acquisition":{"x":NaN}'), "$.acquisition[...] not_finite"),
    (raw(b'"a field that nobody reads":NaN'), "$[...] not_finite"),
    (raw(b'"expects":[{"model":"a","deadline_s":NaN}]'), "$.expects[0].deadline_s not_finite"),
    (study(expects=[{"model": "a", "deadline_s": 0}]), "$.expects[0].deadline_s out_of_range"),
    (outputs({"finding": "b", "score": 1.2}), "$.outputs[1].score out_of_range"),
    (outputs({"finding": "b", "score": "1"}), "$.outputs[1].score wrong_type"),
    (outputs({"score": 1}), "$.outputs[1].finding missing_field"),
    (outputs({"finding": "b"}), "$.outputs[1] inconsistent"),
    (outputs(*PREDICTION["outputs"] * 64), "$.outputs too_many"),
    (text(PREDICTION, outputs=[]), "$ inconsistent"),
    (text(PREDICTION, status="failed"), "$ inconsistent"),
    (without(COMMAND, "incident"), "$ inconsistent"),
    (text(COMMAND, expected_seq=0), "$.expected_seq out_of_range"),
    (text(COMMAND, expected_seq=2**53), "$.expected_seq out_of_range"),
    (text(COMMAND, expected_seq=2**99), "$.expected_seq out_of_range"),
    (text(COMMAND, expected_seq=10**4000), "$.expected_seq out_of_range"),
    (text(COMMAND, expected_seq=1.5), "$.expected_seq wrong_type"),
]

WORDS = [
    (b"\x00" + study(), "Confluent wire format"),
    (study(type="x"), "one of radvigil.study.v1, radvigil.prediction.v1, radvigil.report.v1, "),
    (study(site="North"), "string matching ^[a-z0-9-]{1,32}$"),
    (without(STUDY, "modality"), "string of 1 to 16 characters"),
    (study(state="done"), "one of cancelled, complete, received, stable"),
    (study(at="2026-03-01"), "RFC 3339 time with offset"),
    (study(at="1001-01-01T00:00:00Z"), "year from 1900 to 2999"),
    (study(scanner=1), "object"),
    (study(acquisition={"": 1}), "names of 1 to 256 characters"),
    (outputs({"finding": "b", "score": 2}), "number from 0 to 1"),
    (outputs({"finding": "b", "positive": 1}), "true or false"),
    (outputs({"finding": "b"}), "an output needs a score, positive or value"),
    (text(COMMAND, expected_seq="1"), "whole number from 1 to"),
    (study(expects=[{"model": "a", "deadline_s": 0}]), "number above 0, at most 31536000"),
]

SITES = [
    (study(at="never"), "north"),
    (study(type="x"), "north"),
    (raw(b'"acquisition":{"x":NaN}'), "north"),
    (study(at="1001-01-01T00:00:00Z"), "north"),
    (study(site="North"), None),
    (study(site="north\n"), None),
    (study(site=["north"]), None),
    (study()[:-1], None),
]


def refused(value: bytes | None) -> Refused:
    answer = decode_event(value)
    assert isinstance(answer, Refused)
    return answer


@pytest.mark.parametrize(("value", "where_and_why"), REFUSED, ids=lambda case: str(case)[:60])
def test_a_refusal_says_where_and_why(value: bytes | None, where_and_why: str) -> None:
    answer = refused(value)

    assert f"{answer.path} {answer.reason}" == where_and_why


def test_every_reason_of_the_decoder_is_in_the_table() -> None:
    told = {where_and_why.split()[-1] for _, where_and_why in REFUSED}

    assert told == set(get_args(Refusal)) - {"wrong_topic"}  # that one is the worker's


@pytest.mark.parametrize(("value", "expected"), WORDS, ids=lambda case: str(case)[:60])
def test_a_refusal_says_what_was_expected(value: bytes, expected: str) -> None:
    assert expected in str(refused(value).expected)


@pytest.mark.parametrize(("value", "site"), SITES, ids=lambda case: str(case)[:60])
def test_a_refusal_names_the_site_if_it_is_a_valid_one(value: bytes, site: str | None) -> None:
    assert refused(value).site == site
