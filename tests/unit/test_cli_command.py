"""What a person types becomes a command, and its reply words and an exit status."""

import argparse
import json
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from schemas.command import Command
from schemas.incident import Incident
from schemas.reply import Reply
from streams.cli import COMMANDS, command
from streams.cli.arguments import BadInput
from streams.cli.command_words import until
from tests.unit.builders import at, finding
from tests.unit.incident_desk import Desk

NOW = datetime(2026, 1, 5, 12, tzinfo=UTC)
CONFIG = 'broker = "kafka:9092"\n'


class Broker:
    """Incidents to find, commands that were sent, and the reply to give.

    It stands where the command meets Kafka: for the log of incidents, and for the sender.
    """

    def __init__(self) -> None:
        self.incidents: list[Incident] = []
        self.sent: list[Command] = []
        self.answer: dict[str, Any] | None = {}
        self.waited_s: float | None = None

    def __call__(self, *config: object, of_delivery: bool = False) -> "Broker":
        self.of_delivery = of_delivery
        return self

    async def __aenter__(self) -> "Broker":
        return self

    async def __aexit__(self, *error: object) -> None:
        return None

    async def written(self) -> AsyncIterator[Incident]:
        for incident in self.incidents:
            yield incident

    async def send(self, sent: Command) -> None:
        self.sent.append(sent)

    async def reply(self, command_id: str, timeout_s: float) -> Reply | None:
        self.waited_s = timeout_s
        (asked,) = [sent for sent in self.sent[-1:] if sent.command_id == command_id]
        return None if self.answer is None else answer(asked, **self.answer)


@pytest.fixture
def broker(monkeypatch: pytest.MonkeyPatch) -> Broker:
    broker = Broker()
    monkeypatch.setattr(command, "IncidentLog", broker)
    monkeypatch.setattr(command, "CommandSender", broker)
    monkeypatch.setenv("LOGNAME", "kim")
    return broker


def answer(sent: Command, **fields: Any) -> Reply:
    plain = {"accepted": True, "reason": "ok", "incident": sent.incident, "at": sent.at}
    return Reply(command_id=sent.command_id, site=sent.site, action=sent.action, **plain | fields)


def run(folder: Path, *words: str, text: str = CONFIG) -> int:
    """The exit status of `radvigil WORDS --config FILE`."""
    config = folder / "radvigil.toml"
    config.write_text(text)
    top = argparse.ArgumentParser(prog="radvigil")
    commands = top.add_subparsers(required=True)
    for name in command.VERBS:
        command.add(commands, name, COMMANDS[name])
    arguments = top.parse_args([*words, "--config", str(config)])
    status: int = arguments.run(arguments)
    return status


def opened(**fields: Any) -> Incident:
    return Desk().hears(finding("holds", 0, **fields))[0]


def test_an_incident_is_found_by_the_beginning_of_its_id(broker: Broker, tmp_path: Path) -> None:
    broker.incidents = [opened(), opened(model="cxr", site="south")]
    wanted = broker.incidents[1]

    assert run(tmp_path, "ack", wanted.incident[:8].upper(), "--seq", "1", "--text", "mine") == 0

    (sent,) = broker.sent
    assert (sent.action, sent.incident, sent.site) == ("acknowledge", wanted.incident, "south")
    assert (sent.actor, sent.origin, sent.expected_seq, sent.text) == ("kim", "cli", 1, "mine")
    assert sent.matchers is None


def test_a_whole_id_and_a_site_need_no_search(broker: Broker, tmp_path: Path) -> None:
    whole = opened().incident

    assert run(tmp_path, "resolve", whole, "--site", "north", "--accept", "--as", "ada") == 0

    (sent,) = broker.sent
    assert (sent.incident, sent.text, sent.actor) == (whole, "accepted", "ada")


def test_incidents_are_named_by_what_they_are(broker: Broker, tmp_path: Path) -> None:
    match = ("--match", "model=ptx", "--match", "kind=latency")

    assert run(tmp_path, "rebaseline", "--site", "north", *match) == 0

    assert broker.sent[0].matchers == {"model": "ptx", "kind": "latency"}
    assert (broker.sent[0].incident, broker.sent[0].site) == (None, "north")


@pytest.mark.parametrize(
    ("words", "action", "matchers"),
    [
        (("maintain", "--until", "2h"), "maintain", {"site": "north"}),
        (("silence", "--until", "2h", "--match", "model=ptx"), "silence", {"model": "ptx"}),
        (("unsilence", "--id", "s-1"), "unsilence", {"site": "north"}),
        (("note", "--match", "model=ptx", "--text", "x"), "note", {"model": "ptx"}),
        (("unack", "--match", "model=ptx"), "unacknowledge", {"model": "ptx"}),
    ],
)
def test_each_verb_is_an_action(
    broker: Broker, tmp_path: Path, words: tuple[str, ...], action: str, matchers: dict[str, str]
) -> None:
    assert run(tmp_path, *words, "--site", "north") == 0

    (sent,) = broker.sent
    assert (sent.action, sent.matchers) == (action, matchers)
    assert sent.until is None or sent.until - sent.at == timedelta(hours=2)
    assert sent.text == ("s-1" if action == "unsilence" else "x" if action == "note" else None)


def test_each_is_a_command_of_its_own_unless_told_otherwise(broker: Broker, tmp_path: Path) -> None:
    words = ("ack", "--site", "north", "--match", "model=ptx")

    for more in ((), (), ("--command-id", "nightly"), ("--command-id", "nightly")):
        run(tmp_path, *words, *more)

    ids = [sent.command_id for sent in broker.sent]
    assert len(set(ids)) == 3
    assert ids[2:] == ["nightly", "nightly"]


def test_what_is_not_there_is_rejected_and_nothing_is_sent(
    broker: Broker, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    broker.incidents = [opened()]

    assert run(tmp_path, "ack", "00000000-nowhere") == command.REJECTED
    assert run(tmp_path, "ack", "00000000-nowhere", "--json") == command.REJECTED

    words, as_json = capsys.readouterr().out.splitlines()
    assert words == "rejected: no incident's id begins with 00000000-nowhere"
    assert json.loads(as_json) == {"accepted": False, "reason": "unknown_incident"}
    assert broker.sent == []


@pytest.mark.parametrize(
    "words",
    [
        ("ack",),
        ("ack", "12345678", "--match", "model=ptx"),
        ("ack", "1234567"),
        ("ack", "--match", "model=ptx"),
        ("ack", "--site", "north"),
        ("ack", "12345678", "--seq", "0"),
        ("ack", "--site", "north", "--match", "model=ptx", "--seq", "1"),
        ("ack", "12345678", "--until", "soon"),
        ("ack", "12345678", "--until", "99999999999d"),
        ("ack", "12345678", "--until", "2026-01-05T12:00:00"),
        ("ack", "--site", "north", "--match", "model=ptx", "--until", "2001-01-05T12:00:00Z"),
        ("ack", "--site", "north", "--match", "model=ptx", "--until", "9999999d"),
        ("ack", "--site", "north", "--match", "model=ptx", "--until", "400000d"),
        ("ack", "12345678", "--wait", "-1"),
        ("ack", "12345678", "--command-id", ""),
        ("ack", "--site", "north", "--match", "model"),
        ("ack", "--site", "North Ward", "--match", "model=ptx"),
        ("note", "12345678"),
        ("note", "12345678", "--text", "x" * 257),
        ("silence", "12345678"),
        ("maintain", "--site", "north"),
        ("unsilence", "--site", "north"),
        ("resolve", "--site", "north", "--match", "model=ptx", "--accept", "--text", "x"),
    ],
)
def test_bad_usage_ends_with_2_and_nothing_is_sent(
    broker: Broker, tmp_path: Path, words: tuple[str, ...], capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as ended:
        run(tmp_path, *words)

    assert ended.value.code == command.USAGE
    assert broker.sent == []
    assert "usage: radvigil" in capsys.readouterr().err


def test_an_ambiguous_beginning_is_bad_usage(broker: Broker, tmp_path: Path) -> None:
    one = opened()
    twin = one.incident[:9] + "f" * 27
    broker.incidents = [one, Incident(**{**_fields(one), "incident": twin})]

    with pytest.raises(SystemExit) as ended:
        run(tmp_path, "ack", one.incident[:8])

    assert ended.value.code == command.USAGE


def _fields(incident: Incident) -> dict[str, Any]:
    return {name: getattr(incident, name) for name in incident.__struct_fields__}


class TestTheReply:
    WORDS = ("ack", "--site", "north", "--match", "model=ptx", "--command-id", "c-1")

    @pytest.mark.parametrize(
        ("reply", "status", "told"),
        [
            ({"affected_n": 3}, 0, "accepted: acknowledge, 3 affected"),
            (
                {"incident": "i-1", "seq": 4, "affected_n": 1},
                0,
                "accepted: acknowledge, incident i-1 (seq 4)",
            ),
            (
                {"accepted": False, "reason": "stale_seq", "seq": 7},
                3,
                "rejected: acknowledge, stale_seq: it has changed since (seq 7)",
            ),
            ({"reason": "repeated"}, 0, "accepted: acknowledge, c-1 was taken before"),
            (
                {"reason": "repeated", "accepted": False},
                3,
                "rejected: acknowledge, c-1 was taken before",
            ),
        ],
    )
    def test_is_told_in_words_and_as_a_status(
        self,
        broker: Broker,
        tmp_path: Path,
        reply: dict[str, Any],
        status: int,
        told: str,
        capsys: pytest.CaptureFixture[str],
    ) -> None:
        broker.answer = reply

        assert run(tmp_path, *self.WORDS) == status
        assert capsys.readouterr().out == f"{told}\n"

    def test_is_told_as_on_kafka(
        self, broker: Broker, tmp_path: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        run(tmp_path, *self.WORDS, "--json")

        told = json.loads(capsys.readouterr().out)
        assert (told["type"], told["command_id"]) == ("radvigil.reply.v1", "c-1")

    def test_of_a_silence_says_how_to_end_it(
        self, broker: Broker, tmp_path: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        end = ("--until", "2100-01-05T12:00:00Z", "--command-id", "s-1")
        run(tmp_path, "silence", "--site", "north", "--match", "model=ptx", *end)

        assert capsys.readouterr().out == (
            "accepted: silence until 2100-01-05 12:00:00Z, now matches 0; "
            "to end it: radvigil unsilence --site north --id s-1\n"
        )

    def test_that_does_not_come_in_time_ends_with_1(
        self, broker: Broker, tmp_path: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        broker.answer = None

        assert run(tmp_path, *self.WORDS, "--wait", "0.5") == command.UNANSWERED
        assert "no reply within 0.5 s" in capsys.readouterr().err
        assert broker.waited_s == 0.5

    def test_need_not_be_waited_for(self, broker: Broker, tmp_path: Path) -> None:
        broker.answer = None

        assert run(tmp_path, *self.WORDS, "--wait", "0") == 0


def test_an_embedded_broker_cannot_be_reached(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="broker is embedded"):
        run(tmp_path, "ack", "12345678", text='broker = "embedded"\n')


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("90s", timedelta(seconds=90)),
        ("30m", timedelta(minutes=30)),
        ("1d12h", timedelta(hours=36)),
        ("2026-01-05T13:00:00+01:00", NOW),
    ],
)
def test_an_end_is_a_length_or_a_time(text: str, wanted: object) -> None:
    assert until(text) == wanted


@pytest.mark.parametrize("name", sorted(command.VERBS))
def test_help_has_examples(name: str, capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    with pytest.raises(SystemExit):
        run(tmp_path, name, "--help")

    assert f"radvigil {name} " in capsys.readouterr().out.partition("examples:")[2]


def test_the_time_of_a_command_is_now(broker: Broker, tmp_path: Path) -> None:
    run(tmp_path, "ack", "--site", "north", "--match", "model=ptx")

    assert broker.sent[0].at > at(0)
    assert broker.sent[0].at.utcoffset() == timedelta(0)


def about_receiver() -> Incident:
    fields = {"kind": "monitor_stale", "site": "radvigil", "model": None}
    return opened(subject="delivery.pager/2", **fields)


@pytest.mark.parametrize("by", ["its beginning", "its whole id and site"])
def test_a_receiver_that_is_away_is_acknowledged_by_delivery(
    by: str, broker: Broker, tmp_path: Path
) -> None:
    broker.incidents = [about_receiver()]
    whole = broker.incidents[0].incident
    words = (whole[:8],) if by == "its beginning" else (whole, "--site", "radvigil")

    assert run(tmp_path, "ack", *words) == 0

    assert (broker.sent[0].site, broker.of_delivery) == ("radvigil", True)


def test_a_receiver_that_is_away_is_not_silenced(
    broker: Broker, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    broker.incidents = [about_receiver()]

    assert run(tmp_path, "silence", broker.incidents[0].incident[:8], "--until", "2h") == 3

    assert "acknowledge it" in capsys.readouterr().out
    assert broker.sent == []
