"""Recording and alerting rules of Prometheus: their shape, what is recorded, the file.

Syntax: Prometheus 2.42 or newer, https://prometheus.io/docs/prometheus/latest/configuration/.
"""

import json
from collections.abc import Iterable, Iterator
from typing import Literal, NamedTuple

Severity = Literal["critical", "warning", "info", "none"]
"""critical: wake somebody; warning: this working day; none: the watchdog, which always fires."""


class Record(NamedTuple):
    """A value that Prometheus keeps by a name of its own; `why` is the comment above it."""

    name: str
    expr: str
    why: str


class Alert(NamedTuple):
    """One alert; `wait` is `for:`, `why` says of it and of the limit why they are what they are."""

    name: str
    expr: str
    wait: str
    severity: Severity
    summary: str
    description: str
    runbook: str
    """A document of ours and a heading in it: `docs/OPERATIONS.md#dead-letters`."""
    why: str


def grown(metric: str, window: str, by: str) -> str:
    """An expression: how much a labelled counter grew in the window, its first jump included.

    `increase()` alone starts at the first sample, so it misses what made a label appear: the first
    dead letter with a reason. What was not there in the window before counts as a whole.

    >>> grown("x_total", "1h", "reason")[:50]
    'sum by (reason) ((x_total unless last_over_time(x_'
    """
    was = f"last_over_time({metric}[{window}] offset {window})"
    return f"sum by ({by}) (({metric} unless {was}) or increase({metric}[{window}]))"


def quieter(now: str, then: str, metric: str, least_n: int) -> str:
    """An expression: labels of whose events none came now, where `then` there were `least_n`.

    Nothing where the monitor itself is away or behind: then nothing is known of its feeds.
    """
    return (
        f"({metric.format(then)} > {least_n} unless {metric.format(now)} > 0) "
        "and on () (radvigil:partitions:count > 0) "
        "unless on () (max(radvigil:lag_seconds:by_partition) > 300)"
    )


_NEWER = "A worker that lost the partition tells its last word until it notices: the best one holds"
RECORDS = (
    Record(
        "radvigil:watermark_age_seconds:by_partition",
        "min by (partition) (radvigil_watermark_age_seconds)",
        _NEWER,
    ),
    Record(
        "radvigil:lag_seconds:by_partition",
        "min by (partition) (radvigil_lag_seconds)",
        _NEWER,
    ),
    Record(
        "radvigil:partitions:count",
        "count(radvigil:watermark_age_seconds:by_partition)",
        "Partitions that somebody works on, each once, also while one changes hands",
    ),
    Record(
        "radvigil:workers:count",
        "count(radvigil_build_info)",
        "Workers that answer Prometheus",
    ),
    Record(
        "radvigil:state_bytes:sum",
        "sum(max by (partition) (radvigil_state_bytes))",
        "All that is remembered",
    ),
    Record(
        "radvigil:incidents_live:by_kind",
        "sum by (kind, state) (max by (partition, kind, state) (radvigil_incidents_live))",
        "Each partition once",
    ),
    Record(
        "radvigil:dead_letters:grown_15m",
        grown("radvigil_dead_letters_total", "15m", "reason"),
        "Messages that could not be taken",
    ),
    Record(
        "radvigil:dropped:grown_1h",
        grown("radvigil_dropped_total", "1h", "reason"),
        "What bounds and rules dropped",
    ),
    Record(
        "radvigil:outcomes:grown_1d",
        grown("radvigil_outcomes_total", "1d", "site, model, kind"),
        "What became of the results that were expected",
    ),
    Record(
        "radvigil:outcomes:share_on_time_1d",
        'sum by (site, model) (radvigil:outcomes:grown_1d{kind="on_time"}) / sum by (site, model) '
        '(radvigil:outcomes:grown_1d{kind=~"on_time|late|missing|failed|incomplete"})',
        "Of the results that were owed; cancelled and not applicable ones are not",
    ),
)


def render(records: Iterable[Record], alerts: Iterable[Alert], documents: str = "") -> str:
    """The rule file; `documents` stands before the runbooks' paths, as a base address ends."""
    lines = [
        "# Made by `python -m streams.operations`; change streams/operations/ instead.",
        "# Alerts about the monitor itself. What it finds reaches people as incidents.",
        "groups:",
        "  # One group: its rules run one after the other, so alerts see what was just recorded.",
        "  - name: radvigil",
        "    interval: 30s",
        "    rules:",
    ]
    for record in records:
        lines += _record(record)
    for alert in alerts:
        lines += _alert(alert, documents)
    return "\n".join(lines) + "\n"


def _record(one: Record) -> Iterator[str]:
    yield f"      # {one.why}."
    yield f"      - record: {one.name}"
    yield f"        expr: {json.dumps(one.expr)}"


def _alert(one: Alert, documents: str) -> Iterator[str]:
    yield f"      # {one.why}"
    yield f"      - alert: {one.name}"
    yield f"        expr: {json.dumps(one.expr)}"
    if one.wait != "0s":
        yield f"        for: {one.wait}"
    yield f"        labels: {{severity: {one.severity}, monitor: radvigil}}"
    yield "        annotations:"
    yield f"          summary: {json.dumps(one.summary)}"
    yield f"          description: {json.dumps(one.description)}"
    yield f"          runbook_url: {json.dumps(documents + one.runbook)}"
