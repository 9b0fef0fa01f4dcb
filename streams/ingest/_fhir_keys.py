"""Which study a resource belongs to, and whose: identifiers and references, as keys."""

from collections.abc import Iterator
from typing import NamedTuple

from streams.ingest._fhir_bundle import name_of, short_name, type_of
from streams.ingest._fhir_context import Context
from streams.ingest._fhir_json import Tree, tree_at, trees, word

_UID_SYSTEM = "urn:dicom:uid"
_OID = "urn:oid:"
# Of v2-0203: accession number, and the filler's and placer's order numbers that serve as one.
_ACCESSIONS = ("ACSN", "FILL", "PLAC")
_BY_RESOURCE = "fhir"
"""Issuer of the names of resources: `ImagingStudy/7` leads to a study as its number does."""
_MOST = 20
_STUDY_REFERENCES = ("imagingStudy", "study", "derivedFrom", "partOf", "focus")


class Identifiers(NamedTuple):
    """What names a study: its UID, and its accession numbers, the best first, with issuers."""

    uid: str | None
    accessions: list[tuple[str, str]]


def key_of_study(study: Tree, context: Context) -> str | None:
    """Of an ImagingStudy, which is remembered by all its names."""
    if id(study) not in context.study_keys:
        context.study_keys[id(study)] = _learnt(study, context)
    return context.study_keys[id(study)]


def _learnt(study: Tree, context: Context) -> str | None:
    links = context.ingest.links
    told = _identifiers([*trees(study, "identifier", most=_MOST), *_of_orders(study, context)])
    name = name_of(study)
    if told.uid is None:
        if told.accessions:
            return _by_accession(told, context)
        return links.by_accession(name, _BY_RESOURCE) if name else None
    key = _learn(told, context)
    if name is not None:
        links.learn(told.uid, name, _BY_RESOURCE)
    return key


def key_of_result(resource: Tree, context: Context) -> str | None:
    """The study that a report or observation is about."""
    references = list(trees(resource, *_STUDY_REFERENCES, most=_MOST))
    named = [tree_at(reference, "identifier") for reference in references]
    own = [*trees(resource, "identifier", most=_MOST), *_of_orders(resource, context)]
    told = _identifiers([*named, *own])
    for reference in references:
        key = _key_of_reference(reference, resource, context)
        if key is not None:
            return key
    if told.uid is not None:
        return _learn(told, context)
    if told.accessions:
        return _by_accession(told, context)
    name = next(filter(None, map(_study_name, references)), None)
    return context.ingest.links.by_accession(name, _BY_RESOURCE) if name else None


def key_of_patient(resource: Tree, context: Context) -> str | None:
    """By the reference where it is lasting, else by the number that the patient has."""
    subject = tree_at(resource, "subject")
    person = context.resources.find(subject, resource)
    identifiers = [*trees(person, "identifier", most=_MOST), tree_at(subject, "identifier")]
    name = short_name(word(subject, "reference") or "")
    keys = context.ingest.pseudonyms
    if name is not None:
        return keys.key("patient", name, _BY_RESOURCE)
    for identifier in identifiers:
        value = word(identifier, "value")
        if value is not None:
            return keys.key("patient", value, word(identifier, "system") or "")
    return None


def _key_of_reference(reference: Tree, near: Tree, context: Context) -> str | None:
    """Of a study that is here, or was heard of."""
    found = context.resources.find(reference, near)
    if found.get("resourceType") == "ImagingStudy":
        return key_of_study(found, context)
    if found.get("resourceType") == "ImagingSelection":  # R5
        uid = word(found, "studyUid")
        return context.ingest.links.learn(_bare(uid), None) if uid else None
    name = _study_name(reference)
    return context.ingest.links.find(name, _BY_RESOURCE) if name else None


def _study_name(reference: Tree) -> str | None:
    name = short_name(word(reference, "reference") or "")
    return name if name is not None and name.startswith("ImagingStudy/") else None


def _of_orders(resource: Tree, context: Context) -> Iterator[Tree]:
    for order in trees(resource, "basedOn", most=_MOST):
        yield tree_at(order, "identifier")
        found = context.resources.find(order, resource)
        if type_of(order, found) == "ServiceRequest":
            yield from trees(found, "identifier", most=_MOST)


def _identifiers(identifiers: list[Tree]) -> Identifiers:
    uid: str | None = None
    accessions: list[tuple[int, str, str]] = []
    for identifier in identifiers:
        value, system = word(identifier, "value"), word(identifier, "system") or ""
        if value is None:
            continue
        if system.lower() == _UID_SYSTEM:
            uid = uid or _bare(value)
            continue
        kinds = (word(one, "code") for one in trees(tree_at(identifier, "type"), "coding", most=8))
        accessions += [
            (_ACCESSIONS.index(kind), value, system) for kind in kinds if kind in _ACCESSIONS
        ]
    ranked = sorted(accessions, key=lambda one: one[0])
    return Identifiers(uid, [(value, system) for _, value, system in ranked])


def _learn(told: Identifiers, context: Context) -> str:
    """Under the number alone, as other standards know it, and under number and issuer."""
    assert told.uid is not None
    links = context.ingest.links
    value, system = told.accessions[0] if told.accessions else (None, "")
    key = links.learn(told.uid, value)
    return links.learn(told.uid, value, system) if system else key


def _by_accession(told: Identifiers, context: Context) -> str:
    links = context.ingest.links
    for value, system in told.accessions:
        for issuer in (system, ""):
            known = links.find(value, issuer)
            if known is not None:
                return known
    return links.by_accession(told.accessions[0][0])


def _bare(uid: str) -> str:
    return uid[len(_OID) :] if uid.lower().startswith(_OID) else uid
