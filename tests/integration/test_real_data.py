"""Real data: a change that people know of is found, named, and not before it happened.

D01 of the data's streams.json: about row 4247 of 9,000 chest X-rays a detector with pixels of
0.171 mm gives way to one with 0.168 mm, which shows in rows 4085 to 4297.
"""

import re
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from schemas.config import Config
from schemas.decoding import encode
from schemas.incident import Incident
from streams.replay import Replay, parse
from tests.integration.brokers import Broker
from tests.integration.patience import wait_until
from tests.integration.real_data import DATA, event_lines, nih
from tests.integration.stream_of_lines import Stream

pytestmark = pytest.mark.data
CHANGED_ROWS = range(4085, 4298)
EVERY_S = 300


def replayed(lines: Iterable[bytes], config: Config) -> list[Incident]:
    replay = Replay(config)
    effects = [*replay.play(parse("recording", lines)), *replay.finish()]
    return [effect for effect in effects if isinstance(effect, Incident)]


def opened(incidents: Iterable[Incident], subject: str) -> list[Incident]:
    return [i for i in incidents if i.subject == subject and i.reason == "opened"]


def row_of(incident: Incident) -> int:
    """The row whose evidence crossed the threshold."""
    start = datetime(2024, 1, 1, tzinfo=UTC)
    return round((incident.opened_at - start).total_seconds() / EVERY_S)


def test_the_change_of_the_nih_detector_is_named_inside_its_interval_and_not_before() -> None:
    found = opened(replayed(nih(), Config()), "acquisition.pixel_mm")

    assert row_of(found[0]) in CHANGED_ROWS


def test_many_images_of_a_patient_are_one_observation_and_raise_no_more_than_the_first() -> None:
    images = nih("--all-images")
    without_keys = [re.sub(rb'"key":"nih-patient-\d+",', b"", line) for line in images]

    of_patients, of_images = (
        [i for i in replayed(lines, Config()) if i.reason == "opened"]
        for lines in (images, without_keys)
    )

    assert {i.subject for i in of_patients} == {
        "acquisition.rows",
        "acquisition.pixel_mm",
        "acquisition.cols",
        "view",
    }
    assert len(of_patients) == 5  # views move twice: 83.5 % are PA, then 86.9, then 88.2
    assert len(of_images) > len(of_patients) + 2  # images of one patient are not independent


def test_a_replay_of_real_data_says_the_same_bytes_twice() -> None:
    lines = nih()

    first, second = (b"".join(map(encode, replayed(lines, Config()))) for _ in range(2))

    assert first == second


@pytest.mark.kafka
def test_a_worker_on_real_kafka_finds_the_same_in_the_nih_stream(
    kafka: Broker, tmp_path: Path
) -> None:
    lines = nih()
    stream = Stream(kafka, tmp_path, "real-nih")
    try:
        stream.fleet.start("a")
        stream.send("studies", "nih", lines)
        expected = replayed(lines, stream.config)
        wanted = sorted(encode(i) for i in expected if i.reason != "retired")

        def told() -> list[bytes]:
            """Years later, as the broker dates it: what was resolved is retired meanwhile."""
            return sorted(one for one in stream.incidents() if b'"reason":"retired"' not in one)

        # A worker of a fresh clone compiles its loops first.
        assert wait_until(lambda: len(told()) >= len(wanted), 240)
        assert stream.fleet.stop() == [0]
        assert told() == wanted
        assert row_of(opened(expected, "acquisition.pixel_mm")[0]) in CHANGED_ROWS
    finally:
        stream.close()


def test_the_latency_failure_of_a_nab_server_is_noted_within_the_hour_and_nothing_before() -> None:
    """Its level wanders too much for a promise, so it is information; its spread does not."""
    lines = event_lines("nab.py", str(DATA), "ec2_request_latency_system_failure")
    failure_began = datetime(2014, 3, 21, 3, 1, tzinfo=UTC)  # the last window of nab_windows.json

    found = opened(replayed(lines, Config()), "attributes.value")

    assert [incident.severity for incident in found] == ["info"]
    assert failure_began < found[0].opened_at < failure_began + timedelta(hours=1)
