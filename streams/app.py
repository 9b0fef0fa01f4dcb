"""The Faust app: the only file that knows agents.

Each agent takes the chunks of its topic and hands them to the shard of their partition. No Faust
tables: the shards' state is in a changelog of its own (streams/kafka/changelog.py). The settings
are those of docs/ARCHITECTURE.md, "The engine"; each was found by breaking something.
"""

from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from tempfile import mkdtemp
from typing import Any, cast

import faust
from aiokafka.structs import ConsumerRecord
from faust.types import StreamT
from mode.supervisors import CrashingSupervisor
from yarl import URL

from schemas.config import Config
from schemas.kafka import Kafka
from streams.engine import Engine
from streams.kafka.bulk_consumer import Delivery, PlainConsumer, ShardTransport
from streams.kafka.connection import credentials, ssl_context
from streams.kafka.intake import Intake
from streams.merge import Chunk
from streams.shard_topics import ShardTopics

Take = Callable[[Chunk], Awaitable[int | None]]
FETCHED_MAX = 2000


def build(
    config: Config,
    topics: ShardTopics,
    engine: Engine,
    *,
    intake: Intake,
    take: Take,
) -> faust.App:
    """The app of one worker; `take` handles a chunk."""
    app = _app(config, engine)
    app.transport = ShardTransport(
        app.conf.broker_consumer, app, intake=intake, plain=engine.plain_agents
    )
    studies_topic, predictions_topic, reports_topic, commands_topic = (
        app.topic(name, key_serializer="raw", value_serializer="raw", acks=False)
        for name in topics.merged
    )

    @app.agent(studies_topic)
    async def studies(stream: StreamT[Any]) -> None:
        async for chunk in chunks(stream):
            await handle(app, chunk, take)

    @app.agent(predictions_topic)
    async def predictions(stream: StreamT[Any]) -> None:
        async for chunk in chunks(stream):
            await handle(app, chunk, take)

    @app.agent(reports_topic)
    async def reports(stream: StreamT[Any]) -> None:
        async for chunk in chunks(stream):
            await handle(app, chunk, take)

    @app.agent(commands_topic)
    async def commands(stream: StreamT[Any]) -> None:
        async for chunk in chunks(stream):
            await handle(app, chunk, take)

    return app


class EngineCrash(Exception):
    """Faust gave up."""


async def run_until_crash(app: faust.App) -> None:
    """Start the app; raises EngineCrash when it ends of itself, and never returns."""
    await app.start()
    await app.wait_until_stopped()
    raise EngineCrash(repr(app._crash_reason))


async def handle(app: faust.App, chunk: Chunk, take: Take) -> None:
    """Hand a chunk over, and fetch again from where it should have begun if it did not join on."""
    seek = await take(chunk)
    if seek is not None:
        consumer = cast(PlainConsumer, app.consumer)
        await consumer.seek_all({(chunk.topic, chunk.partition): seek})


async def chunks(stream: StreamT[Any]) -> AsyncIterator[Chunk]:
    """The stream's chunks; a record that came alone (`plain_agents`) is a chunk of one."""
    async for event in stream.events():
        message = event.message
        if isinstance(message, Delivery):
            yield message.chunk
            if not message.done.done():
                message.done.set_result(None)
        else:
            yield _single(message)


def _single(message: Any) -> Chunk:
    record: ConsumerRecord[bytes, bytes] = ConsumerRecord(
        message.topic,
        message.partition,
        message.offset,
        round(message.timestamp * 1000),
        message.timestamp_type,
        message.key,
        message.value,
        message.checksum,
        message.serialized_key_size,
        message.serialized_value_size,
        tuple(message.headers or ()),
    )
    offset = message.offset
    return Chunk(message.topic, message.partition, offset, offset + 1, [record])


def _app(config: Config, engine: Engine) -> faust.App:
    return faust.App(
        config.prefix,
        broker=[URL(f"kafka://{address}") for address in config.broker.split(",")],
        broker_credentials=_credentials(config.kafka),
        datadir=Path(mkdtemp(prefix="radvigil-")),  # stays empty: there are no tables
        broker_session_timeout=engine.session_s,
        broker_heartbeat_interval=engine.heartbeat_s,
        broker_request_timeout=max(60.0, engine.session_s),
        broker_commit_interval=1.0,
        broker_max_poll_records=FETCHED_MAX,
        consumer_auto_offset_reset="earliest",
        consumer_metadata_max_age_ms=5000,
        consumer_group_instance_id=config.kafka.instance,
        producer_linger=0.02,
        stream_wait_empty=True,
        agent_supervisor=CrashingSupervisor,
        table_standby_replicas=1,  # without tables: selects the co-partitioning assignor
        topic_allow_declare=False,
        topic_disable_leader=True,
        web_enabled=False,
        autodiscover=False,
    )


def _credentials(kafka: Kafka) -> Any:
    context = ssl_context(kafka)
    if kafka.security.startswith("SASL"):
        username, password = credentials(kafka)
        return faust.SASLCredentials(
            username=username,
            password=password,
            ssl_context=context,
            mechanism=kafka.mechanism,
        )
    return None if context is None else faust.SSLCredentials(context)
