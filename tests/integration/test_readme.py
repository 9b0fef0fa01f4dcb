"""What the README promises a newcomer, done as it says: its configuration, its ten lines."""

import ast
import re
from pathlib import Path

import orjson
from confluent_kafka import Consumer, TopicPartition

from tests.integration.console import ROOT, Console
from tests.integration.patience import ANSWER_S, wait_until

README = (ROOT / "README.md").read_text()


def block(language: str) -> str:
    (found,) = re.findall(rf"```{language}\n(.*?)```", README, re.DOTALL)
    return str(found)


def outcomes(broker: str) -> list[dict[str, object]]:
    """What the outcomes topic holds: all partitions, from the beginning."""
    consumer = Consumer({"bootstrap.servers": broker, "group.id": "readme", "log_level": 2})
    try:
        topic = "radvigil.outcomes.v1"
        partitions = consumer.list_topics(topic, timeout=ANSWER_S).topics[topic].partitions
        consumer.assign([TopicPartition(topic, number, 0) for number in partitions])
        messages = consumer.consume(100, timeout=2)
        values = [message.value() for message in messages if message.error() is None]
        return [orjson.loads(value) for value in values if value is not None]
    finally:
        consumer.close()


def test_the_ten_lines_give_an_outcome(tmp_path: Path) -> None:
    assert len(ast.parse(block("python")).body) <= 10
    config = tmp_path / "radvigil.toml"
    config.write_text(block("toml").replace("localhost:9094", "embedded"))
    worker = Console("run", "--config", str(config))
    try:
        announced = worker.until(lambda line: "embedded broker at" in line)
        found = re.search(r"embedded broker at (\S+):", announced)
        assert found is not None
        broker = found[1]

        exec(block("python").replace("localhost:9094", broker), {})

        said: list[dict[str, object]] = []

        def has_come() -> bool:
            said[:] = outcomes(broker)
            return bool(said)

        assert wait_until(has_come, 60), worker.text
        (told,) = said
        assert (told["model"], told["outcome"]) == ("ptx", "on_time")
        assert worker.end() == 0
    finally:
        worker.close()
