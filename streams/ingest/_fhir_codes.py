"""FHIR's words and systems as ours; what a code means is in streams/ingest/_codes.py."""

from collections.abc import Iterable

from schemas.ingest import Codes
from schemas.report import ReportStatus
from schemas.study import StudyState
from streams.ingest._codes import Coding, Meaning, is_known
from streams.ingest._fhir_json import Tree, trees, word

__all__ = ["REPORT_STATUSES", "SCHEMES", "STUDY_STATES", "codings", "is_known", "meaning"]

# R4, and `modified` of R5; `unknown` means nothing to us.
REPORT_STATUSES: dict[str, ReportStatus] = {
    "registered": "registered",
    "partial": "partial",
    "preliminary": "preliminary",
    "modified": "preliminary",  # R5: changed before it was final
    "final": "final",
    "corrected": "corrected",
    "amended": "amended",
    "appended": "appended",
    "cancelled": "cancelled",
    "entered-in-error": "entered_in_error",
}
STUDY_STATES: dict[str, StudyState] = {
    "registered": "received",
    "available": "complete",  # FHIR has no word for "all of it is here"
    "cancelled": "cancelled",
    "entered-in-error": "cancelled",
}
SCHEMES = {
    "http://snomed.info/sct": "SCT",
    "http://loinc.org": "LN",
    "http://dicom.nema.org/resources/ontology/DCM": "DCM",
    "http://radlex.org": "RADLEX",
    "http://www.radlex.org": "RADLEX",
    "http://www.ama-assn.org/go/cpt": "CPT",
    "http://hl7.org/fhir/sid/icd-10": "I10",
    "http://hl7.org/fhir/sid/icd-10-cm": "I10C",
}
_MOST_CODINGS = 16


def meaning(codes: Codes, concepts: Iterable[Tree], where: str) -> Meaning:
    """What the codings of the concepts, taken together, mean here."""
    return Meaning(codes, [coding for concept in concepts for coding in codings(concept)], where)


def codings(concept: Tree) -> list[Coding]:
    """Of a CodeableConcept, of R5's CodeableReference, or of a bare Coding."""
    inner = concept.get("concept")
    if isinstance(inner, dict):
        concept = inner
    listed = list(trees(concept, "coding", most=_MOST_CODINGS))
    found = []
    for coding in listed or [concept]:
        system, code = word(coding, "system") or "", word(coding, "code")
        if code is not None:
            found.append(Coding(SCHEMES.get(system.rstrip("/"), system), code, system))
    return found
