"""Numbers of studies and features of models have series for their slices, as scores have."""

from collections.abc import Iterator

import msgspec
import pytest

from schemas.config import Bounds, Config, Watch
from schemas.slices import SliceSettings
from schemas.study import Scanner
from streams.fields import Value
from streams.finding import Finding
from streams.observations.observe import Observations
from streams.observations.slicing import first_reference_n
from streams.series.account import series_account
from tests.unit.builders import Shard, command, study
from tests.unit.sliced_feed import EVERY_US, INPUTS, SLICING, Fault, Sliced, inputs

N, MOVED = 1_500, (900, 1_500)
OFF = SliceSettings(observations=60, inputs=())
NUMBERS = ("acquisition.kvp", "features.snr")


def moves(subject: str, shift: float, scanner: int = 3) -> Fault:
    def fault(which: int, told: dict[str, Value]) -> None:
        if which == scanner:
            told[subject] = float(told[subject]) + shift

    return fault


def fed(fault: Fault, slicing: SliceSettings = SLICING, config: Config = INPUTS) -> Sliced:
    one = Sliced(config, slicing)
    one.feed(inputs(N, MOVED, fault))
    return one


def named(finding: Finding) -> list[str]:
    return [one.slice for one in finding.evidence.slices or []]


def parts(one: Sliced) -> set[str]:
    return {key[2] for key, _ in one.detect.series() if " @ " in key[2]}


@pytest.mark.parametrize(("subject", "shift"), [("acquisition.kvp", -6.0), ("features.snr", 1.2)])
def test_what_moves_at_one_scanner_of_six_is_found_and_named(subject: str, shift: float) -> None:
    found = fed(moves(subject, shift)).findings(subject)
    without = fed(moves(subject, shift), OFF).findings(subject)

    first = found[0]
    whose = f"{subject} of ptx" if subject.startswith("features") else subject
    assert first.title.startswith(f"{whose} at north moved in scanner.station=CT3 from ")
    assert named(first) == ["scanner.station=CT3"]
    assert (first.signal, first.severity, first.subject) == ("holds", "warning", subject)
    late_us = without[0].at_us if without else N * EVERY_US
    assert MOVED[0] * EVERY_US <= first.at_us < late_us - 100 * EVERY_US


def test_it_is_one_incident_with_what_the_whole_shows() -> None:
    told = fed(moves("acquisition.kvp", 30.0)).findings("acquisition.kvp")

    assert told[0].signal == "holds"
    assert {one.signal for one in told} == {"holds"}
    assert all(named(one) == ["scanner.station=CT3"] for one in told)


def test_numbers_have_them_by_station_words_and_other_fields_have_none() -> None:
    watched = parts(fed(moves("acquisition.kvp", 0.0)))

    stations = [f"scanner.station=CT{number}" for number in range(1, 7)]
    assert watched == {f"{subject} @ {station}" for subject in NUMBERS for station in stations}


def test_by_other_fields_where_they_are_named() -> None:
    by = SliceSettings(observations=60, inputs=("patient.sex", "patient.age_years"))

    watched = parts(fed(moves("acquisition.kvp", 0.0), by))

    assert watched == {f"{subject} @ patient.sex={sex}" for subject in NUMBERS for sex in "FM"}


@pytest.mark.parametrize(
    "slicing",
    [OFF, SliceSettings(observations=60, explain_inputs=False)],
    ids=["no field", "nothing is explained"],
)
def test_it_can_be_switched_off(slicing: SliceSettings) -> None:
    assert parts(fed(moves("acquisition.kvp", 0.0), slicing)) == set()


def test_the_only_station_has_no_series_of_its_own() -> None:
    def moved_in(which: int, told: dict[str, Value]) -> None:
        told["scanner.station"] = "CT1"

    one = Sliced(INPUTS)
    one.feed(inputs(300, (0, 300), moved_in))

    assert parts(one) == set()


def test_a_number_is_not_watched_by_itself() -> None:
    config = msgspec.structs.replace(INPUTS, watch=Watch(slices=("attributes.phases",)))
    one = Sliced(config, SliceSettings(observations=60, inputs=("attributes.phases",)))
    for place in range(200):
        phases = float(1 + place % 3)
        values = [("attributes.phases", phases), ("attributes.dose", phases + place % 7)]
        slices = (f"attributes.phases={phases:g}",)
        one.feed([Observations("north", "", f"s{place}", place * EVERY_US, values, slices)])

    assert parts(one) == {f"attributes.dose @ attributes.phases={phases}" for phases in (1, 2, 3)}


def test_numbers_where_words_came_first_make_no_slices() -> None:
    def in_words(which: int, told: dict[str, Value]) -> None:
        told["acquisition.kvp"] = "100 kV"

    one = Sliced(INPUTS)
    one.feed(inputs(300, (0, 5), in_words))

    assert {subject.partition(" @ ")[0] for subject in parts(one)} == {"features.snr"}
    assert one.detect.dropped["other_kind_of_value"] == 295


class TestNames:
    def test_what_a_producer_calls_a_slice_is_no_slice(self) -> None:
        shard = Shard(INPUTS)
        for place in range(40):
            station = f"CT{1 + place % 2}"
            acquisition = {"kvp": 80.0, "kvp @ scanner.station=CT1": 1.0}
            told = study(
                f"s{place}",
                place * 600.0,
                scanner=Scanner(station=station),
                acquisition=acquisition,
            )
            shard.send(told)

        n = {key[2]: series.learning.sample.n for key, series in shard.pipeline.series()}

        assert n["acquisition.kvp"] == 40
        assert n["acquisition.kvp @ scanner.station=CT1"] == 19  # the first was the only station
        assert shard.pipeline.losses()["name_of_slice"] == 40

    def test_a_slice_needs_fewer_than_the_whole(self) -> None:
        assert first_reference_n(INPUTS, "", "acquisition.kvp") == 200
        config = Config(slices=SLICING)
        assert first_reference_n(config, "", "acquisition.kvp") == 2_000
        assert first_reference_n(config, "", "acquisition.kvp @ scanner.station=CT1") == 60

    def test_the_account_says_of_a_slice_that_learns_how_many_it_needs(self) -> None:
        one = Sliced(INPUTS)
        one.feed(inputs(100, (0, 0), moves("acquisition.kvp", 0.0)))

        needed = {
            key[2].partition(" @ ")[1:]: series_account(INPUTS, key, series, 0).needed_n
            for key, series in one.detect.series()
            if key[2].startswith("acquisition.kvp")
        }

        assert {needed_n for part, needed_n in needed.items() if part[1]} == {60}
        assert needed["", ""] == 200


class TestBounds:
    def config(self, most_n: int) -> Config:
        return msgspec.structs.replace(INPUTS, bounds=Bounds(series_per_site=most_n))

    def test_half_of_the_place_is_kept_for_wholes_that_come_later(self) -> None:
        late = [
            Observations("north", "late", f"l{place}", (N + place) * EVERY_US, [(f"f{place}", 1.0)])
            for place in range(20)
        ]
        one = Sliced(self.config(20))
        one.feed(inputs(300, (0, 0), moves("acquisition.kvp", 0.0)))

        subjects = {key[2] for key, _ in one.detect.series()}
        # Two of the scanner, two of acquisition and one of the model, and half of the place is full
        assert len(subjects) == 10
        assert len(parts(one)) == 5
        assert one.detect.dropped["input_slices_unwatched"] > 0
        assert one.detect.dropped["series_overflow"] == 0
        one.feed(late)
        assert len([*one.detect.series()]) == 20
        assert one.detect.dropped["series_overflow"] == 10

    def test_without_its_whole_there_is_no_slice(self) -> None:
        one = Sliced(self.config(2))
        one.feed(inputs(300, (0, 0), moves("acquisition.kvp", 0.0)))

        assert parts(one) == set()
        assert one.detect.dropped["input_slices_unwatched"] == 0


class TestState:
    def half(self, slicing: SliceSettings = SLICING) -> Sliced:
        one = Sliced(INPUTS, slicing)
        one.feed(self.rest(0, 1_000))
        return one

    def rest(self, since: int, until: int) -> Iterator[Observations]:
        both = [*inputs(N, MOVED, moves("acquisition.kvp", 15.0))]
        return iter(both[2 * since : 2 * until])

    def test_a_state_without_such_series_goes_on_and_begins_them(self) -> None:
        old = self.half(OFF)
        assert parts(old) == set()
        old.slicing = SLICING

        again = old.restarted()
        again.feed(self.rest(1_000, N))

        assert {one.partition(" @ ")[0] for one in parts(again)} == {*NUMBERS}
        phases = {key[2]: series.phase for key, series in again.detect.series()}
        assert phases["acquisition.kvp @ scanner.station=CT1"] == "watching"

    def test_switched_off_what_had_moved_is_forgotten_and_takes_no_more(self) -> None:
        old = self.half()
        (away,) = [s for key, s in old.detect.series() if s.is_away and " @ " in key[2]]
        assert [one.signal for one in old.findings("acquisition.kvp")][-1] == "holds"
        old.slicing = OFF

        again = old.restarted()
        before = {key[2]: series.newest_us for key, series in again.detect.series()}
        again.feed(self.rest(1_000, N))

        after = {key[2]: series.newest_us for key, series in again.detect.series()}
        assert {name for name in before if after[name] == before[name]} == parts(again)
        assert away.newest_us == before["acquisition.kvp @ scanner.station=CT3"]

    @pytest.mark.parametrize(("slicing", "last"), [(OFF, "returned"), (SLICING, "holds")])
    def test_switched_off_an_incident_is_over_when_the_whole_is_back(
        self, slicing: SliceSettings, last: str
    ) -> None:
        both = [*inputs(N, (700, 850), moves("acquisition.kvp", 60.0))]
        old = Sliced(INPUTS)
        old.feed(both[:1_700])
        away = {key[2] for key, series in old.detect.series() if series.is_away}
        assert away == {"acquisition.kvp", "acquisition.kvp @ scanner.station=CT3"}
        old.slicing = slicing

        again = old.restarted()
        again.feed(one for one in both[1_700:] if "scanner.station=CT3" not in one.slices)

        whole = {key[2]: series for key, series in again.detect.series()}["acquisition.kvp"]
        assert not whole.is_away
        assert again.findings("acquisition.kvp")[-1].signal == last

    def test_to_accept_the_whole_is_to_accept_its_slices(self) -> None:
        one = self.half()
        assert any(series.is_away for _, series in one.detect.series())

        wanted = {"subject": "acquisition.kvp"}
        accepted_n = one.detect.accept(command("rebaseline", matchers=wanted), [])
        told = one.feed([])

        assert accepted_n == 7
        assert told[-1].signal == "eased"
        assert not any(series.is_away for _, series in one.detect.series())
