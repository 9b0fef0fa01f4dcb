"""The demo's hospital: what is planted is found, and nothing else, whatever the seed."""

from collections import Counter
from datetime import timedelta
from itertools import groupby, takewhile

import pytest

from schemas.incident import Incident
from schemas.outcome import Outcome
from schemas.prediction import Prediction
from streams.clock import to_us
from streams.demo import ward
from streams.demo.feed import BEHIND_US, Feed, moved
from streams.demo.view import View
from streams.pipeline import Pipeline
from streams.simulate import Arrival, simulate

START_US = to_us(ward.hospital().start)


def played(seed: int, seconds: float) -> list[object]:
    """In rows, as a worker takes them: one for each tenth of a second."""
    until_us = START_US + seconds * 1e6
    arrivals = takewhile(lambda one: one.arrived_us <= until_us, simulate(ward.hospital(), seed))
    rows = groupby(arrivals, lambda one: one.arrived_us // 100_000)
    pipeline = Pipeline(ward.config())
    return [effect for _, row in rows for effect in pipeline.handle_all(row)]


@pytest.mark.parametrize("seed", [1, 3])
def test_the_outage_and_the_drift_are_found_and_end_and_nothing_else_is(seed: int) -> None:
    effects = played(seed, 90)

    incidents = [one for one in effects if isinstance(one, Incident)]
    found = {(one.kind, one.site, one.model or one.subject) for one in incidents}
    assert found == {
        ("missing_output", "north", "ptx"),
        ("input_drift", "south", "acquisition.pixel_mm"),
    }
    last = {one.incident: one.state for one in incidents}
    assert list(last.values()) == ["resolved", "resolved"]
    opened_s = [(to_us(one.at) - START_US) / 1e6 for one in incidents if one.reason == "opened"]
    assert max(opened_s) < 50
    outcomes = Counter(one.outcome for one in effects if isinstance(one, Outcome))
    assert set(outcomes) == {"on_time", "missing"}


def test_moving_an_event_moves_all_its_times() -> None:
    event = next(e for e, _ in simulate(ward.hospital(), 1) if isinstance(e, Prediction))
    later = moved(event, 5_000_000)

    assert isinstance(later, Prediction)
    assert event.started_at is not None
    assert event.requested_at is not None
    assert later.at - event.at == timedelta(seconds=5)
    assert later.started_at == event.started_at + timedelta(seconds=5)
    assert later.requested_at == event.requested_at + timedelta(seconds=5)


class Machine:
    """A clock that sleeping moves on, and sending too."""

    def __init__(self, slow_us: int = 0) -> None:
        self.now_us = 10**15
        self.slow_us = slow_us
        self.sent: list[tuple[int, str, bytes]] = []

    def clock_us(self) -> int:
        return self.now_us

    async def sleep(self, seconds: float) -> None:
        self.now_us += round(seconds * 1e6)

    async def send(self, topic: str, key: bytes, value: bytes) -> None:
        self.sent.append((self.now_us, topic, key))
        self.now_us += self.slow_us


def arrivals(n: int) -> list[Arrival]:
    source = simulate(ward.hospital(), 1)
    return [next(source) for _ in range(n)]


async def play(machine: Machine, n: int) -> list[Arrival]:
    played = arrivals(n)
    feed = Feed("demo", machine.send, clock_us=machine.clock_us, sleep=machine.sleep)
    await feed.play(played, START_US)
    assert feed.sent_n == n
    return played


async def test_events_are_sent_when_they_would_arrive() -> None:
    machine = Machine()

    played = await play(machine, 200)

    assert [at - 10**15 for at, _, _ in machine.sent] == [a - START_US for _, a in played]
    assert {topic for _, topic, _ in machine.sent} == {
        "demo.studies.v1",
        "demo.predictions.v1",
    }
    assert {key for _, _, key in machine.sent} == {b"north", b"south"}


async def test_a_slow_machine_stops_the_hospitals_clock() -> None:
    """Sending takes longer than the hospital needs: no event may be stamped long before it goes."""
    machine = Machine(slow_us=50_000)
    stamps: list[int] = []

    async def send(topic: str, key: bytes, value: bytes) -> None:
        assert b'"at":"2001-09-09T01:4' in value  # the machine's time, not the hospital's
        stamps.append(machine.now_us)
        await machine.send(topic, key, value)

    played = arrivals(300)
    feed = Feed("demo", send, clock_us=machine.clock_us, sleep=machine.sleep)
    await feed.play(played, START_US)

    elapsed_us = stamps[-1] - stamps[0]
    assert elapsed_us > played[-1].arrived_us - played[0].arrived_us + BEHIND_US


def test_the_view_tells_what_it_heard() -> None:
    view = View()

    view.handled({"study": 10, "prediction": 5})
    view.behind(0, 3, 1.25, 0)
    view.behind(1, 3, 0.5, 0)

    assert view.standing(10.0) == "15 events read, 2 a second, 1.2 s behind."
    view.released(0)
    assert "0.5 s behind" in view.standing(10.0)
