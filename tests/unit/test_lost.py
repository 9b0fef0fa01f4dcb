"""Results that retention deleted before they were read: what may be among them is not missing."""

import msgspec
import orjson
import pytest

from schemas.outcome import Outcome
from streams.lost import Lost, LostResults
from streams.shard import Checkpoint, Shard
from tests.unit.test_shard import (
    PREDICTIONS,
    REPORTS,
    STUDIES,
    chunk,
    prove,
    saved,
    shard,
    stamp,
    study,
)

LATENESS_S = 60  # and deadlines of 60 s: CONFIG of test_shard


def result(key: str, at_s: float) -> bytes:
    message = {"type": "radvigil.prediction.v1", "site": "north", "study": key, "model": "ptx"}
    more = {"model_version": "1", "status": "completed", "at": stamp(at_s)}
    return orjson.dumps(message | more | {"outputs": [{"finding": "ptx", "score": 0.5}]})


def outcomes(*checkpoints: Checkpoint | None) -> dict[str, str]:
    effects = [effect for one in checkpoints if one is not None for effect in one.effects]
    return {effect.study: effect.outcome for effect in effects if isinstance(effect, Outcome)}


def before() -> dict[bytes, bytes]:
    """The state after a study and its result, handled at 0 s."""
    one = shard()
    one.offer(chunk(STUDIES, 0, study("before", 0)))
    one.offer(chunk(PREDICTIONS, 0, result("before", 0)))
    prove(one, 1)
    return saved(one)


def with_a_loss(*studies: tuple[str, float], loss: str = PREDICTIONS) -> Shard:
    """Lost: what came after `before` and until 1000 s. Then studies, and a result."""
    again = shard()
    again.restore(before().items())
    again.lost(loss)
    for number, (key, at_s) in enumerate(studies):
        again.offer(chunk(STUDIES, 1 + number, study(key, at_s), at_s=at_s))
    left = chunk(PREDICTIONS, 90, result("far", 1000), at_s=1000)
    again.offer(left)
    again.offer(left)  # the first time it is taken for a lost fetch
    return again


def test_a_study_whose_result_may_be_lost_is_not_missing_and_is_counted() -> None:
    one = with_a_loss(("a", 100), ("b", 900))

    prove(one, 5000)

    assert outcomes(one.checkpoint()) == {}
    assert one.pipeline.losses()["result_lost"] == 2
    assert one.pipeline.sizes()["pending"] == 0


def test_one_that_began_after_the_loss_is_missing_as_ever() -> None:
    one = with_a_loss(("a", 100), ("c", 1001))

    prove(one, 5000)

    assert outcomes(one.checkpoint()) == {"c": "missing"}


def test_a_result_that_does_come_settles_it_all_the_same() -> None:
    one = with_a_loss(("a", 900))
    prove(one, 1500)
    one.offer(chunk(PREDICTIONS, 91, result("a", 950), at_s=1600))

    prove(one, 5000)

    assert outcomes(one.checkpoint()) == {"a": "on_time"}


def test_it_is_no_older_study_that_still_waits() -> None:
    one = with_a_loss(("a", 900))
    prove(one, 1500)

    assert one.pipeline._correlate.oldest_waiting_us("north", "ptx") is None


def test_what_is_known_of_a_loss_survives_a_restart() -> None:
    one = with_a_loss(("a", 990))
    prove(one, 1030)
    again = shard()
    again.restore((before() | saved(one)).items())

    prove(again, 5000)

    assert outcomes(again.checkpoint()) == {}
    assert again.pipeline.losses()["result_lost"] == 1


def test_without_a_loss_they_are_missing() -> None:
    one = with_a_loss(("a", 100), ("b", 900), loss=REPORTS)

    prove(one, 5000)

    assert outcomes(one.checkpoint()) == {"a": "missing", "b": "missing"}


@pytest.mark.parametrize(
    ("from_us", "until_us", "touches"),
    [(0, 9, False), (0, 10, True), (15, 16, True), (20, 30, True), (21, 30, False), (0, 99, True)],
)
def test_a_loss_touches_what_overlaps_it(from_us: int, until_us: int, *, touches: bool) -> None:
    lost = LostResults()
    lost.add(10, 20)

    assert lost.touches(from_us, until_us) is touches


def test_losses_are_kept_written_and_bounded() -> None:
    lost = LostResults()
    for number in range(20):
        lost.add(number * 10, number * 10 + 5)
    lost.add(190, 199)

    changes = dict(lost.changes())

    assert changes[("190",)] == Lost(190, 199)
    assert [key for (key,), loss in changes.items() if loss is None] == ["0", "10", "20", "30"]
    assert dict(lost.changes()) == {}
    again = LostResults()
    written = [msgspec.msgpack.encode(loss) for loss in changes.values() if loss is not None]
    again.restore(msgspec.msgpack.decode(raw, type=Lost) for raw in reversed(written))
    assert again.touches(196, 197)
    assert not again.touches(0, 35)
