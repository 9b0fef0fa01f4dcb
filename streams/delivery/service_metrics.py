"""What delivery tells of itself, as Prometheus metrics. Labels are closed sets."""

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

from streams.metric_list import Metric

DELIVERY = (
    Metric(
        Counter,
        "radvigil_notifications_total",
        "Requests that receivers took, by why somebody was told",
        ("receiver", "reason"),
    ),
    Metric(
        Counter,
        "radvigil_notification_failures_total",
        "Requests that receivers did not take; class is retry, unknown or refused",
        ("receiver", "class"),
    ),
    Metric(
        Histogram,
        "radvigil_notification_delay_seconds",
        "From when a notification became due, in event time, until it was taken",
        ("receiver",),
    ),
    Metric(
        Gauge,
        "radvigil_notifications_waiting",
        "Notifications that a receiver has not taken; of one incident or group only the newest",
        ("receiver",),
    ),
    Metric(
        Gauge,
        "radvigil_notification_oldest_pending_seconds",
        "How long the oldest notification waits that a receiver has not taken; 0 for none",
        ("receiver",),
    ),
    Metric(
        Gauge,
        "radvigil_notification_breaker_open",
        "1 while a receiver is left alone after five failures in a row",
        ("receiver",),
    ),
    Metric(
        Counter,
        "radvigil_notifications_dead_total",
        "Notifications that were given up, and are in the dead-letter topic",
        ("receiver",),
    ),
    Metric(
        Counter,
        "radvigil_callbacks_total",
        "What receivers told us: command, or why it was none",
        ("origin", "outcome"),
    ),
)
_DELAYS_S = (1.0, 5.0, 15.0, 60.0, 120.0, 300.0, 900.0, 3_600.0, 14_400.0, 86_400.0)


class DeliveryMetrics:
    """Telemetry of delivery (service_edge.py) in the registry of the worker."""

    def __init__(self, registry: CollectorRegistry) -> None:
        told, failed, delay, waiting, oldest, breaker, dead, back = DELIVERY
        self._told = Counter(told.name, told.meaning, told.labels, registry=registry)
        self._failed = Counter(failed.name, failed.meaning, failed.labels, registry=registry)
        self._delay = Histogram(
            delay.name, delay.meaning, delay.labels, registry=registry, buckets=_DELAYS_S
        )
        self._waiting = Gauge(waiting.name, waiting.meaning, waiting.labels, registry=registry)
        self._oldest = Gauge(oldest.name, oldest.meaning, oldest.labels, registry=registry)
        self._breaker = Gauge(breaker.name, breaker.meaning, breaker.labels, registry=registry)
        self._dead = Counter(dead.name, dead.meaning, dead.labels, registry=registry)
        self._back = Counter(back.name, back.meaning, back.labels, registry=registry)

    def told(self, receiver: str, why: str, delay_s: float) -> None:
        """Count it, and how long it took."""
        self._told.labels(receiver, why).inc()
        self._delay.labels(receiver).observe(delay_s)

    def failed(self, receiver: str, how: str) -> None:
        """Count it."""
        self._failed.labels(receiver, how).inc()

    def died(self, receiver: str) -> None:
        """Count it."""
        self._dead.labels(receiver).inc()

    def stand(self, receiver: str, waiting_n: int, oldest_s: float, *, is_open: bool) -> None:
        """Set how it stands; what was never dead is told as 0."""
        self._waiting.labels(receiver).set(waiting_n)
        self._oldest.labels(receiver).set(oldest_s)
        self._breaker.labels(receiver).set(int(is_open))
        self._dead.labels(receiver)

    def called_back(self, origin: str, outcome: str) -> None:
        """Count it."""
        self._back.labels(origin, outcome).inc()
