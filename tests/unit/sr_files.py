"""Result objects made here: measurement and CAD reports, segmentations, workflow steps."""

from typing import Any

from pydicom.dataset import Dataset, FileDataset, FileMetaDataset
from pydicom.uid import ExplicitVRLittleEndian

from tests.unit.dicom_files import PLANTED, written

STUDY = "1.2.826.0.1.3680043.999.1"
COMPREHENSIVE = "1.2.840.10008.5.1.4.1.1.88.33"
CHEST_CAD = "1.2.840.10008.5.1.4.1.1.88.65"
SEGMENTATION = "1.2.840.10008.5.1.4.1.1.66.4"
SECONDARY_CAPTURE = "1.2.840.10008.5.1.4.1.1.7"
STEP = "1.2.840.10008.5.1.4.34.6.1"

PNEUMOTHORAX = ("36118008", "SCT")
NODULE = ("27925004", "SCT")
PRESENT, ABSENT = ("52101004", "SCT"), ("2667000", "SCT")
PROBABILITY = ("122157", "DCM")
PRESENCE = ("705057003", "SCT")
DIAMETER = ("81827009", "SCT")

Pair = tuple[str, str]


def coded(pair: Pair) -> Dataset:
    item = Dataset()
    item.CodeValue, item.CodingSchemeDesignator = pair
    item.CodeMeaning = "Planted meaning of Plantedname"
    return item


def item(kind: str, concept: str | Pair, *below: Dataset, relation: str = "CONTAINS") -> Dataset:
    made = Dataset()
    made.RelationshipType, made.ValueType = relation, kind
    if kind == "CONTAINER":
        made.ContinuityOfContent = "SEPARATE"
    made.ConceptNameCodeSequence = [coded(concept if isinstance(concept, tuple) else dcm(concept))]
    if below:
        made.ContentSequence = list(below)
    return made


def dcm(code: str) -> Pair:
    return code, "DCM"


def container(concept: str | Pair, *below: Dataset) -> Dataset:
    return item("CONTAINER", concept, *below)


def text(concept: str | Pair, value: str, relation: str = "HAS OBS CONTEXT") -> Dataset:
    made = item("TEXT", concept, relation=relation)
    made.TextValue = value
    return made


def code(concept: str | Pair, value: Pair, *below: Dataset, relation: str = "CONTAINS") -> Dataset:
    made = item("CODE", concept, *below, relation=relation)
    made.ConceptCodeSequence = [coded(value)]
    return made


def num(concept: str | Pair, value: float, unit: str = "1", relation: str = "CONTAINS") -> Dataset:
    made = item("NUM", concept, relation=relation)
    measured = Dataset()
    measured.NumericValue = str(value)
    measured.MeasurementUnitsCodeSequence = [coded((unit, "UCUM"))]
    made.MeasuredValueSequence = [measured]
    return made


def algorithm(name: str = "Acme CXR", version: str | None = "2.1") -> list[Dataset]:
    """TID 4019."""
    told = [text("111001", name)]
    return told if version is None else [*told, text("111003", version)]


def group(finding: Pair | None, *below: Dataset) -> Dataset:
    """TID 1501."""
    about = [] if finding is None else [code("121071", finding)]
    tracking = text("112039", "Planted 1 of Plantedname")
    return container("125007", tracking, *about, *below)


def document(title: str, *below: Dataset, sop_class: str = COMPREHENSIVE, **fields: Any) -> bytes:
    """A structured report; `fields` by keyword override, None takes one away."""
    root = container(title, *below)
    del root.RelationshipType
    return _file(sop_class, root, "SR", CompletionFlag="COMPLETE", **fields)


def report(*groups: Dataset, by: list[Dataset] | None = None, **fields: Any) -> bytes:
    """TID 1500, of an algorithm."""
    person = [code("121005", dcm("121006"), relation="HAS OBS CONTEXT"), _person()]
    made = algorithm() if by is None else by
    return document("126000", *person, *made, container("126010", *groups), **fields)


def cad(*below: Dataset, **fields: Any) -> bytes:
    """TID 4100."""
    return document("112000", *below, sop_class=CHEST_CAD, **fields)


def mark(finding: Pair, *below: Dataset, shown: bool = True) -> Dataset:
    """A single image finding."""
    intent = dcm("111150" if shown else "111152")
    return code("111059", finding, code("111056", intent, relation="HAS CONCEPT MOD"), *below)


def detections(
    summary: str, done: list[Pair] | None = None, failed: list[Pair] | None = None, **by: Any
) -> Dataset:
    """TID 4015: a summary, what succeeded, what failed."""

    def performed(container_code: str, findings: list[Pair] | None) -> list[Dataset]:
        if not findings:
            return []
        told = [code("111022", finding, *algorithm(**by)) for finding in findings]
        return [container(container_code, *told)]

    return code("111064", dcm(summary), *performed("111063", done), *performed("111025", failed))


def segmentation(
    *segments: tuple[str, str, Pair],
    identification: tuple[str, str] | None = None,
    **fields: Any,
) -> bytes:
    """Of segments by their type, algorithm and property."""
    made = Dataset()
    made.SegmentSequence = []
    for number, (kind, name, of) in enumerate(segments, start=1):
        segment = Dataset()
        segment.SegmentNumber, segment.SegmentAlgorithmType = number, kind
        segment.SegmentLabel = "Planted label of Plantedname"
        segment.SegmentAlgorithmName = name
        segment.SegmentedPropertyTypeCodeSequence = [coded(of)]
        if identification is not None:
            told = Dataset()
            told.AlgorithmName, told.AlgorithmVersion = identification
            segment.SegmentationAlgorithmIdentificationSequence = [told]
        made.SegmentSequence.append(segment)
    return _file(SEGMENTATION, made, "SEG", **fields)


def capture(**fields: Any) -> bytes:
    """A secondary capture."""
    return _file(SECONDARY_CAPTURE, Dataset(), "OT", **fields)


def step_of(
    state: str, reason: Pair | None = None, station: str | None = "ACMECXR", **fields: Any
) -> Dataset:
    """A unified procedure step, without a file around it."""
    made = Dataset()
    made.SOPClassUID, made.SOPInstanceUID = STEP, "1.2.826.0.1.3680043.999.7"
    made.PatientName, made.PatientID = PLANTED["PatientName"], PLANTED["PatientID"]
    made.ProcedureStepState = state
    made.ProcedureStepLabel = "Planted label of Plantedname"
    progress = Dataset()
    progress.ReasonForCancellation = "Plantedname did not come"
    progress.ProcedureStepCancellationDateTime = "20260105093000+0100"
    if reason is not None:
        progress.ProcedureStepDiscontinuationReasonCodeSequence = [coded(reason)]
    made.ProcedureStepProgressInformationSequence = [progress]
    if station is not None:
        made.ScheduledStationNameCodeSequence = [coded((station, "99NORTH"))]
    read = Dataset()
    read.StudyInstanceUID = STUDY
    made.InputInformationSequence = [read]
    for keyword, value in fields.items():
        if value is None:
            delattr(made, keyword)
        else:
            setattr(made, keyword, value)
    return made


def step(*args: Any, **fields: Any) -> bytes:
    """The same in a file."""
    return _file(STEP, step_of(*args, **fields), "OT", StudyInstanceUID=None, Modality=None)


def _person() -> Dataset:
    made = item("PNAME", "121008", relation="HAS OBS CONTEXT")
    made.PersonName = PLANTED["ReferringPhysicianName"]
    return made


def _file(sop_class: str, content: Dataset, modality: str, **fields: Any) -> bytes:
    meta = FileMetaDataset()
    meta.MediaStorageSOPClassUID = sop_class
    meta.MediaStorageSOPInstanceUID = "1.2.826.0.1.3680043.999.3"
    meta.TransferSyntaxUID = ExplicitVRLittleEndian
    meta.ImplementationClassUID = "1.2.826.0.1.3680043.999.9"
    made = FileDataset("", {}, file_meta=meta, preamble=b"\0" * 128)
    plain: dict[str, Any] = PLANTED | {
        "SOPClassUID": sop_class,
        "SOPInstanceUID": meta.MediaStorageSOPInstanceUID,
        "StudyInstanceUID": STUDY,
        "SeriesInstanceUID": "1.2.826.0.1.3680043.999.4",
        "Modality": modality,
        "Manufacturer": "Acme",
        "ContentDate": "20260105",
        "ContentTime": "082000",
        "TimezoneOffsetFromUTC": "+0100",
    }
    for keyword, value in (plain | fields).items():
        if value is not None:
            setattr(made, keyword, value)
    for element in content:
        made[element.tag] = element
    return written(made)
