"""A model that silently misses a fifth of what it should find: PEERS.md, section 4, E."""

from collections.abc import Iterator
from statistics import fmean, median

import numpy as np

from bench.detect.table import ALWAYS, NEVER, OURS, Asked, Row, Table, with_peers
from bench.detect.venvs import ask
from bench.performance import unseen
from bench.performance_watch import SUBJECTS, watch
from bench.performance_world import NOISY, PER_DAY, drawn

TITLE = "a fifth of the positives silently missed"
PROMISES_DAYS = (500.0, 100.0)
REFERENCE_N, AFTER_N, CHUNK_N = 20_000, 8_000, 1_000


def table(asked: Asked) -> Table:
    """See TITLE."""
    runs = 2 if asked.quick else 4
    rows, skipped = with_peers(asked, _ours(runs), [lambda: _nannyml(runs)])
    rows.append(Row(ALWAYS, "", {"found": "100%", "studies": 1, "before": REFERENCE_N}))
    rows.append(Row(NEVER, "", {"found": "0%", "studies": None, "before": 0.0}))
    protocol = (
        f"{runs} repetitions; 200 studies a day, labels wrong in 3 %, a day late. Median studies "
        "from the change to the first alarm, the maturity of the labels included (2 days, 400 "
        f"studies); alarms before. CBPE sees scores and no labels, in chunks of {CHUNK_N}."
    )
    return Table(TITLE, protocol, rows, skipped)


def _ours(runs: int) -> Iterator[Row]:
    for promise in PROMISES_DAYS:
        all_told = [watch(task) for task in unseen(runs, promise)]
        days = [[day for s in SUBJECTS for day in told.alarms.get(s, ())] for told in all_told]
        firsts = [min((day for day in run if day > 0), default=float("inf")) for run in days]
        figures = {
            "found": f"{sum(first < float('inf') for first in firsts) / runs:.0%}",
            "studies": round(median(firsts) * PER_DAY) if median(firsts) < 1e9 else None,
            "before": round(fmean(sum(day <= 0 for day in run) for run in days), 2),
        }
        yield Row(OURS, f"each monitor promised {promise:g} days", {**figures})


def _nannyml(runs: int) -> Iterator[Row]:
    rng = np.random.default_rng(61)
    ill = type(NOISY)(**{**NOISY.__dict__, "unseen": 0.2})
    found, before, real, estimated = [], 0, [], []
    for _ in range(runs):
        truth, called, scores = drawn(NOISY, rng, REFERENCE_N)
        calm, changed = drawn(NOISY, rng, AFTER_N), drawn(ill, rng, AFTER_N)
        seen = [np.concatenate(pair) for pair in zip(calm, changed, strict=True)]
        answer = ask(
            "nannyml",
            {"table": "cbpe", "chunk": CHUNK_N},
            reference=np.column_stack([truth, called, scores]).astype(float),
            seen=np.column_stack(seen).astype(float),
        )
        half = AFTER_N // CHUNK_N
        before += sum(answer["alert"][:half])
        found.append(any(answer["alert"][half:]))
        real.append(fmean(answer["real recall"][half:]))
        estimated.append(fmean(answer["estimated recall"][half:]))
    figures = {
        "found": f"{sum(found) / runs:.0%}",
        "studies": None,
        "before": before / runs,
        "recall": round(fmean(real), 3),
        "as estimated": round(fmean(estimated), 3),
    }
    yield Row("nannyml CBPE", "as shipped, recall and AUROC", {**figures})
