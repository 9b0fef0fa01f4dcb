"""A share of yes that goes from a tenth to 15 or 20 %: PEERS.md, section 4, C."""

from collections.abc import Iterator

import numpy as np

from bench.calibration_data import Floats
from bench.detect.table import OURS, Asked, Row, Table, delays, run_length, trivial, with_peers
from bench.detect.venvs import ask
from bench.detect.watched import Alarms, at_run_length, cusum, drawn, rates_ratio, yes_no

TITLE = "a share of yes, .10 to .15 or .20"
ARL = 10_000
BEFORE, AFTER = 0.10, (0.15, 0.20)
REFERENCE_N, CONTROL_N, CALM_N, FOLLOWED_N = 2_000, 20_000, 500, 6_000
RIVER: dict[str, list[dict[str, float]]] = {
    "ADWIN": [{"delta": delta} for delta in (0.002, 0.1, 0.3)],
    "PageHinkley": [{"threshold": threshold} for threshold in (50, 20)],
    "DDM": [{}],
    "EDDM": [{}],
    "HDDM_A": [{}],
}


class Streams:
    """References, streams in control, and streams that change after `CALM_N`."""

    def __init__(self, repeats: int) -> None:
        self.references = drawn(BEFORE, (repeats, REFERENCE_N), 1)
        self.control = drawn(BEFORE, (repeats, CONTROL_N), 2)
        self.changed: list[Floats] = []
        for seed, after in enumerate(AFTER, start=3):
            calm = drawn(BEFORE, (repeats, CALM_N), seed)
            self.changed.append(np.hstack([calm, drawn(after, (repeats, FOLLOWED_N), seed + 10)]))


def table(asked: Asked) -> Table:
    """See TITLE."""
    repeats = 8 if asked.quick else 40
    streams = Streams(repeats)
    rows, skipped = with_peers(asked, _ours(streams), [lambda: _river(streams)])
    names = [f"delay to {after:.2f}" for after in AFTER]
    rows += trivial(["run length"], names, [f"missed {after:.2f}" for after in AFTER])
    protocol = (
        f"{repeats} repetitions; reference {REFERENCE_N}, in control {CONTROL_N}, the change after "
        f"{CALM_N} more; median delay in observations, run length measured."
    )
    return Table(TITLE, protocol, rows, skipped)


def _row(who: str, setting: str, control: Alarms, changed: list[Alarms]) -> Row:
    figures = {"run length": run_length(control, CONTROL_N)}
    row = Row(who, setting, {**figures})
    for after, alarms in zip(AFTER, changed, strict=True):
        told = delays(alarms, CALM_N)
        row.figures[f"delay to {after:.2f}"] = told["median delay"]
        row.figures[f"missed {after:.2f}"] = told["missed"]
    return row


def _ours(streams: Streams) -> Iterator[Row]:
    refs = streams.references
    yield _row(
        OURS,
        f"CatSR, promise {ARL}",
        yes_no(refs, streams.control, ARL),
        [yes_no(refs, seen, ARL) for seen in streams.changed],
    )
    for after, seen in zip(AFTER, streams.changed, strict=True):
        ratios = rates_ratio(streams.control, BEFORE, after)
        h = at_run_length(lambda h, r=ratios: cusum(r, h), CONTROL_N, ARL, 1, 12)  # type: ignore[misc]
        told = delays(cusum(rates_ratio(seen, BEFORE, after), h), CALM_N)
        length = run_length(cusum(ratios, h), CONTROL_N)
        delay = {f"delay to {after:.2f}": told["median delay"]}
        yield Row("CUSUM", f"knows .10 and {after:.2f}", {"run length": length, **delay})


def _river(streams: Streams) -> Iterator[Row]:
    for detector, settings in RIVER.items():
        for setting in settings:
            job = {"detector": detector, "settings": setting}
            control, *changed = (
                ask("river", job, references=streams.references, seen=seen)
                for seen in (streams.control, *streams.changed)
            )
            told = ", ".join(f"{k} {v:g}" for k, v in setting.items()) or "as shipped"
            yield _row(f"river {detector}", told, control, changed)
