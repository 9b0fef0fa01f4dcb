"""What a stage is given, in few words: events with their circumstances, in order of arrival."""

from collections.abc import Iterable
from typing import Any

import msgspec
from msgspec import Struct

from schemas.incident import Incident
from schemas.study import Study
from streams.clock import from_us
from streams.fields import Value
from streams.finding import Finding
from streams.outcomes.study_record import StudyFacts
from streams.stage import Happened, Said, Stage
from tests.unit.builders import prediction, study, us

Log = dict[tuple[str, ...], tuple[type[Struct], bytes]]
_MINUTE_S = 60.0


def happened(event: Any, at_s: float, **circumstances: Any) -> Happened:
    """An event that is the first of its kind and counts, of a study that is not known."""
    plain = {
        "at_us": us(at_s),
        "arrived_us": us(at_s),
        "watermark_us": us(at_s) - 60_000_000,
        "fresh": True,
        "counts": True,
        "study": None,
    }
    return Happened(event, **plain | circumstances)


class Watched:
    """A stage that takes an event a minute, and hears when its incidents are over."""

    def __init__(self, stage: Stage) -> None:
        self.stage = stage
        self.said: list[Said] = []
        self.log: Log = {}
        self.n = 0
        self._at_s = 0.0

    def answer(
        self,
        key: str | None = None,
        facts: dict[str, Value] | None = None,
        after_s: float = _MINUTE_S,
        known: bool = True,
        **fields: Any,
    ) -> list[Said]:
        """A model answers a study, by default one that nothing is known of but its being there."""
        circumstances = {n: fields.pop(n) for n in ("fresh", "counts") if n in fields}
        at_s = self._next(after_s)
        event = prediction(key or f"s{self.n}", at_s, **fields)
        if known:
            circumstances["study"] = StudyFacts(us(at_s - 30), facts or {})
        return self.take(happened(event, at_s, **circumstances))

    def study(
        self, key: str | None = None, facts: dict[str, Value] | None = None, **fields: Any
    ) -> list[Said]:
        """A study comes, complete."""
        circumstances = {n: fields.pop(n) for n in ("fresh", "counts") if n in fields}
        at_s = self._next(_MINUTE_S)
        event: Study = study(key or f"s{self.n}", at_s, **fields)
        known = StudyFacts(us(at_s), facts or {})
        return self.take(happened(event, at_s, study=known, **circumstances))

    def take(self, what: Happened) -> list[Said]:
        """Hand it in; an incident that has eased is over at once, as nothing holds it."""
        said = list(self.stage.take(what))
        self.said += said
        for one in said:
            if isinstance(one, Finding) and one.signal in ("eased", "returned"):
                self.stage.over(incident_of(one))
        return said

    def restart(self, make: Any) -> None:
        """Go on with a fresh stage that has read the log of changes backwards."""
        self.checkpoint()
        self.stage = make()
        self.stage.restore(
            msgspec.msgpack.decode(raw, type=kind) for kind, raw in reversed(self.log.values())
        )

    def checkpoint(self) -> None:
        """Write what changed to the log."""
        for kind, key, record in self.stage.changes():
            if record is None:
                self.log.pop((kind, *key), None)
            else:
                written = self.stage.kinds[kind], msgspec.msgpack.encode(record)
                self.log[kind, *key] = written

    def findings(self) -> list[Finding]:
        """All findings so far."""
        return findings(self.said)

    def _next(self, after_s: float) -> float:
        self.n += 1
        self._at_s += after_s
        return self._at_s


def findings(said: Iterable[Said]) -> list[Finding]:
    """Those among what was said."""
    return [one for one in said if isinstance(one, Finding)]


def signals(said: Iterable[Said]) -> list[str]:
    """The findings' signals."""
    return [finding.signal for finding in findings(said)]


def incident_of(finding: Finding) -> Incident:
    """The incident that a finding ends."""
    return Incident(
        incident="1",
        seq=2,
        fingerprint="f",
        kind=finding.kind,
        state="resolved",
        reason="recovered",
        severity=finding.severity,
        site=finding.site,
        title=finding.title,
        opened_at=from_us(finding.at_us),
        last_seen=from_us(finding.at_us),
        at=from_us(finding.at_us),
        evidence=finding.evidence,
        model=finding.model,
        subject=finding.subject,
    )
