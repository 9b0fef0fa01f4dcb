"""The references of a series as `radvigil reference` tells them."""

from collections.abc import Iterator
from datetime import datetime

from msgspec import Struct

from streams.clock import from_us
from streams.series.references import Entry, Origin
from streams.series.seen import Frozen, SeriesId
from streams.series.watched import Series

_ORIGINS: dict[Origin, str] = {
    "learnt": "learnt",
    "accepted": "accepted by a person",
    "restored": "restored by a person",
    "shipped": "imported",
    "tried": "imported, tried and found to agree",
}


class Told(Struct, frozen=True, omit_defaults=True):
    """One reference; `in_force` is what the series is held against but for a change under way."""

    number: int
    in_force: bool
    origin: Origin
    n: int
    mean: float
    since: datetime | None = None
    until: datetime | None = None
    notes: list[str] | None = None


class Listed(Struct, frozen=True, omit_defaults=True):
    """The references of one series, the one in force first. `unfit_n`: imported ones that did not
    agree with what came; `away`: it has left its reference."""

    site: str
    model: str
    subject: str
    references: list[Told]
    away: bool = False
    on_trial: bool = False
    unfit_n: int = 0


def listed(key: SeriesId, series: Series) -> Listed:
    """What is to be told of a series."""
    references = series.references
    history = references.history
    told = [
        _told(entry, references.past[entry.number], in_force=False)
        for entry in reversed(history.past)
    ]
    if references.original is not None and history.current is not None:
        told = [_told(history.current, references.original, in_force=True), *told]
    return Listed(
        *key,
        references=told,
        away=series.is_away,
        on_trial=references.shipped is not None,
        unfit_n=history.unfit_n,
    )


def listing(one: Listed, *, details: bool) -> Iterator[str]:
    """In words: a line, or with details one for each reference."""
    of = f"{one.subject} of {one.model}" if one.model else one.subject
    away = ", away from it" if one.away else ""
    trial = "; an imported one is on trial" if one.on_trial else ""
    unfit = f"; {one.unfit_n} imported did not agree" if one.unfit_n else ""
    current = next((told for told in one.references if told.in_force), None)
    before = [told for told in one.references if not told.in_force]
    head = "learning" if current is None else f"reference {current.number}{away}"
    if details:
        yield f"{of} at {one.site}: {head}{trial}{unfit}"
        yield from (f"  {_line(told)}" for told in one.references)
        return
    kept = ", ".join(str(told.number) for told in before)
    own = "" if current is None else f" ({_words(current)})"
    yield f"{of} at {one.site}: {head}{own}{f'; kept: {kept}' if kept else ''}{trial}{unfit}"


def _told(entry: Entry, reference: Frozen, *, in_force: bool) -> Told:
    return Told(
        number=entry.number,
        in_force=in_force,
        origin=entry.origin,
        n=reference.n,
        mean=reference.mean,
        since=_moment(entry.since_us),
        until=_moment(entry.until_us),
        notes=[*reference.notes] or None,
    )


def _moment(at_us: int | None) -> datetime | None:
    return from_us(at_us) if at_us else None


def _line(told: Told) -> str:
    until = f" until {told.until:%Y-%m-%d %H:%MZ}" if told.until else ""
    notes = f"; {', '.join(told.notes)}" if told.notes else ""
    mark = "*" if told.in_force else " "
    return f"{mark} {told.number}: {_words(told)}{until}{notes}"


def _words(told: Told) -> str:
    since = f" since {told.since:%Y-%m-%d %H:%MZ}" if told.since else ""
    return f"{_ORIGINS[told.origin]}{since}, {told.n:,} observations, mean {told.mean:.4g}"
