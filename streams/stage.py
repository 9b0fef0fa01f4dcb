"""A watch over the events of a shard, beside deadlines and drift: what it is given and may say.

A stage is one file or folder with a line in `streams.stages`; the pipeline hands it every event
with what is known of the event's study, and proved time. Its laws are those of tests/property:
neither order within lateness, nor repetition, nor a restart anywhere changes what it says.
"""

from collections import Counter
from collections.abc import Iterable, Iterator
from typing import ClassVar, NamedTuple, Protocol

from msgspec import Struct

from schemas.incident import Incident
from schemas.prediction import Prediction
from schemas.report import Report
from schemas.study import Study
from streams.clock import NEVER_US
from streams.finding import Finding
from streams.observations.observe import Complete, Look, Missed, Observations, Watched
from streams.outcomes.study_record import StudyFacts

Takes = tuple[type[Watched], ...]
EVERYTHING: Takes = (Study, Prediction, Report)
Change = tuple[str, tuple[str, ...], Struct | None]


class NewEpoch(NamedTuple):
    """A model begins anew at a site: what it is compared with is to be learnt again."""

    site: str
    model: str


Said = Finding | Observations | Missed | Complete | Look | NewEpoch


class Happened(Struct, frozen=True, gc=False):
    """One event with its circumstances."""

    event: Watched
    at_us: int
    """Its stamp, or its arrival where the stamp was wild."""
    arrived_us: int
    """The broker's time; it never goes backwards within a shard."""
    watermark_us: int
    """Proved time."""
    fresh: bool
    """The first complete upsert of its study, the first completed answer of this version of the
    model and role for it, its first final report."""
    counts: bool
    """Fresh, and not of a further study of a patient of whom one has counted already."""
    study: StudyFacts | None
    """None before the study has come."""
    slices: tuple[str, ...] = ()
    """Of which parts of the studies it is one, as `scanner.station=CT2`; none before then."""


class Stage(Protocol):
    """Sans-IO. What it says depends on its input in the order of arrival alone."""

    takes: ClassVar[Takes]
    """The events that it is handed: each costs, and most stages look at one kind."""
    kinds: ClassVar[dict[str, type[Struct]]]
    """The records that it writes to the changelog, by kind and version: `{"feed/1": Feed}`."""
    dropped: Counter[str]
    """What a bound has cost, by reason."""

    def take(self, happened: Happened) -> Iterable[Said]:
        """Take one event."""

    def tick(self, now_us: int) -> Iterable[Said]:
        """Proved time has reached `now_us`, one of its own `earliest_us`."""

    def earliest_us(self) -> int:
        """When time alone next says something here, perhaps too early; NEVER_US for never."""

    def over(self, incident: Incident) -> None:
        """An incident was resolved, perhaps by hand, perhaps not of this stage."""

    def accept(self, site: str, model: str | None, subject: str | None) -> None:
        """A person says that what is now is the normal."""

    def begin_anew(self, site: str, model: str) -> Iterable[Said]:
        """Another version of the model is in use: what was learnt of the one before is over."""

    def changes(self) -> Iterator[Change]:
        """Records changed since the last call: kind, key, and None for a tombstone."""

    def restore(self, records: Iterable[Struct]) -> None:
        """Take up its records of a checkpoint, in any order, before the first event."""

    def sizes(self) -> dict[str, int]:
        """What is remembered, for the metrics."""


class Timeless:
    """For a stage to which time alone brings nothing."""

    def tick(self, now_us: int) -> Iterable[Said]:
        """Nothing is said."""
        return ()

    def earliest_us(self) -> int:
        """Never."""
        return NEVER_US
