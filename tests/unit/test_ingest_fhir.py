"""FHIR R4 and R5: what becomes an event, what is named and why, and what never gets out."""

import json
import re
import time
from base64 import b64encode
from collections.abc import Iterator, Sequence
from copy import deepcopy
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import msgspec
import pytest
from fhir.resources import get_fhir_model_class as r5_model
from fhir.resources.R4B import get_fhir_model_class as r4_model
from hypothesis import given, settings
from hypothesis import strategies as st

from schemas.decoding import decode_event, encode
from schemas.ingest import Code, Codes, DeclaredModel, Models
from schemas.prediction import Output, Prediction
from schemas.report import Label, Report
from schemas.study import Scanner, Study
from streams.ingest import Ingest, Translated, Untranslated
from streams.ingest._fhir_files import read
from streams.ingest._fhir_prediction import Gathering
from streams.ingest.fhir import Translator
from streams.ingest.files import Unreadable
from streams.ingest.labeller import Labeller
from streams.ingest.links import Links
from streams.ingest.pseudonym import Pseudonyms, Secret
from tests.integration.real_data import DATA
from tests.unit import fhir_samples as samples
from tests.unit.fhir_samples import UID, bundle, concept, of

GOLDEN = Path(__file__).parents[1] / "golden" / "fhir"
FILES = sorted(GOLDEN.glob("*.json"))
KEYS = Pseudonyms(Secret(1, b"k" * 32))
STUDY = KEYS.key("study", UID)
NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
VERSIONS = ("R4", "R5")
MODELS = {"R4": r4_model, "R5": r5_model}
LABELLER = Labeller()
both = pytest.mark.parametrize("version", VERSIONS)


def translator(codes: Sequence[Code] = (), **changes: Any) -> Translator:
    rows = Codes({(code.scheme, code.code): code for code in codes})
    ingest = Ingest("north", KEYS, Links(KEYS), rows, timezone="Europe/Berlin")
    return Translator(msgspec.structs.replace(ingest, **changes))


def valid(version: str, tree: dict[str, Any]) -> bytes:
    """The message, after the version's own model took it."""
    MODELS[version](tree["resourceType"]).model_validate(deepcopy(tree))
    return of(tree)


def found(content: bytes, by: Translator | None = None) -> list[Translated]:
    return list((by or translator()).translate(content, NOW))


def only(content: bytes, by: Translator | None = None) -> Any:
    (one,) = found(content, by)
    return one


def events(content: bytes, by: Translator | None = None) -> dict[str, Any]:
    return {type(one).__name__: one for one in found(content, by)}


def refs(kind: str, n: int, *, same: bool = False) -> list[dict[str, Any]]:
    return [{"reference": f"Observation/{kind}" + ("" if same else str(k))} for k in range(n)]


class Words:
    """Says what the text mentions: golden files are not to change with the labeller."""

    def label(self, text: str) -> list[Label]:
        said = text.lower()
        return [
            Label(finding=finding, value="present", rule=f"said/{finding}", version="0")
            for finding in ("effusion", "pneumothorax")
            if finding in said
        ]


class TestGolden:
    @pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
    def test_each_message_gives_the_same_events_as_ever(self, path: Path) -> None:
        expected = path.with_suffix(".jsonl").read_bytes().splitlines()

        told = [
            msgspec.json.encode(one) if isinstance(one, Untranslated) else encode(one)
            for one in found(path.read_bytes(), translator(labels=Words()))
        ]

        assert told == expected

    @pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
    def test_each_message_is_of_its_version(self, path: Path) -> None:
        valid(path.name[:2].upper(), json.loads(path.read_text()))

    def test_both_versions_of_every_kind_are_there(self) -> None:
        assert {path.stem[:2] for path in FILES} == {"r4", "r5"}
        assert len(FILES) >= 8


class TestStudies:
    @both
    def test_an_available_study_is_complete(self, version: str) -> None:
        told = events(valid(version, bundle(samples.PATIENT, samples.study(version))))["Study"]

        assert (told.study, told.modality, told.state) == (STUDY, "DX", "complete")
        assert (told.body_part, told.procedure) == ("CHEST", "SCT:399208008")
        assert told.attributes == {"series_n": 1.0, "instances_n": 2.0}
        assert (told.patient.sex, told.patient.age_years) == ("F", 77.0)
        assert told.at == NOW

    @both
    @pytest.mark.parametrize(
        ("status", "state"),
        [("registered", "received"), ("cancelled", "cancelled"), ("entered-in-error", "cancelled")],
    )
    def test_its_status_is_a_state(self, version: str, status: str, state: str) -> None:
        assert only(valid(version, samples.study(version, status=status))).state == state

    def test_an_old_file_dates_it_by_when_it_was_made(self) -> None:
        told = only(of(samples.study("R4")), translator(stamps="header"))

        assert told.at == datetime(2026, 1, 5, 7, 15, tzinfo=UTC)

    def test_nobody_over_ninety_is_told_apart(self) -> None:
        old = {**samples.PATIENT, "birthDate": "1921-01-01"}

        told = events(of(bundle(old, samples.study("R5"))))["Study"]

        assert told.patient.age_years == 90

    @both
    def test_the_device_of_a_series_is_the_scanner(self, version: str) -> None:
        tree = samples.study(version)
        tree["series"][0]["performer"] = [{"actor": {"reference": "#scanner"}}]
        tree["contained"] = [samples.device(version, id="scanner", serialNumber="SN7")]

        assert only(valid(version, tree)).scanner == Scanner(
            manufacturer="Example",
            model="ptx-detect",
            software="2.1.0",
            station=KEYS.short("station", "SN7"),
        )

    @both
    def test_an_order_with_it_says_how_urgent_it_is(self, version: str) -> None:
        order = {
            "resourceType": "ServiceRequest",
            "id": "q1",
            "status": "active",
            "intent": "order",
            "priority": "stat",
            "subject": samples.SUBJECT,
            "identifier": [samples.ACCESSION],
        }
        tree = samples.study(version, basedOn=[{"reference": "ServiceRequest/q1"}])

        assert events(valid(version, bundle(order, tree)))["Study"].priority == "stat"

    def test_images_go_before_what_was_made_of_them(self) -> None:
        dicom = "http://dicom.nema.org/resources/ontology/DCM"
        told = [samples.coding(code, dicom) for code in ("SR", "CT")]

        assert only(of(samples.study("R4", modality=told))).modality == "CT"


class TestReports:
    @both
    def test_a_report_is_labelled_by_code_and_by_its_text(self, version: str) -> None:
        by = translator(labels=LABELLER)

        told = events(valid(version, bundle(samples.study(version), samples.report(version))), by)

        report = told["Report"]
        assert (report.study, report.status, report.version) == (STUDY, "final", 3)
        assert report.at == datetime(2026, 1, 5, 8, 40, tzinfo=UTC)
        assert report.reader == KEYS.short("reader", "Practitioner/planted7")
        values = {label.finding: label.value for label in report.labels}
        assert values["pneumothorax"] == "present"
        assert values["pleural_effusion"] == "absent"
        assert report.text is None

    @both
    @pytest.mark.parametrize(
        ("written", "status"),
        [
            ("registered", "registered"),
            ("partial", "partial"),
            ("preliminary", "preliminary"),
            ("corrected", "corrected"),
            ("amended", "amended"),
            ("appended", "appended"),
            ("cancelled", "cancelled"),
            ("entered-in-error", "entered_in_error"),
        ],
    )
    def test_every_status(self, version: str, written: str, status: str) -> None:
        assert only(valid(version, samples.report(version, status=written))).status == status

    def test_r5_has_one_more(self) -> None:
        told = only(valid("R5", samples.report("R5", status="modified")))

        assert told.status == "preliminary"

    def test_it_meets_its_study_by_accession_number_however_the_study_came(self) -> None:
        by = translator()
        key = by._ingest.links.learn("9.9", "A17")  # by a DICOM header, without an issuer
        tree = samples.report("R4")
        del tree["imagingStudy"]

        assert only(of(tree), by).study == key

    @both
    def test_it_meets_its_study_by_a_logical_reference(self, version: str) -> None:
        name = "study" if version == "R5" else "imagingStudy"
        reference = {"identifier": {"system": "urn:dicom:uid", "value": f"urn:oid:{UID}"}}
        tree = samples.report(version, **{name: [reference]})

        assert only(valid(version, tree)).study == STUDY

    def test_it_meets_a_study_of_an_earlier_message(self) -> None:
        by = translator()
        only(of(samples.study("R4")), by)

        assert only(of(samples.report("R4", identifier=[])), by).study == STUDY

    @both
    def test_coded_results_of_the_reader_are_labels(self, version: str) -> None:
        absent = concept("2667000")
        one = samples.observation(
            version, valueCodeableConcept=absent, performer=[{"reference": "Practitioner/7"}]
        )
        for name in ("device", "valueBoolean", "component"):
            del one[name]
        tree = samples.report(version, result=[{"reference": "Observation/o1"}], conclusionCode=[])

        told = found(valid(version, bundle(samples.study(version), one, tree)))

        assert [type(each) for each in told] == [Study, Report]
        assert told[1].labels == [Label(finding="pneumothorax", value="absent")]  # type: ignore[union-attr]

    @pytest.mark.parametrize(
        ("part", "says"),
        [
            ({"conclusion": "No pneumothorax."}, "absent"),
            (
                {"text": {"status": "generated", "div": "<div>No edema<br/>Pneumothorax</div>"}},
                "present",
            ),
            ({"text": {"status": "generated", "div": "<div>No pneumothorax</div>"}}, "absent"),
            (
                {
                    "presentedForm": [
                        {
                            "contentType": "text/html; charset=ISO-8859-1",
                            "data": b64encode(b"<p>No\xe9.</p><p>Possible pneumothorax").decode(),
                        }
                    ]
                },
                "uncertain",
            ),
        ],
    )
    def test_text_is_read_wherever_it_stands(self, part: dict[str, Any], says: str | None) -> None:
        tree = samples.report("R4", conclusionCode=[], presentedForm=[], text=None)
        tree.update(part)

        labels = only(of(tree), translator(labels=LABELLER)).labels or []

        assert {x.finding: x.value for x in labels}.get("pneumothorax") == says

    @pytest.mark.parametrize(
        ("form", "expected"),
        [
            (
                {"contentType": "application/pdf", "data": "QUJD"},
                Untranslated("unsupported", "DiagnosticReport.presentedForm.contentType"),
            ),
            (
                {"contentType": "text/plain", "url": "https://fhir.example/Binary/planted"},
                Untranslated("missing_field", "DiagnosticReport.presentedForm.data"),
            ),
            (
                {"contentType": "text/plain; charset=klingon", "data": "QUJD"},
                Untranslated("bad_value", "DiagnosticReport.presentedForm.data"),
            ),
        ],
    )
    def test_what_is_no_text_is_named_beside_the_report(
        self, form: dict[str, Any], expected: Untranslated
    ) -> None:
        told = found(of(samples.report("R4", presentedForm=[form])), translator(labels=LABELLER))

        assert told[0] == expected
        assert isinstance(told[1], Report)

    def test_a_laboratory_report_is_not_of_this_kind(self) -> None:
        section = concept("LAB", "http://terminology.hl7.org/CodeSystem/v2-0074")

        told = only(of(samples.report("R4", category=[section])))

        assert told == Untranslated("not_of_this_kind", "DiagnosticReport.category")


class TestPredictions:
    @both
    def test_an_observation_by_a_device_is_one(self, version: str) -> None:
        content = valid(
            version,
            bundle(samples.study(version), samples.device(version), samples.observation(version)),
        )

        told = events(content)["Prediction"]

        assert (told.study, told.model, told.model_version) == (STUDY, "ptx-detect", "2.1.0")
        assert told.outputs == [Output(finding="pneumothorax", score=0.915, positive=True)]
        assert told.at == datetime(2026, 1, 5, 7, 25, tzinfo=UTC)

    @both
    def test_a_report_with_results_of_a_device_is_one_with_all_of_them(self, version: str) -> None:
        effusion = samples.observation(
            version, id="o2", code=concept("60046008"), valueBoolean=False, component=[]
        )
        effusion.pop("component")
        tree = samples.report(
            version,
            result=[{"reference": f"Observation/{n}"} for n in ("o1", "o2")],
            status="preliminary",
        )
        for name in ("resultsInterpreter", "presentedForm", "conclusionCode"):
            del tree[name]
        parts = (samples.study(version), samples.device(version), samples.observation(version))

        told = found(valid(version, bundle(*parts, effusion, tree)))

        assert [type(one) for one in told] == [Study, Prediction]
        assert [(o.finding, o.positive) for o in told[1].outputs or ()] == [  # type: ignore[union-attr]
            ("pneumothorax", True),
            ("pleural_effusion", False),
        ]

    def test_what_a_radiologist_signs_stays_the_radiologists(self) -> None:
        tree = samples.report("R4", result=[{"reference": "Observation/o1"}])
        content = of(bundle(samples.device("R4"), samples.observation("R4"), tree))

        assert [type(one) for one in found(content)] == [Report, Prediction]

    @pytest.mark.parametrize(
        ("changes", "kinds"),
        [
            ({"performer": [{"reference": "Device/ai1"}]}, [Prediction]),
            ({"meta": {"security": [{"code": "AIAST"}]}, "result": refs("o", 1)}, [Prediction]),
            ({"result": refs("o", 1)}, [Report, Prediction]),
            ({"meta": {"security": [{"code": "N"}]}}, [Report]),
        ],
    )
    def test_whose_result_it_is(self, changes: dict[str, Any], kinds: list[type]) -> None:
        told = [samples.report("R4", **changes)]
        if "result" in changes:
            told.append(samples.observation("R4", id="o0"))

        assert [type(one) for one in found(of(bundle(*told)))] == kinds

    def test_an_algorithm_without_a_name_is_no_model(self) -> None:
        tree = samples.report("R4", meta={"security": [{"code": "AIAST"}]})

        assert only(of(tree)) == Untranslated("missing_field", "DiagnosticReport.performer")

    def test_observations_of_one_study_and_model_are_one_answer(self) -> None:
        other = samples.observation("R4", id="o2", code=concept("60046008"))
        lines = [samples.device("R4"), samples.observation("R4"), other]

        told = found(b"\n".join(map(of, lines)))

        (prediction,) = (one for one in told if isinstance(one, Prediction))
        assert [o.finding for o in prediction.outputs or ()] == ["pneumothorax", "pleural_effusion"]

    def test_a_finding_may_be_the_value(self) -> None:
        tree = samples.observation("R4", code=concept("404684003"))
        tree["valueCodeableConcept"] = concept("36118008")
        del tree["valueBoolean"]

        assert only(of(tree)).outputs == [
            Output(finding="pneumothorax", score=0.915, positive=True)
        ]

    def test_a_site_maps_its_own_codes(self) -> None:
        row = Code(code="NOD", scheme="https://ai.example/codes", finding="nodule", means="score")
        tree = samples.observation("R4", code=concept("NOD", row.scheme))
        tree["valueQuantity"] = {"value": 0.25}
        for name in ("valueBoolean", "component"):
            del tree[name]

        assert only(of(tree), translator([row])).outputs == [Output(finding="nodule", score=0.25)]

    @pytest.mark.parametrize(
        ("code", "status"),
        [
            ("error", "failed"),
            ("unsupported", "rejected"),
            ("not-applicable", "not_applicable"),
        ],
    )
    def test_an_absent_value_says_why(self, code: str, status: str) -> None:
        why = concept(code, "http://terminology.hl7.org/CodeSystem/data-absent-reason")
        tree = samples.observation("R4", dataAbsentReason=why)
        for name in ("valueBoolean", "component"):
            del tree[name]

        told = only(valid("R4", tree))

        assert (told.status, told.reason.code) == (status, code)
        assert told.outputs is None

    def test_a_panel_that_only_holds_others_together_is_no_answer_of_its_own(self) -> None:
        panel = samples.observation("R4", id="p", hasMember=refs("o", 1))
        for name in ("valueBoolean", "component"):
            del panel[name]

        told = found(of(bundle(panel, samples.observation("R4"))))

        assert told[0] == Untranslated("ignored", "Observation.hasMember")
        assert [type(one) for one in told[1:]] == [Prediction]

    def test_a_device_is_remembered_over_messages(self) -> None:
        by = translator()
        found(of(samples.device("R5")), by)

        assert only(of(samples.observation("R5")), by).model == "ptx-detect"

    @both
    def test_the_site_says_which_model_a_device_is(self, version: str) -> None:
        row = DeclaredModel(declared="PTX-Detect", manufacturer="example", name="ptx", version="9")
        by = translator(models=Models((row,)))
        device = samples.device(version)
        del device["version"]

        told = found(of(bundle(device, samples.observation(version))), by)

        assert [(one.model, one.model_version) for one in told] == [("ptx", "9")]  # type: ignore[union-attr]

    def test_a_device_never_heard_of_has_the_name_of_its_resource(self) -> None:
        told = only(of(samples.observation("R4")))

        assert (told.model, told.model_version) == ("ai1", "unknown")

    @pytest.mark.parametrize(
        ("status", "told"), [("cancelled", "cancelled"), ("final", "completed")]
    )
    def test_a_result_that_was_called_off(self, status: str, told: str) -> None:
        assert only(of(samples.observation("R4", status=status))).status == told

    def test_more_than_may_wait_leave_in_their_order(self) -> None:
        one = only(of(samples.observation("R4")))
        gathering = Gathering(most=2)
        studies = [msgspec.structs.replace(one, study=f"s{n}") for n in range(4)]

        left = [gone for study in studies for gone in gathering.add(study)]

        assert [gone.study for gone in left] == ["s0", "s1"]
        assert [gone.study for gone in gathering.finish()] == ["s2", "s3"]


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
            container[key] = data.draw(odd)
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
        assert time.process_time() - started_s < 5  # seconds on a busy machine; squares take hours
        assert told

    def test_results_looked_up_too_often_are_told(self) -> None:
        assert Untranslated("too_large", "DiagnosticReport.result") in found(of(reports()))

    def test_twice_is_the_same(self) -> None:
        content = of(samples.whole("R5"))

        assert found(content) == found(content)


class TestFiles:
    def lines(self, *trees: Any) -> bytes:
        return b"".join(of(tree) + b"\n" for tree in trees)

    def test_a_bulk_export_is_read_studies_first_and_line_by_line(self, tmp_path: Path) -> None:
        (tmp_path / "DiagnosticReport.ndjson").write_bytes(self.lines(samples.report("R4")))
        (tmp_path / "Device.ndjson").write_bytes(self.lines(samples.device("R4")))
        (tmp_path / "ImagingStudy.000.ndjson").write_bytes(
            self.lines(samples.study("R4")) + b"\n\r\n{broken\n" + self.lines(samples.study("R5"))
        )
        other = samples.observation("R4", id="o2", code=concept("60046008"))
        (tmp_path / "Observation.ndjson").write_bytes(self.lines(samples.observation("R4"), other))
        (tmp_path / "notes.txt").write_text("Planted")

        told = list(read(translator(), [str(tmp_path)], NOW))

        assert told[0] == Untranslated("ignored", "Device")
        assert [type(one).__name__ for one in told[1:]] == [
            "Study",
            "Untranslated",
            "Study",
            "Report",
            "Prediction",
        ]
        assert {one.study for one in told if not isinstance(one, Untranslated)} == {STUDY}
        assert len(told[-1].outputs or ()) == 2  # type: ignore[union-attr]

    def test_a_line_that_is_too_long_is_named_and_the_next_is_read(self, tmp_path: Path) -> None:
        path = tmp_path / "all.ndjson"
        path.write_bytes(b'{"x":"' + b"x" * 9_000 + b'"}\n' + self.lines(samples.study("R4")))

        told = list(read(translator(), [str(path)], NOW, longest_bytes=4_000))

        assert told[0] == Untranslated("too_large", "resource")
        assert isinstance(told[1], Study)
        assert len(told) == 2

    def test_a_folder_of_resources_written_over_many_lines(self, tmp_path: Path) -> None:
        (tmp_path / "a.json").write_text(json.dumps(samples.whole("R5"), indent=2))
        (tmp_path / "b.json").write_text("\ufeff" + json.dumps(samples.study("R5"), indent=2))

        told = list(read(translator(), [str(tmp_path)], NOW))

        assert sorted(type(one).__name__ for one in told) == [
            "Prediction",
            "Report",
            "Study",
            "Study",
        ]

    def test_a_source_that_is_not_there_is_named(self) -> None:
        with pytest.raises(Unreadable, match="nowhere"):
            list(read(translator(), ["nowhere"], NOW))
