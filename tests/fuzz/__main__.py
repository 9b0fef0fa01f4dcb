"""`python -m tests.fuzz --n 100000 hl7 fhir`: so many broken messages to each kind, or to all.

A failure prints the command that repeats it alone; with `--write FILE` that one also keeps the
input. Inputs are numbered and follow from kind and number: the same on every run that has the same
real files (RADVIGIL_DATA).
"""

import argparse
import os
import sys
from collections import Counter
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from hashlib import sha256
from math import inf
from pathlib import Path
from time import monotonic

from streams import ingest
from tests.fuzz.seeds import DATA
from tests.fuzz.trial import content, tried

BLOCK = 500
SHOWN = 20


def main() -> int:
    """Exit status 1 if an input fails."""
    parser = argparse.ArgumentParser(prog="python -m tests.fuzz", description=__doc__)
    parser.add_argument("kinds", nargs="*", metavar="KIND", help="all of them where none is named")
    parser.add_argument("--n", type=int, default=10_000, help="inputs a kind")
    parser.add_argument("--first", type=int, default=0, help="the number of the first")
    parser.add_argument("--at", type=int, help="only the input of this number, of one kind")
    parser.add_argument("--write", type=Path, metavar="FILE", help="with --at: keep the input")
    parser.add_argument("--minutes", type=float, help="of a kind at most; what ran is said")
    parser.add_argument("--jobs", type=int, default=os.cpu_count(), help="processes")
    arguments = parser.parse_args()
    if unknown := set(arguments.kinds) - set(ingest.kinds()):
        parser.error(f"there is no {', '.join(sorted(unknown))}: {', '.join(ingest.kinds())}")
    kinds = arguments.kinds or ingest.kinds()
    if arguments.at is not None:
        return max(_one(kind, arguments.at, arguments.write) for kind in kinds)
    if not DATA.is_dir():
        print(f"without real files: there are none at {DATA}", file=sys.stderr)
    numbers = range(arguments.first, arguments.first + arguments.n)
    longest_s = inf if arguments.minutes is None else 60 * arguments.minutes
    return max(_many(kind, numbers, arguments.jobs, longest_s) for kind in kinds)


def _one(kind: str, number: int, file: Path | None) -> int:
    given = content(kind, number)
    print(f"{kind} {number}: {len(given)} bytes, sha256 {sha256(given).hexdigest()[:16]}")
    if file is not None:
        file.write_bytes(given)
    found = tried(kind, given).problems
    for problem in found or ["nothing is wrong"]:
        print(f"  {problem}")
    return 1 if found else 0


def _many(kind: str, numbers: range, jobs: int, longest_s: float) -> int:
    begun = monotonic()
    blocks = [numbers[start : start + BLOCK] for start in range(0, len(numbers), BLOCK)]
    ran_n = failed_n = 0
    answers: Counter[str] = Counter()
    pool = ProcessPoolExecutor(jobs)
    found = zip(blocks, pool.map(partial(_block, kind), blocks), strict=True)
    for block, (failed, counted) in found:
        answers += counted
        ran_n += len(block)
        for number, problem in failed:
            failed_n += 1
            if failed_n <= SHOWN:
                print(f"FAILED {kind} {number}: {problem}")
                print(f"  repeat: python -m tests.fuzz --at {number} {kind}", flush=True)
        if monotonic() - begun > longest_s:
            break
    pool.shutdown(cancel_futures=True)
    told = ", ".join(f"{n:,} {what}" for what, n in sorted(answers.items()))
    took_s = monotonic() - begun
    print(f"{kind}: {ran_n:,} inputs, {failed_n} fail, {took_s:.0f} s; {told}", flush=True)
    return 1 if failed_n else 0


def _block(kind: str, numbers: range) -> tuple[list[tuple[int, str]], Counter[str]]:
    failed: list[tuple[int, str]] = []
    answers: Counter[str] = Counter()
    for number in numbers:
        trial = tried(kind, content(kind, number))
        failed += [(number, problem) for problem in trial.problems]
        answers += trial.answers
    return failed, answers


if __name__ == "__main__":
    sys.exit(main())
