"""What the bench prints: tables for people, objects for programs."""

from collections import Counter
from collections.abc import Sequence
from typing import Any

from bench.hospital.planted import Found
from bench.hospital.told import Opening
from bench.hospital.unplanted import Quiet, where_and_when
from bench.hospital.world import Size


def of_quiet(run: Quiet) -> str:
    """One hospital in which nothing changes."""
    return (
        f"seed {run.seed}: {run.days} days, {run.events_n:,} events, nothing changes: "
        f"{len(run.false)} false incidents of {run.allowed:.1f} allowed, {run.notices_n} notices"
    )


def by_series(runs: Sequence[Quiet]) -> str:
    """The false incidents by kind and series, and when each was told."""
    false_n, allowed = sum(len(run.false) for run in runs), sum(run.allowed for run in runs)
    rows = [
        f"| {kind} | {series} | {n} | {when} |" for kind, series, n, when in where_and_when(runs)
    ]
    head = ["| false incident | series | n | seed, site, day |", "|---|---|---|---|"]
    return "\n".join([f"together {false_n} of {allowed:.1f} allowed", "", *head, *rows])


def head(seed: int, size: Size) -> str:
    """Of the table of faults."""
    return "\n".join(
        [
            f"\nFaults at north, seed {seed}, after {size.onset_day} days; false: before the onset"
            " + after it, in the days that it is watched\n",
            "| fault | days | found after | told as | part named | false | told besides |",
            "|---|---|---|---|---|---|---|",
        ]
    )


def of_found(one: Found) -> str:
    """One row."""
    fault, told = one.fault, one.told
    verdict = "-" if told is None else f"{told.kind} {told.series}"
    part = {None: "", True: fault.slice or "", False: f"**not {fault.slice}**"}[one.names_slice]
    false = f"{len(one.before)} + {len(one.beside)}"
    cells = (
        fault.name,
        str(one.watched_days),
        _delay(one),
        verdict,
        part,
        false,
        _besides(one.also),
    )
    return f"| {' | '.join(cells)} |"


def _delay(one: Found) -> str:
    days = one.delay_days
    if days is None:
        return "nothing, as it should" if one.fault.is_none else "**never**"
    length = f"{days * 24 * 60:.0f} min" if days < 0.1 else f"{days * 24:.0f} h"
    shown = length if days < 2 else f"{days:.1f} d"
    return f"**{shown}: false**" if one.fault.is_none else shown


def _besides(also: Sequence[Opening]) -> str:
    counts = Counter(f"{one.kind} {one.series}".rstrip() for one in also)
    named = [name if n == 1 else f"{name} x {n}" for name, n in counts.items()]
    more = [f"{len(named) - 4} more"] if len(named) > 4 else []
    return ", ".join([*named[:4], *more])


def object_of_quiet(run: Quiet) -> dict[str, Any]:
    """For `--json`."""
    return run._asdict() | {"false": [one._asdict() for one in run.false]}


def object_of_found(one: Found, seed: int) -> dict[str, Any]:
    """For `--json`."""
    return {
        "seed": seed,
        "fault": one.fault.name,
        "is_right": one.is_right,
        "delay_days": one.delay_days,
        "names_slice": one.names_slice,
        "told": one.told and one.told._asdict(),
        "before": [other._asdict() for other in one.before],
        "beside": [other._asdict() for other in one.beside],
        "also": [other._asdict() for other in one.also],
    }
