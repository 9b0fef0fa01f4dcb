"""What an event is the first to say: a study is one observation, however often it is told of."""

from typing import Any

import msgspec
import pytest

from schemas.config import Bounds
from schemas.report import Label
from schemas.study import Patient
from streams.lost import Losses
from streams.observations.firsts import Firsts, News
from streams.outcomes.correlate import Correlate
from tests.unit.builders import config, prediction, report, seconds, study, us


class Firstly:
    """What is new in events that arrive when they are stamped, or all at one moment."""

    def __init__(self) -> None:
        self.correlate = Correlate(config(), Losses(0))
        self.firsts = Firsts(Bounds())

    def takes(self, *events: Any, arrived_s: float | None = None) -> list[News]:
        news = []
        for event in events:
            at_us = us(seconds(event.at))
            arrived_us = at_us if arrived_s is None else us(arrived_s)
            joined = self.correlate.join(event, at_us, arrived_us, arrived_us)
            news.append(self.firsts.of(event, joined, at_us, arrived_us, arrived_us))
        return news

    def reads(self, *findings: str, status: str = "final") -> News:
        labels = [Label(finding=finding, value="present") for finding in findings]
        (news,) = self.takes(report("a", 1, labels=labels, status=status))
        return news


def test_an_event_is_observed_once_however_often_it_is_told() -> None:
    shard = Firstly()

    fresh = [t.fresh for t in shard.takes(study("a", 0), study("a", 0), prediction("a", 9))]
    again = [t.fresh for t in shard.takes(prediction("a", 9), prediction("a", 10))]

    assert (fresh, again) == ([True, False, True], [False, False])


def test_a_study_is_observed_when_it_is_complete() -> None:
    shard = Firstly()

    taken = shard.takes(study("a", 0, state="received"), study("a", 5), study("a", 6))

    assert [t.fresh for t in taken] == [False, True, False]


def test_a_failure_is_not_observed_but_the_result_after_it_is() -> None:
    shard = Firstly()

    taken = shard.takes(study("a", 0), prediction("a", 5, status="failed"), prediction("a", 9))

    assert [t.fresh for t in taken] == [True, False, True]


@pytest.mark.parametrize("first", ["study", "failure"])
def test_a_failure_is_no_turnaround_whichever_came_first(first: str) -> None:
    shard = Firstly()
    events = [study("a", 0), prediction("a", 5, status="failed")]

    shard.takes(*(events if first == "study" else reversed(events)), arrived_s=6)
    (taken,) = shard.takes(prediction("a", 9))

    assert [t.seconds for t in taken.turnarounds] == [9]


def test_the_turnaround_of_an_early_result_is_known_when_its_study_comes() -> None:
    shard = Firstly()

    (early,) = shard.takes(prediction("a", 5))
    (late,) = shard.takes(study("a", 1), arrived_s=6)

    assert early.turnarounds == ()
    assert [(t.model, t.seconds) for t in late.turnarounds] == [("ptx", 4)]


def test_a_label_counts_once_for_a_finding_of_a_study() -> None:
    shard = Firstly()

    told = [
        [label.finding for label in shard.reads(*findings).labels]
        for findings in (["effusion"], ["effusion", "nodule"], ["nodule"])
    ]

    assert told == [["effusion"], ["nodule"], []]


def test_only_a_final_report_says_anything() -> None:
    shard = Firstly()

    preliminary = shard.reads("effusion", status="preliminary")
    final = shard.reads("effusion")

    assert (preliminary.fresh, preliminary.labels) == (False, ())
    assert final.fresh
    assert len(final.labels) == 1


def test_a_shadow_hides_no_live_answer() -> None:
    shard = Firstly()
    shard.takes(study("a", 0))

    shadow, live = shard.takes(prediction("a", 5, role="shadow"), prediction("a", 9))

    assert shadow.fresh
    assert not shadow.turnarounds
    assert live.fresh


def test_what_is_asked_of_a_study_is_known_when_its_results_come() -> None:
    shard = Firstly()
    shard.takes(study("a", 3, patient=Patient(sex="F")))

    (taken,) = shard.takes(prediction("a", 9))

    assert taken.study is not None
    assert (taken.study.at_us, taken.study.fields["patient.sex"]) == (us(3), "F")


def test_what_was_observed_of_one_study_is_bounded() -> None:
    shard = Firstly()
    shard.takes(study("a", 0))

    for number in range(5_000):
        shard.takes(prediction("a", 1, model_version=f"{number}", status="completed"))
        shard.reads(f"finding {number}")

    (_, record), *_ = shard.correlate.changes()
    assert record is not None
    assert len(msgspec.msgpack.encode(record)) < 20_000
    assert shard.firsts.dropped["observed_overflow"] > 0
