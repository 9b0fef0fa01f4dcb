"""Series whose weekends or hours differ, and nothing changes: what is raised and what is allowed.

    python -m bench.weekends [--series N] [--days N] [--per-day N ...] [--only PART-OF-A-NAME]

Each series runs through the whole life of one (`streams.series.watched`): a reference of 2,000,
learnt from any day of the week on, and what comes after an alarm. `min_days` 0 takes all days for
alike, 8 is the default. A promise of 200 days; what is allowed is the time in which it was watched,
over that.
"""

import argparse
from collections.abc import Callable
from multiprocessing import Pool
from typing import Any

import numpy as np

from schemas.config import Reference
from streams.pace import DAY_US
from streams.series.change import Change
from streams.series.learning import settings_of
from streams.series.number import NumberSample
from streams.series.seen import Floats, Sample, Seen, SeriesKind
from streams.series.watched import Series
from streams.series.word import WordSample, YesNoSample

PROMISE_DAYS = 200.0
_ROW = 1_000
_SAMPLES: dict[SeriesKind, Callable[[], Sample]] = {
    "number": NumberSample,
    "yes_no": YesNoSample,
    "word": WordSample,
}
_VIEWS, _KVP = np.array(["PA", "LATERAL", "AP"]), np.array([80.0, 100.0, 120.0])
_PARTS, _PARTS_ON_WEEKENDS = (0.6, 0.25, 0.15), (0.4, 0.1, 0.5)
_PARTS_A_LITTLE_OTHER = (0.55, 0.25, 0.2)
Draw = Callable[[np.random.Generator, Floats], Floats | list[str]]


def _level(weekend: float, day: float = 0.0, wide: float = 1.0) -> Draw:
    """Noise around a level, `day` times a cycle of the day, and more on weekends, or wider."""
    return lambda rng, days: (
        rng.normal(size=len(days)) * np.where(_is_weekend(days), wide, 1)
        + day * np.cos(2 * np.pi * days)
        + np.where(_is_weekend(days), weekend, 0)
    )


def _days(own: float, parts: int = 1, follows: float = 0.0) -> Draw:
    """Noise of one around a level that each day has of its own, or each part of one.

    It follows that of the day before by so much.
    """

    def draw(rng: np.random.Generator, days: Floats) -> Floats:
        fresh = rng.normal(0, own, parts * int(days[-1] + 1))
        levels = [fresh[0]]
        for level in fresh[1:].tolist():
            levels.append(follows * levels[-1] + (1 - follows**2) ** 0.5 * level)
        own_levels: Floats = np.array(levels)[(parts * days).astype(np.int64)]
        return rng.normal(size=len(days)) + own_levels

    return draw


def _spreads(own: float) -> Draw:
    """Noise whose sd each day has of its own, by so much in the logarithm."""

    def draw(rng: np.random.Generator, days: Floats) -> Floats:
        spreads = np.exp(rng.normal(0, own, int(days[-1]) + 1))
        noise: Floats = rng.normal(size=len(days)) * spreads[days.astype(np.int64)]
        return noise

    return draw


def _share(weekday: float, weekend: float, by_hour: float = 0.0) -> Draw:
    """Yes or no; by the hour of the day so much more often or less."""

    def draw(rng: np.random.Generator, days: Floats) -> list[str]:
        shares = np.where(_is_weekend(days), weekend, weekday)
        shares = shares + by_hour * np.sin(2 * np.pi * days)
        told: list[str] = np.where(rng.random(len(days)) < shares, "yes", "no").tolist()
        return told

    return draw


def _of(values: "np.ndarray[tuple[int], Any]", weekend: tuple[float, ...]) -> Draw:
    """Three words, or numbers."""

    def draw(rng: np.random.Generator, days: Floats) -> Floats | list[str]:
        edges = np.where(_is_weekend(days)[:, None], np.cumsum(weekend), np.cumsum(_PARTS))
        drawn = values[(rng.random(len(days))[:, None] > edges[:, :2]).sum(axis=1)]
        told: Floats | list[str] = drawn if values is _KVP else drawn.tolist()
        return told

    return draw


def _of_days(values: "np.ndarray[tuple[int], Any]", most: float, parts: int = 1) -> Draw:
    """The same; each day, or part of one, has up to so much more of the first, less of the second.

    Or less of the first, and more of the second.
    """

    def draw(rng: np.random.Generator, days: Floats) -> Floats | list[str]:
        drawn_n = parts * int(days[-1] + 1)
        thinner = rng.uniform(-most, most, drawn_n)[(parts * days).astype(np.int64)]
        edges = np.cumsum(_PARTS)[:2] + thinner[:, None] * [1, 0]
        drawn = values[(rng.random(len(days))[:, None] > edges).sum(axis=1)]
        told: Floats | list[str] = drawn if values is _KVP else drawn.tolist()
        return told

    return draw


def _is_weekend(days: Floats) -> "np.ndarray[tuple[int], np.dtype[np.bool_]]":
    return days % 7 >= 5


WORLDS: dict[str, tuple[SeriesKind, Draw]] = {
    "number, weekends alike": ("number", _level(0.0)),
    "number, weekends + .3 sd": ("number", _level(0.3)),
    "number, + .3 sd, a day's cycle of .5": ("number", _level(0.3, day=0.5)),
    "number, weekends 1.2 times as wide": ("number", _level(0.0, wide=1.2)),
    "number, weekends + .3 sd, 1.5 times as wide": ("number", _level(0.3, wide=1.5)),
    "number, days of their own by .05 sd": ("number", _days(0.05)),
    "number, days of their own by .1 sd": ("number", _days(0.1)),
    "number, quarters of days of their own by .1 sd": ("number", _days(0.1, parts=4)),
    "number, days of their own by .1 sd that follow each other by .5": (
        "number",
        _days(0.1, follows=0.5),
    ),
    "number, days spread by 5 % more or less": ("number", _spreads(0.05)),
    "number, days spread by 10 % more or less": ("number", _spreads(0.1)),
    "yes in 10 %, weekends alike": ("yes_no", _share(0.1, 0.1)),
    "yes in 10 %, on weekends 12 %": ("yes_no", _share(0.1, 0.12)),
    "yes in 10 %, on weekends 15 %": ("yes_no", _share(0.1, 0.15)),
    "yes in 10 %, on weekends 30 %": ("yes_no", _share(0.1, 0.3)),
    "yes in 7 to 13 % by the hour": ("yes_no", _share(0.1, 0.1, 0.03)),
    "yes in 3 to 17 % by the hour": ("yes_no", _share(0.1, 0.1, 0.07)),
    "yes in 20 to 40 % by the hour": ("yes_no", _share(0.3, 0.3, 0.1)),
    "views 60, 25, 15 %, on weekends 40, 10, 50 %": ("word", _of(_VIEWS, _PARTS_ON_WEEKENDS)),
    "views 60, 25, 15 %, days of their own by up to 5": ("word", _of_days(_VIEWS, 0.05)),
    "views 60, 25, 15 %, days of their own by up to 10": ("word", _of_days(_VIEWS, 0.1)),
    "views 60, 25, 15 %, quarters of days of their own by up to 10": (
        "word",
        _of_days(_VIEWS, 0.1, parts=4),
    ),
    "kVp 60, 25, 15 %, days of their own by up to 5": ("number", _of_days(_KVP, 0.05)),
    "kVp 60, 25, 15 %, days of their own by up to 10": ("number", _of_days(_KVP, 0.1)),
    "kVp 60, 25, 15 %, quarters of days of their own by up to 10": (
        "number",
        _of_days(_KVP, 0.1, parts=4),
    ),
    "kVp 60, 25, 15 %, on weekends 55, 25, 20 %": ("number", _of(_KVP, _PARTS_A_LITTLE_OTHER)),
    "kVp 60, 25, 15 %, on weekends 40, 10, 50 %": ("number", _of(_KVP, _PARTS_ON_WEEKENDS)),
}
PACES = (150, 1_000)


def raised(task: tuple[str, int, float, int, int]) -> tuple[int, float, bool]:
    """Alarms, the days in which it was watched, and whether it ended as one that is promised."""
    world, per_day, min_days, length_days, seed = task
    kind, draw = WORLDS[world]
    rng = np.random.default_rng([seed, per_day])
    n = per_day * length_days
    days = rng.integers(0, 7) + np.sort(rng.random(n)) * length_days
    values = draw(rng, days)
    ats_us, draws = (days * DAY_US).astype(np.int64), rng.random(n)
    weekhours = (days * 24 % 168).astype(np.uint8)
    series = Series(settings_of(Reference(min_days=min_days)), _SAMPLES[kind])
    alarms_n, watched_days = 0, 0.0
    for start in range(0, n, _ROW):
        cut = slice(start, start + _ROW)
        seen = Seen(values[cut], draws[cut], ats_us[cut], weekhours[cut])
        for told in series.observe(seen, lambda _: PROMISE_DAYS):
            alarms_n += isinstance(told, Change) and told.what == "alarm"
        watched_days += (series.phase == "watching") * _ROW / per_day
    return alarms_n, watched_days, series.is_promised


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--series", type=int, default=40, help="of each kind")
    parser.add_argument("--days", type=int, default=120, help="that each is followed")
    parser.add_argument("--per-day", type=int, nargs="+", default=PACES, help="observations")
    parser.add_argument("--only", default="", help="series with this in their name")
    using = parser.parse_args()
    print("| series | a day | min_days | alarms | allowed | not promised |")
    print("|---|---|---|---|---|---|")
    with Pool(2) as pool:
        for per_day in using.per_day:
            for world in (one for one in WORLDS if using.only in one):
                for min_days in (0.0, 8.0):
                    task = (world, per_day, min_days, using.days)
                    told = pool.map(raised, [(*task, seed) for seed in range(using.series)])
                    alarms = sum(alarms_n for alarms_n, _, _ in told)
                    allowed = sum(days for _, days, _ in told) / PROMISE_DAYS
                    unpromised = sum(not promised for _, _, promised in told)
                    print(
                        f"| {world} | {per_day} | {min_days:g} | {alarms} | {allowed:.1f} "
                        f"| {unpromised} of {len(told)} |",
                        flush=True,
                    )
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
