"""The decision table: what a receiver was told, what the incident is now, and what follows."""

from typing import Any

import pytest

from schemas.incident import Incident
from streams.routing.decide import News, Told, decide
from tests.unit.routing_desk import incident

S = 1_000_000
INTERVAL_S, REPEAT_S = 300.0, 14_400.0


def told(state: str = "open", severity: str = "error", seq: int = 1) -> Told:
    """Told at second 100, when it last disturbed somebody."""
    return Told(
        route=0,
        number=1,
        seq=seq,
        state=state,  # type: ignore[arg-type]
        severity=severity,  # type: ignore[arg-type]
        at_us=100 * S,
        disturbed_us=100 * S,
    )


def now(state: str = "open", severity: str = "error", seq: int = 2, **fields: Any) -> Incident:
    return incident("a", seq, state=state, severity=severity, **fields)


def said(news: News | None) -> str | None:
    """`action why`, with ! where it disturbs and @second where it is not due at once."""
    if news is None:
        return None
    when = f" @{news.due_us // S}" if news.due_us >= 0 else ""
    return f"{news.action} {news.why}{'!' if news.disturb else ''}{when}"


@pytest.mark.parametrize(
    "before, incident, expected",
    [
        (None, now("pending"), None),
        (None, now("open"), "open opened!"),
        (None, now("acknowledged"), "open opened"),
        (None, now("resolving"), None),
        (None, now("resolved"), None),
        (told("resolved"), now("open", reason="reopened"), "open opened!"),
        (told("resolved"), now("resolved", reason="noted"), None),
        (told("resolved"), now("closed"), None),
        (told(), now("resolved"), "resolve resolved"),
        (told("acknowledged"), now("resolved", "critical"), "resolve resolved"),
        (told(), now(seq=1), "update repeated! @14500"),
        (told(), now(reason="updated"), "update changed @400"),
        (told(), now(reason="changed_again"), "update changed"),
        (told(), now(reason="noted"), "update noted"),
        (told(), now(severity="critical"), "update severity_raised!"),
        (told(), now(severity="warning", reason="severity_changed"), "update changed"),
        (told(), now("acknowledged", "critical"), "update severity_raised!"),
        (told(), now("acknowledged", reason="acknowledged"), "update acknowledged"),
        (told("acknowledged"), now("acknowledged", seq=1), None),
        (told("acknowledged"), now(reason="acknowledgement_expired"), "update unacknowledged!"),
        (told("acknowledged"), now(reason="unacknowledged"), "update unacknowledged!"),
        (told(), now("resolving", reason="recovering"), "update recovering"),
        (told("resolving"), now("resolving", seq=1), None),
        (told("resolving"), now(reason="recurred"), "update changed"),
        (told("resolving"), now("acknowledged", reason="recurred"), "update changed"),
    ],
)
def test_the_table(before: Told | None, incident: Incident, expected: str | None) -> None:
    assert said(decide(before, incident, INTERVAL_S, REPEAT_S)) == expected


def test_a_repetition_carries_the_numbers_that_are_due_with_it() -> None:
    news = decide(told(), now(reason="updated"), INTERVAL_S, INTERVAL_S)

    assert said(news) == "update repeated! @400"
