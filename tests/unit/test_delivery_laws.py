"""Whatever fails and whoever dies: all is delivered, in order, once by the provider's key."""

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from random import Random

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from schemas.notification import Notification
from schemas.routing import PagerDuty, Receiver, Slack, Webhook
from streams.clock import NEVER_US, from_us, seconds_to_us, to_us
from streams.delivery.gate import Gate
from streams.delivery.item import Attempt
from streams.delivery.outbox import Outbox
from streams.delivery.records import Dead, NotifyLog
from streams.notifiers import Answer, Result, Retry, Sent, Unknown, kind_of, of
from tests.unit.notices import incident, notification

START_US = to_us(from_us(1_767_600_000_000_000))
RECEIVERS: dict[str, Receiver] = {
    "pager": PagerDuty(name="pager", routing_key_env="X"),
    "hook": Webhook(name="hook", url="http://hook"),
    "chat": Slack(name="chat", channel="#x", token_env="X"),
}
STATES = {"open": "open", "update": "acknowledged", "resolve": "resolved"}


def story(random: Random, n: int) -> list[Notification]:
    """Episodes of a few keys at each receiver, their numbers without gaps, in some order."""
    numbers: dict[tuple[str, str], int] = defaultdict(int)
    live: dict[tuple[str, str], bool] = defaultdict(bool)
    told = []
    for index in range(n):
        name, key = random.choice([*RECEIVERS]), f"key-{random.randrange(3)}"
        where = (name, key)
        action = random.choice(["update", "resolve"]) if live[where] else "open"
        live[where] = action != "resolve"
        numbers[where] += 1
        told.append(
            notification(
                notification=f"{name}-{key}-{numbers[where]}",
                receiver=name,
                key=key,
                number=numbers[where],
                action=action,
                why={"open": "opened", "update": "acknowledged", "resolve": "resolved"}[action],
                disturb=action == "open" and random.random() < 0.5,
                incidents=[incident(incident=key, state=STATES[action], severity="warning")],
                at=from_us(START_US + index * 1_000_000),
            )
        )
    return told


@dataclass
class Provider:
    """What the other side has accepted. `bad` is the share of requests that go wrong."""

    random: Random
    bad: float = 0.5
    accepted: dict[tuple[str, str], list[int]] = field(default_factory=lambda: defaultdict(list))
    alerts: dict[str, str] = field(default_factory=dict)
    hooks: set[str] = field(default_factory=set)
    posts: dict[str, int] = field(default_factory=lambda: defaultdict(int))
    chat: dict[str, str] = field(default_factory=dict)
    unknown_posts_n: int = 0

    def answer(self, attempt: Attempt) -> Result:
        if self.random.random() < self.bad:
            match self.random.randrange(4):
                case 0:
                    return Retry("unreachable")
                case 1:
                    return Retry("http_429", after_s=self.random.choice([0.5, 7.0, 5_000.0]))
                case 2:
                    return Unknown("timeout")
            self.accept(attempt)
            self.unknown_posts_n += attempt.request.step == "post"
            return Unknown("timeout")
        answer = self.accept(attempt)
        return of(attempt.receiver).read(attempt.request, answer)

    def accept(self, attempt: Attempt) -> Answer:
        self.accepted[attempt.id[0], attempt.id[1]].append(attempt.number)
        request = attempt.request
        match kind_of(attempt.receiver):
            case "pagerduty":
                event = msgspec.json.decode(request.body)
                key, action = event["dedup_key"], event["event_action"]
                if action == "trigger" or self.alerts.get(key, "resolve") != "resolve":
                    self.alerts[key] = action
            case "webhook":
                self.hooks.add(request.headers["webhook-id"])
            case "slack":
                return self.slack(request.step, msgspec.json.decode(request.body))
        return Answer(202)

    def slack(self, step: str, payload: dict[str, str]) -> Answer:
        ts = payload.get("ts") or f"{sum(self.posts.values())}.0"
        if step == "post":
            self.posts[payload["text"]] += 1
        if step != "thread":
            self.chat[ts] = payload["text"]
        body = {"ok": True, "channel": "C1", "ts": ts}
        return Answer(200, {}, msgspec.json.encode(body))


@dataclass
class World:
    """A worker that dies now and then; what it has written survives."""

    topic: list[Notification]
    provider: Provider
    random: Random
    deaths: float = 0.02
    now_us: int = START_US
    log: dict[str, NotifyLog] = field(default_factory=dict)
    dead: list[Dead] = field(default_factory=list)
    committed: int = 0
    produced: int = 0

    def run(self) -> None:
        """Until all is delivered; at last the provider is well and nobody dies."""
        for calm in (False, True):
            if calm:
                self.provider.bad = self.deaths = 0.0
            for _ in range(20):
                if self.live(rounds=120) and calm:
                    return
        raise AssertionError("never done")

    def live(self, rounds: int) -> bool:
        """One life of a worker; whether it came to its end with nothing left to do."""
        gates = {name: Gate(of(one).PACE) for name, one in RECEIVERS.items()}
        outbox = Outbox(RECEIVERS.values(), gates, self.random.random)
        outbox.restore(self.log.values())
        taken = self.committed
        under_way: list[Attempt] = []
        for _ in range(rounds):
            self.produced = min(len(self.topic), self.produced + self.random.randrange(3))
            for offset in range(taken, self.produced):
                outbox.take(self.topic[offset], offset)
            taken = self.produced
            while attempt := outbox.due(self.now_us):
                under_way.append(attempt)
            if self.dies():
                return False
            for attempt in self.some(under_way):
                result = self.provider.answer(attempt)
                if self.dies():
                    return False
                outbox.done(attempt, result, self.now_us)
            if not self.write(outbox):
                return False
            if self.is_done(outbox, under_way):
                return True
            self.wait(outbox, bool(under_way))
        return False

    def dies(self) -> bool:
        return self.random.random() < self.deaths

    def some(self, under_way: list[Attempt]) -> Iterator[Attempt]:
        self.random.shuffle(under_way)
        for _ in range(self.random.randint(0, len(under_way))):
            yield under_way.pop()

    def write(self, outbox: Outbox) -> bool:
        """The records, then the offset; death may come in between."""
        said, committable = outbox.said(), outbox.committable()
        for one in said:
            if isinstance(one, NotifyLog):
                self.log[one.message_key] = one
            if isinstance(one, Dead):
                self.dead.append(one)
        if self.dies():
            return False
        if committable is not None:
            assert committable >= self.committed
            self.committed = committable
        for told in self.topic[: self.committed]:
            known = [one for one in self.log.values() if one.receiver == told.receiver]
            assert any(one.key == told.key and one.number >= told.number for one in known)
        return True

    def is_done(self, outbox: Outbox, under_way: list[Attempt]) -> bool:
        all_read = self.produced == len(self.topic)
        return all_read and not under_way and not outbox.waiting_n()

    def wait(self, outbox: Outbox, under_way: bool) -> None:
        next_us = outbox.next_at()
        soon_us = self.now_us + seconds_to_us(1)
        if under_way or next_us == NEVER_US:
            next_us = min(next_us, soon_us)
        self.now_us = max(self.now_us, min(next_us, self.now_us + seconds_to_us(600)))


@settings(max_examples=60, deadline=None)
@given(seed=st.integers(0, 2**32), n=st.integers(1, 40), bad=st.sampled_from([0.0, 0.3, 0.8]))
def test_all_is_delivered_in_order_and_nothing_is_lost(seed: int, n: int, bad: float) -> None:
    random = Random(seed)
    provider = Provider(random, bad)
    world = World(story(random, n), provider, random)

    world.run()

    newest = {(told.receiver, told.key): told for told in world.topic}
    assert world.dead == []
    assert world.committed == n
    for where, numbers in provider.accepted.items():
        assert numbers == sorted(numbers), where
    for (name, key), told in newest.items():
        if told.action != "resolve" and name != "pager":
            assert provider.accepted[name, key][-1] == told.number
        if name == "pager":
            state = provider.alerts.get(f"rv-{key}", "resolve")
            expected = {"open": "trigger", "update": "acknowledge", "resolve": "resolve"}
            # A quiet reopening pages nobody, and no event takes an acknowledgement back.
            kept = told.action == "open" and not told.disturb and state == "acknowledge"
            assert kept or state == expected[told.action]


@settings(max_examples=30, deadline=None)
@given(seed=st.integers(0, 2**32))
def test_a_chat_message_is_doubled_only_where_nobody_could_know(seed: int) -> None:
    """Slack knows no repeats: at most one more post for each that may have arrived unheard."""
    random = Random(seed)
    provider = Provider(random, bad=0.5)
    told = [one for one in story(random, 40) if one.receiver == "chat" and one.action == "open"]
    first = list({one.key: one for one in reversed(told)}.values())
    world = World(first, provider, random, deaths=0.0)

    world.run()

    assert sum(provider.posts.values()) <= len(first) + provider.unknown_posts_n


def test_down_for_hours_it_waits_and_then_tells_the_newest_state() -> None:
    told = story(Random(3), 60)
    outbox = a_worker()
    for offset, one in enumerate(told):
        outbox.take(one, offset)
    now_us, tries = START_US, 0
    while now_us < START_US + seconds_to_us(6 * 3600):
        while attempt := outbox.due(now_us):
            tries += 1
            outbox.done(attempt, Retry("unreachable"), now_us)
        now_us = max(now_us + 1, outbox.next_at())

    assert outbox.committable() == 0
    assert 500 < tries < 3 * 6 * 3600 / 30 * 1.2  # one probe every half minute, three receivers
    sent: dict[tuple[str, str], list[int]] = defaultdict(list)
    while outbox.waiting_n():
        while attempt := outbox.due(now_us):
            sent[attempt.id[0], attempt.id[1]].append(attempt.number)
            ok = of(attempt.receiver).read(attempt.request, slack_or_202(attempt))
            outbox.done(attempt, ok, now_us)
        now_us = max(now_us + 1, outbox.next_at())
    newest = {(one.receiver, one.key): one for one in told}
    assert outbox.committable() == len(told)
    assert all(set(numbers) == {newest[where].number} for where, numbers in sent.items())


def slack_or_202(attempt: Attempt) -> Answer:
    if kind_of(attempt.receiver) == "slack":
        return Answer(200, {}, b'{"ok":true,"channel":"C1","ts":"1.0"}')
    return Answer(202)


def a_worker() -> Outbox:
    gates = {name: Gate(of(one).PACE) for name, one in RECEIVERS.items()}
    return Outbox(RECEIVERS.values(), gates, Random(1).random)


def test_an_attempt_is_done_once() -> None:
    outbox = a_worker()
    outbox.take(story(Random(3), 1)[0], 0)
    attempt = outbox.due(START_US)
    assert attempt is not None
    outbox.done(attempt, Sent({"told": "yes"}), START_US)

    with pytest.raises(ValueError, match="not under way"):
        outbox.done(attempt, Sent(), START_US)
