"""Inputs, features and prevalences are explained by slices, with series of their own or without."""

from collections import Counter
from random import Random

import msgspec
import numpy as np
import pytest

from schemas.config import Config, Watch
from schemas.incident import Slice
from schemas.oversight import DataQuality, Oversight
from schemas.slices import SliceSettings
from schemas.study import Scanner
from streams.fields import Value
from streams.finding import Finding
from streams.observations.slicing import may_explain
from streams.slices.rows import CHUNK_N, KEPT_N, Rows
from tests.unit.builders import Shard, study
from tests.unit.sliced_feed import INPUTS, Fault, Sliced, events, inputs

SHIFTED = (700, 1_300)
ROWS_ALONE = SliceSettings(observations=60, inputs=())


def told(fault: Fault, subject: str, n: int = 1_300) -> list[Finding]:
    """All that is told of one series from rows alone, but for new words."""
    fed = Sliced(INPUTS, ROWS_ALONE)
    fed.feed(inputs(n, SHIFTED, fault))
    return [one for one in fed.findings(subject) if one.kind != "new_value"]


def named(finding: Finding) -> list[str]:
    return [one.slice for one in finding.evidence.slices or []]


def sets(subject: str, value: Value, scanner: int = 3) -> Fault:
    def fault(which: int, told: dict[str, Value]) -> None:
        if which == scanner:
            told[subject] = value

    return fault


def adds(subject: str, shift: float, scanners: tuple[int, ...]) -> Fault:
    def fault(which: int, told: dict[str, Value]) -> None:
        if which in scanners:
            told[subject] = float(told[subject]) + shift

    return fault


@pytest.mark.parametrize(("subject", "shift"), [("acquisition.kvp", -15.0), ("features.snr", 2.0)])
def test_the_scanner_that_moved_is_named_with_its_share_and_shift(
    subject: str, shift: float
) -> None:
    *_, last = told(adds(subject, shift, (3,)), subject)

    (one,) = last.evidence.slices or []
    assert one.slice == "scanner.station=CT3"
    assert one.share == pytest.approx(1 / 6, abs=0.1)
    assert one.shift * shift > 0
    assert last.title.endswith(", mostly in scanner.station=CT3")


def test_all_of_a_model_is_its_model_and_no_scanner() -> None:
    first, *_ = told(adds("acquisition.kvp", 10.0, (1, 3, 5)), "acquisition.kvp")

    assert named(first) == ["scanner.model=M1"]


def test_what_moves_alike_everywhere_names_nobody() -> None:
    found = told(adds("acquisition.kvp", 4.0, (1, 2, 3, 4, 5, 6)), "acquisition.kvp")

    assert found
    assert not any(map(named, found))


def test_a_new_word_of_one_scanner_is_told_with_its_share_and_its_scanner() -> None:
    first, *_, last = told(sets("acquisition.kernel", "Br40"), "acquisition.kernel")

    for one in (first, last):
        assert named(one) == ["scanner.station=CT3"]
        assert "Br40 from 0 to " in one.title
        assert one.title.endswith(", mostly in scanner.station=CT3")


def test_the_scanner_that_stops_sending_a_field_is_named() -> None:
    """From the studies themselves: which fields are usual is learnt from the first fifty."""
    quality = DataQuality(learn_from=50)
    settings = msgspec.structs.replace(INPUTS, oversight=Oversight(data_quality=quality))
    shard, random = Shard(settings), Random(1)
    for place in range(500):
        station = f"CT{random.randint(1, 6)}"
        lacks = place >= 400 and station == "CT3"
        acquisition = {} if lacks else {"kvp": 120.0}
        scanner = Scanner(station=station)
        shard.send(study(f"s{place}", 420.0 * place, acquisition=acquisition, scanner=scanner))

    first, *_ = shard.incidents("data_quality")
    assert first.subject == "missing.acquisition.kvp"
    assert [one.slice for one in first.evidence.slices or []] == ["scanner.station=CT3"]
    assert first.title.endswith(", mostly in scanner.station=CT3")


KERNEL = "acquisition.kernel"


def news(fault: Fault, n: int) -> list[Finding]:
    """What is told of new words, when so many studies have come with the fault."""
    fed = Sliced(INPUTS, ROWS_ALONE)
    fed.feed(inputs(SHIFTED[0] + n, SHIFTED, fault))
    return [one for one in fed.findings(KERNEL) if one.kind == "new_value"]


def test_news_name_the_scanner_as_soon_as_it_is_hardly_chance() -> None:
    """A sixth of the studies: four in a row of one scanner are, two are not."""
    first, second, third, *_ = news(sets(KERNEL, "Br40"), 60)

    assert [one.evidence.affected_count for one in (first, second, third)] == [1, 2, 4]
    assert not named(first)
    assert not named(second)
    (one,) = third.evidence.slices or []
    assert msgspec.json.decode(msgspec.json.encode(one), type=Slice) == one
    assert (one.slice, one.shift) == ("scanner.station=CT3", 1.0)
    assert one.share == pytest.approx(1 / 6, abs=0.05)
    assert third.title.endswith("never seen before: Br40, all in scanner.station=CT3")


def test_news_of_a_scanner_that_is_new_name_it_at_once() -> None:
    def comes(which: int, told: dict[str, Value]) -> None:
        if which == 3:
            told["scanner.station"], told[KERNEL] = "CT7", "Br40"

    first, *_ = news(comes, 20)

    assert named(first) == ["scanner.station=CT7"]


def test_news_from_everywhere_name_nobody() -> None:
    def everywhere(which: int, told: dict[str, Value]) -> None:
        told[KERNEL] = "Br40"

    found = news(everywhere, 100)

    assert found[-1].evidence.affected_count == 64
    assert not any(map(named, found))


def test_news_of_a_new_kernel_in_some_of_a_scanners_studies_say_in_how_many() -> None:
    seen: list[int] = []

    def some(which: int, told: dict[str, Value]) -> None:
        if which == 3:
            seen.append(which)
            if len(seen) % 4 == 0:
                told[KERNEL] = "Br40"

    *_, last = news(some, 600)

    (one,) = last.evidence.slices or []
    assert one.slice == "scanner.station=CT3"
    assert one.shift == pytest.approx(0.25, abs=0.02)


def test_a_word_that_may_not_be_told_is_not() -> None:
    word = "Mustermannheimer"
    *_, last = told(sets("acquisition.kernel", word), "acquisition.kernel")

    assert named(last) == ["scanner.station=CT3"]
    assert word not in last.title


def test_a_scanner_that_is_new_has_not_moved() -> None:
    def comes(which: int, told: dict[str, Value]) -> None:
        if which == 3:
            told["scanner.station"], told["acquisition.kvp"] = "CT7", 80.0

    found = told(comes, "acquisition.kvp")

    assert found
    assert not any(map(named, found))
    assert found[0].title.endswith("; other shares of scanner.station")


def test_a_scanner_that_comes_more_often_has_not_moved() -> None:
    rng = np.random.default_rng(3)

    def often(which: int, told: dict[str, Value]) -> None:
        if which < 5:
            told["scanner.station"], told["scanner.model"] = "CT6", "M0"
            told["acquisition.kvp"] = float(rng.normal(130, 5))

    found = told(often, "acquisition.kvp")

    assert found
    assert not any(map(named, found))
    assert "; other shares of scanner.station" in found[0].title


def test_nobody_explains_itself() -> None:
    def leaves(which: int, told: dict[str, Value]) -> None:
        if which == 3:
            told["scanner.station"], told["scanner.model"] = "CT4", "M0"

    found = told(leaves, "scanner.station")

    assert found
    assert not any(map(named, found))
    assert not any("other shares" in one.title for one in found)


@pytest.mark.parametrize(
    ("path", "subject", "answer"),
    [
        ("scanner.station", "scanner.station", False),
        ("scanner.model", "scanner.station", False),
        ("scanner.station", "scanner.model", True),
        ("scanner.station", "scanner.software", True),
        ("patient.sex", "scanner.station", True),
    ],
)
def test_what_holds_a_field_does_not_explain_it(path: str, subject: str, answer: bool) -> None:
    assert may_explain(path, subject) is answer


def test_no_series_is_watched_for_it() -> None:
    fed = Sliced(INPUTS, ROWS_ALONE)
    fed.feed(inputs(300, (300, 300), sets("view", "AP")))

    assert not [key for key, _ in fed.detect.series() if " @ " in key[2]]


def test_stations_that_no_model_serves_take_no_place_from_those_it_does() -> None:
    fed = Sliced(INPUTS)
    for place, one in enumerate(inputs(40, (40, 40), sets("view", "AP"))):
        if one.model:
            continue
        fed.feed([one._replace(slices=(f"scanner.station=MR{place}",))])
    fed.detect.dropped.clear()

    fed.feed(one for one in inputs(10, (10, 10), sets("view", "AP")) if one.model)

    assert fed.detect.dropped == Counter()
    assert {one.site: sorted(one.slices) for one in fed.detect.labels()}["north"] != []


def test_without_fields_nothing_is_kept() -> None:
    fed = Sliced(Config(watch=Watch(slices=())))
    fed.feed(inputs(300, (300, 300), sets("view", "AP")))

    assert not [key for key in fed.checkpoint() if key[0] == "bulk" and "rows" in key[4]]


def test_where_it_is_switched_off_nothing_is_kept_of_inputs_and_answers_are_sliced() -> None:
    fed = Sliced(INPUTS, SliceSettings(explain_inputs=False))
    fed.feed(inputs(300, (300, 300), sets("view", "AP")))
    fed.feed(events(300))

    rows = {key[3] for key in fed.checkpoint() if key[0] == "bulk" and "rows" in key[4]}
    assert rows == {"p.score", "p.positive"}


class TestRows:
    def test_what_was_forgotten_leaves_nothing_in_the_changelog(self) -> None:
        rows, log = Rows(1, "u1"), dict[str, bytes | None]()
        rows.take(np.zeros(3 * CHUNK_N), bytes(3 * CHUNK_N))
        rows.settle()
        log.update(rows.news())

        rows.forget()
        rows.take(np.ones(CHUNK_N + 1), bytes(CHUNK_N + 1))
        rows.settle()
        log.update(rows.news())

        kept = {name for name, raw in log.items() if raw is not None}
        assert (kept, rows.n, rows.first) == ({"rows/0"}, CHUNK_N + 1, 0)

    def test_as_many_are_kept_as_are_asked_for(self) -> None:
        rows = Rows(2, "<f4")
        for start in range(0, 5_000, 100):
            rows.take(np.arange(start, start + 100.0), bytes(200))
            rows.settle()

        values, codes = rows.until(4_999)

        assert (len(values), values[-1], codes.shape) == (KEPT_N, 4_999, (KEPT_N, 2))
        assert len(rows.tail) < CHUNK_N * 6
