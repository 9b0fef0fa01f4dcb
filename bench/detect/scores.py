"""A model's score that rises by .05, at a run length of 1,000: PEERS.md, section 4, D."""

from collections.abc import Iterator

import numpy as np

from bench.calibration_data import Floats
from bench.detect.table import OURS, Asked, Row, Table, delays, run_length, trivial, with_peers
from bench.detect.venvs import ask
from bench.detect.watched import Alarms, votes

TITLE = "a score that rises by .05, at a run length of 1,000"
ARL, BY = 1_000, 0.05
REFERENCE_N, CONTROL_N, CALM_N, FOLLOWED_N = 2_000, 3_000, 300, 1_500
WINDOWS = ([20, 50], [50, 200])
ASKED = 12  # repetitions of alibi-detect, which takes 150 to 450 us an observation


def table(asked: Asked) -> Table:
    """See TITLE."""
    repeats = 15 if asked.quick else 30
    rng = np.random.default_rng(11)
    references, control = drawn(rng, repeats, REFERENCE_N), drawn(rng, repeats, CONTROL_N)
    changed = drawn(rng, repeats, CALM_N + FOLLOWED_N)
    changed[:, CALM_N:] = np.minimum(changed[:, CALM_N:] + BY, 1.0)
    ours = [_row(OURS, "votes", *(votes(references, s, ARL) for s in (control, changed)))]

    def river() -> Iterator[Row]:
        for job in (
            {"detector": "ADWIN", "settings": {}},
            {"detector": "PageHinkley", "settings": {}},
        ):
            found = [ask("river", job, references=references, seen=s) for s in (control, changed)]
            yield _row(f"river {job['detector']}", "as shipped", *found)

    def alibi() -> Iterator[Row]:
        for windows in WINDOWS:
            job = {"ert": ARL, "window_sizes": windows}
            found = ask(
                "alibi_detect",
                job,
                references=references[:1],
                control=control[:ASKED],
                changed=changed[:ASKED],
            )
            setting = f"ERT {ARL}, windows {windows}, one reference, {ASKED} repetitions"
            yield _row("alibi-detect CVMDriftOnline", setting, found["control"], found["changed"])

    rows, skipped = with_peers(asked, ours, [river, alibi])
    always, never = trivial(["run length"], ["median delay"], ["missed"])
    always.figures["before the change"], never.figures["before the change"] = "100%", "0%"
    protocol = (
        f"{repeats} repetitions; nine tenths Beta(2, 8), one tenth Beta(8, 2); reference "
        f"{REFERENCE_N}, in control {CONTROL_N}, the change after {CALM_N}; `before the change`: "
        "runs with an alarm in those."
    )
    return Table(TITLE, protocol, [*rows, always, never], skipped)


def drawn(rng: np.random.Generator, repeats: int, n: int) -> Floats:
    """Scores of studies of which a tenth are positive."""
    shape = (repeats, n)
    is_positive = rng.random(shape) < 0.1
    return np.where(is_positive, rng.beta(8, 2, shape), rng.beta(2, 8, shape))


def _row(who: str, setting: str, control: Alarms, changed: Alarms) -> Row:
    early = sum(any(place < CALM_N for place in run) for run in changed) / len(changed)
    told = delays(changed, CALM_N) | {"before the change": f"{early:.0%}"}
    return Row(who, setting, {"run length": run_length(control, CONTROL_N), **told})
