"""Whatever retention takes of the inputs, and wherever the worker is or dies meanwhile.

Each offset is handled, or told lost; no study is called missing whose result was taken; and every
one is whose result never was.
"""

import asyncio
from collections import Counter

from hypothesis import given
from hypothesis import strategies as st

from schemas.incident import Incident
from schemas.outcome import Outcome
from tests.unit.reading import Broker, Worker
from tests.unit.test_lost import result
from tests.unit.test_shard import PREDICTIONS, REPORTS, STUDIES, study

WAITS_S = 240.0  # two deadlines and twice the lateness: what is due has been proved
STEPS = ("study", "served", "result", "control", "delete", "fetch", "read", "checkpoint", "crash")
steps = st.lists(st.tuples(st.sampled_from(STEPS), st.integers(1, 100), st.booleans()), max_size=30)


class Played:
    """What was sent, and what the worker said of it when it had time to finish."""

    def __init__(self, taken: list[tuple[str, int, bool]]) -> None:
        self.broker = Broker()
        self.results: dict[str, int | None] = {}  # of each study, where its result was written
        self.deleted: set[int] = set()  # results that were deleted before they were fetched
        self.from_s: dict[str, float] = {}
        asyncio.run(self._play(taken))

    async def _play(self, taken: list[tuple[str, int, bool]]) -> None:
        self.worker = Worker(self.broker)
        await self.worker.read()
        self.worker.checkpoint()  # it has begun: what is deleted from now on is lost
        for step, n, flag in taken:
            self.broker.now_s += n
            await self._step(step, n, flag)
        self.broker.now_s += WAITS_S
        for _ in range(2):  # what was read before a crash is read again
            await self.worker.read()
        self.worker.checkpoint()

    async def _step(self, step: str, n: int, flag: bool) -> None:
        broker, worker = self.broker, self.worker
        if step in ("study", "served"):
            key = f"s{len(self.results)}"
            self.from_s[key] = broker.now_s
            broker.add(STUDIES, study(key, broker.now_s))
            served = step == "served"
            self.results[key] = self._answer(key) if served else None
        elif step == "result" and self.results:
            broker.add(PREDICTIONS, result("unheard-of", broker.now_s))
        elif step == "control":
            broker.control(PREDICTIONS if flag else REPORTS)
        elif step == "delete":
            topic = PREDICTIONS if flag else REPORTS
            if topic == PREDICTIONS:
                self.deleted |= set(range(self._wanted, broker.ends[topic]))
            broker.delete(topic)
        elif step == "fetch":
            await worker.fetch(PREDICTIONS, n % 4, between=flag)
        elif step == "read":
            await worker.read()
        elif step == "checkpoint":
            worker.checkpoint()
        elif step == "crash":
            before = self._wanted
            worker.start()
            gone = range(self._wanted, min(before, broker.beginnings[PREDICTIONS]))
            self.deleted |= set(gone)

    @property
    def _wanted(self) -> int:
        return self.worker.shard.merge.wanted(PREDICTIONS)

    def _answer(self, key: str) -> int:
        return self.broker.add(PREDICTIONS, result(key, self.broker.now_s))

    @property
    def outcomes(self) -> dict[str, str]:
        told = [one for one in self.worker.told if isinstance(one, Outcome)]
        assert max(Counter(one.study for one in told).values(), default=1) == 1, "said twice"
        return {one.study: one.outcome for one in told}

    @property
    def told_n(self) -> int:
        """How many results were told lost, at most."""
        told = [one for one in self.worker.told if isinstance(one, Incident)]
        of_results = [one for one in told if one.subject == "partition-0 predictions"]
        return len({one.title for one in of_results if one.kind == "data_quality"})


@given(steps)
def test_what_was_taken_is_not_missing_and_what_was_left_is_told_as_ever(
    taken: list[tuple[str, int, bool]],
) -> None:
    played = Played(taken)

    for key, offset in played.results.items():
        if offset is None:
            continue
        if offset in played.deleted:
            assert played.outcomes.get(key) in (None, "on_time"), key
        else:
            assert played.outcomes[key] == "on_time", key
    assert bool(played.told_n) or not any(
        offset in played.deleted for offset in played.results.values() if offset is not None
    )


@given(steps)
def test_without_a_loss_every_study_without_a_result_is_missing(
    taken: list[tuple[str, int, bool]],
) -> None:
    played = Played([step for step in taken if step[0] != "delete" or not step[2]])

    assert played.told_n == 0
    for key, offset in played.results.items():
        assert played.outcomes[key] == ("missing" if offset is None else "on_time"), key


@given(steps)
def test_a_study_from_after_the_last_loss_is_missing_as_ever(
    taken: list[tuple[str, int, bool]],
) -> None:
    """The loss reaches no further than to what is left."""
    later = [("read", 1, True), ("result", 1, True), ("study", 1, True)]
    played = Played([*taken, ("served", 1, True), *later])

    last = max(played.results, key=lambda key: played.from_s[key])
    assert played.outcomes[last] == "missing"


@given(steps)
def test_each_offset_is_handled_once_or_stood_in_for(taken: list[tuple[str, int, bool]]) -> None:
    """After a crash what no checkpoint had is handled, or lost, again: nothing is left out."""
    played = Played([step for step in taken if step[0] != "crash"])

    shard, broker = played.worker.shard, played.broker
    assert {topic: shard.merge.wanted(topic) for topic in shard.topics} == {
        topic: broker.ends[topic] for topic in shard.topics
    }
    assert shard.merge.queued() == 0
    assert shard.merge.repeated == 0
