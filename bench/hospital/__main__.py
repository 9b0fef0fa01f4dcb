"""What a realistic hospital in which nothing changes is told, and what of planted faults is found.

    python -m bench.hospital [--seeds N] [--days N] [--only TEXT...] [--alike] [--short] [--json]
    python -m bench.hospital --only "kVp" "of the ill"     (these faults, and nothing else)

First hospitals of two sites (1,050 studies a weekday) in which nothing changes. Each incident but
a notice of something new is false; `[budget]` says how many are allowed in those days, and the
first of them, in which references are learnt, count too. Then faults, each alone, from a Wednesday
on after 30 days. Beside each runs its twin, the same hospital without it: what both are told is
false, all else the fault has done. A delay is the time from the onset until it was true that it is
told; reports are held against the models after three days.

About a quarter of an hour of one core; with --short small hospitals and three faults, some seconds.
Seeds are fixed: the same lines each time. Exit status 1 where more than allowed was raised by more
than three standard errors.
"""

import argparse
import json
import sys
from collections.abc import Iterator, Sequence

from bench.hospital import lines
from bench.hospital.planted import FAULTS, found
from bench.hospital.unplanted import Quiet, breaks, quiet
from bench.hospital.world import LONG, SHORT, Size

_SHORT_FAULTS = ("no result for 3 hours", "every score", "version 2.2.0")


def main(arguments: Sequence[str] | None = None) -> int:
    """The command."""
    asked = _asked(arguments)
    size = SHORT if asked.short else LONG
    size = size._replace(days=asked.days or size.days, differs=float(not asked.alike))
    seeds = range(asked.first_seed, asked.first_seed + asked.seeds)
    runs: list[Quiet] = []
    for run in () if asked.only else _runs(size, seeds):
        runs.append(run)
        _print(json.dumps(lines.object_of_quiet(run)) if asked.json else lines.of_quiet(run))
    if runs and not asked.json:
        _print(lines.by_series(runs))
    wanted = asked.only or (_SHORT_FAULTS if asked.short else ("",))
    faults = [one for one in FAULTS if any(text in one.name for text in wanted)]
    for seed in range(asked.first_seed, asked.first_seed + asked.fault_seeds):
        if not asked.json:
            _print(lines.head(seed, size))
        _progress(f"seed {seed}: the {size.onset_day} days before the faults")
        for done, one in enumerate(found(faults, size, seed), start=1):
            _print(
                json.dumps(lines.object_of_found(one, seed)) if asked.json else lines.of_found(one)
            )
            _progress(f"seed {seed}: {done} of {len(faults)} faults")
    _progress("")
    return int(bool(runs) and breaks(runs))


def _asked(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m bench.hospital",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--seeds", type=int, help="hospitals in which nothing changes (default 3)")
    parser.add_argument("--fault-seeds", type=int, default=1, help="runs of each fault (default 1)")
    parser.add_argument("--first-seed", type=int, default=1, help="(default 1)")
    parser.add_argument("--days", type=int, help=f"that nothing changes (default {LONG.days})")
    parser.add_argument("--only", nargs="+", metavar="TEXT", help="faults with this in their name")
    parser.add_argument("--short", action="store_true", help="small hospitals, three faults")
    parser.add_argument("--alike", action="store_true", help="days and shifts do not differ")
    parser.add_argument("--json", action="store_true", help="one object a line")
    asked = parser.parse_args(arguments)
    asked.seeds = (1 if asked.short else 3) if asked.seeds is None else asked.seeds
    return asked


def _runs(size: Size, seeds: range) -> Iterator[Quiet]:
    for seed in seeds:
        for done in quiet(size, seed):
            if isinstance(done, Quiet):
                yield done
            else:
                _progress(f"seed {seed}: {done} of {size.days} days in which nothing changes")


def _print(text: str) -> None:
    _progress("")
    print(text, flush=True)


def _progress(text: str) -> None:
    """One line that the next one takes away, where somebody looks."""
    if sys.stderr.isatty():
        print(f"\r\x1b[K{text}", end="", file=sys.stderr, flush=True)


if __name__ == "__main__":
    sys.exit(main())
