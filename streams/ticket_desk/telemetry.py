"""What the ticket desk tells of itself. Labels are closed sets."""

from typing import Protocol

from prometheus_client import CollectorRegistry, Counter, Gauge

from streams.metric_list import Metric

TICKETS = (
    Metric(
        Counter,
        "radvigil_tickets_total",
        "What was done for an incident at a tracker: created, changed, nothing",
        ("tracker", "did"),
    ),
    Metric(
        Counter,
        "radvigil_ticket_failures_total",
        "What a tracker did not take; class is retry, unknown or refused",
        ("tracker", "class"),
    ),
    Metric(
        Gauge,
        "radvigil_tickets_waiting",
        "Incidents that were read and that the tracker has not been told yet",
        ("tracker",),
    ),
)


class Telemetry(Protocol):
    """Called on the event loop: implementations only count."""

    def told(self, tracker: str, did: str) -> None:
        """The ticket of an incident is where it should be."""

    def failed(self, tracker: str, how: str) -> None:
        """It is not: retry, unknown or refused."""

    def waiting(self, tracker: str, n: int) -> None:
        """So many incidents are to be told."""


class Silent:
    """Telemetry that nobody reads."""

    def told(self, tracker: str, did: str) -> None:
        """Nothing."""

    def failed(self, tracker: str, how: str) -> None:
        """Nothing."""

    def waiting(self, tracker: str, n: int) -> None:
        """Nothing."""


class TicketMetrics:
    """As Prometheus metrics."""

    def __init__(self, registry: CollectorRegistry) -> None:
        told, failed, waiting = TICKETS
        self._told = Counter(told.name, told.meaning, told.labels, registry=registry)
        self._failed = Counter(failed.name, failed.meaning, failed.labels, registry=registry)
        self._waiting = Gauge(waiting.name, waiting.meaning, waiting.labels, registry=registry)

    def told(self, tracker: str, did: str) -> None:
        """Count it."""
        self._told.labels(tracker, did).inc()

    def failed(self, tracker: str, how: str) -> None:
        """Count it."""
        self._failed.labels(tracker, how).inc()

    def waiting(self, tracker: str, n: int) -> None:
        """Set it."""
        self._waiting.labels(tracker).set(n)
