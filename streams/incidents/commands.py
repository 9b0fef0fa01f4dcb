"""Commands: each acts once, however often the log delivers it, and is answered each time.

Remembered per site and not per incident: a command with matchers that is delivered again must not
reach what has opened since.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple, cast

from msgspec import Struct, field

from schemas.command import Command
from schemas.incident import Incident
from schemas.reply import Reply, ReplyReason
from streams.clock import from_us
from streams.incidents.case import Case
from streams.incidents.lifecycle import Trigger

# Carried out by routing; incidents only tell whether what they aim at is there.
ROUTED = frozenset({"silence", "unsilence", "maintain"})
_KEPT = 256  # the last of a site
_MATCHED = ("kind", "site", "model", "subject", "severity", "state", "owner")
Obeyed = list[Incident] | ReplyReason


class Answer(NamedTuple):
    """What became of a command: the transitions, and what is replied."""

    reason: ReplyReason
    told: tuple[Incident, ...] = ()
    incident: str | None = None
    seq: int | None = None
    affected_n: int = 0

    @property
    def accepted(self) -> bool:
        """Whether the command was carried out."""
        return self.reason == "ok"

    def and_series(self, affected_n: int) -> "Answer":
        """The same after a `rebaseline` that reached so many series beside the incidents."""
        if affected_n == 0:
            return self
        return self._replace(reason="ok", affected_n=self.affected_n + affected_n)

    def reply(self, command: Command, at_us: int) -> Reply:
        """As a message."""
        return Reply(
            command_id=command.command_id,
            site=command.site,
            action=command.action,
            accepted=self.accepted,
            reason=self.reason,
            at=from_us(at_us),
            incident=self.incident,
            seq=self.seq,
            affected_n=self.affected_n,
        )


def trigger_of(command: Command) -> Trigger:
    """What a command is for the life of an incident."""
    accepts = command.action == "resolve" and command.text == "accepted"
    if accepts or command.action == "rebaseline":
        return "accept"
    return cast(Trigger, command.action)


def matches(command: Command, case: Case) -> bool:
    """Whether a case is of the command's site and has all that its matchers name."""
    wanted = (command.matchers or {}).items()
    return case.site == command.site and all(
        name in _MATCHED and getattr(case, name) == value for name, value in wanted
    )


def verdict(command: Command, cases: Sequence[Case], obeyed: Sequence[Obeyed]) -> Answer:
    """The answer to a command, from what each case that it addressed made of it.

    It was carried out if one of them obeyed. A silence of what is yet to come is as good.
    """
    refused = [reason for reason in obeyed if isinstance(reason, str)]
    affected_n = len(obeyed) - len(refused)
    reason: ReplyReason = "unknown_incident" if command.incident else "nothing_matched"
    if affected_n or (command.action in ROUTED and command.incident is None):
        reason = "ok"
    elif refused:
        reason = refused[0]
    one = cases[0] if len(cases) == 1 else None
    return Answer(
        reason,
        tuple(incident for told in obeyed if not isinstance(told, str) for incident in told),
        one.incident if one else command.incident,
        one.seq if one else None,
        affected_n,
    )


def of_series(affected_n: int) -> Answer:
    """The answer to a command that is about references of series, and about no incident."""
    return Answer("ok" if affected_n else "nothing_matched", affected_n=affected_n)


class Taken(Struct, omit_defaults=True):
    """The ids of the last commands of a site, oldest first, and which of them were refused."""

    site: str
    ids: list[str] = field(default_factory=list)
    refused: list[str] = field(default_factory=list)


class Commands:
    """The commands of one shard."""

    def __init__(self) -> None:
        self._taken: dict[str, Taken] = {}
        self._dirty: dict[str, None] = {}
        self.rejected: Counter[str] = Counter()

    def is_new(self, command: Command) -> bool:
        """Whether this command was not taken before; from now on it was."""
        taken = self._taken.setdefault(command.site, Taken(command.site))
        if command.command_id in taken.ids:
            return False
        taken.ids = [*taken.ids[1 - _KEPT :], command.command_id]
        taken.refused = [refused for refused in taken.refused if refused in taken.ids]
        self._dirty[command.site] = None
        return True

    def answered(self, command: Command, answer: Answer) -> None:
        """Note what became of a new command, for when it comes again; count one refused."""
        if not answer.accepted:
            self.rejected[answer.reason] += 1
            self._taken[command.site].refused.append(command.command_id)

    def again(self, command: Command, at_us: int) -> Reply:
        """The reply to a command that was taken before: nothing is done, and it is told so."""
        return Reply(
            command_id=command.command_id,
            site=command.site,
            action=command.action,
            accepted=command.command_id not in self._taken[command.site].refused,
            reason="repeated",
            at=from_us(at_us),
            incident=command.incident,
        )

    def changes(self) -> Iterator[Taken]:
        """What has changed since the last call."""
        dirty, self._dirty = self._dirty, {}
        for site in dirty:
            yield self._taken[site]

    def restore(self, records: Iterable[Taken]) -> None:
        """Take up the records of a checkpoint."""
        self._taken.update((taken.site, taken) for taken in records)
