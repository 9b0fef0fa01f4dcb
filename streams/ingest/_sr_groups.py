"""TID 1500 (Measurement Report): each measurement group is a finding with what was measured of it.

A group with a finding is a call, unless it says that the finding is absent or gives a probability,
which is then left to the reader's threshold.
"""

import re
from collections.abc import Iterator
from typing import NamedTuple

from streams.ingest._codes import Meaning
from streams.ingest._contract import Translated, Untranslated
from streams.ingest._model import Model
from streams.ingest._sr_context import Context
from streams.ingest._sr_model import algorithm, document_maker, is_by_person
from streams.ingest._sr_outputs import Outputs, as_score
from streams.ingest._sr_tree import Concept, Item

GROUP, FINDING = "125007", "121071"
TITLES = ("126000", "126001", "126002", "126003")
COUNT = "findings_n"
_WHERE, _MAKER = "SR/125007", "SR/111001"
_UNIT = re.compile(r"[A-Za-z0-9%/\[\]{}.*^'\-]{1,24}")
_EVALUATIONS = ("UMLS", "C0034375")  # Qualitative Evaluations, beside the groups
_MEASURES = {
    ("SCT", "81827009"): "diameter",
    ("SCT", "103339001"): "long_axis",
    ("SCT", "103340004"): "short_axis",
    ("SCT", "410668003"): "length",
    ("SCT", "42798000"): "area",
    ("SCT", "118565006"): "volume",
}
_PRESENCE = frozenset({("SCT", "705057003"), ("SCT", "408729009")})
# What describes a finding and is none: category, site, laterality, method; normality, significance.
_DESCRIBES = frozenset(
    {("SCT", code) for code in ("276214006", "363698007", "272741003", "370129005")}
    | {("DCM", code) for code in ("121402", "121403")}
)


class _Said(NamedTuple):
    """Whose outputs a group's are, and which finding it is about."""

    outputs: Outputs
    subject: str | None


def is_measurement_report(document: Item) -> bool:
    """By its title, or by having groups at all."""
    return document.has(*TITLES) or any(item.has(GROUP) for item in document.walk())


def predictions(document: Item, context: Context) -> Iterator[Translated]:
    """One for each algorithm; what is not mapped is named."""
    maker = document_maker(document, context.header, context.ingest.models)
    study = context.study()
    if maker is None:
        by_person = Untranslated("ignored", "SR/121005")
        yield by_person if is_by_person(document) else Untranslated("missing_field", _MAKER)
    elif study is None:
        yield Untranslated("missing_field", "(0020,000D)")
    else:
        for model, outputs in _by_model(document, context.model(maker), context).items():
            yield context.prediction(study, model, outputs.all())
        yield from context.noted()


def _by_model(document: Item, default: Model | None, context: Context) -> dict[Model, Outputs]:
    """What each algorithm said; without any group the default one said that there is nothing."""
    told: dict[Model, Outputs] = {}
    groups = [item for item in document.walk() if item.has(GROUP) or _is(item, _EVALUATIONS)]
    for group in groups or [document]:
        model = _algorithm_in(group, context) or default
        if model is None:
            context.missing(_MAKER)
            continue
        outputs = told.setdefault(model, Outputs())
        outputs.count(COUNT, group.has(GROUP))
        if groups:
            _read(group, outputs, context)
    return told


def _algorithm_in(group: Item, context: Context) -> Model | None:
    """The group's own, else that of one of its measurements."""
    found = next(filter(None, map(algorithm, group.walk())), None)
    return None if found is None else context.model(found)


def _read(group: Item, outputs: Outputs, context: Context) -> None:
    findings = [
        context.meaning(item.code, f"{_WHERE}/{FINDING}")
        for item in group.named(FINDING)
        if item.value_type == "CODE"
    ]
    if any(meaning.means == "ignored" for meaning in findings):
        return
    for meaning in findings:
        if meaning.finding is None:
            context.unknown(meaning, f"{_WHERE}/{FINDING}")
    known = next((meaning for meaning in findings if meaning.finding is not None), None)
    said = _Said(outputs, None if known is None else known.finding)
    is_scored = [
        _measured(item, said, context) for item in group.walk() if item.value_type == "NUM"
    ]
    calls = [_evaluated(item, said, context) for item in group.children if _is_evaluation(item)]
    if known is None or known.finding is None:
        return
    call = next((call for call in calls if call is not None), None)
    if call is None and not any(is_scored):
        call = True
    if call is not None:
        outputs.call(known.finding, call != (known.means == "negative"))


def _measured(item: Item, said: _Said, context: Context) -> bool:
    """Take a number; whether it is a score of the group's finding."""
    meaning = context.meaning(item.concept, _WHERE)
    number = item.number
    if meaning.means == "ignored" or (meaning.is_probability and said.subject is None):
        return False
    name = _name(meaning, said.subject)
    if name is None:
        if said.subject is not None or _measure(item.concept) is None:
            context.unknown(meaning, _WHERE)
        return False
    if number is None:
        context.bad(f"{_WHERE}/NumericValue")
        return False
    if not (meaning.is_probability or meaning.means == "score"):
        unit = item.unit
        passed = context.guard.passes(unit) if unit and _UNIT.fullmatch(unit) else None
        said.outputs.value(name, number, passed)
        return False
    score = as_score(number, item.unit)
    if score is None:
        context.bad(f"{_WHERE}/NumericValue")
        return False
    said.outputs.score(name, score)
    return name == said.subject


def _name(meaning: Meaning, subject: str | None) -> str | None:
    """The finding that a number is told of."""
    if meaning.finding is not None:
        return meaning.finding
    if subject is None:
        return None
    if meaning.is_probability or meaning.means in ("score", "value"):
        return subject
    measure = _measure(tuple(meaning.codings))
    return None if measure is None else f"{subject}.{measure}"


def _measure(concept: Concept) -> str | None:
    return next((_MEASURES[c.pair] for c in concept if c.pair in _MEASURES), None)


def _is_evaluation(item: Item) -> bool:
    """A statement of the group, not the context in which it is made."""
    is_content = item.relationship in ("CONTAINS", "HAS PROPERTIES", "")
    return item.value_type == "CODE" and is_content and not item.has(FINDING)


def _evaluated(item: Item, said: _Said, context: Context) -> bool | None:
    """Take a coded answer; the call, where it is about the group's finding."""
    asked = context.meaning(item.concept, _WHERE)
    answer = context.meaning(item.code, _WHERE)
    if asked.means == "ignored" or answer.means == "ignored":
        return None
    if asked.finding is not None and answer.call is not None:
        said.outputs.call(asked.finding, answer.call != (asked.means == "negative"))
    elif answer.finding is not None:
        said.outputs.call(answer.finding, answer.means != "negative")
    elif answer.call is not None and any(c.pair in _PRESENCE for c in item.concept):
        return answer.call
    elif not any(c.pair in _DESCRIBES for c in item.concept):
        context.unknown(asked, _WHERE)
    return None


def _is(item: Item, pair: tuple[str, str]) -> bool:
    return any(coding.pair == pair for coding in item.concept)
