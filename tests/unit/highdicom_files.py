"""Result objects made by highdicom, an independent writer, as an algorithm would with it."""

from functools import cache
from io import BytesIO

import highdicom as hd
import numpy as np
from highdicom.seg import Segmentation, SegmentationTypeValues, SegmentDescription
from highdicom.sr import (
    AlgorithmIdentification,
    CodedConcept,
    Comprehensive3DSR,
    DeviceObserverIdentifyingAttributes,
    Measurement,
    MeasurementReport,
    MeasurementsAndQualitativeEvaluations,
    ObservationContext,
    ObserverContext,
    QualitativeEvaluation,
    TrackingIdentifier,
)
from pydicom import dcmread
from pydicom.dataset import Dataset

from tests.unit.dicom_files import image

STUDY = "1.2.826.0.1.3680043.999.1"
_PLANTED = "Plantedname 1"


def code(value: str, scheme: str, meaning: str) -> CodedConcept:
    return CodedConcept(value, scheme, meaning)


PNEUMOTHORAX = code("36118008", "SCT", "Pneumothorax")
NODULE = code("27925004", "SCT", "Nodule")
PROBABILITY = code("122157", "DCM", "Probability")
NO_UNITS = code("1", "UCUM", "no units")
MM = code("mm", "UCUM", "millimeter")


@cache
def highdicom_reports() -> dict[str, bytes]:
    """Reports by what is in them."""
    groups = {
        "nodule": [
            _group(
                NODULE,
                [
                    Measurement(code("81827009", "SCT", "Diameter"), 8.5, MM),
                    Measurement(PROBABILITY, 0.83, NO_UNITS),
                ],
            )
        ],
        "absent": [
            _group(
                PNEUMOTHORAX,
                [],
                [
                    QualitativeEvaluation(
                        code("705057003", "SCT", "Presence"), code("2667000", "SCT", "Absent")
                    )
                ],
            )
        ],
        "unmapped": [
            _group(
                code("R1", "99ACME", "Acme finding"),
                [Measurement(code("R2", "99ACME", "Acme measure"), 3.0, NO_UNITS)],
            )
        ],
    }
    return {name: _report(told) for name, told in groups.items()}


@cache
def highdicom_segmentation() -> bytes:
    """One segment of one image."""
    source = _source(PixelData=b"\0" * 32, Rows=4, Columns=4)
    identification = hd.AlgorithmIdentificationSequence(
        name="Acme seg", family=code("123109", "DCM", "Artificial Intelligence"), version="4.0"
    )
    segment = SegmentDescription(
        segment_number=1,
        segment_label="Planted label",
        segmented_property_category=code("49755003", "SCT", "Morphologically Abnormal Structure"),
        segmented_property_type=NODULE,
        algorithm_type="AUTOMATIC",
        algorithm_identification=identification,
    )
    made = Segmentation(
        source_images=[source],
        pixel_array=np.ones((1, 4, 4), dtype=np.uint8),
        segmentation_type=SegmentationTypeValues.BINARY,
        segment_descriptions=[segment],
        series_instance_uid=hd.UID(),
        series_number=2,
        sop_instance_uid=hd.UID(),
        instance_number=1,
        manufacturer="Acme",
        manufacturer_model_name="Acme Box",
        software_versions="7",
        device_serial_number="PLANTEDSERIAL",
    )
    return _written(made)


def _group(
    finding: CodedConcept,
    measurements: list[Measurement],
    evaluations: list[QualitativeEvaluation] | None = None,
) -> MeasurementsAndQualitativeEvaluations:
    return MeasurementsAndQualitativeEvaluations(
        tracking_identifier=TrackingIdentifier(uid=hd.UID(), identifier=_PLANTED),
        finding_type=finding,
        algorithm_id=AlgorithmIdentification(name="Acme CXR", version="2.1"),
        measurements=measurements,
        qualitative_evaluations=evaluations,
    )


def _report(groups: list[MeasurementsAndQualitativeEvaluations]) -> bytes:
    device = ObserverContext(
        observer_type=code("121007", "DCM", "Device"),
        observer_identifying_attributes=DeviceObserverIdentifyingAttributes(
            uid=hd.UID(), name="host-17", manufacturer_name="Acme", model_name="Acme Box"
        ),
    )
    content = MeasurementReport(
        observation_context=ObservationContext(observer_device_context=device),
        procedure_reported=code("399208008", "SCT", "Plain chest X-ray"),
        imaging_measurements=groups,
    )
    made = Comprehensive3DSR(
        evidence=[_source()],
        content=content[0],
        series_instance_uid=hd.UID(),
        series_number=3,
        sop_instance_uid=hd.UID(),
        instance_number=1,
        manufacturer="Acme",
        is_complete=True,
    )
    return _written(made)


def _source(**fields: object) -> Dataset:
    made = dcmread(BytesIO(image(**fields)))
    for keyword, value in {
        "StudyDate": "20260105",
        "StudyTime": "081500",
        "SeriesNumber": 1,
        "InstanceNumber": 1,
        "BitsAllocated": 16,
        "BitsStored": 12,
        "HighBit": 11,
        "SamplesPerPixel": 1,
        "PixelRepresentation": 0,
        "PhotometricInterpretation": "MONOCHROME2",
    }.items():
        setattr(made, keyword, value)
    return made


def _written(made: Dataset) -> bytes:
    buffer = BytesIO()
    made.save_as(buffer, enforce_file_format=True)
    return buffer.getvalue()
