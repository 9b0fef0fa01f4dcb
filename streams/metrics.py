"""The worker's telemetry as Prometheus metrics; streams/metric_list.py has their names.

Labels are closed sets. A model that is not configured is "other", a site beyond the bound too, and
no name of a study, patient, incident or error text can become a label: they never get here.
"""

import time
from collections.abc import Mapping, Sequence
from importlib.metadata import version

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram
from prometheus_client.metrics import MetricWrapperBase
from prometheus_client.process_collector import ProcessCollector

from schemas.config import Config
from schemas.incident import Incident
from schemas.messages import EVENTS, Effect
from schemas.outcome import Outcome
from streams.metric_list import METRICS

MOST_SITES = 100
OTHER = "other"
UNREADABLE = "unreadable"
_TYPES = frozenset(event.__name__.lower() for event in EVENTS)


class Metrics:
    """Telemetry (streams/telemetry.py) as Prometheus metrics, in a registry of its own."""

    def __init__(self, config: Config) -> None:
        self.registry = CollectorRegistry()
        ProcessCollector(registry=self.registry)
        self._metrics: dict[str, MetricWrapperBase] = {
            one.name: one.kind(one.name, one.meaning, one.labels, registry=self.registry)
            for one in METRICS
        }
        self._models = {model.name for model in config.models}
        self._sites = {site.name for site in config.sites}
        self._owned: set[int] = set()
        self._live: dict[int, set[tuple[str, str]]] = {}
        self._set("radvigil_build_info", 1, version("radvigil"))
        self._set("radvigil_partitions", 0)

    def handled(self, counts: dict[str, int]) -> None:
        """Count events by type, and dead letters by reason."""
        for what, n in counts.items():
            if what in _TYPES:
                self._count("radvigil_events_total", n, what, "handled")
            else:
                self._count("radvigil_events_total", n, UNREADABLE, "dead_letter")
                self._count("radvigil_dead_letters_total", n, what)

    def published(self, effects: Sequence[Effect]) -> None:
        """Count outcomes and transitions."""
        for effect in effects:
            if isinstance(effect, Outcome):
                site, model = self._site(effect.site), self._model(effect.model)
                self._count("radvigil_outcomes_total", 1, site, model, effect.outcome)
            elif isinstance(effect, Incident):
                labels = (self._site(effect.site), effect.kind, effect.state)
                self._count("radvigil_incident_transitions_total", 1, *labels)

    def checkpointed(self, partition: int, seconds: float, records: int) -> None:
        """Note how long a transaction took."""
        del partition  # a histogram for each would be as many series as tell nothing more
        self._histogram("radvigil_checkpoint_seconds").observe(seconds)
        self._count("radvigil_checkpoint_records_total", records)

    def restored(self, partition: int, seconds: float, records: int) -> None:
        """A partition is ours."""
        self._owned.add(partition)
        self._set("radvigil_partitions", len(self._owned))
        self._set("radvigil_restore_seconds", seconds, str(partition))
        self._set("radvigil_restored_records", records, str(partition))

    def released(self, partition: int) -> None:
        """A partition is another worker's: its numbers here would be stale."""
        self._owned.discard(partition)
        self._live.pop(partition, None)
        self._set("radvigil_partitions", len(self._owned))
        for one in METRICS:
            if "partition" in one.labels:
                self._metrics[one.name].remove_by_labels({"partition": str(partition)})

    def behind(self, partition: int, events: int, lag_s: float, watermark_us: int) -> None:
        """Set the lag; the watermark's age goes on growing by itself."""
        self._set("radvigil_lag_events", events, str(partition))
        self._set("radvigil_lag_seconds", lag_s, str(partition))
        age = self._gauge("radvigil_watermark_age_seconds", str(partition))
        age.set_function(lambda: (time.time_ns() // 1000 - watermark_us) / 1e6)

    def sizes(self, partition: int, sizes: dict[str, int], size_bytes: int) -> None:
        """Set what is remembered."""
        self._set("radvigil_state_bytes", size_bytes, str(partition))
        self._set("radvigil_pending_deadlines", sizes.get("pending", 0), str(partition))
        for kind, n in sizes.items():
            self._set("radvigil_state_records", n, str(partition), kind)

    def live(self, partition: int, live: Mapping[tuple[str, str], int]) -> None:
        """Set how many incidents live, by kind and state; those that were and are not are 0."""
        known = self._live.setdefault(partition, set())
        known.update(live)
        for kind, state in known:
            n = live.get((kind, state), 0)
            self._set("radvigil_incidents_live", n, str(partition), kind, state)

    def noticed(self, what: str, n: int) -> None:
        """Count a rare thing; `dropped:REASON` is what a bound or a rule has dropped."""
        if what == "misplaced":
            self._count("radvigil_misplaced_events_total", n)
        elif what.startswith("dropped:"):
            self._count("radvigil_dropped_total", n, what.removeprefix("dropped:"))
        else:
            self._count("radvigil_noticed_total", n, what)

    def _site(self, site: str) -> str:
        return _bounded(site, self._sites, MOST_SITES)

    def _model(self, model: str) -> str:
        return model if model in self._models else OTHER

    def _count(self, name: str, n: float, *labels: str) -> None:
        metric = self._metrics[name]
        assert isinstance(metric, Counter)
        (metric.labels(*labels) if labels else metric).inc(n)

    def _set(self, name: str, value: float, *labels: str) -> None:
        self._gauge(name, *labels).set(value)

    def _gauge(self, name: str, *labels: str) -> Gauge:
        metric = self._metrics[name]
        assert isinstance(metric, Gauge)
        return metric.labels(*labels) if labels else metric

    def _histogram(self, name: str) -> Histogram:
        metric = self._metrics[name]
        assert isinstance(metric, Histogram)
        return metric


def _bounded(value: str, known: set[str], most: int) -> str:
    """The value while there is room for it.

    >>> known = {"north"}
    >>> [_bounded(site, known, 2) for site in ("north", "south", "west", "south")]
    ['north', 'south', 'other', 'south']
    """
    if value not in known:
        if len(known) >= most:
            return OTHER
        known.add(value)
    return value
