"""Notifications with their ids."""

from collections.abc import Sequence
from uuid import UUID, uuid5

import msgspec

from schemas.incident import Incident
from schemas.notification import Notification
from streams.clock import from_us
from streams.routing.decide import News

MOST_LISTED = 20
_NAMESPACE = UUID("c1c0c6c5-6c1d-5c39-9d0b-3f0c5a1f9a42")


def notice(
    receiver: str, key: str, number: int, news: News, incidents: Sequence[Incident], at_us: int
) -> Notification:
    """What a receiver is told; of many incidents the first are listed and the rest counted."""
    return Notification(
        notification=deterministic_id(receiver, key, number),
        receiver=receiver,
        site=incidents[0].site,
        key=key,
        number=number,
        action=news.action,
        why=news.why,
        disturb=news.disturb,
        incidents=list(incidents[:MOST_LISTED]),
        more_n=max(0, len(incidents) - MOST_LISTED),
        at=from_us(at_us),
    )


def deterministic_id(*parts: str | int) -> str:
    """The same id for the same parts, on every machine and in every replay."""
    return str(uuid5(_NAMESPACE, msgspec.json.encode(parts).decode()))
