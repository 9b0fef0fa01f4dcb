"""Silence: is the promise kept on feeds that the thresholds have not seen, and how soon is it told?

    python -m bench.silence [--quick] [--json]

Promise: one false alarm in five years of a feed, shared by its two monitors. Held out: feeds with
other seeds, rates, dispersions and weeks than those of the threshold table; counted are weeks in
which a statistic passed its threshold, against what is allowed, from the third to the eighth week
that a feed is known (young) and in the year after (grown). Delays: the stage itself, eight weeks of
arrivals, then an outage on a Tuesday at 10:00; rates are those of that hour. The fixed timeout is
the one that has as many false alarms on the same feeds. Over: from the first arrival after a
silence until its end is shown; and how often silence is told where a part of the usual still comes.
"""

import argparse
import json
import sys
from time import perf_counter_ns
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from bench.silence_simulation import DAYS_PART, HOSPITAL, SHAPES, WEEK, Floats, simulate
from bench.silence_table import tail
from schemas.config import Config
from schemas.silence import SilenceSettings
from schemas.study import Study
from streams.clock import from_us
from streams.finding import Finding
from streams.lost import Losses
from streams.silence import Silence
from streams.silence.feed import HOUR_US
from streams.silence.judge import GAP_PART, PARTIAL_PART
from streams.silence.thresholds import GAP, ONCE_IN_DAYS, PARTIAL, Table, threshold
from streams.stage import Happened, Said

DAYS = 5 * 365.0
GROWN_WEEK, WEEKS = 8, 52
SEED = 7_000
OUTAGE_HOUR = GROWN_WEEK * WEEK + 24 + 10
_START_US = 1_767_571_200_000_000  # Monday, 5 January 2026
_LATENESS_US = 60_000_000
_WORLDS = [  # mean arrivals an hour, dispersion, shape of the week
    (0.1, 0.11, "hospital"),
    (2.0, 0.0, "hospital"),
    (2.0, 0.11, "hospital"),
    (2.0, 0.11, "uneven days"),
    (2.0, 0.11, "two days a week"),
    (7.0, 0.3, "hospital"),
    (7.0, 0.0, "office hours"),
    (7.0, 0.11, "flat"),
    (70.0, 0.0, "hospital"),
    (70.0, 0.11, "hospital"),
    (70.0, 0.11, "uneven days"),
    (100.0, 0.3, "hospital"),
]
_OUTAGES = [  # arrivals in the hour of the outage, dispersion
    (200.0, 0.0),
    (200.0, 0.11),
    (5.0, 0.0),
    (5.0, 0.11),
    (13.9, 0.0),  # 5 an hour on the average of the week
    (13.9, 0.11),
]
_SILENT_HOURS = {200.0: 24, 30.0: 24, 13.9: 24, 5.0: 24, 1.0: 72, 0.2: 336}
_TRICKLES = (0.5, 0.3, 0.2, 0.1, 0.03)  # of the usual


class HeldOut(NamedTuple):
    """False alarms over those allowed (how many, of each monitor on average); the fixed timeout in
    hours at the same rate of them."""

    gap: float
    partial: float
    gap_young: float
    partial_young: float
    allowed: float
    timeout_h: float


def held_out(
    per_hour: float, dispersion: float, shape: str, feeds: int = 256, weeks: int = WEEKS
) -> HeldOut:
    """Of one kind of feed."""
    passed = np.zeros((2, weeks, feeds), bool)
    longest = np.zeros((weeks, feeds))
    limits = np.zeros((2, feeds))
    for at in simulate(per_hour, dispersion, feeds, weeks, SEED, SHAPES[shape]):
        if at.hour % 24 == 0:
            limits = np.stack([_limits(*table, at.per_hour, at.dispersion) for table in _TABLES])
        week = at.hour // WEEK
        passed[:, week] |= np.stack([at.gap, at.partial]) >= limits
        np.maximum(longest[week], at.silent_hours, out=longest[week])
    allowed = np.array([GAP_PART, PARTIAL_PART]) * 7 / DAYS  # a feed's week
    young, grown = passed[:, 2:GROWN_WEEK], passed[:, GROWN_WEEK:]
    level, excess = tail(longest[GROWN_WEEK:])
    timeout_h = level + excess * float(np.log(DAYS / ONCE_IN_DAYS))
    return HeldOut(
        gap=float(grown[0].mean() / allowed[0]),
        partial=float(grown[1].mean() / allowed[1]),
        gap_young=float(young[0].mean() / allowed[0]),
        partial_young=float(young[1].mean() / allowed[1]),
        allowed=float(grown[0].size * allowed.mean()),
        timeout_h=timeout_h,
    )


_TABLES = ((GAP, DAYS / GAP_PART), (PARTIAL, DAYS / PARTIAL_PART))


def _limits(table: Table, days: float, per_hour: Floats, dispersion: Floats) -> Floats:
    pairs = zip(per_hour.tolist(), dispersion.tolist(), strict=True)
    return np.array([threshold(table, *pair, days) for pair in pairs])


def arrivals(per_hour: float, dispersion: float, hours: int, seed: int) -> NDArray[np.int64]:
    """Times of a feed with a hospital's week, `per_hour` on Tuesday from 10:00 to 11:00."""
    rng = np.random.default_rng(seed)
    times, day = [], 1.0
    for hour in range(hours):
        if hour % 24 == 0:
            day = _gamma(rng, DAYS_PART * dispersion)
        level = day * _gamma(rng, (1 - DAYS_PART) * dispersion)
        n = rng.poisson(per_hour * HOSPITAL[hour % WEEK] / HOSPITAL[OUTAGE_HOUR % WEEK] * level)
        times.append(_START_US + np.sort(((hour + rng.random(n)) * HOUR_US).astype(np.int64)))
    return np.concatenate(times)


def _gamma(rng: np.random.Generator, variance: float) -> float:
    return float(rng.gamma(1 / variance, variance)) if variance else 1.0


class Live:
    """The stage, fed with one kind of event."""

    def __init__(self, days: float = DAYS) -> None:
        self.stage = Silence(Config(), SilenceSettings(), lambda site: days, Losses(0))
        self._event = Study(site="north", study="s", at=from_us(_START_US), modality="DX")

    def take(self, times: NDArray[np.int64]) -> list[Finding]:
        """Arrivals, with the proof of time that each of them is."""
        said: list[Said] = []
        for at_us in times.tolist():
            proved_us = at_us - _LATENESS_US
            said += self.prove(proved_us)
            said += self.stage.take(
                Happened(self._event, at_us, at_us, proved_us, True, True, None)
            )
        return [one for one in said if isinstance(one, Finding)]

    def prove(self, until_us: int) -> list[Finding]:
        """Time passes."""
        said: list[Said] = []
        while (at_us := self.stage.earliest_us()) <= until_us:
            said += self.stage.tick(at_us)
        return [one for one in said if isinstance(one, Finding)]


def delay_h(per_hour: float, dispersion: float, left: float, seed: int) -> tuple[float, int]:
    """Hours from the loss of arrivals until it is told, and false alarms before; inf in 4 weeks."""
    begin_us = _START_US + OUTAGE_HOUR * HOUR_US
    times = arrivals(per_hour, dispersion, OUTAGE_HOUR + 4 * WEEK, seed)
    kept = np.random.default_rng(seed + 1).random(len(times)) < left
    live = Live()
    false = sum(one.signal == "holds" for one in live.take(times[times < begin_us]))
    found = live.take(times[(times >= begin_us) & kept])
    found += live.prove(begin_us + 4 * WEEK * HOUR_US)
    told = [one.at_us for one in found if one.signal == "holds" and one.at_us > begin_us]
    return ((told[0] - begin_us) / HOUR_US if told else float("inf")), false


def recovery_h(per_hour: float, dispersion: float, seed: int) -> float:
    """Hours from the first arrival after a day of silence until its end is shown."""
    begin_us = _START_US + OUTAGE_HOUR * HOUR_US
    times = arrivals(per_hour, dispersion, OUTAGE_HOUR + 3 * WEEK, seed)
    live = Live()
    live.take(times[times < begin_us])
    found = live.prove(begin_us + _SILENT_HOURS[per_hour] * HOUR_US)
    after = times[times >= begin_us + _SILENT_HOURS[per_hour] * HOUR_US]
    found += live.take(after)
    silences = [one for one in found if one.kind == "silence" and one.at_us > begin_us]
    assert silences[0].signal == "holds"
    return (silences[1].at_us - int(after[0])) / HOUR_US


def openings_n(per_hour: float, dispersion: float, left: float, seed: int) -> int:
    """How often complete silence is told while for three days only so much of the usual comes."""
    begin_us = _START_US + OUTAGE_HOUR * HOUR_US
    end_us = begin_us + 72 * HOUR_US
    times = arrivals(per_hour, dispersion, OUTAGE_HOUR + WEEK, seed)
    kept = np.random.default_rng(seed + 1).random(len(times)) < left
    live = Live()
    live.take(times[times < begin_us])
    found = live.take(times[(times >= begin_us) & (times < end_us) & kept])
    return sum(one.kind == "silence" and one.signal == "holds" for one in found)


def ns_an_arrival(n: int = 400_000) -> float:
    """One feed, 200 an hour by day, hours closed and proofs included; the loop taken off."""
    times = arrivals(200.0, 0.1, 6 * WEEK, 1)[:n]
    live, event = Live(), Study(site="north", study="s", at=from_us(_START_US), modality="DX")
    all_happened = [
        Happened(event, t, t, t - _LATENESS_US, True, True, None) for t in times.tolist()
    ]
    begun = perf_counter_ns()
    for happened in all_happened:
        if live.stage.earliest_us() <= happened.watermark_us:
            live.prove(happened.watermark_us)
        live.stage.take(happened)
    return (perf_counter_ns() - begun) / len(times)


def main() -> int:
    """Print the tables."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="fewer feeds and repetitions")
    parser.add_argument("--json", action="store_true")
    arguments = parser.parse_args()
    feeds, repeats = (64, 5) if arguments.quick else (512, 100)
    result: dict[str, dict[str, object]] = {
        "held out": {},
        "median delay": {},
        "over after": {},
        "trickles": {},
    }
    for per_hour, dispersion, shape in _WORLDS:
        found = held_out(per_hour, dispersion, shape, feeds if per_hour < 50 else feeds // 2)
        name = f"{per_hour:g}/h, dispersion {dispersion:g}, {shape}"
        result["held out"][name] = {k: round(v, 2) for k, v in found._asdict().items()}
        _tell(arguments.json, name, result["held out"][name])
    for per_hour, dispersion in _OUTAGES:
        for left in (0.0, 0.5):
            times = repeats if per_hour < 50 else repeats // 4
            each = [delay_h(per_hour, dispersion, left, seed) for seed in range(times)]
            hours = np.array([hours for hours, _ in each])
            name = f"{per_hour:g}/h by day, dispersion {dispersion:g}, {left:.0%} left"
            told = {
                "hours": round(float(np.median(hours)), 3),
                "error": round(_error_of_median(hours), 3),
                "false": sum(false for _, false in each),
            }
            result["median delay"][name] = told
            _tell(arguments.json, name, told)
    for per_hour, silent_h in _SILENT_HOURS.items():
        hours = np.array([recovery_h(per_hour, 0.11, seed) for seed in range(repeats // 4)])
        name = f"{per_hour:g}/h by day, back after {silent_h} h"
        quantiles = np.quantile(hours, (0.5, 0.9))
        told = {"hours": round(float(quantiles[0]), 3), "90 %": round(float(quantiles[1]), 3)}
        result["over after"][name] = told
        _tell(arguments.json, name, told)
    for left in _TRICKLES:
        counts = [openings_n(30.0, 0.11, left, seed) for seed in range(repeats // 4)]
        name = f"30/h by day, {left:.0%} left for 3 days"
        told = {"silences told": round(float(np.mean(counts)), 2)}
        result["trickles"][name] = told
        _tell(arguments.json, name, told)
    result["cost"] = {"ns an arrival": round(ns_an_arrival())}
    _tell(arguments.json, "cost", result["cost"])
    if arguments.json:
        print(json.dumps(result))
    return 0


def _error_of_median(values: Floats) -> float:
    """Its standard error, by drawing the values again (bootstrap)."""
    rng = np.random.default_rng(0)
    return float(np.std([np.median(rng.choice(values, len(values))) for _ in range(300)]))


def _tell(as_json: bool, name: str, what: object) -> None:
    if not as_json:
        print(f"{name:45} {what}", flush=True)


if __name__ == "__main__":
    sys.exit(main())
