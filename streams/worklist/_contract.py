"""What a kind of worklist is: it renders a notice, and reads what was answered.

Both are pure. Told again, a notice must change nothing: it is known by its study and model, and by
its revision. A request holds no secret; `seal` puts them in at the moment of sending.
"""

from typing import Any, NamedTuple, Protocol
from uuid import UUID, uuid5

from schemas.outcome import Outcome
from streams.notifiers import Answer, Request, Result, Secrets

_SPACE = UUID("6f1d4b1e-3c57-5d0c-9a44-7e0a54b4a2c1")


class Named(NamedTuple):
    """A study as the hospital knows it. Patient data: told to worklists, never logged."""

    uid: str = ""
    accession: str = ""
    issuer: str = ""


NOBODY = Named()


class Notice(NamedTuple):
    """What is told: an outcome, and of which study where that is known."""

    outcome: Outcome
    study: Named = NOBODY

    @property
    def id(self) -> UUID:
        """Of the study and the model: the same for both revisions."""
        told = self.outcome
        return uuid5(_SPACE, f"{told.site}\0{told.study}\0{told.model}")

    @property
    def revision_id(self) -> UUID:
        """Of this revision."""
        return uuid5(self.id, str(self.outcome.revision))


class Kind(Protocol):
    """A module with these names is a kind of worklist; its file's name is the kind.

    `settings` is the kind's own struct of schemas/worklist.py.
    """

    SECRETS: tuple[str, ...]
    """What the settings' `NAME_env` and `NAME_file` name."""

    def render(self, settings: Any, notice: Notice) -> Request:
        """The notice. `method` is HTTP's, or MLLP: then `url` is host and port."""

    def read(self, request: Request, answer: Answer) -> Result:
        """What the answer means: Refused is a poison that must not be sent again."""

    def seal(self, request: Request, secrets: Secrets) -> Request:
        """The request with its secrets in it."""
