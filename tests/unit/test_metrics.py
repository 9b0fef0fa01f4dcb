"""The metrics: documented one by one, bounded, and without a trace of a study or patient."""

import re
from datetime import UTC, datetime
from pathlib import Path

import pytest
from prometheus_client import generate_latest
from prometheus_client.openmetrics.exposition import generate_latest as generate_openmetrics

from schemas.config import Config, Model
from schemas.incident import Evidence, Incident
from schemas.outcome import Outcome
from streams.metric_list import METRICS
from streams.metrics import MOST_SITES, Metrics

OPERATIONS = Path(__file__).parents[2] / "docs" / "OPERATIONS.md"
AT = datetime(2026, 1, 5, 10, tzinfo=UTC)
STUDY, PATIENT = "planted-study-4711", "planted-patient-0815"


def outcome(site: str = "north", model: str = "ptx") -> Outcome:
    return Outcome(
        site=site, study=STUDY, model=model, outcome="missing", due=AT, at=AT, revision=1
    )


def incident() -> Incident:
    return Incident(
        incident="7d1f",
        seq=1,
        fingerprint="ab" * 32,
        kind="missing_output",
        state="open",
        reason="opened",
        severity="critical",
        site="north",
        title=f"ptx gives no result for {STUDY}",
        opened_at=AT,
        last_seen=AT,
        at=AT,
        model="ptx",
        subject=PATIENT,
        note=PATIENT,
        evidence=Evidence(examples=[STUDY]),
    )


def metrics() -> Metrics:
    return Metrics(Config(models=[Model(name="ptx")]))


def shown(told: Metrics) -> str:
    return generate_latest(told.registry).decode()


def value(told: Metrics, name: str, **labels: str) -> float | None:
    return told.registry.get_sample_value(name, labels)


def documented() -> dict[str, tuple[str, str, str]]:
    rows = re.findall(r"^\| `(radvigil_\w+)` \|(.*)\|$", OPERATIONS.read_text(), re.MULTILINE)
    return {name: tuple(cell.strip() for cell in rest.split("|")) for name, rest in rows}  # type: ignore[misc]


def test_every_metric_is_documented_as_it_is() -> None:
    in_code = {one.name: (", ".join(one.labels) or "-", one.meaning) for one in METRICS}

    assert {name: cells[:2] for name, cells in documented().items()} == in_code


@pytest.mark.parametrize("name", [one.name for one in METRICS])
def test_every_metric_says_what_to_do(name: str) -> None:
    assert len(documented()[name][2]) > 10


def test_no_planted_key_is_ever_shown() -> None:
    told = metrics()

    told.handled({"study": 3, "bad_time": 1})
    told.published([outcome(), outcome(model=STUDY), incident()])
    told.sizes(0, {"studies": 1, "pending": 1}, 4711)
    told.live(0, {("missing_output", "open"): 1})

    for text in (shown(told), generate_openmetrics(told.registry).decode()):
        assert "planted" not in text
        assert 'kind="missing"' in text


def test_a_model_that_is_not_configured_is_other() -> None:
    told = metrics()

    told.published([outcome(), outcome(model="unheard-of")])

    counted = {"site": "north", "kind": "missing"}
    assert value(told, "radvigil_outcomes_total", model="ptx", **counted) == 1
    assert value(told, "radvigil_outcomes_total", model="other", **counted) == 1


def test_sites_beyond_the_bound_are_other() -> None:
    told = metrics()

    told.published([outcome(site=f"site-{number}") for number in range(MOST_SITES + 50)])

    sites = set(re.findall(r'radvigil_outcomes_total\{.*site="([^"]+)"', shown(told)))
    assert len(sites) == MOST_SITES + 1
    counted = {"model": "ptx", "kind": "missing"}
    assert value(told, "radvigil_outcomes_total", site="other", **counted) == 50


def test_events_and_dead_letters_are_told_apart() -> None:
    told = metrics()

    told.handled({"study": 3, "report": 2, "bad_time": 4})

    count = "radvigil_events_total"
    assert value(told, count, type="study", result="handled") == 3
    assert value(told, count, type="unreadable", result="dead_letter") == 4
    assert value(told, "radvigil_dead_letters_total", reason="bad_time") == 4


def test_a_partition_that_is_given_up_leaves_no_stale_number() -> None:
    told = metrics()
    for partition in (3, 4):
        told.restored(partition, 0.2, 70)
        told.behind(partition, 5, 1.5, 1_000_000)
        told.sizes(partition, {"studies": 7, "pending": 2}, 4711)

    told.released(3)

    assert 'partition="3"' not in shown(told)
    assert value(told, "radvigil_lag_events", partition="4") == 5
    assert value(told, "radvigil_partitions") == 1


def test_what_lives_no_longer_is_counted_down_to_nothing() -> None:
    told = metrics()
    labels = {"partition": "0", "kind": "missing_output"}

    told.live(0, {("missing_output", "open"): 2})
    told.live(0, {("missing_output", "resolving"): 1})

    assert value(told, "radvigil_incidents_live", state="open", **labels) == 0
    assert value(told, "radvigil_incidents_live", state="resolving", **labels) == 1


def test_the_age_of_the_watermark_grows_without_further_word() -> None:
    told = metrics()

    told.behind(0, 0, 0.0, 1_000_000)

    first = value(told, "radvigil_watermark_age_seconds", partition="0")
    second = value(told, "radvigil_watermark_age_seconds", partition="0")
    assert first is not None
    assert second is not None
    assert second > first > 1e9


def test_what_was_dropped_is_told_apart_from_what_was_noticed() -> None:
    told = metrics()

    told.noticed("misplaced", 2)
    told.noticed("dropped:too_old", 3)
    told.noticed("lost", 4)

    assert value(told, "radvigil_misplaced_events_total") == 2
    assert value(told, "radvigil_dropped_total", reason="too_old") == 3
    assert value(told, "radvigil_noticed_total", what="lost") == 4


def test_a_checkpoint_is_timed() -> None:
    told = metrics()

    told.checkpointed(0, 0.08, 12)

    assert value(told, "radvigil_checkpoint_seconds_count") == 1
    assert value(told, "radvigil_checkpoint_records_total") == 12
