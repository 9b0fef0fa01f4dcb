"""Topics shown and made, against a broker that answers as the real one does in its metadata."""

from concurrent.futures import Future
from types import SimpleNamespace
from typing import Any

import pytest
from confluent_kafka import KafkaError, KafkaException

from schemas.config import Config
from schemas.kafka import Kafka
from streams.kafka import topics_admin
from streams.kafka.topics_admin import NoBroker, TopicsAdmin

STUDIES = "radvigil.studies.v1"


def done(result: Any = None, error: Exception | None = None) -> "Future[Any]":
    future: Future[Any] = Future()
    if error is None:
        future.set_result(result)
    else:
        future.set_exception(error)
    return future


class Broker:
    """What an AdminClient is asked for; topics as (partitions, replicas, settings)."""

    def __init__(self, brokers: int = 1) -> None:
        self.brokers = brokers
        self.topics: dict[str, tuple[int, int, dict[str, str]]] = {}
        self.unasked: set[str] = set()  # made by somebody else at the same moment
        self.away: KafkaException | None = None
        self.refusal: KafkaException | None = None  # to somebody without the right to ask

    def list_topics(self, **_: Any) -> Any:
        if self.away is not None:
            raise self.away
        known = {
            name: SimpleNamespace(
                error=None,
                partitions={n: SimpleNamespace(replicas=[*range(replicas)]) for n in range(count)},
            )
            for name, (count, replicas, _) in self.topics.items()
        }
        return SimpleNamespace(topics=known, brokers=dict.fromkeys(range(self.brokers)))

    def describe_configs(self, resources: list[Any], **_: Any) -> dict[Any, Any]:
        if self.refusal is not None:
            return {one: done(error=self.refusal) for one in resources}
        return {
            one: done({k: SimpleNamespace(value=v) for k, v in self.topics[one.name][2].items()})
            for one in resources
        }

    def create_topics(self, wanted: list[Any], **_: Any) -> dict[str, "Future[Any]"]:
        there = KafkaException(KafkaError(KafkaError.TOPIC_ALREADY_EXISTS))
        created = {}
        for new in wanted:
            self.topics[new.topic] = (new.num_partitions, new.replication_factor, dict(new.config))
            created[new.topic] = done(error=there if new.topic in self.unasked else None)
        return created


@pytest.fixture
def broker(monkeypatch: pytest.MonkeyPatch) -> Broker:
    broker = Broker()
    monkeypatch.setattr(topics_admin, "AdminClient", lambda _: broker)
    return broker


def admin(**kafka: Any) -> TopicsAdmin:
    return TopicsAdmin(Config(broker="one:9092", kafka=Kafka(**kafka)))


def differences(of: TopicsAdmin, name: str = STUDIES) -> dict[str, tuple[str, str, bool]]:
    (state,) = [state for state in of.show() if state.name == name]
    return {one.setting: (one.found, one.wanted, one.fatal) for one in state.differences}


def test_what_is_missing_is_made_as_it_is_wanted_and_then_nothing_differs(broker: Broker) -> None:
    one = admin(partitions=3)
    assert all(state.missing for state in one.show())

    made = one.create()

    assert made == sorted(broker.topics)
    assert STUDIES in made
    assert not any(state.missing or state.differences for state in one.show())
    assert one.create() == []
    assert broker.topics["radvigil.state.v1"][2]["cleanup.policy"] == "compact"


def test_replication_is_never_more_than_there_are_brokers(broker: Broker) -> None:
    broker.brokers = 2

    admin(replication=3).create()

    assert broker.topics[STUDIES][1] == 2


def test_an_unequal_number_of_partitions_keeps_a_worker_from_starting(broker: Broker) -> None:
    admin(partitions=3).create()

    assert differences(admin(partitions=4)) == {"partitions": ("3", "4", True)}


def test_settings_that_may_not_be_read_are_a_sentence(broker: Broker) -> None:
    one = admin()
    one.create()
    broker.refusal = KafkaException(KafkaError(KafkaError.TOPIC_AUTHORIZATION_FAILED))

    with pytest.raises(NoBroker, match="one:9092: what its topics are set to cannot be read"):
        one.show()


def test_settings_and_copies_that_differ_are_said_and_left_alone(broker: Broker) -> None:
    one = admin(replication=2)
    one.create()
    broker.brokers = 2
    count, replicas, settings = broker.topics[STUDIES]
    broker.topics[STUDIES] = (
        count,
        replicas,
        settings | {"message.timestamp.type": "CreateTime", "min.insync.replicas": "1"},
    )

    found = differences(one)

    assert found["message.timestamp.type"] == ("CreateTime", "LogAppendTime", False)
    assert found["replication"] == ("1", "2", False)
    stamped = {topic.name: topic.append_times for topic in one.show()}
    assert [name for name in stamped if not stamped[name]] == [STUDIES]
    assert one.create() == []
    assert broker.topics[STUDIES][2]["message.timestamp.type"] == "CreateTime"


def test_one_that_another_worker_made_meanwhile_is_there(broker: Broker) -> None:
    broker.unasked = {STUDIES}

    assert STUDIES in admin().create()


def test_any_other_refusal_is_raised(broker: Broker, monkeypatch: pytest.MonkeyPatch) -> None:
    refused = KafkaException(KafkaError(KafkaError.TOPIC_AUTHORIZATION_FAILED))
    monkeypatch.setattr(
        broker, "create_topics", lambda new, **_: {one.topic: done(error=refused) for one in new}
    )

    with pytest.raises(KafkaException):
        admin().create()


def test_a_broker_that_is_away_is_named_with_the_reason(broker: Broker) -> None:
    broker.away = KafkaException(KafkaError(KafkaError._TRANSPORT, "connection refused"))

    with pytest.raises(NoBroker, match="one:9092: connection refused"):
        admin().show()
