"""What an algorithm says, in a DiagnosticReport or in observations of its own, as predictions."""

from collections import OrderedDict
from collections.abc import Iterator

from msgspec.structs import replace

from schemas.prediction import Prediction, PredictionStatus, Reason
from streams.ingest._contract import Translated, Untranslated
from streams.ingest._fhir_bundle import name_of
from streams.ingest._fhir_codes import REPORT_STATUSES, codings
from streams.ingest._fhir_context import Context
from streams.ingest._fhir_device import maker
from streams.ingest._fhir_json import Tree, tree_at, word
from streams.ingest._fhir_keys import key_of_result
from streams.ingest._fhir_output import Outputs
from streams.ingest._fhir_report import conclusions
from streams.ingest._model import Model

_ENDED = frozenset({"cancelled", "entered_in_error"})
_ABSENT = "data-absent-reason"
_WHY: dict[str, PredictionStatus] = {
    "not-applicable": "not_applicable",
    "unsupported": "rejected",
    "not-permitted": "rejected",
    "not-performed": "rejected",
    "error": "failed",
    "not-a-number": "failed",
    "negative-infinity": "failed",
    "positive-infinity": "failed",
}
MOST_GATHERED = 50_000
_MOST_OUTPUTS = 64


def of_report(report: Tree, results: list[Tree], context: Context) -> Iterator[Translated]:
    """The prediction that a report is, with all its results."""
    makers = (maker(one, context) for one in (report, *results))
    model = next(filter(None, makers), None)
    if model is None:
        yield Untranslated("missing_field", "DiagnosticReport.performer")
        return
    outputs = Outputs(context)
    for finding, positive in conclusions(report, context):
        if isinstance(finding, Untranslated):
            yield finding
        else:
            outputs.take_finding(finding, positive)
    for one in results:
        yield from outputs.take(one)
    about = next((one for one in (report, *results) if key_of_result(one, context)), report)
    yield _prediction(report, about, model, outputs, [report, *results], context)


def of_observation(observation: Tree, model: Model, context: Context) -> Iterator[Translated]:
    """The prediction that an observation is, alone."""
    outputs = Outputs(context)
    yield from outputs.take(observation)
    yield _prediction(observation, observation, model, outputs, [observation], context)


def _prediction(
    told: Tree, about: Tree, model: Model, outputs: Outputs, parts: list[Tree], context: Context
) -> Translated:
    kind = "DiagnosticReport" if told.get("resourceType") == "DiagnosticReport" else "Observation"
    written = word(told, "status")
    status = REPORT_STATUSES.get(written or "")
    if status is None:
        return Untranslated("unsupported" if written else "missing_field", f"{kind}.status")
    study = key_of_result(about, context)
    if study is None:
        return Untranslated("missing_field", f"{kind}.study")
    if status == "registered":
        return Untranslated("ignored", f"{kind}.status")
    found = [] if status in _ENDED else outputs.all()
    reason = None if found else _reason(written or "", ended=status in _ENDED, parts=parts)
    if not found and reason is None:
        return Untranslated("missing_field", "Observation.value[x]")
    name = name_of(told)
    return Prediction(
        site=context.ingest.site,
        study=study,
        model=model.name,
        model_version=model.version,
        status="completed" if reason is None else reason[0],
        at=context.at(told, "issued"),
        outputs=found or None,
        prediction=context.ingest.pseudonyms.key("report", name) if name else None,
        reason=None if reason is None else reason[1],
    )


def _reason(
    written: str, *, ended: bool, parts: list[Tree]
) -> tuple[PredictionStatus, Reason] | None:
    """Why nothing was found: it was called off, or a value is absent for a reason."""
    if ended:
        return "cancelled", Reason(code=written, scheme="status")
    for part in parts:
        for coding in codings(tree_at(part, "dataAbsentReason")):
            if coding.system.endswith(_ABSENT) and coding.code in _WHY:
                return _WHY[coding.code], Reason(code=coding.code, scheme=_ABSENT)
    return None


class Gathering:
    """Predictions of one finding each, sent one by one, become one for each study and model.

    At most `most` wait; the oldest go first and are counted by none, since they are whole if their
    observations came near each other.
    """

    def __init__(self, most: int = MOST_GATHERED) -> None:
        self._most = most
        self._waiting: OrderedDict[tuple[str, str, str], Prediction] = OrderedDict()

    def add(self, one: Prediction) -> Iterator[Prediction]:
        """Take one; what has to leave for it."""
        key = (one.study, one.model, one.model_version)
        known = self._waiting.get(key)
        self._waiting[key] = one if known is None else _joined(known, one)
        if len(self._waiting) > self._most:
            yield self._waiting.popitem(last=False)[1]

    def finish(self) -> Iterator[Prediction]:
        """All that is left."""
        while self._waiting:
            yield self._waiting.popitem(last=False)[1]


def _joined(one: Prediction, other: Prediction) -> Prediction:
    """Completed where one of them is; of a finding that both have, the later word."""
    first, last = sorted((one, other), key=lambda prediction: prediction.at)
    if first.status != "completed" or last.status != "completed":
        return first if first.status == "completed" else last
    outputs = {output.finding: output for output in (*(first.outputs or ()), *(last.outputs or ()))}
    return replace(last, outputs=list(outputs.values())[:_MOST_OUTPUTS])
