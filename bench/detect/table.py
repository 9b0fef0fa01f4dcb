"""A table of the comparison: who was measured, at which setting, with which figures."""

from collections.abc import Callable, Iterable, Sequence
from statistics import fmean, median
from typing import NamedTuple

from bench.detect.venvs import Absent

Figure = float | int | str | None
ALWAYS = "always alarms"
NEVER = "never alarms"
OURS = "radvigil"


class Row(NamedTuple):
    """`figures` by the name of their column; None where there is none."""

    who: str
    setting: str
    figures: dict[str, Figure]


class Table(NamedTuple):
    """`protocol` says how it was measured, with how many repetitions; `skipped` who, and why."""

    title: str
    protocol: str
    rows: list[Row]
    skipped: list[str] = []


class Asked(NamedTuple):
    """What the command line says of a table."""

    quick: bool
    peers: bool


def with_peers(
    asked: Asked, ours: Iterable[Row], theirs: Sequence[Callable[[], Iterable[Row]]]
) -> tuple[list[Row], list[str]]:
    """Our rows and those of each peer that can be asked; the others' reasons."""
    rows, skipped = list(ours), []
    for peer in theirs if asked.peers else ():
        try:
            rows += peer()
        except Absent as reason:
            skipped.append(str(reason))
    return rows, skipped


def run_length(alarms: Sequence[Sequence[int]], n: int) -> float | None:
    """Observations in control between two alarms of all runs; None if there was none."""
    total = sum(map(len, alarms))
    return round(len(alarms) * n / total) if total else None


def delays(alarms: Sequence[Sequence[int]], changed_at: int) -> dict[str, Figure]:
    """Observations from the change to the first alarm after it; those that missed it."""
    firsts = [next((i - changed_at + 1 for i in run if i >= changed_at), None) for run in alarms]
    found = [first for first in firsts if first is not None]
    is_half = 2 * len(found) > len(firsts)
    return {
        "median delay": median(f if f is not None else float("inf") for f in firsts)
        if is_half
        else None,
        "mean delay": round(fmean(found), 1) if found else None,
        "missed": f"{1 - len(found) / len(firsts):.0%}",
    }


def trivial(lengths: Sequence[str], delays: Sequence[str], missed: Sequence[str]) -> list[Row]:
    """The rows that keep a table honest: who always alarms is never late, who never does is."""
    always: dict[str, Figure] = {**dict.fromkeys(lengths, 1), **dict.fromkeys(delays, 1)}
    never: dict[str, Figure] = dict.fromkeys([*lengths, *delays], None)
    return [
        Row(ALWAYS, "", always | dict.fromkeys(missed, "0%")),
        Row(NEVER, "", never | dict.fromkeys(missed, "100%")),
    ]


def shown(name: str, table: Table) -> str:
    """The table as Markdown."""
    columns = list(dict.fromkeys(column for row in table.rows for column in row.figures))
    lines = [f"### {name}. {table.title}", "", table.protocol, ""]
    lines.append("| | setting | " + " | ".join(columns) + " |")
    lines.append("|" + "---|" * (len(columns) + 2))
    for row in table.rows:
        cells = " | ".join(_cell(row.figures.get(column)) for column in columns)
        lines.append(f"| {row.who} | {row.setting} | {cells} |")
    lines += [f"\nLeft out: {reason}." for reason in table.skipped]
    return "\n".join(lines) + "\n"


def _cell(figure: Figure) -> str:
    if figure is None:
        return "-"
    if isinstance(figure, float):
        return f"{figure:.3g}" if abs(figure) < 100 else f"{figure:,.0f}"
    return f"{figure:,}" if isinstance(figure, int) else figure
