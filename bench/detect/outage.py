"""Nothing comes any more: when is it told, and what is told that is not so? PEERS.md, 4, J."""

from collections.abc import Iterator
from datetime import timedelta
from itertools import chain
from statistics import median

import numpy as np
import orjson
from numpy.typing import NDArray

from bench.detect.table import ALWAYS, NEVER, OURS, Asked, Row, Table
from bench.silence import Live, arrivals
from bench.silence_simulation import HOSPITAL, WEEK
from detectors._contract import Floats
from examples.event_lines import START
from schemas.config import Config, Model
from schemas.outcome import Outcome
from streams.replay import Replay, parse
from streams.silence.feed import HOUR_US

Bools = NDArray[np.bool_]

TITLE = "an outage of a feed of 100 studies a day, at one false alarm in four weeks"
PER_DAY, ALLOWED_DAYS, LEARNT_WEEKS = 100, 28.0, 8
OUTAGES = {"Tuesday 10:00": 24 + 10, "Saturday 14:00": 5 * 24 + 14, "Tuesday 02:00": 24 + 2}
_TUESDAY_AT_TEN = HOSPITAL[34] / HOSPITAL.sum() * 7 * PER_DAY
DEADLINE_H, STALL_H, STALL_EVERY_H, MISSING = 0.5, 1.0, 96.0, 0.002


def table(asked: Asked) -> Table:
    """See TITLE."""
    repeats = 4 if asked.quick else 25
    rows = [_ours(repeats), _fixed(repeats)]
    rows.append(Row(ALWAYS, "", {**dict.fromkeys(OUTAGES, 0.0), "false, 1,000 studies": 1_000}))
    rows.append(Row(NEVER, "", dict.fromkeys(OUTAGES)))
    rows += _late_readers(2_000 if asked.quick else 10_000)
    protocol = (
        f"{repeats} repetitions, {LEARNT_WEEKS} weeks of arrivals before; median minutes from the "
        "outage to the alarm. The fixed timeout is the shortest that has one false alarm in four "
        "weeks on the same feeds. False, 1,000 studies: results called missing that came in time, "
        f"deadline {DEADLINE_H * 60:.0f} min, while the monitor stands still {STALL_H:g} h in "
        f"every {STALL_EVERY_H / 24:g} days. (A worker on a broker: make sim, bench.kafka.)"
    )
    return Table(TITLE, protocol, rows)


def _ours(repeats: int) -> Row:
    row = Row(OURS, "complete silence and partial", {})
    for name, weekhour in OUTAGES.items():
        row.figures[name] = round(median(_told_min(weekhour, seed) for seed in range(repeats)))
    return row


def _told_min(weekhour: int, seed: int) -> float:
    hour = LEARNT_WEEKS * WEEK + weekhour
    times = arrivals(_TUESDAY_AT_TEN, 0.0, hour, seed)
    begin_us = int(times[0] - times[0] % (24 * HOUR_US)) + hour * HOUR_US
    live = Live(ALLOWED_DAYS)
    live.take(times[times < begin_us])
    found = live.prove(begin_us + WEEK * HOUR_US)
    told = [one.at_us for one in found if one.signal == "holds" and one.at_us > begin_us]
    return (told[0] - begin_us) / HOUR_US * 60 if told else float("inf")


def _fixed(repeats: int) -> Row:
    weeks = 8 * repeats
    gaps = np.sort(np.diff(arrivals(_TUESDAY_AT_TEN, 0.0, weeks * WEEK, 81)))[::-1]
    timeout = round(float(gaps[int(weeks * 7 / ALLOWED_DAYS)]) / HOUR_US * 60)
    return Row("fixed timeout", f"{timeout} min", dict.fromkeys(OUTAGES, timeout))


def _late_readers(n: int) -> Iterator[Row]:
    """Timers of the wall clock in a monitor that stands still, and those of the pipeline.

    Studies come evenly, results after a lognormal time with a median of ten minutes. What the
    pipeline is told is what the worker reads after it stood still: the same events with the times
    at which they arrived at the broker.
    """
    rng = np.random.default_rng(82)
    at = np.arange(n) / (PER_DAY / 24)
    result = at + rng.lognormal(np.log(1 / 6), 0.4, n)
    is_missing = rng.random(n) < MISSING
    in_time = ~is_missing & (result <= at + DEADLINE_H)
    begin = at - at % STALL_EVERY_H + STALL_EVERY_H / 2
    unread = (at < begin) & (result > begin) & (at + DEADLINE_H < begin + STALL_H)
    false = float((in_time & unread).mean() * 1_000)
    yield Row("timers of the wall clock", "due before read", {"false, 1,000 studies": false})
    told = _told_missing(at, np.where(is_missing, np.inf, result))
    yield Row(
        OURS,
        "timers of proved time",
        {
            "false, 1,000 studies": float((in_time & told).mean() * 1_000),
            "found of those missing": f"{told[is_missing].mean():.0%}",
        },
    )


def _told_missing(at: Floats, result: Floats) -> Bools:
    """Whether the pipeline settles each study as missing."""
    model = Model(name="ptx", deadline_s=DEADLINE_H * 3600)
    replay = Replay(Config(models=[model]))
    arrivals_h = [(hour, key, "study") for key, hour in enumerate(at.tolist())]
    arrivals_h += [(h, key, "result") for key, h in enumerate(result.tolist()) if np.isfinite(h)]
    lines = (_line(hour, key, kind) for hour, key, kind in sorted(arrivals_h))
    told = np.zeros(len(at), dtype=np.bool_)
    for effect in chain(replay.play(parse("outage", lines)), replay.finish()):
        if isinstance(effect, Outcome) and effect.outcome == "missing":
            told[int(effect.study)] = True
    return told


def _line(hour: float, key: int, kind: str) -> bytes:
    stamp = (START + timedelta(hours=hour)).isoformat()
    event = {"site": "north", "study": str(key), "at": stamp, "arrived_at": stamp}
    if kind == "study":
        return orjson.dumps(event | {"type": "radvigil.study.v1", "modality": "DX"})
    answer = {"model": "ptx", "model_version": "1", "status": "completed"}
    outputs = [{"finding": "ptx", "positive": False}]
    return orjson.dumps(event | answer | {"type": "radvigil.prediction.v1", "outputs": outputs})
