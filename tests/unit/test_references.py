"""References: numbered, kept, restored, shipped; and what is told of them."""

import json
from base64 import b64encode
from functools import cache
from pathlib import Path
from random import Random
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from schemas.command import Command
from schemas.config import Budget, Config, Reference, Watch
from schemas.messages import Event
from schemas.reply import Reply
from schemas.shipped import ReferenceLine
from streams.cli.reference_words import listed, listing
from streams.series.references import KEPT
from streams.series.shipping import line_of, reference_of
from streams.series.watched import Series
from tests.unit.builders import Shard, command, study, us
from tests.unit.series_feed import Fed
from tests.unit.test_state import golden

CONFIG = Config(
    reference=Reference(observations=100),
    budget=Budget(sites=2),
    watch=Watch(include=("acquisition.*",)),
)
KVP = ("north", "", "acquisition.kvp")


def studies(n: int, level: float = 80.0, start: int = 0, site: str = "north") -> list[Event]:
    random = Random(f"{start} {site}")
    return [
        study(
            f"s{number}",
            number * 600.0,
            site=site,
            acquisition={"kvp": random.gauss(level, 2), "kernel": random.choice(("B30", "B40"))},
        )
        for number in range(start, start + n)
    ]


def rebaseline(number: int, at_n: int, **fields: Any) -> Command:
    named = {"matchers": {"subject": "acquisition.kvp"}} | fields
    return command("rebaseline", f"c-{number}", at_n * 600.0, **named)


def story() -> list[Event]:
    """Learnt, changed and accepted, begun anew, restored: three references."""
    return [
        *studies(150),
        *studies(150, 90.0, start=150),
        rebaseline(1, 300),
        *studies(50, 90.0, start=300),
        rebaseline(2, 350),
        *studies(150, 90.0, start=350),
        rebaseline(3, 500, reference_number=1),
        *studies(20, 80.0, start=500),
    ]


def series_of(shard: Shard, key: tuple[str, str, str] = KVP) -> Series:
    return dict(shard.pipeline.series())[key]


def numbers(series: Series) -> tuple[int | None, list[int]]:
    history = series.references.history
    return history.current.number if history.current else None, [one.number for one in history.past]


def shipped(shard: Shard, key: tuple[str, str, str] = KVP) -> ReferenceLine:
    line = line_of(key, series_of(shard, key))
    assert line is not None
    return line


def sent(line: ReferenceLine, site: str, at_s: float = 0.0) -> Command:
    matchers = {"subject": line.subject}
    return command(
        "rebaseline", "ship", at_s, site=site, matchers=matchers, reference=line.reference
    )


def replies(shard: Shard) -> list[tuple[bool, str, int]]:
    told = [one for one in shard.said if isinstance(one, Reply)]
    return [(one.accepted, one.reason, one.affected_n) for one in told]


class TestVersions:
    def test_each_reference_has_a_number_and_says_how_it_came(self) -> None:
        shard = Shard(CONFIG)
        shard.send(*story())

        series = series_of(shard)
        history = series.references.history

        assert numbers(series) == (1, [2, 3])
        assert history.current is not None and history.current.origin == "restored"
        assert [one.origin for one in history.past] == ["accepted", "learnt"]
        assert replies(shard)[-1] == (True, "ok", 1)

    def test_only_the_last_are_kept(self) -> None:
        one = Fed()
        one.around(0, 100)
        for _ in range(KEPT + 3):
            list(one.series.accept())
            one.around(0, 100)

        assert numbers(one.series) == (KEPT + 4, [4, 5, 6])
        assert set(one.series.references.past) == {4, 5, 6}

    def test_a_restored_one_is_what_is_held_against(self) -> None:
        one = Fed()
        one.around(0, 150)
        one.around(5, 200)
        list(one.series.accept())
        assert one.around(5, 200) == []

        list(one.series.restore(1))

        assert one.series.reference is not None
        assert abs(one.series.reference.mean) < 0.5
        assert [change.what for change in one.around(5, 40)][:1] == ["alarm"]
        assert one.grants == [True]

    def test_the_one_before_is_meant_by_zero(self) -> None:
        one = Fed()
        one.around(0, 100)
        assert one.series.references.find(0) is None
        list(one.series.accept())

        assert (one.series.references.find(0), one.series.references.find(7)) == (1, None)

    def test_a_new_version_of_the_model_keeps_what_the_old_one_was(self) -> None:
        one = Fed()
        one.around(0, 100)

        list(one.series.begin_anew())

        assert numbers(one.series) == (None, [1])
        list(one.series.restore(1))
        assert (one.series.phase, numbers(one.series)) == ("watching", (1, []))

    def test_what_nobody_keeps_is_refused(self) -> None:
        shard = Shard(CONFIG)
        shard.send(*studies(120), rebaseline(1, 120, reference_number=5))

        assert replies(shard) == [(False, "nothing_matched", 0)]
        assert numbers(series_of(shard)) == (1, [])


class TestShipped:
    def test_of_its_own_site_it_is_in_force_at_once_and_a_change_since_is_told(self) -> None:
        last_year, shard = Shard(CONFIG), Shard(CONFIG)
        last_year.send(*studies(120))

        shard.send(sent(shipped(last_year), "north"), *studies(40, 95.0, start=1))

        assert replies(shard) == [(True, "ok", 1)]
        assert [i.reason for i in shard.incidents("input_drift")][:1] == ["opened"]

    def test_of_another_site_it_is_in_force_once_it_agrees(self) -> None:
        north, south = Shard(CONFIG), Shard(CONFIG)
        north.send(*studies(120))
        key = ("south", *KVP[1:])

        south.send(sent(shipped(north), "south"), *studies(59, start=1, site="south"))
        before = series_of(south, key).phase
        south.send(*studies(41, start=60, site="south"))

        series = series_of(south, key)
        assert (before, series.phase) == ("learning", "watching")
        assert series.references.history.current is not None
        assert series.references.history.current.origin == "tried"

    def test_of_another_site_that_is_another_it_raises_nothing(self) -> None:
        north, south = Shard(CONFIG), Shard(CONFIG)
        north.send(*studies(120))
        key = ("south", *KVP[1:])

        south.send(sent(shipped(north), "south"), *studies(400, 95.0, start=1, site="south"))

        series = series_of(south, key)
        assert south.incidents("input_drift") == []
        assert series.references.history.unfit_n == 1
        assert series.reference is not None and abs(series.reference.mean - 95) < 1

    def test_a_site_that_has_its_own_keeps_it(self) -> None:
        north, south = Shard(CONFIG), Shard(CONFIG)
        north.send(*studies(120))
        south.send(*studies(120, 95.0, site="south"), sent(shipped(north), "south", 80_000.0))

        assert replies(south) == [(False, "nothing_matched", 0)]

    def test_words_travel_as_well(self) -> None:
        north, again = Shard(CONFIG), Shard(CONFIG)
        north.send(*studies(120))
        key = ("north", "", "acquisition.kernel")

        again.send(sent(shipped(north, key), "north"))

        assert series_of(again, key).phase == "watching"

    @pytest.mark.parametrize(
        "change",
        [
            {"content": "AAAA"},
            {"kind": "word"},
            {"n": 7},
            {"content": b64encode(b"\x03" + b"\xff" * 900).decode()},
        ],
    )
    def test_what_cannot_be_read_is_refused_and_counted(self, change: dict[str, Any]) -> None:
        north, again = Shard(CONFIG), Shard(CONFIG)
        north.send(*studies(120))
        line = shipped(north)
        broken = msgspec.structs.replace(
            line, reference=msgspec.structs.replace(line.reference, **change)
        )

        again.send(sent(broken, "north"))

        assert replies(again) == [(False, "nothing_matched", 0)]
        assert again.pipeline.losses()["reference_unusable"] == 1

    def test_a_share_is_granted_once(self) -> None:
        shard = Shard(CONFIG)
        shard.send(*studies(120))
        days = series_of(shard).share.days

        shard.send(sent(shipped(shard), "north", 80_000.0), *studies(20, start=140))

        assert series_of(shard).share.days == days
        assert numbers(series_of(shard)) == (2, [1])

    def test_a_line_is_read_as_it_was_written(self) -> None:
        """The format of exported files: what was written once stays readable."""
        line = Path(__file__).parents[1] / "golden" / "reference" / "v1.jsonl"
        told = [msgspec.json.decode(one, type=ReferenceLine) for one in line.open("rb")]

        kinds = [one.reference.kind for one in told]
        assert kinds == ["word", "number", "yes_no", "yes_no"]
        assert all(reference_of(one.reference) is not None for one in told)
        assert [msgspec.json.encode(one) for one in told] == line.read_bytes().splitlines()


@cache
def uncut() -> Shard:
    """After all of the story, and a checkpoint."""
    shard = Shard(CONFIG)
    shard.send(*story())
    shard.checkpoint()
    return shard


@given(st.sets(st.integers(0, 520), max_size=5), st.sets(st.integers(0, 520), max_size=8))
@settings(max_examples=15, deadline=None)
def test_cut_and_restored_anywhere_nothing_changes(cuts: set[int], checkpoints: set[int]) -> None:
    cut = Shard(CONFIG)
    for number, event in enumerate(story()):
        cut.send(event)
        if number in checkpoints:
            cut.checkpoint()
        if number in cuts:
            cut.restart()

    cut.checkpoint()
    assert cut.said == uncut().said
    assert cut.log == uncut().log


@given(st.sets(st.integers(0, 300), max_size=4), st.lists(st.integers(1, 90), max_size=9))
@settings(max_examples=15, deadline=None)
def test_a_trial_does_not_depend_on_how_events_are_cut(cuts: set[int], parts: list[int]) -> None:
    north = Shard(CONFIG)
    north.send(*studies(120))
    told = [sent(shipped(north), "south"), *studies(300, start=1, site="south")]
    whole, cut = Shard(CONFIG), Shard(CONFIG)
    whole.send(*told)
    arrivals = [(event, us((event.at - told[0].at).total_seconds())) for event in told]
    start = 0
    for n in [*parts, len(told)]:
        cut.said += cut.pipeline.handle_all(arrivals[start : start + n])
        start += n
        if start in cuts:
            cut.restart()

    assert sorted(map(repr, cut.said)) == sorted(map(repr, whole.said))
    cut.checkpoint()
    whole.checkpoint()
    assert cut.log == whole.log


def test_records_with_past_references_are_read_and_gone_on_with() -> None:
    shard = Shard(CONFIG)
    shard.pipeline.restore(golden("references.jsonl"))

    assert numbers(series_of(shard)) == (1, [2, 3])
    shard.send(rebaseline(9, 530, reference_number=3))
    assert numbers(series_of(shard)) == (3, [2, 1])


def test_it_is_told_in_words() -> None:
    shard = Shard(CONFIG)
    shard.send(*story())
    one = listed(KVP, series_of(shard))

    (line,) = listing(one, details=False)
    assert line.startswith("acquisition.kvp at north: reference 1 (restored by a person since 2026")
    assert line.endswith("; kept: 3, 2")
    assert [told.strip()[:4] for told in listing(one, details=True)][1:] == ["* 1:", "3: l", "2: a"]


if (
    __name__ == "__main__"
):  # golden/state/references.jsonl, or with `lines` golden/reference/v1.jsonl
    import sys

    written = Shard(CONFIG)
    written.send(*story())
    written.checkpoint()
    if sys.argv[1:] == ["lines"]:
        for key, one in sorted(written.pipeline.series()):
            print(msgspec.json.encode(line_of(key, one)).decode())
    else:
        for raw, value in sorted(written.log.items()):
            if json.loads(raw)[0] in ("bulk/1", "series/2"):
                print(json.dumps([json.loads(raw), b64encode(value).decode()]))
