"""What was told, in short: one entry for each incident that opened."""

from collections.abc import Iterable
from fnmatch import fnmatchcase
from typing import NamedTuple

from schemas.incident import Incident
from streams.clock import to_us


class Opening(NamedTuple):
    """An incident as it was first told, and the slices that it named first."""

    at_us: int
    kind: str
    site: str
    model: str
    subject: str
    severity: str
    title: str
    slices: tuple[str, ...] = ()

    @property
    def series(self) -> str:
        """What it is about, at its site."""
        return " ".join(part for part in (self.model, self.subject) if part)

    @property
    def disturbs(self) -> bool:
        """A notice of something new is none: that it was new is true."""
        return self.severity != "info"

    def is_about(self, kinds_and_subjects: Iterable[tuple[str, str]]) -> bool:
        """Whether it is one of these, by shell-style patterns."""
        return any(
            fnmatchcase(self.kind, kind) and fnmatchcase(self.subject, subject)
            for kind, subject in kinds_and_subjects
        )


def openings(told: Iterable[Incident]) -> list[Opening]:
    """The incidents that opened, in order of when that became true."""
    opened: dict[str, Opening] = {}
    for one in told:
        named = tuple(part.slice for part in one.evidence.slices or ())
        known = opened.get(one.incident)
        if known is None and one.state != "pending":
            opened[one.incident] = Opening(
                to_us(one.at),
                one.kind,
                one.site,
                one.model or "",
                one.subject or "",
                one.severity,
                one.title,
                named,
            )
        elif known is not None and not known.slices and named:
            opened[one.incident] = known._replace(slices=named)
    return sorted(opened.values())
