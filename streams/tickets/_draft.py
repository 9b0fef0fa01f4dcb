"""What a ticket says, in the words of the notifiers and under the same rule.

It is made of `Facts` only: no study, no evidence but counts and means, no note, no person.
"""

from typing import NamedTuple

from schemas.fields import Severity
from schemas.incident import Incident
from streams.notifiers import _words
from streams.notifiers._facts import facts, floored, is_over
from streams.notifiers._text import clean


class Draft(NamedTuple):
    """The texts about one incident; a tracker takes what it has room for."""

    incident: str
    severity: Severity
    summary: str
    title: str
    rows: list[tuple[str, str]]
    links: list[tuple[str, str]]
    comment: str
    """What has just happened."""


def draft(incident: Incident, page: str = "") -> Draft:
    """The texts; `page` is the live page's address, for the link."""
    told = facts(incident, page)
    rows = [*_words.rows(told), ("Incident", told.incident)]
    if incident.reopen_of is not None:
        rows.append(("Earlier episode", clean(incident.reopen_of)))
    when = _words.clock(floored(incident.at))
    state = _words.state(told).lower()
    over = "" if is_over(told) else f", {told.severity}"
    return Draft(
        incident=told.incident,
        severity=incident.severity,
        summary=f"{_words.kind(told).capitalize()}: {_words.whose(told)}",
        title=told.title,
        rows=rows,
        links=_words.links(told),
        comment=f"{when}: {state}{over}. {told.title}",
    )
