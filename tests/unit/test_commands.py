"""A command acts once, however often it is delivered, and every one is answered."""

import msgspec
import pytest

from schemas.command import Command
from schemas.reply import Reply
from streams.incidents.commands import Answer, Commands, Taken
from streams.pipeline import Pipeline
from tests.unit.builders import at, command, config, finding, story, us
from tests.unit.incident_desk import Desk, first

TITLE = finding().title


def note(command_id: str, site: str = "north") -> Command:
    return command("note", command_id, site=site, incident="i")


def test_a_command_is_new_once_for_its_site() -> None:
    commands = Commands()

    told = [commands.is_new(note(command_id)) for command_id in ("c-1", "c-1", "c-2")]

    assert told == [True, False, True]
    assert commands.is_new(note("c-1", site="south"))


@pytest.mark.parametrize(
    ("asked", "reason"),
    [
        (command("resolve", "c-1", 5, incident="who knows"), "unknown_incident"),
        (command("resolve", "c-1", 5, matchers={"model": "cxr"}), "nothing_matched"),
        (command("rebaseline", "c-1", 5, matchers={"subject": "kvp"}), "nothing_matched"),
        (
            command("rebaseline", "c-1", 5, matchers={"subject": "kvp"}, reference_number=1),
            "nothing_matched",
        ),
        (command("silence", "c-1", 5, matchers={"model": "ptx"}), "no_until"),
        (command("maintain", "c-1", 5, matchers={"model": "ptx"}, until=at(4)), "too_late"),
        (command("unsilence", "c-1", 5, matchers={"model": "ptx"}), "unknown_silence"),
    ],
)
def test_whatever_is_refused_is_counted_once_by_its_reason(asked: Command, reason: str) -> None:
    pipeline = Pipeline(config())

    told = [*pipeline.handle(asked, us(5)), *pipeline.handle(asked, us(6))]

    assert [reply.reason for reply in told if isinstance(reply, Reply)] == [reason, "repeated"]
    assert {why: n for why, n in pipeline.losses().items() if n} == {reason: 1}


def test_it_is_still_known_after_a_restart() -> None:
    commands, restarted = Commands(), Commands()
    commands.is_new(note("c-1"))

    written = msgspec.msgpack.encode(list(commands.changes()))
    restarted.restore(msgspec.msgpack.decode(written, type=list[Taken]))

    assert not restarted.is_new(note("c-1"))
    assert list(commands.changes()) == []


@pytest.mark.parametrize("reason", ["ok", "stale_seq"])
def test_one_that_comes_again_is_told_what_became_of_it(reason: str) -> None:
    commands, restarted = Commands(), Commands()
    commands.is_new(note("c-1"))
    commands.answered(note("c-1"), Answer(reason))  # type: ignore[arg-type]

    written = msgspec.msgpack.encode(list(commands.changes()))
    restarted.restore(msgspec.msgpack.decode(written, type=list[Taken]))

    reply = restarted.again(note("c-1"), us(5))
    assert (reply.reason, reply.accepted) == ("repeated", reason == "ok")
    assert reply.at == at(5)


def test_only_the_last_ones_are_remembered() -> None:
    commands = Commands()
    for number in range(1_000):
        commands.is_new(note(f"c-{number}"))
        commands.answered(note(f"c-{number}"), Answer("stale_seq"))

    (taken,) = commands.changes()

    assert len(taken.ids) == len(taken.refused) == 256
    assert not commands.is_new(note("c-999"))


def test_a_reply_repeats_what_it_answers() -> None:
    answer = Answer("ok", (), "i-1", 3, 1)

    assert answer.reply(note("c-1"), us(5)) == Reply(
        command_id="c-1",
        site="north",
        action="note",
        accepted=True,
        reason="ok",
        at=at(5),
        incident="i-1",
        seq=3,
        affected_n=1,
    )


def test_a_rebaseline_of_series_alone_is_carried_out() -> None:
    assert Answer("nothing_matched").and_series(0) == Answer("nothing_matched")
    assert Answer("nothing_matched").and_series(2) == Answer("ok", affected_n=2)


class TestIncidents:
    def test_a_note_says_who_and_what(self) -> None:
        desk = Desk()

        note = command("note", "c-1", 5, incident=first(), text="we know")
        told = desk.hears(finding("holds", 0), note)

        assert story(told) == ["open: opened @0", "open: noted @5"]
        assert (told[-1].actor, told[-1].note) == ("kim", "we know")

    def test_a_command_against_an_older_seq_is_refused(self) -> None:
        desk = Desk()
        desk.hears(finding("holds", 0), finding("holds", 1, title="worse"))

        stale = desk.hears(command("acknowledge", "c-1", 5, incident=first(), expected_seq=1))
        fresh = desk.hears(command("acknowledge", "c-2", 5, incident=first(), expected_seq=2))

        assert (story(stale), story(fresh)) == ([], ["acknowledged: acknowledged @5"])

    def test_a_command_against_an_unknown_or_former_incident_is_refused(self) -> None:
        desk = Desk()
        desk.hears(finding("holds", 0), finding("eased", 1), finding("holds", 2))

        told = desk.hears(
            command("resolve", "c-1", 5, incident="who knows"),
            command("resolve", "c-2", 5, incident=first()),
        )

        assert told == []

    def test_matchers_reach_all_live_incidents_of_the_site_that_match(self) -> None:
        desk = Desk()
        desk.hears(
            finding("holds", 0),
            finding("holds", 0, kind="latency"),
            finding("holds", 0, model="cxr"),
            finding("holds", 0, site="south"),
        )

        told = desk.hears(command("acknowledge", "c-1", 5, matchers={"model": "ptx"}))

        assert {(i.site, i.kind, i.model) for i in told} == {
            ("north", "missing_output", "ptx"),
            ("north", "latency", "ptx"),
        }

    def test_matchers_reach_incidents_in_an_order_that_a_restart_does_not_change(self) -> None:
        desk = Desk()
        desk.hears(*(finding("holds", 0, subject=f"kvp{n}") for n in range(6)))
        other = desk.restarted()

        acknowledge = command("acknowledge", "c-1", 5, matchers={"model": "ptx"})

        assert desk.hears(acknowledge) == other.hears(acknowledge)

    def test_resolving_by_hand_ends_it_and_the_next_finding_is_a_new_incident(self) -> None:
        desk = Desk()

        told = desk.hears(
            finding("holds", 0),
            command("resolve", "c-1", 5, incident=first()),
            finding("holds", 10),
        )

        assert story(told)[1:] == ["resolved: resolved_by_hand @5", "open: opened @10"]
        assert told[-1].reopen_of == first()

    def test_a_change_after_it_was_resolved_by_hand_is_a_new_incident(self) -> None:
        desk = Desk()

        told = desk.hears(
            finding("holds", 0),
            command("resolve", "c-1", 5, incident=first()),
            finding("changed", 10),
        )

        assert story(told)[-1] == "open: opened @10"

    @pytest.mark.parametrize(
        "accepts",
        [
            command("resolve", "c-1", 5, incident="?", text="accepted"),
            command("rebaseline", "c-1", 5, incident="?"),
        ],
    )
    def test_accepting_the_new_level_says_so(self, accepts: Command) -> None:
        desk = Desk()

        told = desk.hears(finding("holds", 0), msgspec.structs.replace(accepts, incident=first()))

        assert story(told)[-1] == "resolved: accepted @5"

    def test_an_incident_of_another_site_is_unknown(self) -> None:
        desk = Desk()
        desk.hears(finding("holds", 0))

        answer = desk.asks(command("acknowledge", "c-1", 5, site="south", incident=first()))

        assert (answer.reason, answer.told) == ("unknown_incident", ())


class TestAnswers:
    def test_one_that_was_carried_out_tells_the_new_seq(self) -> None:
        desk = Desk()
        desk.hears(finding("holds", 0))

        answer = desk.asks(command("acknowledge", "c-1", 5, incident=first(), expected_seq=1))

        assert answer.accepted
        assert answer[2:] == (first(), 2, 1)

    def test_a_stale_one_tells_the_seq_to_look_at(self) -> None:
        desk = Desk()
        desk.hears(finding("holds", 0), finding("holds", 1, title="worse"))

        answer = desk.asks(command("acknowledge", "c-1", 5, incident=first(), expected_seq=1))

        assert answer == Answer("stale_seq", (), first(), 2)

    @pytest.mark.parametrize(
        ("asked", "reason"),
        [
            (command("resolve", "c-1", 5, incident="who knows"), "unknown_incident"),
            (command("unacknowledge", "c-1", 5, incident=first()), "no_transition"),
            (command("resolve", "c-1", 5, matchers={"model": "cxr"}), "nothing_matched"),
            (command("resolve", "c-1", 5, matchers={"title": TITLE}), "nothing_matched"),
            (command("unacknowledge", "c-1", 5, matchers={"model": "ptx"}), "no_transition"),
        ],
    )
    def test_one_that_changes_nothing_says_why(self, asked: Command, reason: str) -> None:
        desk = Desk()
        desk.hears(finding("holds", 0))

        answer = desk.asks(asked)

        assert (answer.reason, answer.told, answer.affected_n) == (reason, (), 0)

    def test_it_is_carried_out_if_it_changed_one_of_those_that_match(self) -> None:
        desk = Desk()
        desk.hears(finding("holds", 0), finding("holds", 0, kind="latency"))
        desk.hears(command("acknowledge", "c-1", 5, matchers={"kind": "latency"}))

        answer = desk.asks(command("unacknowledge", "c-2", 6, matchers={"model": "ptx"}))

        assert (answer.reason, answer.affected_n) == ("ok", 1)

    @pytest.mark.parametrize("action", ["silence", "unsilence", "maintain"])
    def test_for_routing_it_is_told_what_there_is_and_nothing_changes(self, action: str) -> None:
        desk = Desk()
        desk.hears(finding("holds", 0), finding("holds", 0, kind="latency"))

        assert desk.asks(command(action, "c-1", 5, matchers={"model": "ptx"})).affected_n == 2
        assert desk.asks(command(action, "c-2", 5, matchers={"model": "cxr"})) == Answer("ok")
        assert desk.asks(command(action, "c-3", 5, incident=first())).accepted
        assert desk.asks(command(action, "c-4", 5, incident="who knows")).reason == (
            "unknown_incident"
        )
        stale = command(action, "c-5", 5, incident=first(), expected_seq=9)
        assert desk.asks(stale).reason == "stale_seq"
        assert story(desk.told) == ["open: opened @0", "open: opened @0"]
