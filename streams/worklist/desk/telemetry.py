"""What the worklist desk tells of itself. Labels are closed sets."""

from prometheus_client import CollectorRegistry, Counter, Gauge

from streams.metric_list import Metric

WORKLIST = (
    Metric(
        Counter,
        "radvigil_worklist_notices_total",
        "What became of notices: told, or given up as refused, unanswered or old",
        ("worklist", "fate"),
    ),
    Metric(
        Counter,
        "radvigil_worklist_failures_total",
        "Tries that a worklist did not take; class is retry, unknown or refused",
        ("worklist", "class"),
    ),
    Metric(
        Counter,
        "radvigil_worklist_unnamed_total",
        "Notices of studies that the keys file does not know: told by key alone",
        ("worklist",),
    ),
    Metric(
        Gauge,
        "radvigil_worklist_waiting",
        "Notices that were read and that the worklist has not taken yet",
        ("worklist",),
    ),
)


class Telemetry:
    """As Prometheus metrics, of one worklist."""

    def __init__(self, name: str, metrics: "Metrics") -> None:
        self._name = name
        self._metrics = metrics

    def became(self, fate: str) -> None:
        """A notice is done with: told, refused, unanswered or old."""
        self._metrics.notices.labels(self._name, fate).inc()

    def failed(self, how: str) -> None:
        """A try was not taken."""
        self._metrics.failures.labels(self._name, how).inc()

    def unnamed(self) -> None:
        """A notice goes without the study's own number."""
        self._metrics.unnamed.labels(self._name).inc()

    def waiting(self, n: int) -> None:
        """So many notices are to be told."""
        self._metrics.waiting.labels(self._name).set(n)


class Metrics:
    """Of all worklists of a process."""

    def __init__(self, registry: CollectorRegistry) -> None:
        notices, failures, unnamed, waiting = WORKLIST
        self.notices = Counter(notices.name, notices.meaning, notices.labels, registry=registry)
        self.failures = Counter(failures.name, failures.meaning, failures.labels, registry=registry)
        self.unnamed = Counter(unnamed.name, unnamed.meaning, unnamed.labels, registry=registry)
        self.waiting = Gauge(waiting.name, waiting.meaning, waiting.labels, registry=registry)
