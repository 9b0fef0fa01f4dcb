"""A normal value that moves by .25, .5 or 1 sd, at one run length: STATISTICS.md, section 2."""

from collections.abc import Iterator

import numpy as np

from bench.calibration_data import Floats
from bench.detect.table import OURS, Asked, Row, Table, delays, run_length, trivial, with_peers
from bench.detect.venvs import ask
from bench.detect.watched import Alarms, at_run_length, cusum, votes
from detectors.standard import Standard

TITLE = "a normal value that moves, at a run length of 100,000"
ARL = 1e5
SHIFTS_SD = (0.25, 0.5, 1.0)
REFERENCES_N = (500, 2_000)
CALM_N, FOLLOWED_N, CONTROL_N = 500, 6_000, 20_000
ALONE = {"mean_sr": 1.0}


class Streams:
    """Raw values: references, in control, and changed after `CALM_N`."""

    def __init__(self, reference_n: int, repeats: int) -> None:
        rng = np.random.default_rng(reference_n)
        self.reference_n = reference_n
        self.references: Floats = rng.normal(size=(repeats, reference_n))
        self.control: Floats = rng.normal(size=(repeats, CONTROL_N))
        self.changed: list[Floats] = []
        for shift in SHIFTS_SD:
            seen = rng.normal(size=(repeats, CALM_N + FOLLOWED_N))
            seen[:, CALM_N:] += shift
            self.changed.append(seen)

    def scored(self, seen: Floats) -> Floats:
        """Ten times the normal scores of each row against its reference."""
        draws = np.full(seen.shape[1], 0.5)
        return np.stack(
            [
                10 * Standard.learn(reference, draws[: len(reference)]).scores(values, draws)
                for reference, values in zip(self.references, seen, strict=True)
            ]
        )


def table(asked: Asked) -> Table:
    """See TITLE."""
    repeats = 10 if asked.quick else 40
    all_streams = [Streams(n, repeats) for n in (REFERENCES_N[:1] if asked.quick else REFERENCES_N)]
    ours = (row for streams in all_streams for row in _ours(streams))
    rows, skipped = with_peers(asked, ours, [lambda: _river(all_streams[-1])])
    rows += [_best(all_streams[0])]
    rows += trivial(["run length"], [_name(s) for s in SHIFTS_SD], ["missed .25"])
    protocol = (
        f"{repeats} repetitions; in control {CONTROL_N} observations each, the change after "
        f"{CALM_N}; mean delay of those found within {FOLLOWED_N}. The run length of {ARL:g} is "
        f"measured on {repeats * CONTROL_N:,} observations: about {repeats * CONTROL_N / ARL:.0f} "
        "alarms are allowed."
    )
    return Table(TITLE, protocol, rows, skipped)


def _name(shift: float) -> str:
    return f"delay {shift:g} sd"


def _row(who: str, setting: str, control: Alarms, changed: list[Alarms]) -> Row:
    row = Row(who, setting, {"run length": run_length(control, CONTROL_N)})
    for shift, alarms in zip(SHIFTS_SD, changed, strict=True):
        told = delays(alarms, CALM_N)
        row.figures[_name(shift)] = told["mean delay"]
        if shift == SHIFTS_SD[0]:
            row.figures["missed .25"] = told["missed"]
    return row


def _ours(streams: Streams) -> Iterator[Row]:
    for name, parts in (("votes", None), ("MeanSR alone", ALONE)):
        found = [
            votes(streams.references, seen, ARL, parts)
            for seen in (streams.control, *streams.changed)
        ]
        yield _row(OURS, f"{name}, reference {streams.reference_n}", found[0], found[1:])


def _best(streams: Streams) -> Row:
    """Page's CUSUM that knows the mean before and the shift: optimal (Lorden 1971)."""
    row = Row("CUSUM", "knows both means", {"run length": ARL})
    for shift, seen in zip(SHIFTS_SD, streams.changed, strict=True):

        def ratios(values: Floats, d: float = shift) -> Floats:
            return d * values - d * d / 2

        control = ratios(np.random.default_rng(5).normal(size=(400, 10_000)))
        h = at_run_length(lambda h, r=control: cusum(r, h), 10_000, ARL, 3, 14)  # type: ignore[misc]
        row.figures[_name(shift)] = delays(cusum(ratios(seen), h), CALM_N)["mean delay"]
    return row


def _river(streams: Streams) -> Iterator[Row]:
    scored = [streams.scored(s) for s in (streams.references, streams.control, *streams.changed)]
    raw = [streams.references, streams.control, *streams.changed]
    for setting, job, arrays in (
        ("as shipped, raw values", {"detector": "ADWIN", "settings": {}}, raw),
        ("as shipped, raw values", {"detector": "PageHinkley", "settings": {}}, raw),
        (
            "delta .004, clock 8, on 10 z",
            {"detector": "ADWIN", "settings": {"delta": 400 / ARL, "clock": 8}},
            scored,
        ),
    ):
        found = [ask("river", job, references=arrays[0], seen=seen) for seen in arrays[1:]]
        yield _row(f"river {job['detector']}", setting, found[0], found[1:])
