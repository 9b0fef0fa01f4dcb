"""Inputs that carry their producers' stamps: a wrong one holds nobody up, and dates nothing."""

import pytest

from schemas.incident import Incident
from schemas.outcome import Outcome
from tests.property.test_merge import Written
from tests.unit import rekeying
from tests.unit.reading import Broker, Now, Worker
from tests.unit.rekeying import copy
from tests.unit.test_lost import result
from tests.unit.test_shard import NOON_MS, PREDICTIONS, STUDIES, study

DAY_S = 86_400


class Own(Now):
    """The worker's clock, as the test says it."""

    def latest_us(self) -> int | None:
        return self.earliest_us(0.0)


def add(broker: Broker, topic: str, value: bytes, wrong_s: float) -> None:
    """Append a record whose producer's clock is wrong."""
    stamp_ms = NOON_MS + round((broker.now_s + wrong_s) * 1000)
    broker.logs[topic].append(Written(broker.ends[topic], stamp_ms, value=value))
    broker.ends[topic] += 1


@pytest.mark.parametrize("wrong_s", [-DAY_S, 0, DAY_S])
async def test_a_stamp_a_day_wrong_makes_no_result_missing_and_no_clock_wrong(
    wrong_s: float,
) -> None:
    broker = Broker()
    worker = Worker(broker, Own(broker))
    broker.now_s = 10
    await worker.read()
    broker.now_s = 20
    add(broker, STUDIES, study("answered", 20), wrong_s)
    add(broker, STUDIES, study("missing", 20), wrong_s)
    await worker.read()
    broker.now_s = 30
    add(broker, PREDICTIONS, result("answered", 30), wrong_s)
    await worker.read()
    broker.now_s = 9000
    await worker.read()

    worker.checkpoint()

    outcomes = {told.study: told.outcome for told in worker.told if isinstance(told, Outcome)}
    incidents = {told.kind for told in worker.told if isinstance(told, Incident)}
    assert outcomes == {"answered": "on_time", "missing": "missing"}
    assert incidents == {"missing_output"}


async def test_a_stamp_ahead_does_not_hold_up_what_is_re_keyed(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(rekeying.Now, "latest_us", lambda self: self.earliest_us(0.0))
    broker = rekeying.Broker()
    broker.add(0, broker.now_ms + DAY_S * 1000, "north")
    broker.add(1, broker.now_ms - 1, "south")

    await copy(broker, monkeypatch)

    assert len(broker.copied) == 2
