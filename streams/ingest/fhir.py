"""FHIR R4 and R5 JSON as events: ImagingStudy, DiagnosticReport, Observation, alone or in a Bundle.

A resource does not say which version of FHIR it is of, so what either has is read: docs/INGEST.md
has the table. A report's text goes to the labeller and no further. XML is not read.
"""

import re
from collections import Counter
from collections.abc import Iterator
from datetime import datetime
from typing import ClassVar
from zoneinfo import ZoneInfo

from schemas.prediction import Prediction
from streams.ingest import _fhir_prediction, _fhir_report, _fhir_study
from streams.ingest._contract import Ingest, Translated, Untranslated
from streams.ingest._fhir_bundle import Resources, name_of
from streams.ingest._fhir_context import Context, Devices, guard_of
from streams.ingest._fhir_device import declared_by, maker
from streams.ingest._fhir_json import NotFhir, Tree, parse, trees, word

_ONE_A_LINE = re.compile(rb"\s*\{[^\r\n]*\}[ \t]*\r?\n\s*\{")
_TAKEN = ("ImagingStudy", "DiagnosticReport", "Observation")
_STU3_ALONE = {
    "ImagingStudy": ("uid", "accession", "availability", "modalityList"),
    "DiagnosticReport": ("codedDiagnosis",),
}
_OF_STU3 = Untranslated("unsupported", "STU3")


class Translator:
    """See streams.ingest.Translator."""

    kind: ClassVar[str] = "fhir"

    def __init__(self, ingest: Ingest) -> None:
        self._ingest = ingest
        self._zone = ZoneInfo(ingest.timezone)
        self.dropped: Counter[str] = Counter()
        self._devices = Devices(self.dropped)

    def translate(self, content: bytes, received_at: datetime) -> Iterator[Translated]:
        """The events of a resource or Bundle, or of many, one a line."""
        if _ONE_A_LINE.match(content):
            gathering = _fhir_prediction.Gathering()
            for line in filter(None, map(bytes.strip, content.splitlines())):
                yield from gathered(self.message(line, received_at), gathering)
            yield from gathering.finish()
        else:
            yield from self.message(content, received_at)

    def message(self, content: bytes, received_at: datetime) -> Iterator[Translated]:
        """The events of one resource or Bundle."""
        try:
            resources = Resources(parse(content))
        except NotFhir as error:
            yield Untranslated(error.reason, error.where)
            return
        if resources.too_many:
            yield Untranslated("too_large", "Bundle.entry")
        for device in resources.of("Device"):
            name, told = name_of(device), declared_by(device)
            if name is not None and told is not None:
                self._devices.learn(name, told)
        yield from self._events(
            Context(
                ingest=self._ingest,
                resources=resources,
                guard=guard_of(resources, self.dropped),
                devices=self._devices,
                received_at=received_at,
                zone=self._zone,
                dropped=self.dropped,
            )
        )

    def _events(self, context: Context) -> Iterator[Translated]:
        """Studies before their results: they are what results are found by."""
        resources = context.resources
        for study in resources.of("ImagingStudy"):
            yield _OF_STU3 if _is_of_stu3(study) else _fhir_study.translated(study, context)
        spoken_for: set[int] = set()
        for report in resources.of("DiagnosticReport"):
            yield from _report(report, spoken_for, context)
        gathering = _fhir_prediction.Gathering()
        for observation in resources.of("Observation"):
            if id(observation) not in spoken_for:
                yield from gathered(_observation(observation, context), gathering)
        yield from gathering.finish()
        if not any(resources.of(*_TAKEN)):
            yield _nothing(resources)


def gathered(
    found: Iterator[Translated], gathering: _fhir_prediction.Gathering
) -> Iterator[Translated]:
    """Predictions wait for others of their study and model; the rest passes."""
    for one in found:
        if isinstance(one, Prediction):
            yield from gathering.add(one)
        else:
            yield one


def _report(report: Tree, spoken_for: set[int], context: Context) -> Iterator[Translated]:
    if _is_of_stu3(report):
        yield _OF_STU3
        return
    if not _fhir_report.is_imaging(report):
        yield Untranslated("not_of_this_kind", "DiagnosticReport.category")
        return
    results = _fhir_report.results_of(report, context)
    if context.resources.looked_n >= _fhir_report.MOST_LOOKED_UP:
        yield Untranslated("too_large", "DiagnosticReport.result")
    if _fhir_report.is_prediction(report, results, context):
        spoken_for.update(map(id, results))
        yield from _fhir_prediction.of_report(report, results, context)
    else:
        # An algorithm's results that a person's report refers to stay the algorithm's.
        spoken_for.update(id(one) for one in results if maker(one, context) is None)
        yield from _fhir_report.translated(report, results, context)


def _observation(observation: Tree, context: Context) -> Iterator[Translated]:
    model = maker(observation, context)
    if model is None:
        yield Untranslated("not_of_this_kind", "Observation.device")
    elif _is_panel(observation):
        yield Untranslated("ignored", "Observation.hasMember")
    else:
        yield from _fhir_prediction.of_observation(observation, model, context)


def _is_of_stu3(resource: Tree) -> bool:
    """Whether it has what only STU3 had: half of it would be read, and nobody told of the rest."""
    if any(name in resource for name in _STU3_ALONE.get(str(resource.get("resourceType")), ())):
        return True
    return any("actor" in one for one in trees(resource, "performer", most=50))


def _is_panel(observation: Tree) -> bool:
    """Whether it only holds others together, which are read themselves."""
    own = any(name == "component" or name.startswith("value") for name in observation)
    return "hasMember" in observation and not own


def _nothing(resources: Resources) -> Untranslated:
    """Why a message has no event: it says nothing to us, or less than we need."""
    if any(resources.of("Device")):
        return Untranslated("ignored", "Device")  # remembered, and no event
    if any(map(_is_notice_only, resources.all)):
        return Untranslated("unsupported", "Bundle.entry.resource")
    if any("resourceType" not in one for one in resources.all):
        return Untranslated("missing_field", "resourceType")
    return Untranslated("ignored", "resourceType")


def _is_notice_only(resource: Tree) -> bool:
    """Whether it tells that something happened (R5, or the backport to R4), and here not what."""
    told = [word(resource, "type")] if resource.get("resourceType") == "SubscriptionStatus" else []
    if resource.get("resourceType") == "Parameters":
        named = trees(resource, "parameter", most=50)
        told = [word(one, "valueCode") for one in named if one.get("name") == "type"]
    return "event-notification" in told
