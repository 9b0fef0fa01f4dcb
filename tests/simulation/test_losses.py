"""Records that retention took: what stands in their place, what is said, and what is checked."""

from collections import Counter
from random import Random

import pytest

from schemas.incident import Incident
from schemas.outcome import Outcome
from schemas.prediction import Prediction
from schemas.study import Study
from streams.simulate import simulate
from tests.simulation.checks import agreement
from tests.simulation.checks_of_losses import is_of_a_loss, losses, unjust
from tests.simulation.delivery import Delivery, Loss, deliver
from tests.simulation.monitor import Trouble, watch
from tests.simulation.oracle import account
from tests.simulation.retention import Retention
from tests.simulation.run import problems
from tests.simulation.stories import CONFIG, story
from tests.simulation.swarm import world

STORY = [Delivery(e, us) for e, us in story("complete@0 b.complete@200 b.done@210 c.complete@900")]
SECOND_US = 1_000_000


def lost(since_s: int, until_s: int, feed: type = Prediction) -> Delivery:
    loss = Loss(feed, 1, since_s * SECOND_US, until_s * SECOND_US, rekeyed=False)
    return Delivery(loss, since_s * SECOND_US)


def told(read: list[Delivery]) -> dict[str, str]:
    effects = watch(CONFIG, read, Trouble(), Random(0)).effects
    return {one.study: one.outcome for one in effects if isinstance(one, Outcome)}


@pytest.mark.parametrize(
    ("since_s", "until_s", "unknown"),
    [(300, 899, ""), (300, 900, "c"), (1060, 2000, "c"), (1061, 2000, "")],
)
def test_a_study_is_not_missing_where_its_result_may_be_lost(
    since_s: int, until_s: int, unknown: str
) -> None:
    read = sorted([*STORY, lost(since_s, until_s)], key=lambda one: one.arrived_us)

    wanted = {"a": "missing", "b": "on_time", "c": "missing"}
    assert told(read) == {key: wanted[key] for key in wanted if key != unknown}
    assert {one.study: one.outcome for one in account(CONFIG, read).outcomes} == told(read)


@pytest.mark.parametrize("rekeyed", [False, True])
@pytest.mark.parametrize("crashed", [False, True])
def test_what_is_taken_is_of_one_feed_and_unread_and_a_loss_says_so(
    rekeyed: bool, crashed: bool
) -> None:
    subject = world(5)
    log = deliver(subject, simulate(subject.hospital, 5))
    feeds: Counter[type] = Counter()
    for seed in range(40):
        rng = Random(seed)
        offset = rng.randrange(len(log))
        left = Retention(rng, rekeyed).takes(log, offset, crashed=crashed)

        assert left[:offset] == log[:offset]
        found = [one for one in left if isinstance(one.event, Loss)]
        if not found:
            assert left == log
            continue
        (loss,) = (one.event for one in found if isinstance(one.event, Loss))
        gone = [one for one in log if not any(one is kept for kept in left)]
        feeds[loss.feed] += 1
        assert len(gone) == loss.n
        assert all(isinstance(one.event, loss.feed) for one in gone)
        assert all(loss.since_us <= one.arrived_us <= loss.until_us for one in gone)
        assert [one for one in left if one not in found] == [one for one in log if one not in gone]
    assert len(feeds) == 3


def test_the_checks_bite() -> None:
    read = [*STORY[:-1], lost(210, 2000), STORY[-1]]
    said = watch(CONFIG, read, Trouble(), Random(0))

    assert not list(agreement(said.effects, account(CONFIG, said.read)))
    assert list(agreement(said.effects, account(CONFIG, STORY)))
    assert not list(losses(said.effects, said.read))
    without = [e for e in said.effects if not (isinstance(e, Incident) and is_of_a_loss(e))]
    assert list(losses(without, said.read))
    assert list(losses(said.effects, STORY))
    assert "is missing because of a loss" in next(
        unjust(account(CONFIG, STORY[:1]), account(CONFIG, []), STORY, STORY)
    )


def test_of_a_study_whose_own_events_are_lost_nothing_is_promised() -> None:
    cancelled = [Delivery(e, us) for e, us in story("complete@0 cancel@20")]
    read = [cancelled[0], lost(0, 30, Study)]

    assert not list(unjust(account(CONFIG, read), account(CONFIG, cancelled), read, cancelled))


def test_a_monitor_that_knew_of_no_loss_would_be_found_out(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("streams.lost.Losses.touches", lambda *_: False)

    found = (
        problem
        for seed in range(1, 40)
        if (subject := world(seed)).weights.losses
        for problem in problems(subject, deliver(subject, simulate(subject.hospital, seed)))
    )
    assert any("missing" in problem for problem in found)
