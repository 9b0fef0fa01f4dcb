"""CAD reports, TID 4000 (mammography), 4100 (chest) and 4120 (colon): marks, and what succeeded.

A detection that was performed and marked nothing that is to be shown is a negative call. Partial
success is a result, with the number of failed algorithms as a feature.
"""

from collections.abc import Iterator

from msgspec import Struct, field

from schemas.prediction import PredictionStatus, Reason
from streams.ingest._contract import Translated, Untranslated
from streams.ingest._model import Model
from streams.ingest._sr_context import Context
from streams.ingest._sr_groups import COUNT
from streams.ingest._sr_model import algorithm, document_maker, equipment
from streams.ingest._sr_outputs import Outputs, as_score
from streams.ingest._sr_tree import Concept, Item

TITLES = ("111036", "112000", "112220")
FAILED_COUNT = "failed_n"
_MARKS = ("111059", "111015")  # Single Image Finding, Composite Feature
_INTENT, _NOT_SHOWN = "111056", "111152"
_SCORES = ("111012", "111047", "122157")
_PERFORMED = ("111022", "111004")  # Detection Performed, Analysis Performed
_SUCCESSFUL, _FAILED = ("111063", "111062"), ("111025", "111024")
_MARKED, _DETECTED = "SR/111059", "SR/111022"
_SUMMARIES = ("111064", "111065", "111017")
# CID 6042 and, of the whole document, CID 6047.
_DONE = frozenset({"111222", "111223", "111241", "111242", "111243", "111244"})
_ALL_FAILED = frozenset({"111224", "111245"})
_NOT_ATTEMPTED = "111225"


class _Told(Struct):
    """What one algorithm said, and what became of it."""

    outputs: Outputs = field(default_factory=Outputs)
    done: list[Concept] = field(default_factory=list)
    failed_n: int = 0


def predictions(document: Item, context: Context) -> Iterator[Translated]:
    """One for each algorithm."""
    models = context.ingest.models
    maker = document_maker(document, context.header, models) or equipment(context.header)
    default = None if maker is None else context.model(maker)
    study = context.study()
    if default is None:
        yield Untranslated("missing_field", "SR/111001")
        return
    if study is None:
        yield Untranslated("missing_field", "(0020,000D)")
        return
    told = _performed(document, default, context)
    if not told:
        told[default] = _Told()
    _read_marks(document, told, context)
    for model, what in told.items():
        status = _status(what, document)
        if status is None:
            yield Untranslated("unsupported", "SR/111064")
            continue
        code, reason = status
        yield context.prediction(
            study,
            model,
            what.outputs.all(),
            code,
            None if reason is None else Reason(code=reason, scheme="DCM"),
            {FAILED_COUNT: float(what.failed_n)} if what.failed_n and code == "completed" else None,
        )
    yield from context.noted()


def _performed(document: Item, default: Model, context: Context) -> dict[Model, _Told]:
    told: dict[Model, _Told] = {}
    for container in document.walk():
        is_failed = container.has(*_FAILED)
        if not is_failed and not container.has(*_SUCCESSFUL):
            continue
        for item in container.named(*_PERFORMED):
            declared = algorithm(item)
            model = default if declared is None else context.model(declared) or default
            what = told.setdefault(model, _Told())
            if is_failed:
                what.failed_n += 1
            else:
                what.done.append(item.code)
    return told


def _read_marks(document: Item, told: dict[Model, _Told], context: Context) -> None:
    """Marks that are to be shown, and detections that made none."""
    first = next(iter(told.values()))
    for what in told.values():
        what.outputs.count(COUNT, False)
    for mark in _marks(document):
        declared = algorithm(mark)
        model = None if declared is None else context.model(declared)
        by_code = (one for one in told.values() if mark.code in one.done)
        what = told.get(model, first) if model is not None else next(by_code, first)
        what.outputs.count(COUNT, True)
        _read_mark(mark, what.outputs, context)
    for what in told.values():
        for concept in what.done:
            meaning = context.meaning(concept, _DETECTED)
            if meaning.finding is not None and not what.outputs.is_told(meaning.finding):
                what.outputs.call(meaning.finding, False)
            elif meaning.finding is None and meaning.means != "ignored":
                context.unknown(meaning, _DETECTED)


def _read_mark(mark: Item, outputs: Outputs, context: Context) -> None:
    meaning = context.meaning(mark.code, _MARKED)
    if meaning.finding is None:
        if meaning.means != "ignored":
            context.unknown(meaning, _MARKED)
        return
    outputs.call(meaning.finding, meaning.means != "negative")
    for item in mark.named(*_SCORES):
        score = None if item.number is None else as_score(item.number, item.unit)
        if score is None:
            context.bad(f"{_MARKED}/NumericValue")
        else:
            outputs.score(meaning.finding, score)


def _marks(item: Item) -> Iterator[Item]:
    """The outermost ones: what a composite feature is made of is no mark of its own."""
    for child in item.children:
        if not child.has(*_MARKS):
            yield from _marks(child)
        elif not any(code.code == _NOT_SHOWN for i in child.named(_INTENT) for code in i.code):
            yield child


def _status(what: _Told, document: Item) -> tuple[PredictionStatus, str | None] | None:
    """What became of an algorithm: what it performed itself, else what the summaries say."""
    if what.done:
        return "completed", None
    if what.failed_n:
        return "failed", "111224"
    said = {c.code for item in document.walk() if item.has(*_SUMMARIES) for c in item.code}
    if said & _DONE:
        return "completed", None
    if failed := sorted(said & _ALL_FAILED):
        return "failed", failed[0]
    return ("not_applicable", _NOT_ATTEMPTED) if _NOT_ATTEMPTED in said else None
