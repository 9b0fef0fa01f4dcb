"""Outcomes to tell, settings of every kind, and receivers that remember what they were told."""

import json
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

import hl7
from fhir.resources.R4B.task import Task as TaskR4
from fhir.resources.task import Task as TaskR5

from schemas.outcome import Outcome
from schemas.worklist import FhirWorklist, Hl7Worklist, Worklist
from streams.clock import to_us
from streams.notifiers import Answer, Request
from streams.worklist import Named

DUE = datetime(2026, 1, 5, 8, 30, tzinfo=UTC)
NOW_US = to_us(DUE + timedelta(minutes=2))
STUDY = Named("1.2.826.0.1.3680043.999.1", "A17", "RIS")
KEY = "h1:" + "0e75" * 16
FHIR = FhirWorklist(name="fhir", url="https://fhir.hospital.example/r4/")
HL7 = Hl7Worklist(name="ris", host="ris.hospital.example", port=2575)
WORKLISTS: dict[str, Worklist] = {"fhir": FHIR, "hl7": HL7}
KINDS_OF_OUTCOME = (
    "on_time",
    "late",
    "missing",
    "failed",
    "incomplete",
    "rejected",
    "not_applicable",
    "cancelled",
)


def outcome(kind: str = "missing", **fields: Any) -> Outcome:
    given = {
        "site": "north",
        "study": KEY,
        "model": "ptx",
        "due": DUE,
        "at": DUE if kind == "missing" else DUE + timedelta(seconds=90),
        "revision": 1,
    }
    return Outcome(outcome=kind, **(given | fields))  # type: ignore[arg-type]


class FhirServer:
    """Conditional updates and updates as create, as FHIR's http.html says; R4 and R5 check them."""

    def __init__(self) -> None:
        self.tasks: dict[str, dict[str, Any]] = {}
        self.writes: list[dict[str, Any]] = []

    def handle(self, request: Request) -> Answer:
        assert request.method == "PUT"
        told = json.loads(request.body)
        TaskR4.model_validate_json(request.body)
        TaskR5.model_validate_json(request.body)
        address = urlsplit(request.url)
        if address.query:
            (wanted,) = parse_qs(address.query)["identifier"]
            found = [id for id, task in self.tasks.items() if wanted in _identifiers(task)]
            assert wanted in _identifiers(told)
            if len(found) > 1:
                return Answer(412)
            id = found[0] if found else f"server-{len(self.tasks)}"
        else:
            id = unquote(address.path.rpartition("/")[2])
            assert told["id"] == id
        status = 200 if id in self.tasks else 201
        self.tasks[id] = told
        self.writes.append(told)
        return Answer(status)

    def told(self) -> dict[str, tuple[str, int]]:
        """Of each study the outcome that stands there, and how many Tasks it has."""
        found: dict[str, tuple[str, int]] = {}
        for task in self.tasks.values():
            study = task["focus"]["identifier"]["value"]
            outcome = task["businessStatus"]["coding"][0]["code"]
            found[study] = outcome, found.get(study, ("", 0))[1] + 1
        return found


class Hl7Server:
    """Takes messages that the `hl7` package can read, and knows repeats by their control id."""

    def __init__(self) -> None:
        self.messages: dict[str, hl7.Message] = {}
        self.writes: list[hl7.Message] = []

    def handle(self, request: Request) -> Answer:
        return Answer(0, {}, self.acknowledge(request.body))

    def acknowledge(self, content: bytes, code: str = "AA") -> bytes:
        message = hl7.parse(content.decode())
        self.writes.append(message)
        control_id = str(message.segment("MSH")[10])
        if code == "AA":
            self.messages.setdefault(control_id, message)
        return f"MSH|^~\\&|RIS|||||ACK|1|P|2.5.1\rMSA|{code}|{control_id}\r".encode()

    def told(self) -> dict[str, tuple[str, int]]:
        found: dict[str, tuple[str, int]] = {}
        for message in self.messages.values():
            study = str(message.segment("OBR")[18])
            found[study] = str(message.segment("OBX")[5][0][0]), found.get(study, ("", 0))[1] + 1
        return found


SERVERS: dict[str, type[FhirServer] | type[Hl7Server]] = {"fhir": FhirServer, "hl7": Hl7Server}


def _identifiers(task: dict[str, Any]) -> set[str]:
    return {f"{one['system']}|{one['value']}" for one in task["identifier"]}
