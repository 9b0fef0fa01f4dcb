"""A command acts once, however often it is delivered."""

import msgspec

from schemas.command import Command
from streams.commands import Commands, Taken
from tests.unit.builders import command


def note(command_id: str, site: str = "north") -> Command:
    return command("note", command_id, site=site, incident="i")


def test_a_command_is_new_once_for_its_site() -> None:
    commands = Commands()

    told = [commands.is_new(note(command_id)) for command_id in ("c-1", "c-1", "c-2")]

    assert told == [True, False, True]
    assert commands.is_new(note("c-1", site="south"))


def test_it_is_still_known_after_a_restart() -> None:
    commands, restarted = Commands(), Commands()
    commands.is_new(note("c-1"))

    written = msgspec.msgpack.encode(list(commands.changes()))
    restarted.restore(msgspec.msgpack.decode(written, type=list[Taken]))

    assert not restarted.is_new(note("c-1"))
    assert list(commands.changes()) == []


def test_only_the_last_ones_are_remembered() -> None:
    commands = Commands()
    for number in range(1_000):
        commands.is_new(note(f"c-{number}"))

    (taken,) = commands.changes()

    assert len(taken.ids) == 256
    assert not commands.is_new(note("c-999"))
