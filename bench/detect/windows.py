"""Twelve columns in which nothing changes, looked at after n studies: PEERS.md, section 4, A."""

from collections.abc import Iterator

import numpy as np

from bench.calibration_data import Floats
from bench.detect.table import ALWAYS, NEVER, OURS, Asked, Row, Table, with_peers
from bench.detect.venvs import ask
from bench.detect.watched import votes, yes_no

TITLE = "an alarm in n studies of twelve columns in which nothing changes"
WINDOWS_N = (50, 100, 200, 500, 1_000)
REFERENCE_N, NUMBERS_N, WORDS_N = 5_000, 7, 5
PER_DAY = 200
DAYS = 30.0 * 32  # of each of the first series of the only site, at one a month for all
SHIFT_SD = 0.5


def table(asked: Asked) -> Table:
    """See TITLE."""
    repeats, asked_repeats = (12, 0) if asked.quick else (40, 4)
    rows, skipped = with_peers(asked, _ours(repeats), [lambda: _evidently(asked_repeats)])
    rows.append(Row(ALWAYS, "", dict.fromkeys(map(_name, WINDOWS_N), "100%")))
    rows.append(Row(NEVER, "", dict.fromkeys(map(_name, WINDOWS_N), "0%")))
    protocol = (
        f"Share of windows with any column told, of {repeats} (evidently: {asked_repeats}) after a "
        f"reference of {REFERENCE_N}: {NUMBERS_N} numbers, {WORDS_N} words. radvigil promises one "
        f"false alarm a month, at {PER_DAY} studies a day: 1,000 studies are five days, in which "
        f"17 % are allowed. Moved: one number by {SHIFT_SD} sd from the first study of the window."
    )
    return Table(TITLE, protocol, rows, skipped)


def _name(n: int) -> str:
    return f"n = {n}"


def drawn(rng: np.random.Generator, n: int, shift_sd: float = 0.0) -> Floats:
    """Rows of numbers, some skewed, and words as codes; a shift in the first column."""
    numbers = rng.normal(size=(n, NUMBERS_N))
    numbers[:, 1::2] = np.exp(numbers[:, 1::2])
    numbers[:, 0] += shift_sd
    shares = ([0.9, 0.1], [0.5, 0.3, 0.2], [0.6, 0.2, 0.1, 0.1], [0.97, 0.03], [0.25] * 4)
    words = [rng.choice(len(share), size=n, p=share) for share in shares]
    return np.column_stack([numbers, *words]).astype(np.float64)


def _ours(repeats: int) -> Iterator[Row]:
    for what, shift in (("nothing moved", 0.0), ("moved", SHIFT_SD)):
        firsts = [_first(np.random.default_rng([seed, 21]), shift) for seed in range(repeats)]
        shares = {_name(n): f"{sum(f < n for f in firsts) / repeats:.0%}" for n in WINDOWS_N}
        yield Row(OURS, f"{what}, one false alarm a month", {**shares})


def _first(rng: np.random.Generator, shift: float) -> float:
    reference, seen = drawn(rng, REFERENCE_N), drawn(rng, WINDOWS_N[-1], shift)
    alarms = []
    for column in range(NUMBERS_N + WORDS_N):
        watched = votes if column < NUMBERS_N else yes_no
        alarms += watched(reference[None, :, column], seen[None, :, column], DAYS * PER_DAY)[0]
    return min(alarms, default=float("inf"))


def _evidently(repeats: int) -> Iterator[Row]:
    rng = np.random.default_rng(22)
    reference = drawn(rng, REFERENCE_N)
    for what, shift in (("nothing moved", 0.0), ("moved", SHIFT_SD)):
        figures: dict[str, float | int | str | None] = {}
        for n in WINDOWS_N:
            windows = np.stack([drawn(rng, n, shift) for _ in range(repeats)])
            job = {"numbers": NUMBERS_N}
            counts = ask("evidently", job, reference=reference, windows=windows)
            figures[_name(n)] = f"{sum(count > 0 for count in counts) / repeats:.0%}"
        yield Row("evidently DataDriftPreset", f"{what}, as shipped", figures)
