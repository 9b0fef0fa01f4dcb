"""Every Prometheus name, in one list; docs/OPERATIONS.md says of each what to do about it."""

from collections.abc import Collection
from typing import NamedTuple

from prometheus_client import Counter, Gauge, Histogram


class Metric(NamedTuple):
    """One name: what kind it is, what it means, and the labels that it has."""

    kind: type[Counter] | type[Gauge] | type[Histogram]
    name: str
    meaning: str
    labels: tuple[str, ...] = ()


METRICS = (
    Metric(
        Counter,
        "radvigil_events_total",
        "Messages taken from the input topics; result is handled or dead_letter",
        ("type", "result"),
    ),
    Metric(
        Counter,
        "radvigil_dead_letters_total",
        "Messages that could not be taken, by what is wrong with them",
        ("reason",),
    ),
    Metric(
        Gauge,
        "radvigil_lag_events",
        "Messages fetched or in the log that are not yet handled",
        ("partition",),
    ),
    Metric(
        Gauge,
        "radvigil_lag_seconds",
        "How far event time is behind what clock.lateness_s promises",
        ("partition",),
    ),
    Metric(
        Gauge,
        "radvigil_watermark_age_seconds",
        "Age of the proved watermark: what happened before it has been seen",
        ("partition",),
    ),
    Metric(
        Gauge,
        "radvigil_pending_deadlines",
        "Outputs that are expected and have neither come nor missed their deadline",
        ("partition",),
    ),
    Metric(
        Counter,
        "radvigil_outcomes_total",
        "Studies and expected models that were settled, by outcome",
        ("site", "model", "kind"),
    ),
    Metric(
        Counter,
        "radvigil_incident_transitions_total",
        "Incident transitions published, by the state they lead to",
        ("site", "kind", "state"),
    ),
    Metric(
        Gauge,
        "radvigil_incidents_live",
        "Incidents that are neither resolved nor closed, by what they are and where they stand",
        ("partition", "kind", "state"),
    ),
    Metric(
        Gauge,
        "radvigil_state_records",
        "What a partition remembers: studies, series by phase, incidents",
        ("partition", "kind"),
    ),
    Metric(
        Gauge,
        "radvigil_state_bytes",
        "Size of a partition's state, as a compacted topic would hold it: keys and values",
        ("partition",),
    ),
    Metric(
        Histogram,
        "radvigil_checkpoint_seconds",
        "Duration of a checkpoint, which is one Kafka transaction",
    ),
    Metric(
        Counter,
        "radvigil_checkpoint_records_total",
        "Records written by checkpoints: effects, dead letters and state",
    ),
    Metric(
        Gauge,
        "radvigil_restore_seconds",
        "How long the last restore of the partition took, fence included",
        ("partition",),
    ),
    Metric(
        Gauge,
        "radvigil_restored_records",
        "State records that the last restore of the partition read",
        ("partition",),
    ),
    Metric(
        Gauge,
        "radvigil_partitions",
        "Partitions that this worker has restored and works on",
    ),
    Metric(
        Counter,
        "radvigil_misplaced_events_total",
        "Events that lay in another partition than their site's",
    ),
    Metric(
        Counter,
        "radvigil_dropped_total",
        "What a bound or a rule has dropped, by reason",
        ("reason",),
    ),
    Metric(
        Counter,
        "radvigil_noticed_total",
        "Rare things of the engine, by what happened",
        ("what",),
    ),
    Metric(
        Gauge,
        "radvigil_build_info",
        "Always 1; the version is the label",
        ("version",),
    ),
)


def table(metrics: Collection[Metric] = METRICS) -> str:
    """Names, labels and meanings as the rows of docs/OPERATIONS.md begin."""
    return "\n".join(
        f"| `{one.name}` | {', '.join(one.labels) or '-'} | {one.meaning} |" for one in metrics
    )
