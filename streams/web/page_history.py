"""What was: filters that stand in the address, the account of false alarms, and exports. Pure."""

import csv
import io
from collections.abc import Iterable, Mapping
from datetime import datetime, time, timedelta

import msgspec

from schemas.fields import EARLIEST_YEAR, LATEST_YEAR
from schemas.incident import Incident
from streams.incidents.lifecycle import ENDS
from streams.web import words
from streams.web.false_alarms import account
from streams.web.pages import Scene, Values, rows_of
from streams.web.view_incidents import Episode

PAGE_N = 50
FIELDS = ("text", "kind", "site", "model", "state", "severity", "from", "to", "live")
_DANGEROUS = ("=", "+", "-", "@", "\t", "\r")


class Exported(msgspec.Struct, frozen=True, omit_defaults=True):
    """What of an incident is exported: no study key, no note, nobody's name."""

    incident: str
    kind: str
    state: str
    severity: str
    site: str
    title: str
    opened_at: datetime
    ended_at: datetime | None = None
    model: str | None = None
    model_version: str | None = None
    subject: str | None = None
    affected_count: int | None = None
    before: float | None = None
    after: float | None = None
    reference_n: int | None = None
    current_n: int | None = None
    since: datetime | None = None
    ended_why: str | None = None
    false_alarm: bool = False
    owner: str | None = None


def history_page(scene: Scene, query: Mapping[str, str]) -> Values:
    """A page of 50 incidents that match."""
    found = find(scene, query)
    number = _page_number(query, len(found))
    first = (number - 1) * PAGE_N
    return {
        "filters": {name: query.get(name, "") for name in FIELDS},
        "choices": _choices(scene),
        "rows": list(rows_of(scene, found[first : first + PAGE_N])),
        "found_n": len(found),
        "first": first + 1 if found else 0,
        "last": min(first + PAGE_N, len(found)),
        "number": number,
        "pages": max(1, -(-len(found) // PAGE_N)),
        "bars": _bars(scene, found),
        "account": account(scene.config, scene.view.incidents.all(), scene.clock.now),
    }


def find(scene: Scene, query: Mapping[str, str]) -> list[Episode]:
    """All that match, newest first."""
    from_at = _day(scene, query.get("from", ""))
    to_at = _day(scene, query.get("to", ""))
    if to_at is not None:
        to_at += timedelta(days=1)
    text = query.get("text", "").casefold().strip()
    exact = [
        (name, query[name])
        for name in ("kind", "site", "model", "state", "severity")
        if query.get(name)
    ]

    def matches(last: Incident) -> bool:
        if any(getattr(last, name) != wanted for name, wanted in exact):
            return False
        if from_at is not None and last.opened_at < from_at:
            return False
        if to_at is not None and last.opened_at >= to_at:
            return False
        return text in f"{last.title} {last.subject or ''} {last.incident}".casefold()

    found = scene.view.incidents.all()
    if query.get("live"):
        found = [one for one in found if one.is_live]
    return [one for one in found if matches(one.last)]


def as_json(episodes: Iterable[Episode]) -> bytes:
    """An array of objects; the names are those of the wire."""
    return msgspec.json.encode([exported(one) for one in episodes]) + b"\n"


def as_csv(episodes: Iterable[Episode]) -> bytes:
    """A table for a spreadsheet, in which no cell is a formula."""
    written = io.StringIO()
    table = csv.writer(written)
    table.writerow(Exported.__struct_fields__)
    for one in episodes:
        table.writerow([_cell(value) for value in msgspec.structs.astuple(exported(one))])
    return written.getvalue().encode()


def exported(episode: Episode) -> Exported:
    """The fields that may leave."""
    last, evidence = episode.last, episode.last.evidence
    ending = [step for step in episode.steps if step.reason in ENDS]
    return Exported(
        incident=last.incident,
        kind=last.kind,
        state=last.state,
        severity=last.severity,
        site=last.site,
        title=last.title,
        opened_at=last.opened_at,
        ended_at=episode.ended_at,
        model=last.model,
        model_version=last.model_version,
        subject=last.subject,
        affected_count=evidence.affected_count,
        before=evidence.before,
        after=evidence.after,
        reference_n=evidence.reference_n,
        current_n=evidence.current_n,
        since=evidence.since,
        ended_why=ending[-1].reason if ending and not episode.is_live else None,
        false_alarm=episode.was_false,
        owner=last.owner,
    )


def _cell(value: object) -> object:
    if isinstance(value, datetime):
        return value.isoformat()
    if isinstance(value, str) and value.startswith(_DANGEROUS):
        return f"'{value}"
    return value


def _choices(scene: Scene) -> dict[str, list[tuple[str, str]]]:
    lasts = [one.last for one in scene.view.incidents.all()]
    kinds = sorted({one.kind for one in lasts})
    return {
        "kind": [(kind, words.KINDS[kind]) for kind in kinds],
        "site": [(site, site) for site in sorted({one.site for one in lasts})],
        "model": [(model, model) for model in sorted({one.model or "" for one in lasts} - {""})],
        "state": list(words.STATES.items()),
        "severity": [(one, one) for one in ("critical", "error", "warning", "info")],
    }


def _bars(scene: Scene, found: list[Episode]) -> list[tuple[str, int, int]]:
    """Ninety days, oldest first: the day, how many incidents began, and how many of them grave."""
    zone, today = scene.clock.zone(), scene.clock.now.astimezone(scene.clock.zone()).date()
    days: dict[int, list[int]] = {}
    for one in found:
        ago = (today - one.last.opened_at.astimezone(zone).date()).days
        counts = days.setdefault(ago, [0, 0])
        counts[0] += 1
        counts[1] += one.last.severity in ("critical", "error")
    return [
        (f"{today - timedelta(days=ago):%Y-%m-%d}", *days.get(ago, (0, 0)))
        for ago in range(89, -1, -1)
    ]


def _day(scene: Scene, written: str) -> datetime | None:
    """The beginning of a day; None for what is no date, or one that no incident can have."""
    try:
        day = datetime.strptime(written, "%Y-%m-%d").date()  # noqa: DTZ007, the zone follows
    except ValueError:
        return None
    if not EARLIEST_YEAR < day.year < LATEST_YEAR:
        return None
    return datetime.combine(day, time(), scene.clock.zone())


def _page_number(query: Mapping[str, str], found_n: int) -> int:
    written = query.get("page", "1")
    wanted = int(written) if written.isascii() and written.isdecimal() and len(written) < 6 else 1
    return min(max(1, wanted), max(1, -(-found_n // PAGE_N)))
