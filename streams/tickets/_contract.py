"""What a tracker is: it looks for a ticket, creates one, says what it has, and changes it.

All pure. A request holds no secret, so it can be printed and kept in a golden file; `seal` puts the
secrets in at the moment of sending. Nothing is remembered here that the tracker does not keep:
a ticket is found by its incident's id, and the mark in it says what it was told last.
"""

from collections.abc import Sequence
from typing import Any, Literal, NamedTuple, Protocol

from streams.notifiers import Answer, Pace, Request, Result, Secrets
from streams.tickets._draft import Draft

Standing = Literal["open", "taken", "over"]
"""All that a ticket is told of an incident's state: `taken` is acknowledged."""
Move = Literal["take", "close", "reopen"]


class Mark(NamedTuple):
    """What a ticket was told last: the incident's transition, where it stood, how bad it was."""

    seq: int
    standing: Standing
    severity: str


class Way(NamedTuple):
    """A status that a ticket can move to now, and how the tracker calls the move."""

    id: str
    to: str
    is_done: bool


UNMARKED = Mark(0, "open", "")


class Ticket(NamedTuple):
    """What the tracker has. `name` is what people call it."""

    id: str
    name: str
    mark: Mark
    is_done: bool
    ways: Sequence[Way] = ()
    said: frozenset[int] = frozenset()
    """The transitions that its comments tell of, where they are not changed with the mark."""


class Change(NamedTuple):
    """What a ticket has to be told. `move` is None where it stays in its status."""

    mark: Mark
    move: Move | None
    severity_changed: bool


class Unreadable(Exception):
    """An answer of success that is not what the tracker's documentation says."""


class Tracker(Protocol):
    """A module with these names is a kind of tracker; its file's name is the kind.

    `settings` is the kind's own struct of schemas/tickets.py. What reads an answer is given those
    of success only, and may raise Unreadable.
    """

    PACE: Pace

    def search(self, settings: Any, incident: str) -> Request:
        """Ask for the tickets of an incident."""

    def found(self, answer: Answer) -> list[str]:
        """Their ids, the oldest first."""

    def create(self, settings: Any, draft: Draft, mark: Mark) -> Request:
        """Create one, with the mark in it."""

    def created(self, answer: Answer) -> str:
        """The new ticket's id."""

    def look(self, settings: Any, ticket: str) -> tuple[Request, ...]:
        """Ask for all that is known of a ticket. Reads its own writes, as a search may not."""

    def seen(self, answers: Sequence[Answer]) -> Ticket:
        """The ticket, from the answers in the order of the questions."""

    def change(
        self, settings: Any, ticket: Ticket, draft: Draft, change: Change
    ) -> tuple[Request, ...]:
        """What brings it there, one after the other; the last one sets the mark."""

    def read(self, request: Request, answer: Answer) -> Result:
        """What the answer means."""

    def seal(self, request: Request, secrets: Secrets) -> Request:
        """The request with its secrets in it; a KeyError names one that is missing."""
