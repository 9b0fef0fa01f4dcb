"""What would be done for an incident now: looks are real, nothing is written."""

from schemas.incident import Incident
from schemas.tickets import Tickets
from streams.delivery.http import Met
from streams.delivery.surroundings import Send
from streams.notifiers import Answer, Request
from streams.tickets._conversation import Intent, Outcome, conversation

_TAKEN = Answer(204, {}, b"{}")


async def rehearse(
    settings: Tickets, incident: Incident, send: Send, page: str = ""
) -> tuple[list[Request], str]:
    """The requests that would write, and, where it could not be found out, why."""
    talk = conversation(settings, incident, page)
    writes: list[Request] = []
    reply: Met | bool | None = None
    while True:
        try:
            asked = talk.send(reply)
        except StopIteration as end:
            return writes, _trouble(end.value, writes)
        if isinstance(asked, Intent):
            reply = True
        elif asked.method == "GET":
            reply = await send(asked)
            if not isinstance(reply, Answer):
                return writes, reply.why
        else:
            writes.append(asked)
            reply = _TAKEN


def _trouble(outcome: Outcome, writes: list[Request]) -> str:
    """After a creation that was not made there is no id to be read: that is none."""
    created = bool(writes) and writes[-1].step == "create"
    return "" if created else getattr(outcome, "why", "")
