"""What goes next to whom, as examples in virtual time."""

from collections.abc import Iterable
from typing import Any

from msgspec.structs import replace

from schemas.routing import Alertmanager, Email, PagerDuty, Receiver, Slack, Webhook
from streams.clock import NEVER_US, seconds_to_us
from streams.delivery.entries import KEPT_US
from streams.delivery.gate import Gate
from streams.delivery.item import Attempt
from streams.delivery.outbox import Outbox
from streams.delivery.records import Dead, Forgotten, NotifyLog, Said
from streams.finding import Finding
from streams.notifiers import Refused, Result, Retry, Sent, Unknown, of
from tests.unit.notices import NOW_US, in_state, incident, notification

OK = Sent({"told": "yes"})
DOWN = Retry("unreachable")
HOOK = Webhook(name="hook", url="http://hook")
SPARE = Webhook(name="spare", url="http://spare")
CHAT = Slack(name="chat", channel="#x", token_env="X")
POSTED = Sent({"channel": "C1", "ts": "1.0"})


class Desk:
    """An outbox with a clock; `told` is what was sent, as receiver, number and action."""

    def __init__(self, *receivers: Receiver) -> None:
        self.gates = {one.name: Gate(of(one).PACE) for one in receivers}
        self.outbox = Outbox(receivers, self.gates, lambda: 0.5)
        self.now_us = NOW_US
        self.told: list[tuple[str, int]] = []
        self.said: list[Said] = []
        self.offset = 0

    def take(self, receiver: str = "hook", number: int = 1, **fields: Any) -> None:
        told = notification(receiver=receiver, number=number, **fields)
        self.outbox.take(told, self.offset)
        self.offset += 1

    def live(self) -> None:
        """Past the catching up after a restart."""
        assert self.outbox.due(self.now_us) is None

    def send(self, result: Result = OK) -> list[Attempt]:
        """All that is due now, each with this result."""
        attempts = []
        while attempt := self.outbox.due(self.now_us):
            self.outbox.done(attempt, result, self.now_us)
            self.told.append((attempt.receiver.name, attempt.number))
            attempts.append(attempt)
        self.said += self.outbox.said()
        return attempts

    def run(self, seconds: float, result: Result = OK) -> list[Attempt]:
        """So long, always at the times that the outbox asks for."""
        end_us, attempts = self.now_us + seconds_to_us(seconds), []
        while self.now_us < end_us:
            attempts += self.send(result)
            self.now_us = min(end_us, max(self.now_us + 1, self.outbox.next_at()))
        return attempts

    def of(self, kind: type) -> list[Any]:
        return [one for one in self.said if isinstance(one, kind)]


def quiet(state: str, **fields: Any) -> dict[str, Any]:
    told = replace(in_state(state), disturb=False, **fields)
    return {name: getattr(told, name) for name in ("action", "why", "disturb", "incidents")}


def bodies(attempts: Iterable[Attempt]) -> list[str]:
    return [attempt.request.body.decode() for attempt in attempts]


def test_only_the_newest_state_is_sent_and_all_of_it_is_committed() -> None:
    desk = Desk(HOOK)
    for number in (1, 2, 3):
        desk.take(number=number, key="k", action="open" if number == 1 else "update")

    (sent,) = desk.send()

    assert sent.number == 3
    assert b'"action":"open"' in sent.request.body
    assert desk.outbox.committable() == 3
    assert [(one.number, one.refs) for one in desk.of(NotifyLog)] == [(3, {"told": "yes"})]


def test_what_comes_while_one_is_under_way_goes_after_it() -> None:
    desk = Desk(HOOK)
    desk.take(number=1)
    first = desk.outbox.due(desk.now_us)
    desk.take(number=2, **quiet("acknowledged"))
    desk.take(number=3, **quiet("resolved"))

    assert first is not None
    assert desk.outbox.due(desk.now_us) is None
    assert desk.outbox.committable() == 0
    desk.outbox.done(first, OK, desk.now_us)
    assert desk.outbox.committable() == 1
    desk.send()

    assert desk.told == [("hook", 3)]
    assert desk.outbox.committable() == 3


def test_over_before_it_was_told_nobody_is_told() -> None:
    desk = Desk(HOOK)
    desk.live()
    desk.take(number=1, disturb=False)
    desk.take(number=2, **quiet("resolved"))

    assert desk.send() == []
    assert desk.outbox.committable() == 2
    assert [(one.number, one.refs, one.over) for one in desk.of(NotifyLog)] == [(2, {}, True)]


def test_over_before_it_was_told_somebody_is_told_where_it_was_to_disturb() -> None:
    desk = Desk(HOOK)
    desk.live()
    desk.take(number=1, disturb=True)
    desk.take(number=2, **quiet("resolved"))

    (body,) = bodies(desk.send())

    assert '"action":"resolve"' in body


def test_after_a_restart_an_end_is_told_because_nobody_knows_what_arrived() -> None:
    desk = Desk(HOOK)
    desk.take(number=1, disturb=False)
    desk.take(number=2, **quiet("resolved"))

    assert len(desk.send()) == 1


def test_an_end_is_told_after_a_try_that_may_have_arrived() -> None:
    desk = Desk(HOOK)
    desk.live()
    desk.take(number=1, disturb=False)
    desk.send(Unknown("timeout"))
    desk.take(number=2, **quiet("resolved"))

    (sent,) = desk.run(5)

    assert sent.number == 2


def test_a_reopened_incident_begins_again() -> None:
    desk = Desk(CHAT)
    desk.take("chat", 1)
    desk.send(POSTED)
    desk.take("chat", 2, **quiet("resolved"))
    desk.run(10, POSTED)
    desk.take("chat", 3)

    (sent,) = desk.run(10, POSTED)

    assert sent.request.step == "post"


def test_a_resolve_and_a_reopening_in_one_are_an_update() -> None:
    desk = Desk(CHAT)
    desk.take("chat", 1)
    desk.send(POSTED)
    desk.take("chat", 2, **quiet("resolved"))
    desk.take("chat", 3)

    assert [sent.request.step for sent in desk.run(10, POSTED)] == ["update", "thread"]


def test_what_was_told_is_known_after_a_restart() -> None:
    desk = Desk(CHAT)
    desk.take("chat", 1)
    desk.send(POSTED)
    again = Desk(CHAT)
    again.outbox.restore(desk.of(NotifyLog))
    again.take("chat", 1)
    again.take("chat", 2, **quiet("acknowledged"))

    sent = again.run(10, POSTED)

    assert [(one.request.step, one.number) for one in sent] == [("update", 2), ("thread", 2)]
    assert '"ts":"1.0"' in bodies(sent)[0]


def test_a_message_that_is_gone_is_posted_anew() -> None:
    desk = Desk(CHAT)
    desk.take("chat", 1)
    desk.send(POSTED)
    desk.take("chat", 2, **quiet("acknowledged"))
    desk.now_us += seconds_to_us(2)
    desk.send(Retry("slack_message_not_found", anew=True))

    assert [one.request.step for one in desk.run(10, POSTED)] == ["post"]


def test_a_chat_message_that_may_have_arrived_says_so_and_repeats_go_ever_more_rarely() -> None:
    desk = Desk(CHAT)
    desk.take("chat", 1)

    sent = desk.run(86_000, Unknown("timeout"))

    assert "(possible duplicate)" not in bodies(sent)[0]
    assert all("(possible duplicate)" in body for body in bodies(sent)[1:])
    assert 20 <= len(sent) <= 28


def test_a_repeat_that_the_provider_knows_is_just_repeated() -> None:
    desk = Desk(HOOK)
    desk.take()

    sent = desk.run(3600, Unknown("timeout"))

    assert len({one.request.body for one in sent}) == 1
    assert len({one.request.headers["webhook-id"] for one in sent}) == 1
    assert len(sent) > 20


def test_a_receiver_that_fails_five_times_is_left_alone_for_half_a_minute() -> None:
    desk = Desk(HOOK)
    for index in range(10):
        desk.take(key=f"k{index}")

    assert len(desk.send(DOWN)) == 5
    assert desk.outbox.next_at() <= desk.now_us + seconds_to_us(30)
    assert desk.run(29.9, DOWN) == []
    desk.now_us += seconds_to_us(0.2)
    probe = desk.outbox.due(desk.now_us)
    assert probe is not None
    assert desk.outbox.due(desk.now_us) is None  # one probe
    desk.outbox.done(probe, OK, desk.now_us)

    assert len(desk.run(60)) == 9
    assert desk.outbox.committable() == 10


def test_what_a_receiver_asks_for_holds_for_all_of_it_and_for_nobody_else() -> None:
    desk = Desk(HOOK, SPARE)
    desk.take("hook", key="a")
    desk.send(Retry("http_429", after_s=40.5))
    desk.take("hook", key="b")
    desk.take("spare", key="b")

    assert [one.receiver.name for one in desk.run(40.4)] == ["spare"]
    assert len(desk.run(1)) == 2


def test_nobody_may_ask_for_more_than_a_quarter_of_an_hour() -> None:
    desk = Desk(HOOK)
    desk.take()
    desk.send(Retry("http_429", after_s=86_400.0))

    assert desk.run(899) == []
    assert len(desk.run(2)) == 1


def test_slack_gets_one_message_a_second() -> None:
    desk = Desk(CHAT)
    for index in range(5):
        desk.take("chat", key=f"k{index}")

    assert len(desk.run(2.5, POSTED)) == 3
    assert len(desk.run(2.0, POSTED)) == 2


def test_the_most_severe_goes_first() -> None:
    desk = Desk(CHAT)
    for severity in ("info", "warning", "critical", "error"):
        desk.take("chat", key=severity, incidents=[incident(severity=severity)])

    assert [one.id[1] for one in desk.run(10, POSTED)] == ["critical", "error", "warning", "info"]


def test_four_at_once_and_one_of_a_key() -> None:
    desk = Desk(HOOK)
    for index in range(10):
        desk.take(key=f"k{index}")

    under_way = [desk.outbox.due(desk.now_us) for _ in range(5)]

    assert [attempt is not None for attempt in under_way] == [True] * 4 + [False]
    assert desk.outbox.next_at() > desk.now_us


def test_a_refusal_is_a_dead_letter_and_an_incident_and_is_done_with() -> None:
    desk = Desk(HOOK)
    desk.take()

    desk.send(Refused("http_401"))

    (dead,), (finding,) = desk.of(Dead), desk.of(Finding)
    assert (dead.why, dead.failed_n, dead.notification.number) == ("http_401", 1, 1)
    assert (finding.signal, finding.kind, finding.subject) == (
        "holds",
        "monitor_stale",
        "delivery.hook",
    )
    assert desk.outbox.committable() == 1
    assert desk.run(3600) == []


def test_the_incident_about_a_receiver_ends_when_it_is_told_something() -> None:
    desk = Desk(HOOK)
    desk.take(key="a")
    desk.send(Refused("http_401"))
    desk.take(key="b")
    desk.send()
    desk.take(key="c")
    desk.send()

    assert [one.signal for one in desk.of(Finding)] == ["holds", "eased"]


def test_after_the_deadline_it_is_given_up_and_the_fallback_is_told() -> None:
    hook = replace(HOOK, deadline_s=3_600.0, fallback="spare")
    desk = Desk(hook, SPARE)
    desk.take(incidents=[incident(severity="warning")])

    failed = desk.run(3_500, DOWN)
    assert {one.receiver.name for one in failed} == {"hook"}
    assert desk.of(Dead) == []
    told = desk.run(200, DOWN)
    assert told[-1].receiver.name == "spare"
    assert desk.outbox.committable() == 0  # the fallback has it, and was not told yet
    desk.run(600)

    assert [one.why for one in desk.of(Dead)] == ["unreachable"]
    assert desk.outbox.committable() == 1
    assert desk.of(NotifyLog)[-1].stands_in_for == "hook"


def test_critical_the_fallback_is_told_after_five_minutes_and_follows_it_to_its_end() -> None:
    pager = PagerDuty(name="pager", routing_key_env="X", fallback="spare")
    desk = Desk(pager, SPARE)
    desk.take("pager")
    while not desk.told or desk.told[-1][0] == "pager":
        attempt = desk.outbox.due(desk.now_us)
        if attempt is None:
            desk.now_us = max(desk.now_us + 1, desk.outbox.next_at())
            continue
        to_pager = attempt.receiver.name == "pager"
        desk.outbox.done(attempt, DOWN if to_pager else OK, desk.now_us)
        desk.told.append((attempt.receiver.name, attempt.number))

    assert 300 <= (desk.now_us - NOW_US) / 1e6 < 320
    assert desk.outbox.committable() == 0
    desk.take("pager", 2, **quiet("resolved"))
    ended = desk.run(600, Sent({"state": "resolve"}))
    assert sorted((one.receiver.name, one.number) for one in ended) == [("pager", 2), ("spare", 2)]
    assert desk.outbox.committable() == 2
    desk.take("pager", 3)
    assert {one.receiver.name for one in desk.run(60)} == {"pager"}


def test_a_fallback_that_is_told_anyway_is_not_told_twice() -> None:
    desk = Desk(replace(HOOK, fallback="spare"), SPARE)
    desk.take("spare")
    desk.send()
    desk.take("hook")

    desk.send(Refused("http_400"))

    assert desk.told == [("spare", 1), ("hook", 1)]
    assert desk.outbox.committable() == 2


def test_a_stand_in_is_known_after_a_restart() -> None:
    hook = replace(HOOK, fallback="spare")
    desk = Desk(hook, SPARE)
    desk.take()
    attempt = desk.outbox.due(desk.now_us)
    assert attempt is not None
    desk.outbox.done(attempt, Refused("http_400"), desk.now_us)
    desk.send()
    again = Desk(hook, SPARE)
    again.outbox.restore(desk.of(NotifyLog))
    again.take("hook", 2, **quiet("resolved"))

    assert {one.receiver.name for one in again.send()} == {"hook", "spare"}


def test_a_receiver_that_is_not_configured_any_more_loses_nothing_in_silence() -> None:
    desk = Desk(HOOK)
    desk.take("gone")
    desk.send()

    assert [one.why for one in desk.of(Dead)] == ["unknown_receiver"]
    assert desk.outbox.committable() == 1
    assert desk.outbox.dropped == {"unknown_receiver": 1}


def test_alertmanager_is_told_again_every_minute_until_it_is_over() -> None:
    keeper = Alertmanager(name="am", url="http://am")
    desk = Desk(keeper)
    desk.take("am")
    refs = desk.outbox.due(desk.now_us)
    assert refs is not None
    firing = Sent(refs.request.refs)
    desk.outbox.done(refs, firing, desk.now_us)
    desk.said += desk.outbox.said()

    assert len(desk.run(301, firing)) == 5
    assert len(desk.of(NotifyLog)) == 1  # a refresh is no news
    again = Desk(keeper)
    again.now_us = desk.now_us
    again.outbox.restore(desk.of(NotifyLog))
    assert len(again.run(61, firing)) == 2
    again.take("am", 2, **quiet("resolved"))
    (ended,) = again.send(Sent())
    assert b"endsAt" in ended.request.body
    assert again.run(600) == []
    assert again.outbox.next_at() == NEVER_US


def test_a_quiet_update_that_a_kind_does_not_tell_is_done_with() -> None:
    mail = Email(name="mail", host="h", sender="a@b.example", to=["c@d.example"])
    desk = Desk(mail)
    desk.take("mail")
    desk.send(Sent({"message_id": "<1@b.example>"}))
    desk.take("mail", 2, **quiet("acknowledged"))

    assert desk.run(60) == []
    assert desk.outbox.committable() == 2
    assert desk.of(NotifyLog)[-1].refs == {"message_id": "<1@b.example>"}


def test_what_was_not_told_anything_for_a_month_is_forgotten() -> None:
    desk = Desk(HOOK)
    desk.take(key="old")
    desk.send()
    desk.now_us += KEPT_US + 1
    desk.take(key="new")
    desk.send()

    assert [one.message_key for one in desk.of(Forgotten)] == ['["hook","old",""]']


def test_a_wait_is_asked_for_exactly_and_nothing_spins() -> None:
    desk = Desk(HOOK)
    assert desk.outbox.next_at() == NEVER_US
    desk.take()
    assert desk.outbox.next_at() <= desk.now_us
    desk.send(DOWN)

    assert desk.now_us < desk.outbox.next_at() <= desk.now_us + 500_000
