"""What is asked of a tracker about one incident, one request after the other. Sans-IO.

A generator that yields requests and is sent the answers. It can be left at any point and begun
again: whatever was done is found to be done, by what the tracker itself keeps.
"""

from collections.abc import Generator, Sequence
from typing import Any, Literal, NamedTuple

from schemas.incident import Incident
from schemas.tickets import Tickets
from streams.notifiers import Answer, Refused, Request, Retry, Sent, Unknown
from streams.tickets import _plan, of
from streams.tickets._contract import Mark, Ticket, Tracker, Unreadable
from streams.tickets._draft import draft

Did = Literal["nothing", "created", "changed"]
GONE = "gone"


class Done(NamedTuple):
    """The ticket is where it should be. `ticket` and `mark` are None where there is none."""

    did: Did
    ticket: str | None = None
    mark: Mark | None = None
    found_n: int = 0
    """How many the search found: more than one is somebody else's doing."""


class Intent(NamedTuple):
    """Not a request: a ticket is about to be created. Answer True if that may be."""


Asked = Request | Intent
Failed = Retry | Refused | Unknown
Outcome = Done | Failed
Talk = Generator[Asked, Any, Outcome]


class _Stopped(Exception):
    """An answer that ends the conversation."""

    def __init__(self, why: Failed) -> None:
        super().__init__(why)
        self.why = why


def conversation(
    settings: Tickets, incident: Incident, page: str = "", known: str | None = None
) -> Talk:
    """All that brings the ticket of an incident to where it should be.

    `known` is the ticket's id, where that is remembered. Refused with the word `gone` means that it
    is not there any more.
    """
    try:
        return (yield from _Conversation(settings, incident, page).go(known))
    except _Stopped as stopped:
        return stopped.why
    except Unreadable:
        return Refused("unreadable_answer")


class _Conversation:
    def __init__(self, settings: Tickets, incident: Incident, page: str) -> None:
        self._settings: Any = settings
        self._tracker: Tracker = of(settings)
        self._incident = incident
        self._draft = draft(incident, page)

    def go(self, known: str | None) -> Talk:
        found = [known] if known else (yield from self._search())
        if found:
            return (yield from self._change(found))
        if not _plan.gets_ticket(self._settings, self._incident):
            return Done("nothing")
        if not (yield Intent()):
            return Retry("unsettled")
        mark = _plan.mark_of(self._incident)
        request = self._tracker.create(self._settings, self._draft, mark)
        answer = yield from self._ask(request)
        return Done("created", self._tracker.created(answer), mark)

    def _search(self) -> Generator[Asked, Any, list[str]]:
        request = self._tracker.search(self._settings, self._incident.incident)
        return self._tracker.found((yield from self._ask(request)))

    def _change(self, found: Sequence[str]) -> Talk:
        ticket = yield from self._look(found[0])
        change = _plan.change(self._settings, self._incident, ticket)
        if change is None:
            return Done("nothing", ticket.id, ticket.mark, len(found))
        for request in self._tracker.change(self._settings, ticket, self._draft, change):
            yield from self._ask(request)
        return Done("changed", ticket.id, change.mark, len(found))

    def _look(self, ticket: str) -> Generator[Asked, Any, Ticket]:
        answers: list[Answer] = []
        for request in self._tracker.look(self._settings, ticket):
            answer = yield from self._ask(request)
            answers.append(answer)
        return self._tracker.seen(answers)

    def _ask(self, request: Request) -> Generator[Asked, Any, Answer]:
        answer: Answer = yield request
        result = self._tracker.read(request, answer)
        if isinstance(result, Sent):
            return answer
        if answer.status == 404 and request.step == "look":
            raise _Stopped(Refused(GONE))
        raise _Stopped(result)
