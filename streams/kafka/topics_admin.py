"""The topics of a deployment: what is there, what is wanted, how they differ; and creating them.

Values only; the command line prints them and the worker decides. Nothing that exists is changed:
an operator may have reasons, and a wrong partition count cannot be repaired in place.
"""

import time

from confluent_kafka import KafkaError, KafkaException
from confluent_kafka.admin import (  # type: ignore[attr-defined]
    AdminClient,
    ConfigResource,
    NewTopic,
    ResourceType,
)
from msgspec import Struct

from schemas.config import Config
from schemas.topics import TopicSpec, topics_of
from streams.kafka.connection import librdkafka_settings

ANSWER_S = 15.0
SETTLED_S = 10.0


class Difference(Struct, frozen=True):
    """One setting of a topic that is not as wanted. `fatal` ones keep a worker from starting."""

    setting: str
    found: str
    wanted: str
    why: str
    fatal: bool = False


class TopicState(Struct, frozen=True):
    """A topic as it is; `partitions` is None where it does not exist."""

    name: str
    purpose: str
    partitions: int | None
    replication: int | None
    differences: tuple[Difference, ...] = ()

    @property
    def missing(self) -> bool:
        """Whether the topic is still to be created."""
        return self.partitions is None

    @property
    def append_times(self) -> bool:
        """Whether the broker stamps what it takes, as it is wanted to."""
        return all(one.setting != "message.timestamp.type" for one in self.differences)


class NoBroker(Exception):
    """The broker did not answer what was asked; the message has its address and the reason."""


class TopicsAdmin:
    """Shows and creates the topics of one configuration."""

    def __init__(self, config: Config) -> None:
        self._config = config
        self._specs = topics_of(config)
        self._client = AdminClient(librdkafka_settings(config) | {"log_level": 2})

    def show(self) -> list[TopicState]:
        """Every topic of the deployment as the broker has it. Raises NoBroker."""
        try:
            metadata = self._client.list_topics(timeout=ANSWER_S)
        except KafkaException as error:
            raise NoBroker(f"{self._config.broker}: {error.args[0].str()}") from None
        replication = self._replication(len(metadata.brokers))
        there = {name: topic for name, topic in metadata.topics.items() if topic.error is None}
        names = {spec.name(self._config.prefix): spec for spec in self._specs}
        settings = self._settings([name for name in names if name in there])
        return [
            self._state(name, spec, there.get(name), settings.get(name, {}), replication)
            for name, spec in names.items()
        ]

    def create(self) -> list[str]:
        """Create what is missing, wait until it is known, and name it. Raises NoBroker."""
        missing = {state.name for state in self.show() if state.missing}
        replication = self._replication(len(self._client.list_topics(timeout=ANSWER_S).brokers))
        created = (
            self._client.create_topics(
                [
                    NewTopic(
                        spec.name(self._config.prefix),
                        num_partitions=self._config.kafka.partitions,
                        replication_factor=replication,
                        config={k: s.value for k, s in spec.kafka_config(replication).items()},
                    )
                    for spec in self._specs
                    if spec.name(self._config.prefix) in missing
                ],
                request_timeout=ANSWER_S,
            )
            if missing
            else {}
        )
        for future in created.values():
            _unless_there(future)
        self._wait_for(missing)
        return sorted(missing)

    def _wait_for(self, names: set[str]) -> None:
        """A broker may acknowledge a topic before it serves it."""
        deadline_s = time.monotonic() + SETTLED_S
        while time.monotonic() < deadline_s:
            known = self._client.list_topics(timeout=ANSWER_S).topics
            if all(name in known and known[name].partitions for name in names):
                return
            time.sleep(0.1)

    def _replication(self, brokers: int) -> int:
        return max(1, min(self._config.kafka.replication, brokers))

    def _settings(self, names: list[str]) -> dict[str, dict[str, str]]:
        if not names:
            return {}
        asked = self._client.describe_configs(
            [ConfigResource(ResourceType.TOPIC, name) for name in names],
            request_timeout=ANSWER_S,
        )
        try:
            return {
                resource.name: {key: entry.value for key, entry in future.result().items()}
                for resource, future in asked.items()
            }
        except KafkaException as error:
            why = error.args[0].str()
            raise NoBroker(
                f"{self._config.broker}: what its topics are set to cannot be read: {why} "
                "(an embedded one has no settings, and needs none)"
            ) from None

    def _state(
        self,
        name: str,
        spec: TopicSpec,
        topic: object,
        settings: dict[str, str],
        replication: int,
    ) -> TopicState:
        if topic is None:
            return TopicState(name, spec.purpose, None, None)
        partitions = topic.partitions  # type: ignore[attr-defined]
        replicas = min((len(p.replicas) for p in partitions.values()), default=0)
        differences = [*_counts(self._config, len(partitions), replicas, replication)]
        for key, wanted in spec.kafka_config(replication).items():
            found = settings.get(key)
            if found is not None and found != wanted.value:
                differences.append(Difference(key, found, wanted.value, wanted.why))
        return TopicState(name, spec.purpose, len(partitions), replicas, tuple(differences))


def _counts(config: Config, partitions: int, replicas: int, replication: int) -> list[Difference]:
    differences = []
    if partitions != config.kafka.partitions:
        why = "all topics need the same number: a site's events and state meet in one partition"
        differences.append(
            Difference("partitions", str(partitions), str(config.kafka.partitions), why, fatal=True)
        )
    if replicas < replication:
        why = "what is acknowledged survives the loss of a broker"
        differences.append(Difference("replication", str(replicas), str(replication), why))
    return differences


def _unless_there(future: object) -> None:
    try:
        future.result()  # type: ignore[attr-defined]
    except KafkaException as error:
        if error.args[0].code() != KafkaError.TOPIC_ALREADY_EXISTS:
            raise
