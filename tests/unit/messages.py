"""Messages to send, as JSON texts: good ones, and the same with something changed."""

import json
from typing import Any

AT = "2026-03-01T06:30:00Z"
STUDY: dict[str, Any] = {
    "type": "radvigil.study.v1",
    "site": "north",
    "study": "s-1",
    "at": AT,
    "modality": "DX",
}
PREDICTION: dict[str, Any] = {
    "type": "radvigil.prediction.v1",
    "site": "north",
    "study": "s-1",
    "model": "ptx",
    "model_version": "1",
    "status": "completed",
    "at": AT,
    "outputs": [{"finding": "pneumothorax", "score": 0.5}],
}
REPORT: dict[str, Any] = {
    "type": "radvigil.report.v1",
    "site": "north",
    "study": "s-1",
    "report": "r-1",
    "status": "final",
    "at": AT,
}
COMMAND: dict[str, Any] = {
    "type": "radvigil.command.v1",
    "site": "north",
    "command_id": "c-1",
    "action": "note",
    "actor": "ada",
    "at": AT,
    "incident": "i-1",
}
EVENTS = (STUDY, PREDICTION, REPORT, COMMAND)


def text(base: dict[str, Any], **changes: Any) -> bytes:
    """A message with some fields changed or added."""
    return json.dumps({**base, **changes}).encode()


def study(**changes: Any) -> bytes:
    return text(STUDY, **changes)


def without(base: dict[str, Any], *names: str) -> bytes:
    return json.dumps({key: value for key, value in base.items() if key not in names}).encode()


def raw(more: bytes) -> bytes:
    """A study with JSON text at its end that `json.dumps` would not write."""
    return study()[:-1] + b"," + more + b"}"


def outputs(*more: dict[str, Any]) -> bytes:
    """A prediction with more outputs after a good one."""
    return text(PREDICTION, outputs=[{"finding": "a", "score": 0.5}, *more])
