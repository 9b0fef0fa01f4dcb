"""FHIR: what is not translated and why, what never gets out, and that nothing hurts."""

import re
import time
from base64 import b64encode
from collections.abc import Iterator
from copy import deepcopy
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from schemas.decoding import decode_event, encode
from schemas.prediction import Prediction
from schemas.report import Report
from schemas.study import Study
from streams.ingest import Translated, Untranslated
from tests.integration.real_data import DATA
from tests.unit import fhir_samples as samples
from tests.unit.fhir_samples import UID, bundle, concept, of
from tests.unit.fhir_translator import LABELLER, VERSIONS, both, found, only, refs, translator


class TestNotTranslated:
    @pytest.mark.parametrize(
        ("content", "expected"),
        [
            (b"", Untranslated("unreadable", "JSON")),
            (b"[]", Untranslated("unreadable", "JSON")),
            (b"{}", Untranslated("missing_field", "resourceType")),
            (b'{"resourceType": "Patient"}', Untranslated("ignored", "resourceType")),
            (b'{"resourceType": "Bundle"}', Untranslated("ignored", "resourceType")),
            (
                b'<DiagnosticReport xmlns="http://hl7.org/fhir"/>',
                Untranslated("unsupported", "XML"),
            ),
            (b'{"a":' * 5_000, Untranslated("too_large", "resource")),
            (b'{"resourceType": "\xff"}', Untranslated("unreadable", "JSON")),
            (
                of(samples.study("R4", status="unknown")),
                Untranslated("unsupported", "ImagingStudy.status"),
            ),
            (
                of(samples.study("R4", modality=[], series=[])),
                Untranslated("missing_field", "ImagingStudy.modality"),
            ),
            (
                of({"resourceType": "DiagnosticReport", "status": "final"}),
                Untranslated("missing_field", "DiagnosticReport.imagingStudy"),
            ),
            (
                of(samples.report("R5", status="done")),
                Untranslated("unsupported", "DiagnosticReport.status"),
            ),
            (
                of(samples.observation("R4", device=None)),
                Untranslated("not_of_this_kind", "Observation.device"),
            ),
            (
                of(samples.notification("R5")),
                Untranslated("unsupported", "Bundle.entry.resource"),
            ),
            (
                of(samples.notification("R4")),
                Untranslated("unsupported", "Bundle.entry.resource"),
            ),
            (
                of(samples.notification("R5", what="handshake")),
                Untranslated("ignored", "resourceType"),
            ),
        ],
    )
    def test_it_is_named_by_its_place(self, content: bytes, expected: Untranslated) -> None:
        assert only(content) == expected

    def test_a_code_that_nobody_mapped_is_told_so_that_somebody_can(self) -> None:
        told = found(of(samples.report("R4", conclusionCode=[concept("64572001")])))

        assert told[0] == Untranslated(
            "unknown_code", "DiagnosticReport.conclusionCode", "SCT 64572001"
        )
        assert isinstance(told[1], Report)

    @pytest.mark.parametrize(
        "code", [concept("Planted"), concept("PLANTED", "https://local.example")]
    )
    def test_what_may_be_no_code_is_not_told(self, code: dict[str, Any]) -> None:
        told = found(of(samples.report("R4", conclusionCode=[code])))

        assert told[0] == Untranslated("unknown_code", "DiagnosticReport.conclusionCode", None)

    def test_more_entries_than_anyone_sends_are_cut(self) -> None:
        many = {
            "resourceType": "Bundle",
            "entry": [{"resource": {"resourceType": "Basic"}}] * 20_001,
        }

        assert Untranslated("too_large", "Bundle.entry") in found(of(many))

    @pytest.mark.parametrize(
        "resource",
        [
            {"resourceType": "ImagingStudy", "uid": "urn:oid:1.2.3", "availability": "ONLINE"},
            {"resourceType": "DiagnosticReport", "status": "final", "codedDiagnosis": [{}]},
            {"resourceType": "DiagnosticReport", "performer": [{"actor": {"reference": "P/1"}}]},
        ],
    )
    def test_stu3_is_refused_for_being_that(self, resource: dict[str, Any]) -> None:
        assert only(of(resource)) == Untranslated("unsupported", "STU3")

    @pytest.mark.data
    def test_the_published_stu3_sample_is_refused_for_being_xml(self) -> None:
        path = DATA / "messages" / "fhir_diagnosticreport_ultrasound_stu3.xml"
        if not path.exists():
            pytest.skip("the real data are not here (RADVIGIL_DATA)")

        assert only(path.read_bytes()) == Untranslated("unsupported", "XML")


PLANTS = ("Planted", "PLANTED4711", "Petra Planted", "1948-02-19", f"{UID}", "Plantedtown")
_TIMES = ("started", "issued", "lastUpdated")  # a date there is the date of the examination
_KEY = re.compile(rb"h1:[0-9a-f]{64}|\"[0-9a-f]{16}\"")  # any four digits are in some of them


def places(tree: Any) -> Iterator[tuple[Any, Any]]:
    for key in range(len(tree)) if isinstance(tree, list) else list(tree):
        yield tree, key
        if isinstance(tree[key], dict | list):
            yield from places(tree[key])


def leaks(told: list[Translated]) -> list[str]:
    out = _KEY.sub(b"", b"\n".join(map(msgspec.json.encode, told)).lower())
    secrets = ("planted", "petra", "4711", "1948", "0551", UID)
    forms = [
        form for secret in secrets for form in (secret.encode(), secret.encode().hex().encode())
    ]
    forms += [
        b64encode(secret.encode())[:6].lower() for secret in ("Planted", "Petra Planted", UID)
    ]
    return [form.decode() for form in forms if form in out]


class TestNothingGetsOut:
    @both
    @pytest.mark.parametrize("plant", PLANTS)
    def test_a_value_of_the_patient_planted_anywhere(self, version: str, plant: str) -> None:
        tree = samples.whole(version)
        tree["entry"][3]["resource"]["contained"] = [samples.device(version, id="inside")]
        places_n = len(list(places(tree)))

        assert places_n > 150
        for index in range(places_n):
            copy = deepcopy(tree)
            container, key = list(places(copy))[index]
            if not isinstance(container[key], dict | list) and key not in _TIMES:
                container[key] = plant
                assert leaks(found(of(copy), translator(labels=LABELLER))) == []

    @both
    def test_neither_narrative_nor_notes_nor_displays_pass(self, version: str) -> None:
        assert leaks(found(of(samples.whole(version)), translator(labels=LABELLER))) == []


def panels() -> dict[str, Any]:
    """One panel of many members, named by a report as often."""
    members = [samples.observation("R4", id=f"o{n}") for n in range(900)]
    panel = samples.observation("R4", id="p", hasMember=refs("o", 900))
    return bundle(panel, *members, samples.report("R4", result=refs("p", 900, same=True)))


def reports() -> dict[str, Any]:
    """Many reports of the same many results, and of as many contained ones."""
    results = [samples.observation("R4", id=f"o{n}") for n in range(300)]
    several = [samples.report("R4", id=f"r{n}", result=refs("o", 300)) for n in range(80)]
    for one in several:
        one["contained"] = [{"resourceType": "Device", "id": f"d{n}"} for n in range(100)]
        one["performer"] = [{"reference": "#none"}] * 300
    return bundle(*results, *several)


def people() -> dict[str, Any]:
    """Many identifiers, and many texts that none of them may stand in."""
    numbers = [{"value": f"{n:06}x"} for n in range(2_000)]
    observed = [samples.observation("R4", id=f"o{n}") for n in range(1_500)]
    return bundle(samples.PATIENT | {"identifier": numbers}, samples.device("R4"), *observed)


def form(content: bytes, kind: str) -> dict[str, Any]:
    data = b64encode(content).decode()
    return samples.report("R4", presentedForm=[{"contentType": kind, "data": data}])


ATTACKS = {
    "spaces": lambda: form(b"<" + b" " * 1_000_000, "text/html"),
    "panels": panels,
    "reports": reports,
    "people": people,
    "charset": lambda: form(b"a-" * 500_000, "text/plain; charset=punycode"),
}


class TestAnything:
    @given(st.data())
    @settings(max_examples=100, deadline=None)
    def test_no_bytes_make_it_raise(self, data: st.DataObject) -> None:
        content = bytearray(of(samples.whole(data.draw(st.sampled_from(VERSIONS)))))
        for _ in range(data.draw(st.integers(1, 8))):
            content[data.draw(st.integers(0, len(content) - 1))] = data.draw(st.integers(0, 255))

        for one in found(bytes(content)):
            assert isinstance(one, Study | Prediction | Report | Untranslated)

    @given(st.data())
    @settings(max_examples=100, deadline=None)
    def test_whatever_stands_where_something_else_belongs_what_comes_out_fits_the_wire(
        self, data: st.DataObject
    ) -> None:
        tree = samples.whole(data.draw(st.sampled_from(VERSIONS)))
        odd = st.sampled_from(
            [
                None,
                0,
                -1,
                1e300,
                True,
                "",
                "x" * 500,
                [],
                {},
                [[]],
                [None],
                {"reference": "#"},
                "\u0000",
            ]
        )
        for _ in range(data.draw(st.integers(1, 6))):
            container, key = data.draw(st.sampled_from(list(places(tree))))
            container[key] = deepcopy(data.draw(odd))  # a list within itself is no JSON
            if not list(places(tree)):
                break

        for one in found(of(tree), translator(labels=LABELLER)):
            if not isinstance(one, Untranslated):
                assert decode_event(encode(one)) == one

    @pytest.mark.parametrize("attack", ["spaces", "panels", "reports", "people", "charset"])
    def test_nothing_that_is_small_takes_long(self, attack: str) -> None:
        content = of(ATTACKS[attack]())
        by = translator(labels=LABELLER)

        started_s = time.process_time()
        told = found(content, by)

        assert len(content) <= 4 * 1024 * 1024
        assert time.process_time() - started_s < 30  # on a slow machine; squares take hours
        assert told

    def test_results_looked_up_too_often_are_told(self) -> None:
        assert Untranslated("too_large", "DiagnosticReport.result") in found(of(reports()))

    def test_twice_is_the_same(self) -> None:
        content = of(samples.whole("R5"))

        assert found(content) == found(content)
