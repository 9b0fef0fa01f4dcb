"""Who made a result: a device or algorithm, or a person."""

from streams.ingest._fhir_bundle import short_name, type_of
from streams.ingest._fhir_context import Context
from streams.ingest._fhir_json import Tree, tree_at, trees, word
from streams.ingest._model import Declared, Model, model_of

# v3 ObservationValue: asserted by artificial intelligence, as a security label.
_BY_AI = frozenset({"AIAST", "AIASTSRC"})
_NAMES = ("model-name", "registered-name", "user-friendly-name")
_BEHIND = ("performer", "resultsInterpreter", "author")
_PEOPLE = frozenset({"Practitioner", "PractitionerRole", "Patient", "RelatedPerson"})


def declared_by(device: Tree) -> Declared | None:
    """As a Device tells it: R4's `deviceName`, R5's `name`, else its model number."""
    named = [
        (word(one, "type") or "", word(one, "name") or word(one, "value"))
        for one in trees(device, "deviceName", "name", most=20)
    ]
    ranked = sorted(named, key=lambda one: _NAMES.index(one[0]) if one[0] in _NAMES else 9)
    name = next((name for _, name in ranked if name), None) or word(device, "modelNumber")
    if name is None:
        return None
    versions = (word(one, "value") for one in trees(device, "version", most=20))
    return Declared(name, next(filter(None, versions), None), word(device, "manufacturer"))


def maker(resource: Tree, context: Context) -> Model | None:
    """The algorithm that made an observation or report; None where it was no device."""
    references = [tree_at(resource, "device"), *trees(resource, *_BEHIND, most=20)]
    for reference in references:
        found = context.resources.find(reference, resource)
        if type_of(reference, found) in ("Device", "DeviceMetric") or (
            reference is references[0] and reference
        ):
            told = _model(reference, found, context)
            if told is not None:
                return told
    return None


def is_by_ai(resource: Tree) -> bool:
    """Whether its security label says so."""
    labels = trees(tree_at(resource, "meta"), "security", most=20)
    return any(word(label, "code") in _BY_AI for label in labels)


def is_by_person(resource: Tree, context: Context) -> bool:
    """Whether a person interpreted it."""
    return any(
        type_of(reference, context.resources.find(reference, resource)) in _PEOPLE
        for reference in trees(resource, *_BEHIND, most=20)
    )


def _model(reference: Tree, device: Tree, context: Context) -> Model | None:
    name = short_name(word(reference, "reference") or "")
    told = declared_by(device)
    if told is None and name is not None:
        told = context.devices.find(name) or Declared(name.partition("/")[2], None, None)
    return None if told is None else model_of(told, context.ingest.models, context.guard)
