"""The stages joined: time before events, and results that do not depend on when time is told."""

from itertools import pairwise
from random import Random

import pytest
from msgspec import structs

from schemas.config import Bounds, Budget, Clock, Config, Model, Reference, Watch
from schemas.incident import Incident
from schemas.messages import Effect, Event
from schemas.prediction import Output
from schemas.series import SeriesPoint
from schemas.study import Patient
from streams.pipeline import Pipeline
from tests.unit.builders import (
    Shard,
    command,
    config,
    outcomes,
    prediction,
    report,
    seconds,
    story,
    study,
    us,
)

CALL_RATE = "pneumothorax.call_rate"


def test_nothing_is_missing_before_lateness_has_passed_over_the_deadline() -> None:
    north = Shard()
    north.send(study("a", 0))

    within = north.send(study("b", 160))
    after = north.send(study("c", 160.1))

    assert outcomes(within) == []
    assert outcomes(after) == ["a missing 1 @100"]


def test_an_answer_of_the_last_moment_is_in_time_without_lateness() -> None:
    north = Shard(structs.replace(config(), clock=Clock(lateness_s=0)))
    north.send(study("a", 0))
    north.send(study("b", 100))

    said = north.send(prediction("a", 100))

    assert outcomes(said) == ["a on_time 1 @100"]


def test_a_backlog_that_holds_the_result_raises_nothing() -> None:
    north = Shard()
    north.send(study("a", 0))
    north.restart()

    said = north.send(prediction("a", 50), arrived_s=86_400)

    # The result arrived a day late: proved time has passed the deadline before it is read.
    assert outcomes(said) == ["a missing 1 @100", "a late 2 @50"]
    # Read in the order of its arrival it is what it was.
    south = Shard()
    south.send(study("a", 0))
    south.restart()
    assert outcomes(south.send(prediction("a", 50)) + south.proved(86_400)) == ["a on_time 1 @50"]


def test_a_stamp_from_the_future_moves_nothing_and_names_the_site() -> None:
    north = Shard()
    north.send(study("a", 0))

    said = north.send(study("b", 1_000_000), arrived_s=10)

    assert outcomes(said) == []
    assert north.pipeline.watermark_us == us(-50) - 1
    skew = north.incidents("clock_skew")[0]
    assert (skew.site, skew.subject, skew.severity) == ("north", "studies", "warning")


def test_a_study_with_a_stamp_from_the_future_is_dated_by_its_arrival() -> None:
    north = Shard()
    north.send(study("a", 1_000_000), arrived_s=10)

    assert outcomes(north.proved(110)) == ["a missing 1 @110"]


def test_time_never_goes_back() -> None:
    north = Shard()
    north.proved(1_000)

    north.proved(500)

    assert north.pipeline.watermark_us == us(1_000)


def test_after_a_tick_at_its_deadline_the_deadline_is_later() -> None:
    north = Shard()
    for number in range(5):
        north.send(study(f"s{number}", number * 7))
    north.proved(130)
    north.send(study("z", 140), prediction("z", 150))

    deadlines = []
    while (deadline_us := north.pipeline.deadline()) is not None:
        deadlines.append(deadline_us)
        north.pipeline.tick(deadline_us)

    assert len(deadlines) > 3
    assert all(earlier < later for earlier, later in pairwise(deadlines))


def ended_and_missed_again(at: list[float]) -> list[Effect]:
    """An incident ends and is retired at 2000 s; the next study is missed at 2100 s."""
    shard = Shard(config(bounds=Bounds(closed_s=1_580, settled_s=5_000)))
    shard.send(study("a", 0))
    shard.proved(100)
    shard.send(study("b", 110), prediction("b", 120))
    shard.proved(420)
    shard.send(study("c", 2_000), arrived_s=1_900)
    for until_s in at:
        shard.proved(until_s)
    return shard.said


def test_what_time_brings_about_does_not_depend_on_when_it_is_told() -> None:
    often = ended_and_missed_again([1_990, 2_000, 2_050, 2_100, 3_000])

    once = ended_and_missed_again([3_000])

    assert story(once) == story(often)
    assert "closed: retired @2000" in story(once)
    assert once == often


def test_a_shadow_prediction_settles_nothing_and_is_not_observed() -> None:
    north = Shard(Config(models=[Model(name="ptx", deadline_s=100.0)]))
    north.send(study("a", 0), prediction("a", 10, role="shadow"))

    assert outcomes(north.proved(100)) == ["a missing 1 @100"]
    assert {model for (_, model, _), _ in north.pipeline.series()} == {""}


def test_orphans_and_losses_are_counted() -> None:
    north = Shard(config(bounds=Bounds(waiting_per_site=2)))

    north.send(*(prediction(f"orphan {number}", 0) for number in range(5)))

    assert north.pipeline.sizes()["waiting_for_study"] == 2
    assert north.pipeline.losses()["waiting_overflow"] == 3


def drifting(level: float, start: int, n: int, step_s: float = 30.0) -> list[Event]:
    noise = Random(start)
    return [
        study(f"s{number}", number * step_s, acquisition={"kvp": noise.gauss(level, 1.0)})
        for number in range(start, start + n)
    ]


def watching() -> Config:
    return Config(reference=Reference(observations=100), budget=Budget(sites=1))


def there_and_back_and_away() -> list[Event]:
    return [
        *drifting(80, 0, 150),
        *drifting(90, 150, 200),
        *drifting(80, 350, 300),
        *drifting(90, 650, 200),
    ]


@pytest.mark.parametrize("batch_n", [7, 100, 10_000])
@pytest.mark.parametrize("step_s", [0.1, 30.0])
def test_events_in_a_row_bring_about_what_they_do_one_by_one(batch_n: int, step_s: float) -> None:
    events = [
        *drifting(80, 0, 150, step_s),
        *drifting(90, 150, 200, step_s),
        *drifting(80, 350, 300, step_s),
        *drifting(90, 650, 200, step_s),
    ]
    arrivals = [(event, us(seconds(event.at))) for event in events]

    singly, batched = Pipeline(watching()), Pipeline(watching())
    one_by_one = [effect for arrival in arrivals for effect in singly.handle(*arrival)]
    in_a_row: list[Effect] = []
    for first in range(0, len(arrivals), batch_n):
        in_a_row += batched.handle_all(arrivals[first : first + batch_n])
    end_us = us(1e6)

    assert by_incident(one_by_one + singly.tick(end_us)) == by_incident(
        in_a_row + batched.tick(end_us)
    )


def by_incident(effects: list[Effect]) -> list[Incident]:
    found = [effect for effect in effects if isinstance(effect, Incident)]
    return sorted(found, key=lambda i: (i.fingerprint, i.opened_at, i.seq))


def test_a_drift_that_returns_is_resolved_and_a_new_one_is_a_new_incident() -> None:
    north = Shard(watching())

    north.send(*there_and_back_and_away())

    drift = north.incidents("input_drift")
    assert [i.reason for i in drift if i.reason != "updated"] == [
        "opened",
        "returned",
        "recovered",
        "opened",
    ]
    assert drift[-1].reopen_of == drift[0].incident
    assert {i.subject for i in drift} == {"acquisition.kvp"}


class TestANewNormal:
    """kvp moves at north and south, mas as well at north; a person says that it is meant."""

    def moved(self) -> Shard:
        shard = Shard(watching())
        noise = Random(7)
        for number in range(400):
            level = 80 if number < 200 else 90
            for site in ("north", "south"):
                values = {name: noise.gauss(level, 1.0) for name in ("kvp", "mas")}
                upsert = study(f"s{number}", number * 30.0, site=site, acquisition=values)
                shard.send(upsert)
        return shard

    def opened(self, shard: Shard, subject: str, site: str = "north") -> Incident:
        return next(
            i
            for i in shard.incidents("input_drift")
            if (i.subject, i.site) == (f"acquisition.{subject}", site)
        )

    def references(self, shard: Shard) -> dict[tuple[str, str, str], tuple[bool, str]]:
        """Of each series whether it is away from its reference, and its phase."""
        return {
            key: (series.is_away, series.phase)
            for key, series in shard.pipeline.series()
            if key[2].startswith("acquisition.")
        }

    @pytest.mark.parametrize(
        "accepts", [{"action": "rebaseline"}, {"action": "resolve", "text": "accepted"}]
    )
    def test_it_becomes_the_reference_of_that_series_alone(self, accepts: dict[str, str]) -> None:
        shard = self.moved()
        before = self.references(shard)
        assert set(before.values()) == {(True, "watching")}

        said = shard.send(
            command(at_s=12_000, incident=self.opened(shard, "kvp").incident, **accepts)
        )

        assert [i.split(" @")[0] for i in story(said)] == ["resolved: accepted"]
        after = self.references(shard)
        assert after.pop(("north", "", "acquisition.kvp")) == (False, "watching")
        assert set(after.values()) == {(True, "watching")}

    def test_a_rebaseline_may_name_series_by_what_they_are(self) -> None:
        shard = self.moved()

        shard.send(
            command("rebaseline", at_s=12_000, matchers={"subject": "acquisition.mas"}),
        )

        assert {key for key, (away, _) in self.references(shard).items() if not away} == {
            ("north", "", "acquisition.mas")
        }

    def test_told_twice_it_is_the_same_reference(self) -> None:
        shard = self.moved()
        once = command("rebaseline", at_s=12_000, matchers={"kind": "input_drift"})
        shard.send(once)
        after = self.references(shard)
        shard.restart()

        said = shard.send(once, arrived_s=13_000)

        assert story(said) == []
        assert self.references(shard) == after
        assert after["north", "", "acquisition.kvp"] == (False, "watching")
        assert after["south", "", "acquisition.kvp"] == (True, "watching")

    def test_a_stale_or_aimless_one_changes_nothing(self) -> None:
        shard = self.moved()
        before = self.references(shard)
        incident = self.opened(shard, "kvp").incident

        shard.send(
            command("rebaseline", "c-1", 12_000, incident=incident, expected_seq=99),
            command("rebaseline", "c-2", 12_000, incident="who knows"),
        )

        assert self.references(shard) == before


def test_an_old_command_told_again_does_not_reach_what_has_opened_since() -> None:
    north = Shard()
    north.send(study("a", 0))
    north.proved(100)
    acknowledge = command("acknowledge", at_s=170, matchers={"site": "north"})
    north.send(acknowledge, study("b", 200), prediction("b", 210, status="failed"))
    north.proved(210)

    said = north.send(acknowledge, arrived_s=300)

    assert story(north.said)[-1] == "open: opened @210"
    assert story(said) == []


@pytest.mark.parametrize(("patients", "points"), [(1, 0), (63, 0), (64, 3), (128, 6)])
def test_each_patient_is_one_observation_of_the_study_the_answer_and_the_report(
    patients: int, points: int
) -> None:
    """A series tells a point for every 64 observations: kvp, score and prevalence."""
    north = Shard(config(watch=Watch(include=("acquisition.*", "*.score", "*.present"))))
    for number in range(128):
        key, at_s = f"s{number}", number * 10.0
        who = Patient(key=f"p-{number % patients}")
        north.send(
            study(key, at_s, patient=who, acquisition={"kvp": 80 + number}),
            prediction(key, at_s + 1),
            report(key, at_s + 2),
        )

    assert len([effect for effect in north.said if isinstance(effect, SeriesPoint)]) == points
    assert len(outcomes(north.said)) == 128


def test_time_alone_tells_all_that_it_made_true() -> None:
    """Reports are read days after their studies: nothing arrives any more when the last are."""
    north = Shard(Config(models=[Model(name="ptx")], reference=Reference(observations=50)))
    for n in range(300):
        called = [Output(finding="pneumothorax", positive=n % 2 == 0)]
        north.send(study(f"s{n}", n), prediction(f"s{n}", n + 1, outputs=called))
        north.send(report(f"s{n}", n + 2))

    told = north.proved(4 * 86_400)

    assert [one.subject for one in told if isinstance(one, SeriesPoint)].count(CALL_RATE) == 4
    assert north.pipeline.handle_all([]) == []
