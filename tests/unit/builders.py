"""Events, findings and a shard in few words. Times are seconds after START."""

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from typing import Any

from schemas.command import Command
from schemas.config import Config, Model, Outage, Watch
from schemas.incident import Incident
from schemas.messages import Effect, Event
from schemas.outcome import Outcome
from schemas.prediction import Output, Prediction
from schemas.report import Label, Report
from schemas.series import SeriesPoint
from schemas.study import Study
from streams.clock import to_us
from streams.finding import Finding
from streams.pipeline import Pipeline

START = datetime(2026, 1, 5, tzinfo=UTC)
START_US = to_us(START)
LATENESS_S = 60.0
NOTHING_WATCHED = Watch(exclude=("*",))


def at(seconds: float) -> datetime:
    """The moment so many seconds after START."""
    return START + timedelta(seconds=seconds)


def us(seconds: float) -> int:
    """The same moment as the core counts it."""
    return to_us(at(seconds))


def seconds(moment: datetime | int) -> float:
    """How many seconds after START a moment is."""
    return ((moment if isinstance(moment, int) else to_us(moment)) - START_US) / 1e6


def study(key: str = "a", at_s: float = 0, **fields: Any) -> Study:
    """An upsert of a study; by default a complete one that every rule matches."""
    return Study(**{"site": "north", "study": key, "at": at(at_s), "modality": "DX"} | fields)


def prediction(key: str = "a", at_s: float = 0, **fields: Any) -> Prediction:
    """A model's answer; by default completed, with one score."""
    status = fields.get("status", "completed")
    outputs = [Output(finding="pneumothorax", score=0.5)] if status == "completed" else None
    plain = {
        "site": "north",
        "study": key,
        "model": "ptx",
        "model_version": "1",
        "status": status,
        "at": at(at_s),
        "outputs": outputs,
    }
    return Prediction(**plain | fields)


def report(key: str = "a", at_s: float = 0, **fields: Any) -> Report:
    """A final report that says pneumothorax is present."""
    labels = [Label(finding="pneumothorax", value="present")]
    plain = {"site": "north", "study": key, "report": f"r-{key}", "status": "final"}
    return Report(**plain | {"at": at(at_s), "labels": labels} | fields)


def command(action: str, command_id: str = "c-1", at_s: float = 0, **fields: Any) -> Command:
    """What a person at north does."""
    plain = {"site": "north", "actor": "kim", "action": action, "command_id": command_id}
    return Command(**plain | {"at": at(at_s)} | fields)


def finding(signal: str = "holds", at_s: float = 0, **fields: Any) -> Finding:
    """A conclusion about the outputs of ptx at north."""
    plain = {
        "signal": signal,
        "kind": "missing_output",
        "site": "north",
        "model": "ptx",
        "at_us": us(at_s),
        "title": "ptx at north gives no result",
        "severity": "error",
    }
    return Finding(**plain | fields)


def config(models: Iterable[Model] | None = None, **fields: Any) -> Config:
    """A configuration that watches no series; by default ptx answers every study within 100 s."""
    ptx = Model(name="ptx", deadline_s=100.0, late=Outage(policy="every"))
    plain = {"models": [ptx] if models is None else list(models), "watch": NOTHING_WATCHED}
    return Config(**plain | fields)


def story(effects: Iterable[Effect]) -> list[str]:
    """Transitions as `state: reason @second`."""
    incidents = [effect for effect in effects if isinstance(effect, Incident)]
    return [f"{i.state}: {i.reason} @{seconds(i.at):g}" for i in incidents]


def outcomes(effects: Iterable[Effect]) -> list[str]:
    """Outcomes as `study outcome revision @second`."""
    found = [effect for effect in effects if isinstance(effect, Outcome)]
    return [f"{o.study} {o.outcome} {o.revision} @{seconds(o.at):g}" for o in found]


class Shard:
    """A pipeline that keeps all it says. Events arrive when they are stamped, or as told."""

    def __init__(self, settings: Config | None = None) -> None:
        self.config = config() if settings is None else settings
        self.pipeline = Pipeline(self.config)
        self.said: list[Effect] = []
        self.log: dict[bytes, bytes] = {}

    def send(self, *events: Event, arrived_s: float | None = None) -> list[Effect]:
        """Hand in events; what they brought about."""
        said: list[Effect] = []
        for event in events:
            arrived_us = to_us(event.at) if arrived_s is None else us(arrived_s)
            said += self.pipeline.handle(event, arrived_us)
        self.said += said
        return said

    def proved(self, until_s: float) -> list[Effect]:
        """Prove that all until then has arrived."""
        said = self.pipeline.tick(us(until_s))
        self.said += said
        return said

    def incidents(self, kind: str) -> list[Incident]:
        """All transitions of a kind so far."""
        return [i for i in self.said if isinstance(i, Incident) and i.kind == kind]

    def points(self) -> list[SeriesPoint]:
        """All points of series so far."""
        return [point for point in self.said if isinstance(point, SeriesPoint)]

    def checkpoint(self) -> None:
        """Write the changes to the compacted log."""
        for key, value in self.pipeline.changes():
            if value is None:
                self.log.pop(key, None)
            else:
                self.log[key] = value

    def restart(self) -> None:
        """Checkpoint, and go on with a fresh pipeline that has read the log backwards."""
        self.checkpoint()
        self.pipeline = Pipeline(self.config)
        self.pipeline.restore(reversed(self.log.items()))
