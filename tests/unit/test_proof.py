"""A re-keyed input is proved when all that its source held is copied; one question at once."""

from typing import Any

from aiokafka import TopicPartition

from streams.kafka.proof import RekeyedProof

GROUP = "radvigil-rekey"


class Asked:
    """A prover with answers to be set; `ends_n` counts the questions for ends."""

    def __init__(self) -> None:
        self.end = {0: 10, 1: 0}
        self.done: dict[int, int] = {}
        self.ends_n = 0

    async def ends(self, places: list[TopicPartition]) -> dict[TopicPartition, int]:
        self.ends_n += 1
        return {place: self.end[place.partition] for place in places}

    async def committed(self, group: str) -> dict[TopicPartition, int]:
        assert group == GROUP
        return {TopicPartition("raw", number): offset for number, offset in self.done.items()}


def proof_by(asked: Asked) -> RekeyedProof:
    prover: Any = asked
    return RekeyedProof(prover, "raw", 2, group=GROUP)


async def test_nothing_is_proved_before_the_copy_has_reached_the_ends() -> None:
    asked = Asked()
    proof = proof_by(asked)

    assert await proof.proved_us(100) is None
    asked.done = {0: 9}
    assert await proof.proved_us(200) is None
    asked.done = {0: 10}
    assert await proof.proved_us(300) == 100


async def test_what_comes_later_does_not_put_the_proof_off() -> None:
    asked = Asked()
    proof = proof_by(asked)
    await proof.proved_us(100)

    asked.end, asked.done = {0: 5_000, 1: 70}, {0: 12}

    assert await proof.proved_us(200) == 100
    assert asked.ends_n == 1


async def test_then_the_next_question_is_asked_with_its_own_time() -> None:
    asked = Asked()
    proof = proof_by(asked)
    asked.done = {0: 10, 1: 0}

    assert await proof.proved_us(100) == 100
    asked.end[1] = 3
    assert await proof.proved_us(200) is None
    asked.done[1] = 3
    assert await proof.proved_us(300) == 200
    assert asked.ends_n == 2


async def test_an_empty_source_is_proved_at_once() -> None:
    asked = Asked()
    asked.end = {0: 0, 1: 0}

    assert await proof_by(asked).proved_us(100) == 100
