"""FHIR R4 and R5: what becomes an event."""

from base64 import b64encode
from datetime import UTC, datetime
from typing import Any

import pytest

from schemas.report import Label, Report
from schemas.study import Scanner, Study
from streams.ingest import Untranslated
from tests.unit import fhir_samples as samples
from tests.unit.fhir_samples import UID, bundle, concept, of
from tests.unit.fhir_translator import (
    KEYS,
    LABELLER,
    NOW,
    STUDY,
    both,
    events,
    found,
    only,
    translator,
    valid,
)


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

    def test_a_day_alone_is_taken_where_no_time_is_told(self) -> None:
        study = {**samples.study("R4"), "started": "2026-01-05", "meta": {}}
        dated = {**study, "meta": {"lastUpdated": "2026-01-05T09:00:00Z"}}

        told = [only(of(one), translator(stamps="header")).at for one in (study, dated)]

        assert [at.hour for at in told] == [0, 9]

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
        assert "no_finding" not in values  # the words alone would say that nothing was found
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
