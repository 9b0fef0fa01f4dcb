"""What delivery writes: the notify-log, and the notifications that could not be delivered."""

from msgspec import Struct

from schemas.fields import Count, Name, Positive, Text, Time
from schemas.notification import Notification
from streams.finding import Finding


class NotifyLog(
    Struct, frozen=True, kw_only=True, omit_defaults=True, tag_field="type", tag="radvigil.told.v1"
):
    """What one receiver was told last under one key; written only after it accepted it.

    The topic is compacted by receiver, key and `stands_in_for`: `message_key`.
    """

    receiver: Name
    """Who was told."""
    key: Name
    """What is updated in place there."""
    number: Positive
    """Of the newest notification that is done with: told, or not worth telling, or given up."""
    sent_at: Time
    """When."""
    refs: dict[str, str] = {}
    """What must be known to update it there; empty where nothing was told."""
    over: bool = False
    """Whether it was told that it is over."""
    stands_in_for: Text = ""
    """The receiver that could not be reached, where this one is told in its place."""
    notification: Notification | None = None
    """What was told, for receivers that must be told it again and again."""

    @property
    def message_key(self) -> str:
        """The key on the compacted topic."""
        return message_key(self.receiver, self.key, self.stands_in_for)


class Forgotten(Struct, frozen=True, kw_only=True):
    """Nothing was told for so long that the notify-log may drop it: a tombstone for this key."""

    message_key: str


class Dead(Struct, frozen=True, kw_only=True, tag_field="type", tag="radvigil.undelivered.v1"):
    """A notification that its receiver will not get."""

    notification: Notification
    """What it should have been told: the newest state, where several waited."""
    offset: Count
    """Where that lies in its partition of the outbox."""
    why: Name
    """What the last try met: a closed word, or that of the receiver."""
    failed_n: Count = 0
    """How often it was tried."""
    at: Time
    """When it was given up."""


Said = NotifyLog | Forgotten | Dead | Finding


def message_key(receiver: str, key: str, stands_in_for: str) -> str:
    """The key of a notify-log entry.

    >>> message_key("oncall", "6b0f", "")
    '["oncall","6b0f",""]'
    """
    parts = (f'"{part.translate(_QUOTED)}"' for part in (receiver, key, stands_in_for))
    return f"[{','.join(parts)}]"


_QUOTED = str.maketrans({'"': '\\"', "\\": "\\\\"})
