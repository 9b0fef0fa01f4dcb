"""Incidents, and all that they told; findings and commands come at their own time."""

from typing import Any

import msgspec

from schemas.command import Command
from schemas.config import Bounds, Config
from schemas.incident import Incident
from schemas.incident_settings import IncidentSettings
from streams.finding import Finding
from streams.incidents.commands import Answer
from streams.incidents.stage import Case, Incidents
from tests.unit.builders import finding, seconds, us


class Desk:
    """By default without a reopen window: what comes after the end is a new episode."""

    def __init__(self, closed_s: float = 1e6, **settings: Any) -> None:
        self.config = Config(
            bounds=Bounds(closed_s=closed_s),
            incidents=IncidentSettings(**{"reopen_s": 0} | settings),
        )
        self.incidents = Incidents(self.config)
        self.told: list[Incident] = []
        self.answers: list[Answer] = []
        self.log: dict[str, bytes] = {}

    def hears(self, *events: Finding | Command) -> list[Incident]:
        told: list[Incident] = []
        for event in events:
            if isinstance(event, Finding):
                told += self.incidents.finding(event)
            else:
                self.answers.append(self.incidents.answer(event, us(seconds(event.at))))
                told += self.answers[-1].told
        self.told += told
        return told

    def asks(self, command: Command) -> Answer:
        """What becomes of a command."""
        self.hears(command)
        return self.answers[-1]

    def waits(self, until_s: float) -> list[Incident]:
        told = self.incidents.tick(us(until_s))
        self.told += told
        return told

    def hears_of(self, site: str, at_s: float) -> list[Incident]:
        """Some event of the site comes, and time is proved until then."""
        told = [*self.incidents.tick(us(at_s)), *self.incidents.heard(site, us(at_s))]
        self.told += told
        return told

    def restarted(self) -> "Desk":
        """The same after a checkpoint and a restart, which reads the log backwards."""
        other = Desk()
        other.config = self.config
        other.told, other.answers = list(self.told), list(self.answers)
        for case in self.incidents.changes():
            raw = self.log[case.fingerprint] = msgspec.msgpack.encode(case)
            assert msgspec.msgpack.encode(msgspec.msgpack.decode(raw, type=Case)) == raw
        other.log = dict(self.log)
        other.incidents = Incidents(self.config)
        written = reversed(list(self.log.values()))
        other.incidents.restore(msgspec.msgpack.decode(raw, type=Case) for raw in written)
        return other


def first() -> str:
    """The id of the first episode at north of ptx's missing outputs."""
    return Desk().hears(finding("holds", 0))[0].incident
