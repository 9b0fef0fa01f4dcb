"""A routing stage in few words. Times are seconds after START."""

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec

from schemas.command import Command
from schemas.config import Config
from schemas.incident import Evidence, Incident
from schemas.notification import Notification
from schemas.routing import Log, Route
from streams.clock import to_us
from streams.routing.ledger import Key
from streams.routing.stage import Routing

START = datetime(2026, 1, 5, tzinfo=UTC)
RECEIVERS = [Log(name=name) for name in ("oncall", "pager", "lead", "boss")]


def at(seconds: float) -> datetime:
    """The moment so many seconds after START."""
    return START + timedelta(seconds=seconds)


def us(seconds: float) -> int:
    """The same moment as the core counts it."""
    return to_us(at(seconds))


def seconds(moment: datetime) -> float:
    """How many seconds after START a moment is."""
    return (moment - START).total_seconds()


def command(action: str, at_s: float = 0, **fields: Any) -> Command:
    """What a person at north does."""
    plain = {"site": "north", "actor": "kim", "command_id": "c-1"}
    return Command(**plain | {"action": action, "at": at(at_s)} | fields)


def incident(name: str = "i", seq: int = 1, at_s: float = 0, **fields: Any) -> Incident:
    """A transition; by default the opening of an outage of ptx at north."""
    plain: dict[str, Any] = {
        "incident": name,
        "seq": seq,
        "fingerprint": f"f-{name}",
        "kind": "missing_output",
        "state": "open",
        "reason": "opened" if seq == 1 else "updated",
        "severity": "error",
        "site": "north",
        "model": "ptx",
        "title": "ptx at north gives no result",
        "opened_at": at(0),
        "last_seen": at(at_s),
        "at": at(at_s),
        "evidence": Evidence(),
    }
    return Incident(**plain | fields)


def config(*routes: Route, **fields: Any) -> Config:
    """By default one route for all, to `oncall`."""
    plain = {"receivers": RECEIVERS, "routes": list(routes) or [Route(receivers=["oncall"])]}
    return Config(**plain | fields)


class Desk:
    """Routing, and all that it told; it may be restarted anywhere."""

    def __init__(self, *routes: Route, settings: Config | None = None) -> None:
        self.config = config(*routes) if settings is None else settings
        self.routing = Routing(self.config)
        self.told: list[Notification] = []
        self.log: dict[tuple[str, Key], Any] = {}

    def hears(self, *transitions: Incident) -> list[str]:
        """Take transitions, time being proved until each."""
        told: list[Notification] = []
        for transition in transitions:
            told += self.routing.tick(us(seconds(transition.at)))
            told += self.routing.incident(transition, us(seconds(transition.at)))
        return self._said(told)

    def waits(self, until_s: float) -> list[str]:
        """Prove time."""
        return self._said(self.routing.tick(us(until_s)))

    def does(self, action: str, at_s: float, **fields: Any) -> str:
        """Take a command; for how long in seconds as `until_s`."""
        if "until_s" in fields:
            fields["until"] = at(fields.pop("until_s"))
        if not {"incident", "matchers"} & fields.keys():
            fields["matchers"] = {"site": "north"}
        self._said(self.routing.tick(us(at_s)))
        return self.routing.command(command(action, at_s=at_s, **fields), us(at_s))

    def checkpoint(self) -> None:
        """Write the changes to the compacted log, as bytes."""
        for kind, key, record in self.routing.changes():
            if record is None:
                self.log.pop((kind, key), None)
            else:
                self.log[kind, key] = msgspec.msgpack.encode(record)

    def restart(self) -> None:
        """Checkpoint, and go on with a fresh stage that has read the log backwards."""
        self.checkpoint()
        self.routing = Routing(self.config)
        self.routing.restore(
            msgspec.msgpack.decode(raw, type=Routing.kinds[kind])
            for (kind, _), raw in reversed(self.log.items())
        )

    def suppressed(self) -> list[tuple[str, str, str]]:
        """Incident, why and by what."""
        return [(name, hidden.why, hidden.by) for name, hidden in self.routing.suppressed()]

    def _said(self, told: list[Notification]) -> list[str]:
        self.told += told
        return lines(told)


def lines(told: Iterable[Notification]) -> list[str]:
    """Notifications as `receiver action why incident,... @second`, with ! where they disturb."""
    return [
        f"{one.receiver} {one.action} {one.why}{'!' if one.disturb else ''} "
        f"{','.join(each.incident for each in one.incidents)}"
        f"{f'+{one.more_n}' if one.more_n else ''} @{seconds(one.at):g}"
        for one in told
    ]
