"""A broker, a fleet of workers, a stream, and the verdict at the end."""

from pathlib import Path

import msgspec

from schemas.config import Config
from tests.integration.brokers import Broker
from tests.integration.fleet import Fleet, Reader
from tests.integration.patience import wait_until
from tests.integration.verdict import (
    Left,
    gaps,
    kept,
    left,
    outcomes,
    published,
    replayed,
    was_stale,
)
from tests.integration.ward import Ward, config_toml


class Scene:
    """Everything a test of the whole needs."""

    def __init__(self, kafka: Broker, folder: Path, prefix: str, more: str = "") -> None:
        self.kafka = kafka
        toml = config_toml(prefix, kafka.bootstrap) + more
        self.config = msgspec.toml.decode(toml, type=Config)
        self.fleet = Fleet(folder, toml)
        self.reader = Reader(kafka.bootstrap)
        self.ward = Ward(kafka.bootstrap, prefix)

    def outcomes_n(self) -> int:
        return len(self.reader.rows(f"{self.config.prefix}.outcomes.v1"))

    def flowing(self, seconds: float = 40) -> None:
        """Wait until workers publish outcomes that were not there before."""
        before = self.outcomes_n()
        assert wait_until(lambda: self.outcomes_n() > before, seconds), "no outcome came"

    def start(self, *names: str) -> None:
        """Workers first: they create the topics. The stream when every shard is open."""
        self.fleet.start(*names)
        assert wait_until(lambda: self.open_shards() == self.config.kafka.partitions, 40), (
            "no worker"
        )
        self.ward.start()
        self.flowing()

    def open_shards(self) -> int:
        """Partitions that have been checkpointed."""
        topic = f"{self.config.prefix}.state.v1"
        if not self.reader.partitions(topic):
            return 0
        return len({row.partition for row in self.reader.rows(topic)})

    def verdict(self, *, replay: bool = True) -> Left:
        """End the stream, let the workers finish and stop, and compare all there is."""
        self.ward.stop()
        expected = self.ward.expected()
        done = wait_until(lambda: self.outcomes_n() >= expected.total(), 60)
        codes = self.fleet.stop()
        found = left(self.reader, self.config)
        said = outcomes(found.outcomes)
        assert not said - expected, (
            f"false or doubled: {said - expected}; not said: {expected - said}"
        )
        assert not expected - said, f"lost: {expected - said}"
        assert done
        assert gaps(found.incidents) == {}
        assert set(codes) == {0}
        if replay:
            for partition in range(self.config.kafka.partitions):
                same_as_replayed(found, partition)
        return found

    def close(self) -> None:
        """Whatever still runs is killed."""
        self.ward.abandon()
        self.fleet.close()
        self.reader.close()


def same_as_replayed(found: Left, partition: int) -> None:
    """An uninterrupted replay says the same, and remembers the same, to the bit."""
    again = replayed(found, partition)
    assert published(found.outcomes, partition) == again.effects["outcomes"]
    assert published(found.incidents, partition) == again.effects["incidents"]
    assert published(found.series, partition) == again.effects["series"]
    stale = was_stale(found.incidents)
    state, expected = (
        kept(found.state[partition], was_stale=stale),
        kept(again.state, was_stale=stale),
    )
    differ = sorted(
        key for key in state.keys() | expected.keys() if state.get(key) != expected.get(key)
    )
    assert not [(key, state.get(key), expected.get(key)) for key in differ]
