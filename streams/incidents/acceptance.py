"""What a person declares to be the normal, from a command and what it did to incidents."""

from collections.abc import Iterable, Iterator

from schemas.command import Command
from schemas.incident import Incident

Named = tuple[str, str | None, str | None]
"""Site, model and subject; None for all of them."""


def accepted(command: Command, told: Iterable[Incident]) -> Iterator[Named]:
    """The subjects of the incidents that were accepted, and all that a `rebaseline` names."""
    for incident in told:
        if incident.reason == "accepted":
            yield incident.site, incident.model, incident.subject
    if command.action == "rebaseline" and command.incident is None:
        wanted = command.matchers or {}
        yield command.site, wanted.get("model"), wanted.get("subject")
