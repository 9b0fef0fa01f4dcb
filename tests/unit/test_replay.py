"""Recorded lines through the pipeline: virtual time, dead letters, and the same bytes twice."""

from collections.abc import Iterable

import msgspec
import pytest

from schemas.config import Config, Model, Watch
from schemas.deadletter import DeadLetter
from schemas.decoding import encode
from schemas.incident import Incident
from schemas.messages import Effect, Event
from streams.replay import Replay, parse
from tests.unit.builders import at, config, outcomes, prediction, seconds, story, study, us


def line(event: Event, arrived_s: float | None = None) -> bytes:
    fields = msgspec.to_builtins(event)
    if arrived_s is not None:
        fields["arrived_at"] = at(arrived_s)
    return msgspec.json.encode(fields)


def replayed(
    lines: Iterable[bytes], until_s: float | None = None, settings: Config | None = None
) -> list[Effect | DeadLetter]:
    replay = Replay(settings or config())
    said = list(replay.play(parse("day.jsonl", lines)))
    return [*said, *replay.finish(None if until_s is None else us(until_s))]


def test_time_runs_on_until_every_deadline_has_passed() -> None:
    assert outcomes(replayed([line(study("a", 0))])) == ["a missing 1 @100"]


@pytest.mark.parametrize(("until_s", "said"), [(159, []), (160, ["a missing 1 @100"]), (-9e6, [])])
def test_time_runs_on_to_where_it_is_told_less_lateness(until_s: float, said: list[str]) -> None:
    assert outcomes(replayed([line(study("a", 0))], until_s)) == said


def test_arrival_dates_the_line_where_it_is_given() -> None:
    lines = [line(study("a", 0), 0), line(study("b", 500), 159), line(prediction("a", 90), 159)]

    assert outcomes(replayed(lines, 160)) == ["a on_time 1 @90"]


def test_time_never_goes_back() -> None:
    lines = [line(study("a", 0), 0), line(study("b", 900), 1_000), line(prediction("a", 50), 10)]

    assert outcomes(replayed(lines, 0)) == ["a missing 1 @100", "a late 2 @50"]


@pytest.mark.parametrize(
    "arrived_at", ["yesterday", 17, "2026-01-05T00:00:00", "9999-12-31T23:59:59Z", None]
)
def test_an_arrival_that_cannot_be_is_none(arrived_at: object) -> None:
    text = msgspec.json.encode(msgspec.to_builtins(study("a", 0)) | {"arrived_at": arrived_at})

    (missing,) = (effect for effect in replayed([text]) if outcomes([effect]))

    assert outcomes([missing]) == ["a missing 1 @100"]


class TestWildStamps:
    @pytest.mark.parametrize("wild_n", [1, 3, 90])
    def test_stamps_that_the_next_lines_take_back_are_a_wrong_clock(self, wild_n: int) -> None:
        wild = [line(study(f"wild {n}", 1e6 + n)) for n in range(wild_n)]
        goes_on = [line(study(f"b {n}", 51 + n)) for n in range(11)]
        lines = [line(study("a", 0)), *wild, line(prediction("a", 50)), *goes_on]

        said = replayed(lines, 120)

        assert outcomes(said) == ["a on_time 1 @50"]
        assert story(said)[0].startswith("open: opened")

    def test_one_that_is_late_among_many_takes_nothing_back(self) -> None:
        """Over a quiet night, with more than `max_skew_s` between two lines."""
        pairs = [
            (line(study(f"s{n}", 400 * n)), line(prediction(f"s{n}", 400 * n + 30)))
            for n in range(60)
        ]
        late = pairs[20][1]
        pairs[20], pairs[32] = (pairs[20][0], b""), (*pairs[32], late)

        said = replayed([one for pair in pairs for one in pair])

        assert not [text for text in story(said) if "clock" in text]
        wanted = [f"s{n} on_time 1 @{400 * n + 30}" for n in range(60) if n != 20]
        wanted += ["s20 missing 1 @8100", "s20 late 2 @8030"]
        assert sorted(outcomes(said)) == sorted(wanted)

    def test_a_line_that_cannot_be_read_does_not_hide_a_wrong_clock(self) -> None:
        lines = [line(study("a", 0)), line(study("wild", 1e6)), b"{", line(prediction("a", 50))]

        assert outcomes(replayed(lines, 120)) == ["a on_time 1 @50"]

    def test_a_first_stamp_that_is_wild_is_known_as_well(self) -> None:
        lines = [line(study("wild", 1e6)), line(study("a", 0)), line(prediction("a", 50))]

        assert outcomes(replayed(lines, 120)) == ["a on_time 1 @50"]

    def test_a_quiet_night_is_no_wrong_clock(self) -> None:
        lines = [line(study("a", 0)), line(study("b", 30_000)), line(study("c", 30_001))]

        said = replayed(lines, 30_100)

        assert outcomes(said) == ["a missing 1 @100"]
        assert len(story(said)) == 1


def test_what_happened_before_1970_is_replayed_like_anything_else() -> None:
    lines = [line(study("a", -2e9)), line(prediction("a", -2e9 + 50)), line(study("b", -2e9 + 60))]

    said = replayed(lines)

    assert [text.split(" @")[0] for text in outcomes(said)] == ["a on_time 1", "b missing 1"]


def test_a_line_that_cannot_be_read_is_a_dead_letter_and_the_rest_goes_on() -> None:
    secret = b'{"type":"radvigil.study.v1","site":"north","study":"Erika Mustermann"}'

    said = replayed([line(study("a", 0)), b"", secret, b"nonsense", line(prediction("a", 50))])

    letters = [letter for letter in said if isinstance(letter, DeadLetter)]
    assert [(letter.topic, letter.offset, letter.reason) for letter in letters] == [
        ("day.jsonl", 3, "missing_field"),
        ("day.jsonl", 4, "not_json"),
    ]
    assert b"Erika" not in b"".join(map(encode, letters))
    assert outcomes(effect for effect in said if not isinstance(effect, DeadLetter)) == [
        "a on_time 1 @50"
    ]


def test_two_runs_over_the_same_lines_say_the_same_bytes() -> None:
    settings = Config(models=[Model(name="ptx", deadline_s=100.0)])
    lines = [
        text
        for n in range(300)
        for text in (
            line(study(f"s{n}", n * 60, acquisition={"kvp": float(n % 7)})),
            line(prediction(f"s{n}", n * 60 + 30)) if n % 11 else b"broken",
        )
    ]

    first, second = (replayed(lines, None, settings) for _ in range(2))

    assert [encode(effect) for effect in first] == [encode(effect) for effect in second]
    assert len(first) > 300


def test_time_moves_with_the_lines_that_are_read() -> None:
    replay = Replay(config())

    list(replay.play(parse("day.jsonl", [line(study("a", 0)), line(study("b", 7))])))

    assert (seconds(replay.now_us), replay.handled_n) == (7, 2)


def test_no_feed_falls_silent_by_the_end_of_a_recording() -> None:
    """Nobody knows what came after it; with a time to run on to, nothing did."""
    settings = Config(
        models=[Model(name="ptx", applies={"modality": ["CT"]}, deadline_s=10_000)],
        watch=Watch(exclude=("*",), slices=(), monitors=("silence",)),
    )
    every_five_minutes = [line(study(f"s{n}", 300 * n)) for n in range(16 * 288)]
    last_s = 300 * 16 * 288
    lines = [*every_five_minutes, line(study("last", last_s, modality="CT"))]

    def told(until_s: float | None) -> list[str]:
        said = replayed(lines, until_s, settings)
        return [effect.kind for effect in said if isinstance(effect, Incident) and effect.seq == 1]

    assert told(None) == ["missing_output"]
    assert told(last_s + 20_000) == ["silence", "missing_output"]
