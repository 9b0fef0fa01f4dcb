"""A notice as an HL7 v2.5.1 ORU^R01, and what its acknowledgement means (chapters 2 and 7).

It names no person: there is no PID. The control id (MSH-10) is that of the study, model and
revision, so that a receiver which remembers ids takes a repeat for one. The order that is
reported on is ours (OBR-3); the study stands in OBR-2 and OBR-18 (accession number) and in ZDS and
an OBX (Study Instance UID). OBR-25 says X where no result will come: it is never the
radiologist's report, and OBR-4 names the model.
"""

from datetime import UTC, datetime

from schemas.outcome import OutcomeKind
from schemas.worklist import Hl7Worklist
from streams.notifiers import Answer, Refused, Request, Result, Retry, Secrets, Sent
from streams.worklist._contract import Notice
from streams.worklist._words import SAID, sentence

SECRETS: tuple[str, ...] = ()
# Table 0123, and table 0085 for the observations.
STATUSES: dict[OutcomeKind, tuple[str, str]] = {
    "on_time": ("F", "F"),
    "late": ("F", "F"),
    "missing": ("X", "X"),
    "failed": ("X", "X"),
    "incomplete": ("A", "P"),
    "rejected": ("X", "X"),
    "not_applicable": ("X", "X"),
    "cancelled": ("X", "X"),
}
_ESCAPES = {"\\": "\\E\\", "|": "\\F\\", "^": "\\S\\", "~": "\\R\\", "&": "\\T\\"}
_TAKEN = frozenset({"AA", "CA"})
_AGAIN = frozenset({"AE", "CE"})


def render(settings: Hl7Worklist, notice: Notice) -> Request:
    """One message, in UTF-8 as MSH-18 says, without the frame."""
    told, study = notice.outcome, notice.study
    status, observed = STATUSES[told.outcome]
    model, at = plain(told.model), _stamp(told.at)
    accession = plain(study.accession or told.study)
    issued = f"{accession}^{plain(study.issuer)}" if study.issuer else accession
    service = f"{model}^AI result of {model}^99RADVIGIL"
    segments = [
        f"MSH|^~\\&|{plain(settings.sender)}|{told.site}|{plain(settings.application)}|"
        f"{plain(settings.facility)}|{at}||ORU^R01^ORU_R01|{control_id(notice)}|"
        f"{settings.processing}|2.5.1||||||UNICODE UTF-8",
        f"OBR|1|{issued}|{notice.id.hex}^RADVIGIL|{service}|||{at}|||||||||||{accession}||||"
        f"{at}|||{status}||^^^^{_stamp(told.due)}",
        f"OBX|1|CWE|OUTCOME^Outcome of the AI result^99RADVIGIL||"
        f"{told.outcome}^{plain(SAID[told.outcome])}^99RADVIGIL||||||{observed}|||{at}",
        f"OBX|2|TX|TEXT^In words^99RADVIGIL||{plain(sentence(told))}||||||{observed}|||{at}",
        f"OBX|3|NM|REVISION^Revision^99RADVIGIL||{told.revision}||||||{observed}|||{at}",
        f"OBX|4|ST|KEY^Key of the study^99RADVIGIL||{plain(told.study)}||||||{observed}|||{at}",
    ]
    if study.uid:
        uid = plain(study.uid)
        segments.append(
            f"OBX|5|ST|113014^DICOM Study^DCM||{uid}||||||{observed}|||{at}",
        )
        segments.append(f"ZDS|{uid}^RADVIGIL^Application^DICOM")
    content = "".join(f"{segment}\r" for segment in segments).encode()
    refs = {"control_id": control_id(notice)}
    return Request("MLLP", f"{settings.host}:{settings.port}", {}, content, "oru", refs=refs)


def control_id(notice: Notice) -> str:
    """MSH-10 has room for 20 letters."""
    return notice.revision_id.hex[:20].upper()


def answers(request: Request, frame: bytes) -> bool:
    """Whether an acknowledgement is for this message: MSA-2 repeats MSH-10."""
    return _acknowledged(frame)[1] == request.refs["control_id"]


def read(request: Request, answer: Answer) -> Result:
    """AE and CE: perhaps another time. AR, CR and what is no acknowledgement: never."""
    code, _ = _acknowledged(answer.body)
    if code in _TAKEN:
        return Sent()
    if code in _AGAIN:
        return Retry(f"hl7_{code}")
    return Refused(f"hl7_{code}" if code in ("AR", "CR") else "hl7_no_acknowledgement")


def seal(request: Request, secrets: Secrets) -> Request:
    """MLLP has no secrets; TLS is the transport's."""
    return request


def plain(text: str) -> str:
    """Escaped (chapter 2.7), without what would end a segment."""
    return "".join(_ESCAPES.get(letter, letter) for letter in text if letter.isprintable())


def _acknowledged(frame: bytes) -> tuple[str, str]:
    """MSA-1 and MSA-2; empty where there is none."""
    for line in frame.replace(b"\n", b"\r").split(b"\r"):
        if line.startswith(b"MSA") and len(line) > 4:
            fields = line.decode("utf-8", "replace").split(chr(line[3]))
            return fields[1].strip(), fields[2].strip() if len(fields) > 2 else ""
    return "", ""


def _stamp(at: datetime) -> str:
    return at.astimezone(UTC).strftime("%Y%m%d%H%M%S") + "+0000"
