"""What receivers tell us: their callbacks, as commands of the people who acted there.

Pure. A callback that is not a command of somebody who may act is a `NotTaken`; only `signature`
and `stale` are to be answered with 401, everything else with 200, or the provider repeats it.
"""

from collections.abc import Mapping
from typing import NamedTuple

from schemas.fields import Text


class NotTaken(NamedTuple):
    """Why a callback is no command: a closed set, for logs and metrics."""

    why: str


def actor(origin: str, user: str, users: Mapping[Text, str]) -> str | None:
    """Under what name somebody acts; None where `users` is a list and this one is not in it.

    >>> listed = {"U1": "anna"}
    >>> actor("slack", "U1", {}), actor("slack", "U1", listed), actor("slack", "U2", listed)
    ('slack:U1', 'anna', None)
    """
    return users.get(user) if users else f"{origin}:{user}"
