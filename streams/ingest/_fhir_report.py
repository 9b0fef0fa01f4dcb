"""DiagnosticReport by a person: its status, and its findings by code and by the labeller."""

from collections.abc import Iterator

from schemas.report import Label, Report
from streams.ingest._contract import Translated, Untranslated
from streams.ingest._fhir_bundle import name_of, short_name
from streams.ingest._fhir_codes import REPORT_STATUSES, codings
from streams.ingest._fhir_codes import meaning as meaning_of
from streams.ingest._fhir_context import Context
from streams.ingest._fhir_device import is_by_ai, is_by_person, maker
from streams.ingest._fhir_json import Tree, tree_at, trees, word
from streams.ingest._fhir_keys import key_of_result
from streams.ingest._fhir_output import Outputs
from streams.ingest._fhir_text import text_of
from streams.ingest._labels import together

CONCLUSION = "DiagnosticReport.conclusionCode"
MOST_LOOKED_UP = 10_000
_V2_SECTIONS = "v2-0074"
# Of table 0074, where imaging is reported; and SNOMED's and LOINC's radiology.
_IMAGING = frozenset(
    {"RAD", "IMG", "RUS", "CT", "NMR", "NMS", "CUS", "VUS", "XRC", "RX", "OUS"}
    | {"394914008", "363679005", "LP29684-5"}
)


def is_imaging(report: Tree) -> bool:
    """Whether it may be one of radiology: a category says so, or there is none that we know."""
    told = [c for category in trees(report, "category", most=20) for c in codings(category)]
    sections = [c for c in told if _V2_SECTIONS in c.system or c.scheme in ("SCT", "LN")]
    return not sections or any(c.code in _IMAGING for c in sections)


def results_of(report: Tree, context: Context) -> list[Tree]:
    """The observations of a report that came with it, and their members, each once.

    One observation can be named by any number of reports: all look-ups of a message are bounded.
    """
    found: dict[int, Tree] = {}
    pending = [(reference, report) for reference in trees(report, "result")]
    for reference, near in pending:
        if context.resources.looked_n >= MOST_LOOKED_UP:
            break
        context.resources.looked_n += 1
        one = context.resources.find(reference, near)
        if one.get("resourceType") == "Observation" and id(one) not in found:
            found[id(one)] = one
            pending += [(member, one) for member in trees(one, "hasMember") if near is report]
    return list(found.values())


def is_prediction(report: Tree, results: list[Tree], context: Context) -> bool:
    """Whether an algorithm made it: it says so, or all its results do and no person signed it."""
    if is_by_ai(report) or maker(report, context) is not None:
        return True
    if is_by_person(report, context) or not results:
        return False
    return all(maker(one, context) is not None for one in results)


def translated(report: Tree, results: list[Tree], context: Context) -> Iterator[Translated]:
    """The report, and codes that nobody has mapped; or why there is none."""
    status = word(report, "status")
    if status not in REPORT_STATUSES:
        yield Untranslated("unsupported" if status else "missing_field", "DiagnosticReport.status")
        return
    keys_told = (key_of_result(one, context) for one in (report, *results))
    study = next(filter(None, keys_told), None)
    if study is None:
        yield Untranslated("missing_field", "DiagnosticReport.imagingStudy")
        return
    labels: dict[str, Label] = {}
    read: list[Label] = []
    yield from _coded(report, results, labels, context)
    if context.ingest.labels is not None:
        text, unread = text_of(report, results)
        yield from unread
        read = context.ingest.labels.label(text)
    keys = context.ingest.pseudonyms
    version = word(tree_at(report, "meta"), "versionId") or ""
    yield Report(
        site=context.ingest.site,
        study=study,
        report=keys.key("report", _number(report) or study),
        status=REPORT_STATUSES[status],
        at=context.at(report, "issued"),
        version=int(version) if _is_count(version) and context.guard.passes(version) else None,
        reader=_reader(report, context),
        labels=together(labels, read),
    )


def _coded(
    report: Tree, results: list[Tree], labels: dict[str, Label], context: Context
) -> Iterator[Untranslated]:
    """Labels of coded conclusions and results; an algorithm's results are not the reader's."""
    for finding, positive in conclusions(report, context):
        if isinstance(finding, Untranslated):
            yield finding
        else:
            labels[finding] = Label(finding=finding, value="present" if positive else "absent")
    outputs = Outputs(context)
    for one in results:
        if maker(one, context) is None and "valueString" not in one:
            yield from outputs.take(one)
    for output in outputs.all():
        if output.positive is not None:
            value = "present" if output.positive else "absent"
            labels.setdefault(output.finding, Label(finding=output.finding, value=value))  # type: ignore[arg-type]


def conclusions(report: Tree, context: Context) -> Iterator[tuple[str | Untranslated, bool]]:
    """The findings of its conclusion codes, and whether they are there."""
    for concept in trees(report, "conclusionCode", most=64):
        meaning = meaning_of(context.ingest.codes, [concept], CONCLUSION)
        if meaning.finding is not None:
            yield meaning.finding, meaning.means != "negative"
        elif meaning.codings and meaning.means != "ignored":
            yield meaning.unknown, False


def _number(report: Tree) -> str | None:
    identifiers = (word(one, "value") for one in trees(report, "identifier", most=20))
    return name_of(report) or next(filter(None, identifiers), None)


def _reader(report: Tree, context: Context) -> str | None:
    for reference in trees(report, "resultsInterpreter", "performer", most=20):
        name = short_name(word(reference, "reference") or "")
        number = name or word(tree_at(reference, "identifier"), "value")
        if number is not None and not number.startswith("Organization/"):
            return context.ingest.pseudonyms.short("reader", number)
    return None


def _is_count(written: str) -> bool:
    return written.isascii() and written.isdigit() and len(written) < 16 and int(written) > 0
