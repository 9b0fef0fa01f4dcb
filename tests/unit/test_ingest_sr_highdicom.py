"""Results that highdicom writes, as an algorithm's maker would."""

import pytest

from schemas.prediction import Output
from streams.ingest import Untranslated
from tests.unit.highdicom_files import highdicom_reports, highdicom_segmentation
from tests.unit.sr_files import STUDY
from tests.unit.test_ingest_sr import KEYS, outputs, predicted, refused


@pytest.mark.parametrize(
    ("name", "wanted"),
    [
        (
            "nodule",
            [
                Output(finding="findings_n", value=1.0),
                Output(finding="nodule.diameter", value=8.5, unit="mm"),
                Output(finding="nodule", score=0.83),
            ],
        ),
        (
            "absent",
            [
                Output(finding="findings_n", value=1.0),
                Output(finding="pneumothorax", positive=False),
            ],
        ),
        ("unmapped", [Output(finding="findings_n", value=1.0)]),
    ],
)
def test_a_report_has_its_findings_model_and_study(name: str, wanted: list[Output]) -> None:
    content = highdicom_reports()[name]
    found = predicted(content)

    assert found.outputs == wanted
    assert (found.model, found.model_version) == ("Acme CXR", "2.1")
    assert found.study == KEYS.key("study", STUDY)
    assert outputs(content)["findings_n"].value == 1.0


def test_what_is_not_mapped_is_named() -> None:
    assert refused(highdicom_reports()["unmapped"]) == [
        Untranslated("unknown_code", "SR/125007/121071", "99ACME R1"),
        Untranslated("unknown_code", "SR/125007", "99ACME R2"),
    ]


def test_a_segmentation_has_its_segments() -> None:
    found = predicted(highdicom_segmentation())

    assert found.outputs == [
        Output(finding="segments_n", value=1.0),
        Output(finding="nodule", positive=True),
    ]
    assert (found.model, found.model_version) == ("Acme seg", "4.0")


def test_nothing_planted_gets_out() -> None:
    for content in (*highdicom_reports().values(), highdicom_segmentation()):
        told = repr((predicted(content), refused(content)))
        assert b"Planted" in content
        assert not [word for word in ("Planted", "PLANTED", "Petra", STUDY) if word in told]
