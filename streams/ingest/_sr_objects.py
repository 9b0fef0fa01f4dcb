"""Results that say little in words: segmentations, and objects that only have to have come."""

from collections.abc import Iterator

from pydicom.dataset import Dataset

from schemas.ingest import Models
from streams.ingest._contract import Translated, Untranslated
from streams.ingest._dicom_header import items, text
from streams.ingest._model import Declared, Model
from streams.ingest._sr_context import Context
from streams.ingest._sr_model import equipment, is_declared
from streams.ingest._sr_outputs import Outputs
from streams.ingest._sr_tree import coded

SEGMENTS, OBJECTS = "segments_n", "objects_n"
MOST_SEGMENTS = 4096
_SEGMENT = "(0062,0002)"


def is_of_a_model(header: Dataset, models: Models) -> bool:
    """Whether the product that wrote an object, of any class, is declared to be a model."""
    return bool(models.rows) and is_declared(equipment(header), models)


def segmentation(context: Context) -> Iterator[Translated]:
    """One for each algorithm that drew segments; what people drew is no prediction."""
    study = context.study()
    if study is None:
        yield Untranslated("missing_field", "(0020,000D)")
        return
    segments = list(items(context.header, "SegmentSequence", most=MOST_SEGMENTS))
    if not segments:
        yield Untranslated("missing_field", _SEGMENT)
    told: dict[Model, Outputs] = {}
    is_by_person = False
    for segment in segments:
        if text(segment, "SegmentAlgorithmType") != "AUTOMATIC":
            is_by_person = True
            continue
        declared = _drawn_by(segment) or equipment(context.header)
        model = None if declared is None else context.model(declared)
        if model is None:
            context.missing("(0062,0009)")
            continue
        outputs = told.setdefault(model, Outputs())
        outputs.count(SEGMENTS, True)
        _read(segment, outputs, context)
    for model, outputs in told.items():
        yield context.prediction(study, model, outputs.all())
    if is_by_person and not told:
        yield Untranslated("ignored", "(0062,0008)")
    yield from context.noted()


def declared_object(context: Context) -> Iterator[Translated]:
    """That something came of a model: a secondary capture, a presentation state, a document."""
    study, found = context.study(), equipment(context.header)
    model = None if found is None else context.model(found)
    if study is None:
        yield Untranslated("missing_field", "(0020,000D)")
    elif model is None:
        yield Untranslated("missing_field", "(0008,1090)")
    else:
        outputs = Outputs()
        outputs.count(OBJECTS, True)
        yield context.prediction(study, model, outputs.all())


def _drawn_by(segment: Dataset) -> Declared | None:
    for item in items(segment, "SegmentationAlgorithmIdentificationSequence", most=1):
        if (name := text(item, "AlgorithmName")) is not None:
            return Declared(name, text(item, "AlgorithmVersion"), None)
    name = text(segment, "SegmentAlgorithmName")
    return None if name is None else Declared(name, None, None)


def _read(segment: Dataset, outputs: Outputs, context: Context) -> None:
    concept = coded(segment, "SegmentedPropertyTypeCodeSequence")
    meaning = context.meaning(concept, _SEGMENT)
    if meaning.finding is not None:
        outputs.call(meaning.finding, meaning.means != "negative")
    elif meaning.means != "ignored":
        context.unknown(meaning, _SEGMENT)
