"""Do the detectors keep their promise, and how soon do they find a change?

    python -m bench.calibration [--quick] [--only false-alarms|delays] [--json]
    python -m bench.calibration --only false-alarms --data "all three" --references 60
    python -m bench.calibration --only false-alarms --promise 50000 --references 60
    python -m bench.calibration --only false-alarms --data "all three" --observations 4000
    python -m bench.calibration --only delays --change ".5 sd" --references 400

False alarms: values that never change, scored against a frozen reference of the same stream,
watched for one promise each; counted in units of what is promised. `votes` is what a series has:
all detectors, each with its part of the promise, begun anew together. Delays: in observations from
a change, which follows 1,000 observations in control, to the alarm. Seeds are fixed: the same
numbers each time. Exit status 1 when `votes` raise more than is promised (1, and 1.2 where values
depend on each other) by more than three standard errors, which no longer is chance.
"""

import argparse
import json
import sys
from multiprocessing import Pool
from statistics import fmean, median, stdev
from typing import Any, NamedTuple

import numpy as np

from bench.calibration_data import (
    CHANGES,
    DATA,
    DEPENDENT,
    Floats,
    Stream,
    of_no_cycle,
    stream,
)
from detectors import Promise, make
from detectors.cat_sr import CategoryDetector
from detectors.cells import number_cells
from detectors.day_levels import DayLevels
from detectors.dependence import dependence_of_categories
from detectors.overdispersion import overdispersion_of
from detectors.standard import Standard
from detectors.votes import VOTES
from streams.series.seen import Readings

PROCESSES = 2
IN_CONTROL_N = 1_000
FOLLOWED_N = 10_000
ARL = 1e4  # at which all are watched
DELAY_ARL = 1e5
YES_NO = {"cat_sr": 1.0}
QUICK_DEPENDENT = ("day and week", "all three", "yes in 30 %, each day 20 to 40 %")


class Cell(NamedTuple):
    """One setting: so many references of `reference_n`, each watched for one promise of `arl`."""

    data: str
    reference_n: int
    arl: float
    references: int


class Measured(NamedTuple):
    """False alarms in units of those promised, or observations until a change is found."""

    what: str
    kind: str
    reference_n: int
    arl: float
    mean: float
    standard_error: float
    median: float

    @property
    def broken(self) -> bool:
        """Whether a series breaks its promise by more than chance explains."""
        allowed = 1.2 if self.what in DEPENDENT else 1.0
        is_rate = self.kind == "votes" and self.what in DATA
        return is_rate and self.mean - 3 * self.standard_error > allowed


class Numbers:
    """What a series of numbers is held against."""

    def __init__(self, reference: Stream, rng: np.random.Generator) -> None:
        draws = rng.random(len(reference.values))
        self._standard = Standard.learn(reference.values, draws, reference.weekhours)
        self._cells = number_cells(self._standard)
        self.n, self.dependence = self._standard.n, self._standard.dependence
        effective_n = self.dependence.effective_n / self._levels().ratio
        self.dependence = self.dependence._replace(effective_n=effective_n)
        self.counts = self._cells.counts
        scores = self._standard.scores(reference.values, draws, reference.weekhours)
        left = self._levels().innovations(scores, reference.weekhours).scores
        cells = self._cells.cells(reference.values, left)
        self.overdispersion = overdispersion_of(cells, reference.weekdays)

    def readings(self, seen: Stream, rng: np.random.Generator) -> Readings:
        """Scores without the levels of days, and cells."""
        draws = rng.random(len(seen.values))
        scores = self._standard.scores(seen.values, draws, seen.weekhours)
        cells = self._cells.cells(seen.values, scores)
        left, shown, drawn = self._levels().innovations(scores, seen.weekhours)
        if len(shown):
            cells = self._cells.levelled(cells, left)
        return Readings(left, cells, seen.weekhours, shown, drawn)

    def _levels(self) -> DayLevels:
        ratios = self._standard.dependence.ratio, self._standard.dependence.spread_ratio
        return DayLevels(self._standard.days, *ratios)


class YesNo:
    """What a series of yes (1) and no (0) is held against."""

    def __init__(self, reference: Stream) -> None:
        answers = reference.values.astype(np.int64)
        self.n, self.dependence = len(answers), dependence_of_categories(answers)
        self.counts = (*np.bincount(answers, minlength=2).tolist(), 0)
        self.overdispersion = overdispersion_of(answers, reference.weekdays)

    def readings(self, seen: Stream, rng: np.random.Generator) -> Readings:
        """Cells; there are no scores."""
        return Readings(seen.values, seen.values.astype(np.int64), seen.weekhours)


class Watch:
    """One reference, and detectors on the readings against it; `parts` of one promise."""

    def __init__(self, reference: Stream, parts: dict[str, float], arl: float, seed: int) -> None:
        self._rng = np.random.default_rng([seed, 99])
        is_yes_no = parts == YES_NO and np.isin(reference.values, (0, 1)).all()
        self._against = YesNo(reference) if is_yes_no else Numbers(reference, self._rng)
        self._parts = parts
        self._promise = Promise(arl / reference.per_day, reference.per_day)
        self._arm()

    def _arm(self, mixture: CategoryDetector | None = None) -> None:
        n, dependence = self._against.n, self._against.dependence
        promises = {kind: self._promise.part(part) for kind, part in self._parts.items()}
        self._detectors: dict[str, Any] = {
            kind: mixture or self._mixture(promise.days, dependence.ratio)
            if kind == "cat_sr"
            else make(kind, promise, n, dependence)
            for kind, promise in promises.items()
        }

    def _mixture(self, days: float, ratio: float) -> CategoryDetector:
        return CategoryDetector(days, self._against.counts, ratio, self._against.overdispersion)

    def alarms(self, seen: Stream) -> list[int]:
        """The places of all alarms; after each, all begin anew, and what blocks told stays."""
        readings = self._against.readings(seen, self._rng)
        n = len(readings.cells)
        days = np.full(n, 1 / seen.per_day)
        found: list[int] = []
        at = 0
        while (first := self._first(readings.part(at, n), days[at:])) is not None:
            at += first + 1
            found.append(at - 1)
            mixture = self._detectors.get("cat_sr")
            if mixture is not None:
                mixture.begin_anew()
            self._arm(mixture)
        return found

    def _first(self, readings: Readings, days: Floats) -> int | None:
        for begin in range(0, len(days), 512):
            part, time = readings.part(begin, begin + 512), days[begin : begin + 512]
            assert part.scores is not None
            found = [
                detector.run(part.cells, time, part.weekdays)
                if kind == "cat_sr"
                else detector.run(part.scores, time, part.shown, part.drawn)
                for kind, detector in self._detectors.items()
            ]
            alarms: list[int] = [place for place in found if place is not None]
            if alarms:
                return begin + min(alarms)
        return None


def sets_of(data: str) -> dict[str, dict[str, float]]:
    """What is measured: each detector with the whole promise, and all votes together."""
    votes = YES_NO if data.startswith("yes") else VOTES
    alone = {kind: {kind: 1.0} for kind in VOTES}
    return {**alone, "votes": votes}


def false_alarms(task: tuple[Cell, int]) -> list[int]:
    """Of each detector and of the votes, on one reference's stream."""
    cell, seed = task
    rng = np.random.default_rng([seed, cell.reference_n])
    whole = stream(cell.data, rng, cell.reference_n + int(cell.arl))
    reference, seen = whole.part(0, cell.reference_n), whole.part(cell.reference_n)
    return [
        len(Watch(reference, parts, cell.arl, seed).alarms(seen))
        for parts in sets_of(cell.data).values()
    ]


def delays(task: tuple[str, int, int]) -> list[int]:
    """Of each detector and of the votes, for one reference; FOLLOWED_N when nothing was found."""
    change, reference_n, seed = task
    rng = np.random.default_rng([seed, reference_n, 77])
    n = reference_n + IN_CONTROL_N + FOLLOWED_N
    draw, moved = CHANGES[change]
    values = np.asarray(draw(rng, n), dtype=np.float64)
    values[-FOLLOWED_N:] = moved(rng, values[-FOLLOWED_N:])
    whole = of_no_cycle(values)
    reference, seen = whole.part(0, reference_n), whole.part(reference_n)
    return [
        _delay(Watch(reference, parts, DELAY_ARL, seed).alarms(seen))
        for parts in sets_of(change).values()
    ]


def _delay(alarms: list[int]) -> int:
    after = [place - IN_CONTROL_N + 1 for place in alarms if place >= IN_CONTROL_N]
    return after[0] if after else FOLLOWED_N


def measured(what: str, reference_n: int, arl: float, counts: list[list[int]]) -> list[Measured]:
    """One row for each detector and the votes."""
    return [
        Measured(
            what, kind, reference_n, arl, fmean(of), stdev(of) / len(of) ** 0.5, float(median(of))
        )
        for kind, of in zip(sets_of(what), zip(*counts, strict=True), strict=True)
    ]


def plan(quick: bool) -> tuple[list[Cell], list[int], int]:
    """The cells, the references of the delays, and their repeats."""
    if quick:
        cells = [Cell(data, 500, ARL, 40) for data in ("continuous", "yes in 5 %")]
        dependent = [Cell(data, 2000, ARL, 40) for data in QUICK_DEPENDENT]
        return cells + dependent, [500], 24
    cells = [Cell(data, m, ARL, 200) for m in (500, 2000) for data in DATA]
    return [*cells, *(Cell("continuous", m, 1e5, 60) for m in (500, 2000))], [500, 2000], 200


def show(rows: list[Measured]) -> None:
    """A table."""
    print(f"{'':28} {'':13} {'m':>5} {'ARL':>6} {'mean':>8} {'+-':>6} {'median':>7}")
    for row in rows:
        where = f"{row.what:28} {row.kind:13} {row.reference_n:5} {row.arl:6.0e}"
        broken = "  BROKEN" if row.broken else ""
        print(f"{where} {row.mean:8.2f} {row.standard_error:6.2f} {row.median:7.0f}{broken}")


def main() -> int:
    """The command."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--quick", action="store_true", help="half a minute instead of many")
    parser.add_argument("--only", choices=("false-alarms", "delays"), help="default: both")
    parser.add_argument("--json", action="store_true", help="JSON instead of a table")
    parser.add_argument("--data", choices=tuple(DATA), help="false alarms on these values alone")
    parser.add_argument("--change", choices=tuple(CHANGES), help="delays to this change alone")
    parser.add_argument("--references", type=int, help="of each setting, instead of the plan's")
    parser.add_argument("--observations", type=int, help="of a reference, instead of the plan's")
    parser.add_argument("--promise", type=float, help="false alarms at this run length instead")
    parser.add_argument("--first-seed", type=int, default=0, help="others hold out; default: 0")
    chosen = parser.parse_args()
    cells, references, repeats = plan(chosen.quick)
    cells = [cell for cell in cells if chosen.data in (None, cell.data)]
    if chosen.references:
        repeats = chosen.references
        cells = [cell._replace(references=chosen.references) for cell in cells]
    if chosen.observations:
        cells = [cell._replace(reference_n=chosen.observations) for cell in cells]
        cells, references = list(dict.fromkeys(cells)), [chosen.observations]
    if chosen.promise:
        cells = [cell._replace(arl=chosen.promise) for cell in cells if cell.arl == ARL]
    rows: list[Measured] = []
    with Pool(PROCESSES) as pool:
        for cell in cells if chosen.only != "delays" else ():
            tasks = [(cell, chosen.first_seed + place) for place in range(cell.references)]
            counts = pool.map(false_alarms, tasks, chunksize=4)
            rows += measured(cell.data, cell.reference_n, cell.arl, counts)
        for reference_n in references if chosen.only != "false-alarms" else ():
            for change in CHANGES if chosen.change is None else (chosen.change,):
                seeds = range(chosen.first_seed, chosen.first_seed + repeats)
                repeated = [(change, reference_n, seed) for seed in seeds]
                found = pool.map(delays, repeated, chunksize=4)
                rows += measured(change, reference_n, DELAY_ARL, found)
    if chosen.json:
        print(json.dumps([row._asdict() for row in rows], indent=1))
    else:
        show(rows)
    return int(any(row.broken for row in rows))


if __name__ == "__main__":
    sys.exit(main())
