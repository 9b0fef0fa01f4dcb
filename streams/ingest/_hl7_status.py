"""How far a report of HL7 v2 is: tables 0123 and 0085, in FHIR's words."""

from collections.abc import Sequence

from schemas.report import ReportStatus
from streams.ingest._hl7_message import Segment

# Table 0123 (OBR-25), as v2-to-FHIR maps it; R is stored and not verified: nobody has read it yet.
_OF_REQUEST: dict[str, ReportStatus] = {
    "O": "registered",
    "I": "registered",
    "S": "registered",
    "N": "registered",
    "A": "partial",
    "R": "partial",
    "P": "preliminary",
    "M": "preliminary",  # corrected, not final
    "F": "final",
    "C": "corrected",
    "X": "cancelled",
}
# Table 0085 (OBX-11), where the same letters mean other things.
_OF_OBSERVATION: dict[str, ReportStatus] = {
    "O": "registered",
    "I": "registered",
    "S": "partial",
    "R": "partial",
    "P": "preliminary",
    "F": "final",
    "U": "final",  # became final, and is not sent again
    "C": "corrected",
    "X": "cancelled",
}
_WITHDRAWN = frozenset({"W", "D"})  # wrong, as for another patient; deleted


def is_withdrawn(observation: Segment) -> bool:
    """Whether what stands there is said no more."""
    return observation.text(11) in _WITHDRAWN


def status_of(request: Segment, observations: Sequence[Segment]) -> ReportStatus | None:
    """OBR-25; of older senders the observations' own. All of it withdrawn is an error of ours."""
    standing = [one for one in observations if not is_withdrawn(one)]
    if observations and not standing:
        return "entered_in_error"
    written = request.text(25)
    if written or not standing:
        return _OF_REQUEST.get(written)
    return _OF_OBSERVATION.get(standing[0].text(11))
