"""What mutations begin with: messages made here, those of tests/golden, and real files.

Made ones are the same bytes on every run. A kind is given all of them: what is of another kind
must be refused as calmly as what is broken.
"""

import os
from collections.abc import Iterator
from functools import cache
from io import BytesIO
from pathlib import Path

from pydicom.dataset import Dataset, FileDataset, FileMetaDataset
from pydicom.sequence import Sequence
from pydicom.uid import UID, ExplicitVRBigEndian, ExplicitVRLittleEndian, ImplicitVRLittleEndian

ROOT = Path(__file__).parents[2]
GOLDEN = ROOT / "tests" / "golden"
DATA = Path(os.environ.get("RADVIGIL_DATA", ROOT.parent / "shared" / "data"))
LARGEST_BYTES = 100_000
"""Larger files are no seeds: most of them is pixels."""
NAME = "Plantedname"
"""Of the patient, in every message that is made here; never to be seen in what is refused."""

_IMAGE = "1.2.840.10008.5.1.4.1.1.1.1"
_REPORT = "1.2.840.10008.5.1.4.1.1.88.33"
_STEP = "1.2.840.10008.5.1.4.34.6.1"
_SEGMENTATION = "1.2.840.10008.5.1.4.1.1.66.4"


@cache
def seeds() -> tuple[bytes, ...]:
    """All, in a fixed order."""
    return (*made(), *_files(GOLDEN), *_files(DATA / "dicom"), *_files(DATA / "messages"))


def made() -> Iterator[bytes]:
    """Those that need no file."""
    for syntax in (ExplicitVRLittleEndian, ImplicitVRLittleEndian, ExplicitVRBigEndian):
        yield dicom(_image(), syntax)
    for dataset in (_report(), _step(), _segmentation()):
        yield dicom(dataset)
    yield from (oru, oru.replace(b"\r", b"\r\n"), b"\x0b" + oru + b"\x1c\r", oru + omi, omi)


def _files(folder: Path) -> Iterator[bytes]:
    for file in sorted(folder.rglob("*")):
        is_message = file.suffix in (".dcm", ".hl7", ".json", ".ndjson", ".xml")
        if is_message and file.stat().st_size <= LARGEST_BYTES and "schemas" not in file.parts:
            yield file.read_bytes()


def dicom(dataset: Dataset, syntax: str = ExplicitVRLittleEndian) -> bytes:
    """The file of a dataset."""
    meta = FileMetaDataset()
    meta.MediaStorageSOPClassUID = dataset.SOPClassUID
    meta.MediaStorageSOPInstanceUID = dataset.SOPInstanceUID
    meta.TransferSyntaxUID = UID(syntax)
    meta.ImplementationClassUID = UID("1.2.826.0.1.3680043.999.9")
    is_little, is_implicit = syntax != ExplicitVRBigEndian, syntax == ImplicitVRLittleEndian
    file = FileDataset("", dataset, b"\0" * 128, meta, is_implicit, is_little)
    buffer = BytesIO()
    file.save_as(buffer, enforce_file_format=True)
    return buffer.getvalue()


def _dataset(sop_class: str, modality: str) -> Dataset:
    dataset = Dataset()
    dataset.SpecificCharacterSet = "ISO_IR 100"
    dataset.SOPClassUID = sop_class
    dataset.SOPInstanceUID = "1.2.826.0.1.3680043.999.3"
    dataset.StudyInstanceUID = "1.2.826.0.1.3680043.999.1"
    dataset.SeriesInstanceUID = "1.2.826.0.1.3680043.999.2"
    dataset.Modality = modality
    dataset.Manufacturer = "Acme"
    dataset.ManufacturerModelName = "Definium 8000"
    dataset.SoftwareVersions = ["3.1", "beta"]
    dataset.PatientName = f"{NAME}^Petra"
    dataset.PatientID = "PLANTED-4711"
    dataset.PatientBirthDate = "19480229"
    dataset.PatientSex = "F"
    dataset.PatientAge = "078Y"
    dataset.AccessionNumber = "PLANTEDACC99"
    dataset.ContentDate = "20260105"
    dataset.ContentTime = "081500.25"
    dataset.TimezoneOffsetFromUTC = "+0100"
    return dataset


def _image() -> Dataset:
    dataset = _dataset(_IMAGE, "DX")
    dataset.BodyPartExamined = "CHEST"
    dataset.ViewPosition = "PA"
    dataset.StationName = "PLANTEDROOM"
    dataset.KVP = "120"
    dataset.ExposureInuAs = "2500"
    dataset.ImagerPixelSpacing = [0.143, 0.143]
    dataset.Rows = dataset.Columns = 2022
    dataset.AcquisitionDateTime = "20260105081500.5+0100"
    dataset.ProcedureCodeSequence = Sequence([coded("71045", "C4", "Chest")])
    issuer = Dataset()
    issuer.UniversalEntityID = "1.2.999.1"
    issuer.UniversalEntityIDType = "ISO"
    dataset.IssuerOfAccessionNumberSequence = Sequence([issuer])
    block = dataset.private_block(0x0009, "ACME", create=True)
    block.add_new(0x01, "LO", f"of {NAME}")
    return dataset


def _report() -> Dataset:
    """TID 1500: an algorithm, a finding, a probability; and a summary of detections."""
    dataset = _dataset(_REPORT, "SR")
    dataset.ValueType = "CONTAINER"
    dataset.ContinuityOfContent = "SEPARATE"
    dataset.CompletionFlag = "COMPLETE"
    dataset.VerificationFlag = "UNVERIFIED"
    template = Dataset()
    template.MappingResource = "DCMR"
    template.TemplateIdentifier = "1500"
    dataset.ContentTemplateSequence = Sequence([template])
    dataset.ConceptNameCodeSequence = Sequence([coded("126000", "DCM", "Measurement Report")])
    probability = _item("NUM", "122157", "Probability")
    measured = Dataset()
    measured.NumericValue = "0.87"
    measured.MeasurementUnitsCodeSequence = Sequence([coded("1", "UCUM", "no units")])
    probability.MeasuredValueSequence = Sequence([measured])
    group = _item("CONTAINER", "125007", "Measurement Group")
    group.ContentSequence = Sequence(
        [
            _text("112039", "Tracking Identifier", f"{NAME} 1"),
            _code("121071", "Finding", coded("36118008", "SCT", "Pneumothorax")),
            probability,
        ]
    )
    groups = _item("CONTAINER", "126010", "Imaging Measurements")
    groups.ContentSequence = Sequence([group])
    dataset.ContentSequence = Sequence(
        [
            _text("111001", "Algorithm Name", "ptx"),
            _text("111003", "Algorithm Version", "2.1"),
            groups,
            _code("111064", "Summary of Detections", coded("111222", "DCM", "Succeeded")),
        ]
    )
    return dataset


def _step() -> Dataset:
    """A Unified Procedure Step that was cancelled."""
    dataset = _dataset(_STEP, "DX")
    dataset.ProcedureStepState = "CANCELED"
    dataset.ProcedureStepLabel = f"ptx for {NAME}"
    progress = Dataset()
    progress.ReasonForCancellation = f"{NAME} went home"
    reason = coded("110523", "DCM", "Object set incomplete")
    progress.ProcedureStepDiscontinuationReasonCodeSequence = Sequence([reason])
    dataset.ProcedureStepProgressInformationSequence = Sequence([progress])
    dataset.ScheduledWorkitemCodeSequence = Sequence([coded("ptx", "99ACME", "ptx")])
    referenced = Dataset()
    referenced.StudyInstanceUID = dataset.StudyInstanceUID
    dataset.InputInformationSequence = Sequence([referenced])
    return dataset


def _segmentation() -> Dataset:
    dataset = _dataset(_SEGMENTATION, "SEG")
    segment = Dataset()
    segment.SegmentNumber = 1
    segment.SegmentLabel = "ptx"
    segment.SegmentAlgorithmType = "AUTOMATIC"
    segment.SegmentAlgorithmName = "ptx"
    segment.SegmentedPropertyTypeCodeSequence = Sequence([coded("36118008", "SCT", "Ptx")])
    dataset.SegmentSequence = Sequence([segment])
    return dataset


def coded(value: str, scheme: str, meaning: str) -> Dataset:
    """An item of a code sequence."""
    code = Dataset()
    code.CodeValue, code.CodingSchemeDesignator, code.CodeMeaning = value, scheme, meaning
    return code


def _item(value_type: str, concept: str, meaning: str) -> Dataset:
    item = Dataset()
    item.RelationshipType = "CONTAINS"
    item.ValueType = value_type
    item.ConceptNameCodeSequence = Sequence([coded(concept, "DCM", meaning)])
    return item


def _text(concept: str, meaning: str, text: str) -> Dataset:
    item = _item("TEXT", concept, meaning)
    item.TextValue = text
    return item


def _code(concept: str, meaning: str, code: Dataset) -> Dataset:
    item = _item("CODE", concept, meaning)
    item.ConceptCodeSequence = Sequence([code])
    return item


_HEADER = "MSH|^~\\&|RIS|NORTH|RV|NORTH|20260105081500+0100||{kind}|C1|P|2.5||||||{charset}"
_PERSON = f"PID|1||PLANTED-4711^^^NORTH||{NAME}^Petra||19480229|F|||Planted Street 1"
oru = "\r".join(
    [
        _HEADER.format(kind="ORU^R01", charset="UNICODE UTF-8"),
        _PERSON,
        "OBR|1|P7|A17^RIS|71045^Chest^CPT|||20260105081000|||||||||||||||20260105083000||RAD|F"
        "|||||||PLANTEDDOC&Planted",
        "ZDS|1.2.826.0.1.3680043.999.1^RIS^Application^DICOM",
        f"OBX|1|TX|18748-4&IMP^Report||Small pneumothorax of {NAME}\\.br\\~No \\X41\\||||||F",
        "OBX|2|CWE|1^x^L||36118008^Pneumothorax^SCT||||||F",
        "OBX|3|ST|113014^DICOM Study^DCM||1.2.826.0.1.3680043.999.1||||||F",
        "",
    ]
).encode()
omi = "\r".join(
    [
        _HEADER.format(kind="OMI^O23", charset="8859/1"),
        _PERSON,
        "ORC|NW|P7|A17||SC||||20260105080000",
        "TQ1|1||||||||S^Stat^HL70485",
        "OBR|1|P7|A17^RIS|71045^Chest^CPT||||||||||||||||||||DX|||^^^^^S",
        "IPC|A17|1|1.2.826.0.1.3680043.999.1|4|DX",
        "",
    ]
).encode()
