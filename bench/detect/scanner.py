"""One scanner of twelve whose calls all become negative, or frequent: PEERS.md, section 4, I."""

from collections.abc import Iterator, Mapping, Sequence
from statistics import median

import numpy as np

from bench.detect.table import ALWAYS, NEVER, OURS, Asked, Figure, Row, Table, with_peers
from bench.detect.venvs import ask
from bench.slices import (
    ALLOWED,
    FAULTS,
    FOLLOWED_N,
    LEARNT_N,
    LOOSE,
    SCANNERS_N,
    STUDIES,
    Told,
    bound,
    false_alarms,
    found,
    studies,
)
from detectors._contract import Floats, Ints

TITLE = "one scanner of twelve"
BROKEN = 6
DELTAS = (0.002, 0.3)


def table(asked: Asked) -> Table:
    """See TITLE."""
    runs = 2 if asked.quick else 8
    rows, skipped = with_peers(asked, _ours(runs), [lambda: _river(runs)])
    rows.append(Row(ALWAYS, "", {"false in 5,000": STUDIES, **dict.fromkeys(FAULTS, 1)}))
    rows.append(Row(NEVER, "", {"false in 5,000": 0.0, **dict.fromkeys(FAULTS, None)}))
    protocol = (
        f"{runs} repetitions. Median studies of the whole site from the fault to the alarm, - "
        f"where half are not found in {FOLLOWED_N}, and how often the right scanner is the first "
        f"one named. {LEARNT_N} studies before the fault. radvigil promises {ALLOWED} false alarms "
        f"in {STUDIES} studies for score and call, and all slices of both; counted at a promise "
        f"{LOOSE} times as loose, scaled back. Calls alone that are all negative cannot be told "
        f"before about {bound():.0f} studies at that promise, by anybody (bench.slices)."
    )
    return Table(TITLE, protocol, rows, skipped)


def _row(who: str, setting: str, false: float, told: Mapping[str, Sequence[Told]]) -> Row:
    figures: dict[str, Figure] = {"false in 5,000": round(false, 3)}
    for name, runs in told.items():
        firsts = [one.studies if one.studies is not None else float("inf") for one in runs]
        hits = [one.right for one in runs if one.studies is not None]
        figures[name] = m if (m := median(firsts)) < float("inf") else None
        figures[f"right, {name}"] = f"{sum(hits) / len(hits):.0%}" if hits else None
    return Row(who, setting, figures)


def _ours(runs: int) -> Iterator[Row]:
    alarms = sum(false_alarms(seed) for seed in range(runs)) / runs / LOOSE
    told = {name: [found(seed, name) for seed in range(runs)] for name in FAULTS}
    yield _row(OURS, "score and call, by scanner, model and sex", alarms, told)


def _river(runs: int) -> Iterator[Row]:
    worlds = {name: _calls(runs, name) for name in ("", *list(FAULTS)[1:])}
    for is_sliced in (False, True):
        for delta in DELTAS:
            job = {"detector": "ADWIN", "settings": {"delta": delta}}
            answers = {
                name: ask("river", job, seen=calls, groups=scanners if is_sliced else 0 * scanners)
                for name, (calls, scanners) in worlds.items()
            }
            false = [
                sum(LEARNT_N <= place < LEARNT_N + FOLLOWED_N for place, _ in run)
                for run in answers.pop("")
            ]
            told = {name: [_told(run, is_sliced) for run in runs] for name, runs in answers.items()}
            setting = f"{'each scanner' if is_sliced else 'all together'}, delta {delta}"
            rate = sum(false) / len(false) * STUDIES / FOLLOWED_N
            yield _row("river ADWIN on calls", setting, rate, told)


def _calls(runs: int, fault: str) -> tuple[Floats, Ints]:
    """Calls, and the scanner of each, of every run."""
    n = LEARNT_N + FOLLOWED_N
    calls, scanners = np.empty((runs, n)), np.empty((runs, n), dtype=np.int64)
    for seed in range(runs):
        for place, one in enumerate(studies(seed, n, FAULTS.get(fault))):
            calls[seed, place] = float(one.values[1][1])
            scanners[seed, place] = int(one.slices[0].removeprefix("scanner.station=CT")) - 1
    assert scanners.max() < SCANNERS_N
    return calls, scanners


def _told(run: list[tuple[int, int]], is_sliced: bool) -> Told:
    first = next(((place, group) for place, group in run if place >= LEARNT_N), None)
    if first is None:
        return Told(None, False)
    return Told(first[0] - LEARNT_N + 1, is_sliced and first[1] == BROKEN)
