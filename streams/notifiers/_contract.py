"""What a notifier is: it renders what one receiver is told, and reads what the provider answered.

Both are pure. A request that is rendered holds no secret, so it can be logged, compared and kept
in a golden file; `seal` puts the secrets in at the moment of sending and nothing looks at it after.
"""

from collections.abc import Mapping
from typing import Any, NamedTuple, Protocol

from schemas.notification import Notification

Refs = Mapping[str, str]
Secrets = Mapping[str, str]


class Request(NamedTuple):
    """One thing to be sent. `method` is HTTP's, or MAIL, or LOG."""

    method: str
    url: str
    headers: Mapping[str, str]
    body: bytes
    step: str = "send"
    """What it does there, for logs and metrics: post, update, thread, trigger."""
    repeatable: bool = True
    """The provider knows a repeat as one, so after a timeout it may simply be sent again."""
    refs: Refs = {}
    """What is remembered once it was accepted, beside what the answer says."""


class Answer(NamedTuple):
    """What the provider answered; header names in lower case."""

    status: int
    headers: Mapping[str, str] = {}
    body: bytes = b""


class Sent(NamedTuple):
    """Accepted. `refs` is what must be remembered to update it."""

    refs: Refs = {}


class Retry(NamedTuple):
    """Not accepted, and worth another try, in `after_s` seconds at the earliest if it was said."""

    why: str
    after_s: float | None = None
    anew: bool = False
    """What was to be updated is gone there: forget the refs and tell it anew."""


class Refused(NamedTuple):
    """Not accepted, and it never will be: the configuration or we are wrong."""

    why: str


class Unknown(NamedTuple):
    """Perhaps accepted: the answer did not come, or says that it cannot tell."""

    why: str


Result = Sent | Retry | Refused | Unknown


class Occasion(NamedTuple):
    """The circumstances of one sending."""

    now_us: int
    page: str = ""
    """Address of the live page, for links; none if empty."""
    perhaps_told: bool = False
    """An earlier try may have arrived, and the provider would not know this one as its repeat."""
    is_doubtful: bool = False
    """The refs may be behind: something after them may have arrived that nobody heard of."""


class Pace(NamedTuple):
    """How many requests a receiver takes: so many a second, so many at once."""

    per_s: float
    at_once: int


class Notifier(Protocol):
    """A module with these names is a kind of receiver; its file's name is the kind.

    `receiver` is the kind's own struct of schemas/routing.py.
    """

    SECRETS: tuple[str, ...]
    """What the receiver's `NAME_env` and `NAME_file` name, for `seal`."""
    PACE: Pace
    REFRESH_S: float | None
    """What was told last is told again this often until it is over; None where it stays."""

    def render(
        self, notification: Notification, receiver: Any, refs: Refs, occasion: Occasion
    ) -> tuple[Request, ...]:
        """What to send, one after the other; nothing where there is nothing to say.

        `refs` is what earlier answers left to be remembered: empty means never told.
        """

    def read(self, request: Request, answer: Answer) -> Result:
        """What the answer means."""

    def seal(self, request: Request, secrets: Secrets, now_us: int) -> Request:
        """The request with its secrets in it; a KeyError names one that is needed and missing."""
