"""A shard without Kafka: chunks in, checkpoints out."""

from datetime import UTC, datetime, timedelta

import orjson
import pytest

from schemas.config import Config, Model
from schemas.kafka import Kafka, Topic, Topics
from streams.merge import Chunk
from streams.partitioner import partition_of
from streams.rekey import Source, restored
from streams.shard import META_KEY, Shard, UnfitState
from streams.shard_topics import shard_topics
from tests.property.test_merge import Written
from tests.unit.messages import COMMAND

NOON_MS = 1_772_366_400_000
CONFIG = Config(models=[Model(name="ptx", deadline_s=60)], kafka=Kafka(partitions=1))
STUDIES, PREDICTIONS, REPORTS, COMMANDS = shard_topics(CONFIG).merged


def shard(config: Config = CONFIG) -> Shard:
    return Shard(config, 0, shard_topics(config), partitions=config.kafka.partitions)


def stamp(seconds: float) -> str:
    noon = datetime.fromtimestamp(NOON_MS / 1000, UTC)
    return (noon + timedelta(seconds=seconds)).isoformat()


def study(key: str, at_s: float = 0) -> bytes:
    return orjson.dumps(
        {
            "type": "radvigil.study.v1",
            "site": "north",
            "study": key,
            "at": stamp(at_s),
            "modality": "DX",
        }
    )


def chunk(topic: str, start: int, *values: bytes | None, at_s: float = 0) -> Chunk:
    records = [
        Written(start + n, NOON_MS + round(at_s * 1000), value=value)
        for n, value in enumerate(values)
    ]
    return Chunk(topic, 0, start, start + len(values), records)


def prove(one: Shard, at_s: float) -> None:
    for name in one.topics:
        one.merge.prove(name, one.merge.wanted(name), (NOON_MS + round(at_s * 1000)) * 1000)
    one.advance()


def saved(one: Shard) -> dict[bytes, bytes]:
    checkpoint = one.checkpoint(refresh=True)
    assert checkpoint is not None
    return {key: value for key, value in checkpoint.changes if value is not None}


def test_an_idle_shard_has_nothing_to_say() -> None:
    one = shard()

    prove(one, 10)

    assert one.checkpoint() is None


def test_a_deadline_that_passes_in_proved_time_is_in_the_next_checkpoint() -> None:
    one = shard()
    one.offer(chunk(STUDIES, 0, study("a")))
    prove(one, 10)
    one.checkpoint()

    prove(one, 121)

    checkpoint = one.checkpoint()
    assert checkpoint is not None
    assert "missing" in [getattr(effect, "outcome", None) for effect in checkpoint.effects]
    assert one.checkpoint() is None


def test_a_checkpoint_holds_the_offsets_of_what_was_handled_not_of_what_is_queued() -> None:
    one = shard()
    one.offer(chunk(STUDIES, 0, study("a"), at_s=0))
    prove(one, 5)
    one.offer(chunk(STUDIES, 1, study("b"), at_s=9))
    one.advance()

    checkpoint = one.checkpoint()

    assert checkpoint is not None
    assert checkpoint.next_offsets[STUDIES] == 1


def test_a_restored_shard_goes_on_where_the_checkpoint_was() -> None:
    one = shard()
    one.offer(chunk(STUDIES, 0, study("a"), study("b")))
    prove(one, 5)
    state = saved(one)

    again = shard()
    again.restore(state.items())

    assert again.merge.wanted(STUDIES) == 2
    assert again.pipeline.watermark_us == one.pipeline.watermark_us
    prove(again, 121)
    checkpoint = again.checkpoint()
    assert checkpoint is not None
    assert len([e for e in checkpoint.effects if hasattr(e, "outcome")]) == 2


def test_state_of_other_topics_is_refused() -> None:
    state = saved(shard())
    rekeyed = Config(topics=Topics(studies=Topic(rekey=True)), kafka=Kafka(partitions=1))

    with pytest.raises(UnfitState, match="topics"):
        shard(rekeyed).restore(state.items())


def test_the_edge_keeps_its_own_record_out_of_the_pipelines_state() -> None:
    one = shard()
    state = saved(one)

    assert META_KEY in state
    assert shard().restore(state.items()) == len(state) - 1


@pytest.mark.parametrize(
    ("topic", "value", "reason"),
    [
        (STUDIES, b"{", "not_json"),
        (STUDIES, None, "empty"),
        (PREDICTIONS, study("a"), "wrong_topic"),
        (STUDIES, b"{" + b" " * 1_048_576 + b"}", "oversized"),
    ],
)
def test_what_cannot_be_taken_is_a_dead_letter(
    topic: str, value: bytes | None, reason: str
) -> None:
    one = shard()
    one.offer(chunk(topic, 0, value))
    prove(one, 5)

    checkpoint = one.checkpoint()

    assert checkpoint is not None
    (letter,) = checkpoint.deadletters
    assert (letter.topic, letter.partition, letter.offset) == (topic, 0, 0)
    assert letter.reason == reason
    assert one.take_counts() == {reason: 1}


def test_an_event_at_the_wrong_partition_is_taken_and_counted() -> None:
    config = Config(kafka=Kafka(partitions=6))
    wrong = next(number for number in range(6) if number != partition_of("north", 6))
    one = Shard(config, wrong, shard_topics(config), partitions=6)
    one.offer(chunk(STUDIES, 0, study("a"))._replace(partition=wrong))
    prove(one, 5)

    assert one.take_counts() == {"study": 1}
    assert one.misplaced == 1


@pytest.mark.parametrize("partition", range(6))
def test_a_command_about_the_monitor_itself_is_at_home_everywhere(partition: int) -> None:
    config = Config(kafka=Kafka(partitions=6))
    one = Shard(config, partition, shard_topics(config), partitions=6)
    value = orjson.dumps(COMMAND | {"site": "radvigil"})
    one.offer(chunk(COMMANDS, 0, value)._replace(partition=partition))
    prove(one, 5)

    assert one.take_counts() == {"command": 1}
    assert one.misplaced == 0


def test_a_dead_letter_of_a_rekeyed_topic_names_what_the_producer_wrote() -> None:
    config = Config(topics=Topics(studies=Topic(rekey=True)), kafka=Kafka(partitions=1))
    one = shard(config)
    copy = shard_topics(config).merged[0]
    source = Source("radvigil.studies.v1", 3, 77, NOON_MS - 5000)
    record = Written(0, NOON_MS, value=b"{", headers=[source.header()])
    one.offer(restored(Chunk(copy, 0, 0, 1, [record])))
    prove(one, 5)

    checkpoint = one.checkpoint()

    assert checkpoint is not None
    (letter,) = checkpoint.deadletters
    assert (letter.topic, letter.partition, letter.offset) == ("radvigil.studies.v1", 3, 77)
    assert letter.at.timestamp() * 1000 == NOON_MS - 5000
