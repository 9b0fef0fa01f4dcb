"""Structured reports, segmentations and other results: what they become, and what they do not."""

import json
import os
from base64 import b64encode
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from schemas.decoding import decode_event, encode
from schemas.ingest import Code, Codes, DeclaredModel, Models
from schemas.prediction import Output, Prediction, Reason
from streams.ingest import Ingest, Translated, Untranslated, make
from streams.ingest.dicom import Translator as Images
from streams.ingest.links import Links
from streams.ingest.pseudonym import Pseudonyms, Secret
from tests.integration.real_data import DATA
from tests.unit import sr_files as sr
from tests.unit.dicom_files import PLANTED, image

KEYS = Pseudonyms(Secret(1, b"k" * 32))
NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
GOLDEN = Path(__file__).parents[1] / "golden" / "sr"


def setting(*rows: Code | DeclaredModel, stamps: Any = "header") -> Ingest:
    codes = {(row.scheme, row.code): row for row in rows if isinstance(row, Code)}
    models = Models(tuple(row for row in rows if isinstance(row, DeclaredModel)))
    return Ingest("north", KEYS, Links(KEYS), Codes(codes), stamps=stamps, models=models)


def told(content: bytes, *rows: Code | DeclaredModel, stamps: Any = "header") -> list[Translated]:
    return list(make("sr", setting(*rows, stamps=stamps)).translate(content, NOW))


def predicted(content: bytes, *rows: Code | DeclaredModel) -> Prediction:
    (found,) = (one for one in told(content, *rows) if isinstance(one, Prediction))
    assert decode_event(encode(found)) == found
    return found


def outputs(content: bytes, *rows: Code | DeclaredModel) -> dict[str, Output]:
    found = predicted(content, *rows)
    assert found.status == "completed"
    return {output.finding: output for output in found.outputs or ()}


def refused(content: bytes, *rows: Code | DeclaredModel) -> list[Untranslated]:
    return [one for one in told(content, *rows) if isinstance(one, Untranslated)]


class TestMeasurementReports:
    def test_a_group_is_a_call_with_a_measure(self) -> None:
        found = outputs(sr.report(sr.group(sr.NODULE, sr.num(sr.DIAMETER, 8.5, "mm"))))

        assert found == {
            "findings_n": Output(finding="findings_n", value=1.0),
            "nodule": Output(finding="nodule", positive=True),
            "nodule.diameter": Output(finding="nodule.diameter", value=8.5, unit="mm"),
        }

    @pytest.mark.parametrize(("value", "unit"), [(0.87, "1"), (87, "%"), (0.87, "Plantedname")])
    def test_a_probability_is_a_score_and_no_call(self, value: float, unit: str) -> None:
        found = outputs(sr.report(sr.group(sr.PNEUMOTHORAX, sr.num(sr.PROBABILITY, value, unit))))

        assert found["pneumothorax"] == Output(finding="pneumothorax", score=0.87)

    @pytest.mark.parametrize(("answer", "positive"), [(sr.PRESENT, True), (sr.ABSENT, False)])
    def test_a_group_may_say_that_its_finding_is_not_there(
        self, answer: sr.Pair, positive: bool
    ) -> None:
        score, call = sr.num(sr.PROBABILITY, 0.4), sr.code(sr.PRESENCE, answer)
        found = outputs(sr.report(sr.group(sr.PNEUMOTHORAX, score, call)))

        assert found["pneumothorax"].positive is positive
        assert found["pneumothorax"].score == 0.4

    def test_a_finding_may_be_asked_for_by_its_own_code(self) -> None:
        asked = sr.code(sr.PNEUMOTHORAX, sr.ABSENT)
        evaluations = sr.container(("C0034375", "UMLS"), asked)
        found = outputs(sr.document("126000", *sr.algorithm(), evaluations))

        assert found["pneumothorax"].positive is False
        assert found["findings_n"].value == 0.0

    def test_of_several_the_most_counts(self) -> None:
        nodules = [
            sr.group(sr.NODULE, sr.num(sr.DIAMETER, mm, "mm"), sr.num(sr.PROBABILITY, score))
            for mm, score in ((4, 0.9), (11, 0.3), (7, 0.5))
        ]
        found = outputs(sr.report(*nodules))

        assert (found["nodule"].score, found["nodule.diameter"].value) == (0.9, 11.0)
        assert found["findings_n"].value == 3.0

    def test_a_report_without_groups_found_nothing(self) -> None:
        assert outputs(sr.report())["findings_n"].value == 0.0

    def test_a_probability_that_cannot_be_is_named(self) -> None:
        content = sr.report(sr.group(sr.PNEUMOTHORAX, sr.num(sr.PROBABILITY, 87)))

        assert "pneumothorax" in outputs(content)
        assert Untranslated("bad_value", "SR/125007/NumericValue") in refused(content)

    def test_old_snomed_codes_are_the_new_ones(self) -> None:
        assert outputs(sr.report(sr.group(("M-03010", "SRT"))))["nodule"].positive is True


class TestCodes:
    def test_what_nobody_has_mapped_is_named_by_its_code(self) -> None:
        content = sr.report(
            sr.group(("39607008", "SCT"), sr.num(("R5D", "99ACME"), 3)),
            sr.group(sr.NODULE, sr.num(("R5D", "99ACME"), 4), sr.code(("X1", "99ACME"), sr.NODULE)),
            sr.group(("39607008", "SCT")),
        )

        assert refused(content) == [
            Untranslated("unknown_code", "SR/125007/121071", "SCT 39607008"),
            Untranslated("unknown_code", "SR/125007", "99ACME R5D"),
        ]

    def test_a_row_of_the_site_maps_it(self) -> None:
        content = sr.report(
            sr.group(("39607008", "SCT"), sr.num(("R5D", "99ACME"), 3), sr.num(("S1", "99A"), 0.2))
        )
        found = outputs(
            content,
            Code(code="39607008", scheme="SCT", finding="lung_mask"),
            Code(code="R5D", scheme="99ACME", finding="density", means="value"),
            Code(code="S1", scheme="99A", means="score"),
        )

        assert found["density"].value == 3.0
        assert found["lung_mask"] == Output(finding="lung_mask", score=0.2)

    def test_the_row_goes_before_the_built_in_meaning(self) -> None:
        row = Code(code=sr.NODULE[0], scheme="SCT", finding="lung_nodule")
        assert outputs(sr.report(sr.group(sr.NODULE)), row)["lung_nodule"].positive is True

    def test_an_ignored_code_is_neither_told_nor_named(self) -> None:
        content = sr.report(sr.group(("39607008", "SCT"), sr.num(sr.DIAMETER, 3)))
        row = Code(code="39607008", scheme="SCT", means="ignored")

        assert list(outputs(content, row)) == ["findings_n"]
        assert refused(content, row) == []

    def test_of_many_codes_the_first_are_named_and_the_rest_counted(self) -> None:
        content = sr.report(*(sr.group((f"R{n}", "99ACME")) for n in range(70)))
        translator = make("sr", setting())
        found = [one for one in translator.translate(content, NOW) if isinstance(one, Untranslated)]

        assert len(found) == 64
        assert translator.dropped == {"note_overflow": 6}

    def test_a_patients_number_as_a_code_is_not_told(self) -> None:
        codes = [("4711", "99ACME"), ("PLANTED", "SCT"), ("Petra", "99ACME"), ("x", "PLANTED")]
        content = sr.report(*(sr.group(code) for code in codes))

        assert refused(content) == [Untranslated("unknown_code", "SR/125007/121071")]


class TestModels:
    def test_the_algorithm_names_model_and_version(self) -> None:
        found = predicted(sr.report(sr.group(sr.NODULE)))

        assert (found.model, found.model_version) == ("Acme CXR", "2.1")

    def test_a_groups_own_algorithm_goes_before_the_documents(self) -> None:
        other = sr.algorithm("Acme PTX", "1.0")
        content = sr.report(sr.group(sr.NODULE), sr.group(sr.PNEUMOTHORAX, *other))
        found = [one for one in told(content) if isinstance(one, Prediction)]

        assert [(one.model, [o.finding for o in one.outputs or ()]) for one in found] == [
            ("Acme CXR", ["findings_n", "nodule"]),
            ("Acme PTX", ["findings_n", "pneumothorax"]),
        ]
        assert len({one.event_id for one in found}) == 2

    def test_else_the_device_that_observed_names_it(self) -> None:
        device = [
            sr.code("121005", sr.dcm("121007"), relation="HAS OBS CONTEXT"),
            sr.text("121013", "host-17"),
            sr.text("121015", "Acme Box"),
        ]
        found = predicted(sr.report(sr.group(sr.NODULE), by=device, SoftwareVersions="7"))

        assert (found.model, found.model_version) == ("Acme Box", "7")

    def test_what_a_person_measured_is_no_prediction(self) -> None:
        content = sr.report(sr.group(sr.NODULE), by=[], ManufacturerModelName="Workstation")

        assert told(content) == [Untranslated("ignored", "SR/121005")]

    def test_nobody_said_who_made_it(self) -> None:
        content = sr.document("126000", sr.container("126010", sr.group(sr.NODULE)))

        assert told(content) == [Untranslated("missing_field", "SR/111001")]

    def test_a_product_may_be_declared_a_model(self) -> None:
        content = sr.document(
            "126000", sr.container("126010", sr.group(sr.NODULE)), ManufacturerModelName="Box"
        )
        row = DeclaredModel(declared="BOX", manufacturer="acme", name="cxr", version="5")

        assert (predicted(content, row).model, predicted(content, row).model_version) == (
            "cxr",
            "5",
        )
        assert refused(content, DeclaredModel(declared="Box", manufacturer="Other", name="x"))

    def test_a_declared_name_is_the_sites_name_with_the_results_version(self) -> None:
        row = DeclaredModel(declared="acme cxr", name="cxr", version="0")
        found = predicted(sr.report(sr.group(sr.NODULE)), row)

        assert (found.model, found.model_version) == ("cxr", "2.1")

    def test_a_patient_who_is_called_as_a_model_takes_no_result_away(self) -> None:
        content = sr.report(PatientName="Acme^Ann")
        configured = replace(setting(), models=Models(names=("ACME CXR",)))
        (found,) = make("sr", configured).translate(content, NOW)

        assert isinstance(found, Prediction)
        assert (found.model, found.model_version) == ("ACME CXR", "2.1")
        row = DeclaredModel(declared="acme cxr", name="cxr")
        assert predicted(content, row).model == "cxr"
        assert told(content) == [Untranslated("missing_field", "SR/111001")]

    def test_a_patients_name_is_no_model(self) -> None:
        content = sr.report(sr.group(sr.NODULE), by=sr.algorithm("CXR of Plantedname"))

        assert told(content) == [Untranslated("missing_field", "SR/111001")]


class TestCad:
    def test_what_was_detected_and_marked_is_positive_and_the_rest_negative(self) -> None:
        certain = sr.num("111012", 62, "%", relation="HAS PROPERTIES")
        content = sr.cad(
            sr.mark(sr.NODULE, certain),
            sr.mark(sr.PNEUMOTHORAX, shown=False),
            sr.detections("111222", [sr.NODULE, sr.PNEUMOTHORAX]),
        )

        assert outputs(content) == {
            "findings_n": Output(finding="findings_n", value=1.0),
            "nodule": Output(finding="nodule", positive=True, score=0.62),
            "pneumothorax": Output(finding="pneumothorax", positive=False),
        }
        assert predicted(content).model == "Acme CXR"

    def test_partial_success_is_a_result_that_says_how_much_failed(self) -> None:
        content = sr.cad(sr.detections("111223", [sr.NODULE], [sr.PNEUMOTHORAX]))
        found = predicted(content)

        assert (found.status, found.features) == ("completed", {"failed_n": 1.0})
        assert set(outputs(content)) == {"findings_n", "nodule"}

    def test_algorithms_fail_and_succeed_by_themselves(self) -> None:
        done = sr.detections("111223", [sr.NODULE], name="Acme nodule")
        failed = sr.detections("111224", failed=[sr.PNEUMOTHORAX], name="Acme ptx")
        found = [one for one in told(sr.cad(done, failed)) if isinstance(one, Prediction)]

        assert [(one.model, one.status) for one in found] == [
            ("Acme nodule", "completed"),
            ("Acme ptx", "failed"),
        ]

    def test_a_mark_is_of_the_algorithm_that_looked_for_it(self) -> None:
        ptx = sr.detections("111222", [sr.PNEUMOTHORAX], name="Acme ptx")
        nodules = sr.detections("111222", [sr.NODULE], name="Acme nodule")
        content = sr.cad(sr.mark(sr.NODULE), ptx, nodules)
        found = [one for one in told(content) if isinstance(one, Prediction)]

        assert [(one.model, (one.outputs or [])[1:]) for one in found] == [
            ("Acme ptx", [Output(finding="pneumothorax", positive=False)]),
            ("Acme nodule", [Output(finding="nodule", positive=True)]),
        ]

    @pytest.mark.parametrize(
        ("summary", "status"),
        [
            ("111222", "completed"),
            ("111223", "completed"),
            ("111224", "failed"),
            ("111225", "not_applicable"),
        ],
    )
    def test_the_summary_alone_tells_the_status(self, summary: str, status: str) -> None:
        found = predicted(sr.cad(*sr.algorithm(), sr.detections(summary)))

        assert found.status == status
        if status != "completed":
            assert found.reason == Reason(code=summary, scheme="DCM")

    @pytest.mark.parametrize(("summary", "status"), [("111245", "failed"), ("111241", "completed")])
    def test_so_does_that_of_the_whole_document(self, summary: str, status: str) -> None:
        content = sr.cad(*sr.algorithm(), sr.code("111017", sr.dcm(summary)))

        assert predicted(content).status == status

    def test_no_summary_is_no_status(self) -> None:
        assert told(sr.cad(*sr.algorithm())) == [Untranslated("unsupported", "SR/111064")]

    def test_the_product_is_the_model_where_no_algorithm_is_named(self) -> None:
        content = sr.cad(sr.code("111064", sr.dcm("111224")), ManufacturerModelName="CAD 9")

        assert predicted(content).model == "CAD 9"


class TestObjects:
    def test_a_segmentation_is_its_segments(self) -> None:
        content = sr.segmentation(
            ("AUTOMATIC", "Acme seg", sr.NODULE), ("AUTOMATIC", "Acme seg", ("39607008", "SCT"))
        )

        assert outputs(content) == {
            "segments_n": Output(finding="segments_n", value=2.0),
            "nodule": Output(finding="nodule", positive=True),
        }
        assert refused(content) == [Untranslated("unknown_code", "(0062,0002)", "SCT 39607008")]

    def test_the_identification_of_its_algorithm_has_the_version(self) -> None:
        content = sr.segmentation(("AUTOMATIC", "x", sr.NODULE), identification=("Acme seg", "4.0"))
        found = predicted(content)

        assert (found.model, found.model_version) == ("Acme seg", "4.0")

    @pytest.mark.parametrize("kind", ["MANUAL", "SEMIAUTOMATIC"])
    def test_what_a_person_drew_is_no_prediction(self, kind: str) -> None:
        content = sr.segmentation((kind, "brush", sr.NODULE))

        assert told(content) == [Untranslated("ignored", "(0062,0008)")]

    def test_a_capture_counts_only_of_a_declared_product(self) -> None:
        content = sr.capture(ManufacturerModelName="Acme CXR Viewer")
        row = DeclaredModel(declared="Acme CXR Viewer", name="cxr", version="2")

        assert outputs(content, row) == {"objects_n": Output(finding="objects_n", value=1.0)}
        assert told(content) == [Untranslated("not_of_this_kind", "(0008,0016)")]

    def test_images_and_results_are_told_apart_by_both_translators(self) -> None:
        row = DeclaredModel(declared="Acme CXR Viewer", name="cxr", version="2")
        capture = sr.capture(ManufacturerModelName="Acme CXR Viewer")
        results = [sr.report(), sr.segmentation(("AUTOMATIC", "x", sr.NODULE)), capture]
        for content in results:
            (found,) = Images(setting(row)).translate(content, NOW)
            assert found == Untranslated("not_of_this_kind", "(0008,0016)")
        assert told(image(), row) == [Untranslated("not_of_this_kind", "(0008,0016)")]

    @pytest.mark.parametrize("number", ["40", "59", "67"])
    def test_logs_keys_and_doses_are_of_no_interest(self, number: str) -> None:
        content = sr.report(SOPClassUID=f"1.2.840.10008.5.1.4.1.1.88.{number}")

        assert told(content) == [Untranslated("ignored", "(0008,0016)")]

    def test_other_documents_are_not_supported(self) -> None:
        assert told(sr.document("121060")) == [Untranslated("unsupported", "(0040,A043)")]


class TestEvents:
    def test_it_is_of_the_study_that_was_read(self) -> None:
        evidence = sr.step_of("x").InputInformationSequence
        content = sr.report(
            StudyInstanceUID="1.2.3", CurrentRequestedProcedureEvidenceSequence=evidence
        )

        assert predicted(content).study == KEYS.key("study", sr.STUDY)
        assert predicted(sr.report()).study == KEYS.key("study", sr.STUDY)

    def test_it_is_dated_by_arrival_or_by_its_content(self) -> None:
        (live,) = told(sr.report(), stamps="arrival")

        assert isinstance(live, Prediction)
        assert live.at == NOW
        assert predicted(sr.report()).at == datetime(2026, 1, 5, 7, 20, tzinfo=UTC)

    def test_the_same_object_again_is_the_same_event(self) -> None:
        one, again = predicted(sr.report()), predicted(sr.report())

        assert one.event_id is not None
        assert one == again
        assert one != predicted(sr.report(SOPInstanceUID="1.2.3"))

    def test_nothing_planted_gets_out(self) -> None:
        contents = [
            sr.report(
                sr.group(sr.NODULE, sr.num(sr.DIAMETER, 3, "Plantedname")),
                sr.group(("Plantedname", "99PLANTED")),
                by=sr.algorithm("Acme", "Petra 2"),
            ),
            sr.cad(sr.mark(("PLANTED-4711", "99A")), sr.detections("111222", [sr.NODULE])),
            sr.segmentation(("AUTOMATIC", "Acme", sr.NODULE)),
        ]
        values = [*PLANTED.values(), "Planted", "PLANTED", "Petra", "4711", sr.STUDY, "999.3"]
        for content in contents:
            text = "\n".join(repr(one) for one in told(content))
            assert "Prediction" in text
            for value in values:
                coded = (value, b64encode(value.encode()).decode(), value.encode().hex())
                assert not [form for form in coded if form in text], value


class TestBounds:
    def test_a_tree_too_deep_or_too_large_is_refused(self) -> None:
        deep = sr.container("126010")
        for _ in range(40):
            deep = sr.container("126010", deep)
        large = sr.report() + b"\0" * (2 << 20)

        for content in (sr.document("126000", deep), large, self.wide(10_001)):
            assert told(content) == [Untranslated("too_large", "(0040,A730)")]
        assert told(self.wide(9_000)) == [Untranslated("missing_field", "SR/111001")]

    def wide(self, items_n: int) -> bytes:
        items = b"\xfe\xff\x00\xe0\0\0\0\0" * (items_n - 1)  # the title is one, too
        head = b"\x40\x00\x30\xa7SQ\0\0" + len(items).to_bytes(4, "little")
        return sr.document("126000") + head + items

    @settings(max_examples=60, deadline=None)
    @given(data=st.data())
    def test_no_bytes_make_it_raise(self, data: st.DataObject) -> None:
        content = bytearray(data.draw(st.sampled_from(SAMPLES)))
        for _ in range(data.draw(st.integers(1, 8))):
            content[data.draw(st.integers(128, len(content) - 1))] = data.draw(st.integers(0, 255))
        cut = data.draw(st.integers(0, len(content)))

        for found in told(bytes(content[:cut] if cut % 3 == 0 else content)):
            assert isinstance(found, Prediction | Untranslated)
            if isinstance(found, Prediction):
                assert decode_event(encode(found)) == found


SAMPLES = [
    sr.report(sr.group(sr.NODULE, sr.num(sr.DIAMETER, 8.5, "mm"), sr.num(sr.PROBABILITY, 0.3))),
    sr.cad(sr.mark(sr.NODULE), sr.detections("111223", [sr.NODULE], [sr.PNEUMOTHORAX])),
    sr.segmentation(("AUTOMATIC", "Acme seg", sr.NODULE)),
    sr.step("CANCELED", sr.dcm("110523")),
]


def lines(content: bytes) -> list[str]:
    """As events and refusals are told, one a line."""
    found = []
    for one in told(content):
        if isinstance(one, Untranslated):
            found.append(" ".join(filter(None, ("#", one.reason, one.where, one.code))))
        else:
            found.append(encode(one).decode())
    return found


def public(name: str) -> bytes:
    """A file that others have published."""
    file = DATA / "dicom" / f"{name}.dcm"
    if not file.exists() and not os.environ.get("CI"):
        pytest.skip(f"no real data at {DATA}; name their folder in RADVIGIL_DATA")
    return file.read_bytes()


class TestGolden:
    """Files as they must be read for ever, and public ones where they are."""

    @pytest.mark.parametrize("file", sorted(GOLDEN.glob("*.dcm")), ids=lambda file: file.stem)
    def test_ours(self, file: Path) -> None:
        wanted = file.with_suffix(".jsonl").read_text().splitlines()

        assert lines(file.read_bytes()) == wanted

    @pytest.mark.data
    @pytest.mark.parametrize(
        "wanted", sorted((GOLDEN / "public").glob("*.jsonl")), ids=lambda file: file.stem
    )
    def test_public(self, wanted: Path) -> None:
        assert lines(public(wanted.stem)) == wanted.read_text().splitlines()

    @pytest.mark.data
    def test_public_measurements_of_a_product_that_is_declared(self) -> None:
        product = DeclaredModel(declared="Manufacturer", name="measure", version="1")
        found = outputs(public("highdicom__sr_document_with_multiple_groups"), product)

        assert found == {
            "findings_n": Output(finding="findings_n", value=4.0),
            "nodule": Output(finding="nodule", positive=True),
            "nodule.diameter": Output(finding="nodule.diameter", value=10.0, unit="mm"),
        }

    @pytest.mark.data
    def test_public_measurements_with_rows_for_their_codes(self) -> None:
        found = outputs(
            public("dcmqi__sr"),
            DeclaredModel(declared="https://github.com/QIICR/Iowa2DICOM.git", name="pet"),
            Code(code="126401", scheme="DCM", finding="suv", means="value"),
            Code(code="M-80003", scheme="SRT", finding="tumour"),
        )

        assert found["suv"] == Output(finding="suv", value=10.3814, unit="{SUVbw}g/ml")
        assert found["tumour"].positive is True
        assert found["tumour.volume"].value == 33.5824

    def test_they_are_there(self) -> None:
        assert len(list(GOLDEN.glob("*.dcm"))) >= 5
        wanted = [s for f in GOLDEN.glob("*.jsonl") for s in f.read_text().splitlines()]
        statuses = {json.loads(one)["status"] for one in wanted if not one.startswith("#")}
        assert statuses == {"completed", "failed", "rejected"}
