"""Commands, their replies, and who was told of which incident. Pure, bounded."""

from collections import Counter, OrderedDict, deque
from collections.abc import Iterator
from datetime import datetime
from typing import Any, NamedTuple

from schemas.command import Command
from schemas.notification import Notification
from schemas.reply import Reply
from streams.clock import to_us
from streams.routing.mute import Silence

_COMMANDS = 5_000
_INCIDENTS = 10_000
_EACH = 50


class Notice(NamedTuple):
    """That a receiver was to be told."""

    at: datetime
    receiver: str
    action: str
    why: str
    disturb: bool


class People:
    """The newest commands with their replies, and the newest notices of each incident."""

    def __init__(self) -> None:
        self._commands: OrderedDict[str, Command] = OrderedDict()
        self._replies: OrderedDict[str, Reply] = OrderedDict()
        self._notices: OrderedDict[str, deque[Notice]] = OrderedDict()
        self.dropped: Counter[str] = Counter()

    def commanded(self, command: Command) -> None:
        """Take a command; the same id again is the same command."""
        if command.command_id not in self._commands:
            self._commands[command.command_id] = command
            self._bound(self._commands, _COMMANDS, "commands")

    def replied(self, reply: Reply) -> None:
        """Take what became of one; of a repeated one the first word counts.

        About the monitor itself every shard replies: then the one that carried it out counts.
        """
        if reply.command_id not in self._replies or reply.reason == "ok":
            self._replies[reply.command_id] = reply
            self._bound(self._replies, _COMMANDS, "replies")

    def noticed(self, notification: Notification) -> None:
        """Take a notification, for each incident that it names."""
        notice = Notice(
            notification.at,
            notification.receiver,
            notification.action,
            notification.why,
            notification.disturb,
        )
        for incident in notification.incidents:
            notices = self._notices.setdefault(incident.incident, deque(maxlen=_EACH))
            notices.append(notice)
        self._bound(self._notices, _INCIDENTS, "notices")

    def command(self, command_id: str) -> Command | None:
        """One command."""
        return self._commands.get(command_id)

    def reply(self, command_id: str) -> Reply | None:
        """What became of it; None while that is not known."""
        return self._replies.get(command_id)

    def notices(self, incident: str) -> list[Notice]:
        """Who was to be told of an incident, oldest first."""
        return list(self._notices.get(incident, ()))

    def commands(self, incident: str) -> list[Command]:
        """What was wanted of an incident by its id, oldest first."""
        return [one for one in self._commands.values() if one.incident == incident]

    def silences(self, now_us: int) -> list[Silence]:
        """Silences and announced maintenance that are in force, as far as replies confirm them."""
        known: dict[str, Silence] = {}
        for command in self._commands.values():
            reply = self._replies.get(command.command_id)
            if reply is None or not reply.accepted:
                continue
            if command.action in ("silence", "maintain") and command.until is not None:
                known[command.command_id] = _silence(command)
            elif command.action == "unsilence":
                for ended in list(_ended(command, known)):
                    del known[ended]
        return [one for one in known.values() if one.since_us <= now_us < one.until_us]

    def _bound(self, table: OrderedDict[str, Any], limit: int, what: str) -> None:
        while len(table) > limit:
            table.popitem(last=False)
            self.dropped[what] += 1


def _silence(command: Command) -> Silence:
    assert command.until is not None
    matchers = dict(command.matchers or {})
    if command.incident is not None:
        matchers["incident"] = command.incident
    return Silence(
        silence=command.command_id,
        site=command.site,
        why="maintenance" if command.action == "maintain" else "silence",
        actor=command.actor,
        since_us=to_us(command.at),
        until_us=to_us(command.until),
        matchers=matchers,
        due_us=to_us(command.until),
    )


def _ended(command: Command, known: dict[str, Silence]) -> Iterator[str]:
    matchers = dict(command.matchers or {})
    if command.incident is not None:
        matchers["incident"] = command.incident
    for name, one in known.items():
        if one.site != command.site:
            continue
        if command.text == name or (not command.text and one.matchers == matchers):
            yield name
