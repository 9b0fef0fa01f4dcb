"""The order of severities."""

from typing import get_args

from schemas.fields import Severity

_RANKS = {severity: rank for rank, severity in enumerate(get_args(Severity))}


def rank(severity: Severity) -> int:
    """0 for the gravest.

    >>> rank("critical"), rank("info")
    (0, 3)
    """
    return _RANKS[severity]


def graver(one: Severity, other: Severity) -> bool:
    """Whether one is graver than the other."""
    return _RANKS[one] < _RANKS[other]
