"""What retention deleted before it was read: it is told, and nothing false is concluded."""

import msgspec
import orjson
import pytest

from schemas.incident import Incident
from schemas.outcome import Outcome
from streams.clock import NEVER_US
from streams.lost import Losses, Lost
from streams.shard import Checkpoint, Shard
from tests.unit.test_shard import (
    COMMANDS,
    NOON_MS,
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


def report(key: str, at_s: float) -> bytes:
    message = {"type": "radvigil.report.v1", "site": "north", "study": key, "report": "r"}
    return orjson.dumps(message | {"status": "final", "at": stamp(at_s)})


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
    lose(again, loss, 90, until_s=1000)
    for number, (key, at_s) in enumerate(studies):
        again.offer(chunk(STUDIES, 1 + number, study(key, at_s), at_s=at_s))
    left = chunk(PREDICTIONS, 90, result("far", 1000), at_s=1000)
    if again.offer(left) is not None:  # no loss of its own: taken for a lost fetch, the first time
        again.offer(left)
    return again


def lose(one: Shard, topic: str, beginning: int, until_s: float) -> int:
    """All before `beginning` is gone, and was appended by then."""
    until_us = (NOON_MS + round(until_s * 1000)) * 1000
    return one.lost(topic, beginning - one.merge.wanted(topic), until_us)


def test_a_study_whose_result_may_be_lost_is_not_missing_and_is_counted() -> None:
    one = with_a_loss(("a", 100), ("b", 900))

    prove(one, 5000)

    assert outcomes(one.checkpoint()) == {}
    assert one.pipeline.losses()["result_lost"] == 2
    assert one.pipeline.sizes()["pending"] == 0


def test_nor_is_one_that_came_after_its_result_and_was_long_due() -> None:
    """Had the result been read, it would have waited for the study."""
    one = shard()
    one.restore(before().items())
    prove(one, 2000)
    lose(one, PREDICTIONS, 90, until_s=3000)
    one.offer(chunk(STUDIES, 1, study("a", 100), at_s=2900))
    one.offer(chunk(STUDIES, 2, study("b", 100), at_s=3001))

    prove(one, 5000)

    assert outcomes(one.checkpoint()) == {}
    assert one.pipeline.losses()["result_lost"] == 2


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

    assert one.pipeline._parts.correlate.oldest_waiting_us("north", "ptx") is None


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


def incidents(*checkpoints: Checkpoint | None) -> list[Incident]:
    effects = [effect for one in checkpoints if one is not None for effect in one.effects]
    return [effect for effect in effects if isinstance(effect, Incident)]


def test_a_loss_is_told_at_once_and_over_an_hour_after_the_feed_is_read_again() -> None:
    one = with_a_loss()
    one.advance()
    prove(one, 1000 + 3600 + LATENESS_S + 1)

    opened, recovering, resolved = incidents(one.checkpoint())

    assert (opened.kind, opened.site, opened.severity) == ("data_quality", "radvigil", "error")
    assert opened.subject == "partition-0 predictions"
    assert opened.title == (
        "89 predictions on partition 0 were deleted by retention before they were read; from "
        "2026-03-01 12:00 until 2026-03-01 12:16 UTC no result is called missing there"
    )
    assert opened.opened_at.isoformat() == stamp(0)
    assert opened.at.isoformat() == stamp(1000)
    assert (recovering.reason, recovering.at.isoformat()) == ("recovering", stamp(1000))
    assert (resolved.reason, resolved.at.isoformat()) == ("recovered", stamp(4600))


@pytest.mark.parametrize("topic", [STUDIES, PREDICTIONS, REPORTS, COMMANDS])
def test_what_is_not_read_again_stays_open(topic: str) -> None:
    one = shard()
    one.restore(before().items())
    lose(one, topic, 90, until_s=90_000)

    prove(one, 90_000)

    (opened,) = incidents(one.checkpoint())
    assert (opened.state, opened.at.isoformat()) == ("open", stamp(90_000))
    feed = topic.split(".")[1]
    assert opened.subject == f"partition-0 {feed}"


def test_a_restart_does_not_tell_it_again_and_still_knows_that_it_is_open() -> None:
    one = shard()
    one.restore((state := before()).items())
    lose(one, REPORTS, 90, until_s=100)
    prove(one, 100)
    state |= saved(one)
    again = shard()
    again.restore(state.items())
    again.offer(chunk(REPORTS, 90, report("before", 200), at_s=200))
    prove(again, 300)

    assert [told.reason for told in incidents(again.checkpoint())] == ["recovering"]


def test_what_was_deleted_before_the_first_start_is_told_to_nobody() -> None:
    one = shard()

    assert lose(one, PREDICTIONS, 90, until_s=90_000) == 0
    prove(one, 90_000)

    assert incidents(one.checkpoint()) == []


@pytest.mark.parametrize(
    ("from_us", "until_us", "touches"),
    [(0, 9, False), (0, 10, True), (15, 16, True), (20, 30, True), (21, 30, False), (0, 99, True)],
)
def test_a_loss_touches_what_overlaps_it(from_us: int, until_us: int, *, touches: bool) -> None:
    lost = Losses(0)
    list(lost.add("reports", 3, 10, 20))

    assert lost.touches("reports", from_us, until_us) is touches
    assert not lost.touches("studies", from_us, until_us)
    assert (lost.until_us("reports"), lost.until_us("studies")) == (20, -NEVER_US)


def test_losses_are_kept_and_written() -> None:
    lost = Losses(0)
    list(lost.add("reports", 1, 10, 15))
    list(lost.add("reports", 1, 20, 25))
    list(lost.add("reports", 2, 20, 29))

    changes = dict(lost.changes())

    assert changes["reports", "20"] == Lost(20, 29, "reports", 3)
    assert dict(lost.changes()) == {}
    assert read_again(changes).touches("reports", 26, 27)
    assert read_again(changes).unheard == {"reports": Lost(20, 29, "reports", 3)}


def test_of_too_many_losses_of_a_feed_the_oldest_become_one_and_none_is_forgotten() -> None:
    lost = Losses(0)
    list(lost.add("predictions", 1, 0, 5))
    for number in range(20):
        list(lost.add("reports", 1, number * 10, number * 10 + 5))

    changes = dict(lost.changes())

    kept = {key: loss for key, loss in changes.items() if loss is not None}
    assert len(kept) == 16 + 1
    assert kept["reports", "0"] == Lost(0, 45, "reports", 5)
    assert [from_us for (_, from_us), loss in changes.items() if loss is None] == [
        *("10", "20", "30", "40")
    ]
    for known in (lost, read_again(changes)):
        assert known.touches("predictions", 4, 4)
        assert all(known.touches("reports", n * 10, n * 10) for n in range(20))
        assert not known.touches("reports", 56, 59)


def test_a_feed_is_heard_again_when_what_came_after_all_its_losses_is_read() -> None:
    """The first to be told may be the last to end: another partition of the source lost less."""
    lost = Losses(0)
    list(lost.add("reports", 1, 10, 90, rekeyed=True))
    list(lost.add("reports", 1, 20, 50, rekeyed=True))

    for known in (lost, read_again(dict(lost.changes()))):
        assert list(known.heard("reports", 60)) == []
        (eased,) = known.heard("reports", 90)
        assert (eased.at_us, eased.since_us) == (90, 10)
        assert read_again(dict(known.changes())).unheard == {}


def read_again(changes: dict[tuple[str, str], Lost | None]) -> Losses:
    """After a restart, in another order."""
    again = Losses(0)
    written = [msgspec.msgpack.encode(loss) for loss in changes.values() if loss is not None]
    again.restore(msgspec.msgpack.decode(raw, type=Lost) for raw in reversed(written))
    return again
