"""A Task for each study and model, on a FHIR server of R4 or R5 (hl7.org/fhir/task.html).

A conditional update by identifier (hl7.org/fhir/http.html#cond-update): the first notice creates
the Task, the next one and every repeat write the same one. Where two first ones overtake each
other, a server may keep both and answers 412 from then on; `chooses_ids` closes that gap.
"""

from base64 import b64encode
from datetime import UTC, datetime
from urllib.parse import quote

from schemas.outcome import OutcomeKind
from schemas.worklist import FhirWorklist
from streams.notifiers import Answer, Request, Result, Secrets
from streams.notifiers._http import encode, read_status
from streams.worklist._contract import Notice
from streams.worklist._words import SAID, sentence

SECRETS = ("user", "token")
SYSTEM = "urn:radvigil:task"
OUTCOMES = "urn:radvigil:outcome"
MODELS = "urn:radvigil:model"
STATUSES: dict[OutcomeKind, str] = {
    "on_time": "completed",
    "late": "completed",
    "missing": "failed",
    "failed": "failed",
    "incomplete": "completed",
    "rejected": "rejected",
    "not_applicable": "rejected",
    "cancelled": "cancelled",
}
_JSON = {"Content-Type": "application/fhir+json", "Accept": "application/fhir+json"}


def render(settings: FhirWorklist, notice: Notice) -> Request:
    """PUT of the whole Task. Nothing of it differs between R4 and R5."""
    base, own = settings.url.rstrip("/"), str(notice.id)
    query = f"Task?identifier={quote(f'{SYSTEM}|{own}', safe='')}"
    url = f"{base}/Task/{own}" if settings.chooses_ids else f"{base}/{query}"
    return Request("PUT", url, _JSON, encode(task(settings, notice)), step="task")


def task(settings: FhirWorklist, notice: Notice) -> dict[str, object]:
    """The resource."""
    told = notice.outcome
    identifiers = [{"system": SYSTEM, "value": str(notice.id)}]
    return {
        "resourceType": "Task",
        **({"id": str(notice.id)} if settings.chooses_ids else {}),
        "identifier": identifiers,
        "status": STATUSES[told.outcome],
        "businessStatus": {
            "coding": [{"system": OUTCOMES, "code": told.outcome}],
            "text": SAID[told.outcome],
        },
        "intent": "order",
        "code": {
            "coding": [{"system": MODELS, "code": told.model}],
            "text": f"AI result of {told.model}",
        },
        "description": sentence(told),
        "focus": {"type": "ImagingStudy", "identifier": _study(settings, notice)},
        "lastModified": _instant(told.at),
        "requester": {"display": "radvigil"},
        "restriction": {"period": {"end": _instant(told.due)}},
        "input": [
            *_inputs(settings, notice),
            {"type": {"text": "revision"}, "valuePositiveInt": told.revision},
        ],
    }


def _study(settings: FhirWorklist, notice: Notice) -> dict[str, object]:
    """As DICOM names it where that is known; else our key, under its own system."""
    if notice.study.uid:
        return {"system": "urn:dicom:uid", "value": f"urn:oid:{notice.study.uid}"}
    if notice.study.accession:
        return _accession(notice)
    return {"system": settings.key_system, "value": notice.outcome.study}


def _inputs(settings: FhirWorklist, notice: Notice) -> list[dict[str, object]]:
    key = {"system": settings.key_system, "value": notice.outcome.study}
    found: list[dict[str, object]] = [
        {"type": {"text": "study key"}, "valueIdentifier": key},
    ]
    if notice.study.accession:
        found.append({"type": {"text": "accession"}, "valueIdentifier": _accession(notice)})
    return found


def _accession(notice: Notice) -> dict[str, object]:
    kind = {"system": "http://terminology.hl7.org/CodeSystem/v2-0203", "code": "ACSN"}
    told: dict[str, object] = {"type": {"coding": [kind]}, "value": notice.study.accession}
    if notice.study.issuer:
        told["assigner"] = {"display": notice.study.issuer}
    return told


def read(request: Request, answer: Answer) -> Result:
    """By the status; 409 and 423 are two writers at once, and pass."""
    if answer.status in (409, 423):
        return read_status(request, Answer(503, answer.headers, b""))
    return read_status(request, answer)


def seal(request: Request, secrets: Secrets) -> Request:
    """With a user basic, else bearer; nothing where there is no token."""
    if "token" not in secrets:
        return request
    if "user" in secrets:
        pair = f"{secrets['user']}:{secrets['token']}".encode()
        told = f"Basic {b64encode(pair).decode()}"
    else:
        told = f"Bearer {secrets['token']}"
    return request._replace(headers={**request.headers, "Authorization": told})


def _instant(at: datetime) -> str:
    return at.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
