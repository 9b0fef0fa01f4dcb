"""When nobody is to be told: silences, announced maintenance, and maintenance by the calendar.

A silence mutes what it matches until a time that it must name; `maintain` is a silence of a whole
site, or of what it matches there. Whether one is in force is a question of the time that is asked
about, never of when it is asked.
"""

from collections.abc import Iterable, Iterator
from datetime import UTC, timedelta, tzinfo
from typing import Literal, NamedTuple
from zoneinfo import ZoneInfo

from cronsim import CronSim
from msgspec import field

from schemas.command import Command
from schemas.config import Config
from schemas.incident import Incident
from streams.clock import from_us, seconds_to_us, to_us
from streams.routing.ledger import Key, Ledger, Record
from streams.routing.match import fits, value_of

Answer = Literal[
    "ok", "no_until", "too_late", "too_long", "too_many", "unknown_field", "unknown_silence"
]
FIELDS = frozenset({"kind", "severity", "site", "model", "subject", "owner", "incident"})
_LONGEST_US = seconds_to_us(30 * 86_400)
_SHOWN_US = seconds_to_us(5 * 86_400)
_PER_SITE = 1_000


class Hidden(NamedTuple):
    """Why nobody is told of an incident, by what, and until when as far as time alone decides."""

    why: Literal["silence", "maintenance", "inhibited", "storm"]
    by: str
    until_us: int


class Silence(Record, kw_only=True, omit_defaults=True):
    """A silence or an announced maintenance; its id is that of the command."""

    silence: str
    site: str
    why: Literal["silence", "maintenance"]
    actor: str
    since_us: int
    until_us: int
    matchers: dict[str, str] = field(default_factory=dict)

    @property
    def key(self) -> Key:
        """The id of the command, of one site."""
        return (self.site, self.silence)

    def mutes(self, incident: Incident, at_us: int) -> bool:
        """Whether it is in force then, for this incident."""
        in_force = at_us < self.until_us and incident.site == self.site
        return in_force and all(
            fits(value_of(incident, name), pattern) for name, pattern in self.matchers.items()
        )


class Silences:
    """The silences of one shard; one that is over is kept for five days, to be shown."""

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger

    def begin(self, command: Command, at_us: int) -> Answer:
        """Take a `silence` or a `maintain`; if it is not accepted it changes nothing."""
        matchers = dict(command.matchers or {})
        if command.incident is not None:
            matchers["incident"] = command.incident
        if not matchers.keys() <= FIELDS:
            return "unknown_field"
        if command.until is None:
            return "no_until"
        until_us = to_us(command.until)
        if until_us <= at_us:
            return "too_late"
        if until_us > at_us + _LONGEST_US:
            return "too_long"
        if sum(each.site == command.site for each in self.known()) >= _PER_SITE:
            return "too_many"
        silence = Silence(
            silence=command.command_id,
            site=command.site,
            why="maintenance" if command.action == "maintain" else "silence",
            actor=command.actor,
            since_us=at_us,
            until_us=until_us,
            matchers=matchers,
            due_us=until_us + _SHOWN_US,
        )
        self._ledger.keep(silence)
        return "ok"

    def end(self, command: Command, at_us: int) -> Answer:
        """Take an `unsilence`: of the id in its text, or of the incident or matchers it names."""
        found = [each for each in self.known() if _means(command, each, at_us)]
        for silence in found:
            silence.until_us = at_us
            silence.due_us = at_us + _SHOWN_US
            self._ledger.keep(silence)
        return "ok" if found else "unknown_silence"

    def known(self) -> Iterable[Silence]:
        """Those in force, and those that have ended within five days."""
        return self._ledger.of(Silence).values()

    def of(self, incident: Incident, at_us: int) -> Hidden | None:
        """The silence that mutes an incident the longest."""
        muting = [each for each in self.known() if each.mutes(incident, at_us)]
        if not muting:
            return None
        longest = max(muting, key=lambda each: (each.until_us, each.silence))
        return Hidden(longest.why, longest.silence, longest.until_us)


def _means(command: Command, silence: Silence, at_us: int) -> bool:
    if silence.site != command.site or silence.until_us <= at_us:
        return False
    if command.text:
        return command.text == silence.silence
    if command.incident is not None:
        return silence.matchers == {**(command.matchers or {}), "incident": command.incident}
    return silence.matchers == command.matchers


class Calendar:
    """The recurring maintenance of every site."""

    def __init__(self, config: Config) -> None:
        self._windows = {
            site.name: [
                (window, _zone(site.timezone or config.timezone)) for window in site.maintenance
            ]
            for site in config.sites
        }

    def of(self, incident: Incident, at_us: int) -> Hidden | None:
        """The window that its site is in, the one that ends last."""
        return max(self._open(incident.site, at_us), key=lambda each: each.until_us, default=None)

    def _open(self, site: str, at_us: int) -> Iterator[Hidden]:
        for window, zone in self._windows.get(site, ()):
            began_us = last_start_us(window.cron, zone, at_us)
            until_us = began_us + seconds_to_us(60 * window.minutes)
            if at_us < until_us:
                yield Hidden("maintenance", f"cron {window.cron}", until_us)


def last_start_us(cron: str, zone: tzinfo, at_us: int) -> int:
    """When a window last began, at that time or before it.

    Cron reads its fields as Debian's does: what falls into the hour that spring skips begins after
    it, what falls into the hour that autumn repeats begins once.
    """
    local = from_us(at_us).astimezone(zone)
    # A wall time that comes twice is searched from an hour later: its first half has seen them all.
    local += timedelta(hours=local.fold)
    for start in CronSim(cron, local.replace(microsecond=1), reverse=True):
        start_us = to_us(start)
        if start_us <= at_us:
            return start_us
    raise AssertionError("a cron expression that was checked has a past")


def _zone(name: str) -> tzinfo:
    return UTC if name == "UTC" else ZoneInfo(name)
