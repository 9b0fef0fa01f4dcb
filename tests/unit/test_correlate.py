"""Studies and predictions joined: what waits, what is remembered, what is forgotten."""

from collections.abc import Callable
from itertools import permutations
from typing import Any

import msgspec
import pytest

from schemas.config import Bounds, Deadlines, Model
from schemas.report import Label
from schemas.study import Expectation, Patient
from streams.correlate import Correlate, Correlated
from streams.lost import Losses
from streams.study_record import StudyRecord
from tests.unit.builders import config, prediction, report, seconds, study, us


class Joint:
    """Correlate, with time as the pipeline tells it: everything arrives when it is stamped."""

    def __init__(self, models: list[Model] | None = None, **bounds: Any) -> None:
        self.config = config(models, bounds=Bounds(**bounds))
        self.correlate = Correlate(self.config, Losses(0))

    def takes(self, *events: Any, arrived_s: float | None = None) -> list[Correlated]:
        taken = []
        for event in events:
            at_us = us(seconds(event.at))
            arrived_us = at_us if arrived_s is None else us(arrived_s)
            if type(event).__name__ == "Study":
                taken.append(self.correlate.study(event, at_us, arrived_us, arrived_us))
            else:
                taken.append(self.correlate.prediction(event, at_us, arrived_us, arrived_us))
        return taken

    def reads(self, *findings: str, status: str = "final") -> Correlated:
        labels = [Label(finding=finding, value="present") for finding in findings]
        return self.correlate.report(report("a", 1, labels=labels, status=status), us(1), us(1))

    def passes(self, until_s: float) -> list[str]:
        missing = self.correlate.expire(us(until_s))
        self.correlate.forget(us(until_s))
        return [f"{m.study} {m.outcome}" for m in missing]

    def restarted(self, order: Callable[[list[StudyRecord]], list[StudyRecord]] = list) -> "Joint":
        """Go on from what was written, read in any order."""
        other = Joint.__new__(Joint)
        other.config = self.config
        other.correlate = Correlate(self.config, Losses(0))
        written = [msgspec.msgpack.encode(r) for _, r in self.correlate.changes() if r is not None]
        records = [msgspec.msgpack.decode(raw, type=StudyRecord) for raw in written]
        other.correlate.restore(order(records))
        return other


def said(taken: list[Correlated]) -> list[str]:
    return [f"{s.study} {s.outcome} {s.revision}" for one in taken for s in one.settled]


class TestOrphans:
    def test_a_prediction_waits_for_its_study(self) -> None:
        joint = Joint()

        early = joint.takes(prediction("a", 5))
        settled = joint.takes(study("a", 0), arrived_s=6)

        assert said(early) == []
        assert joint.correlate.sizes()["waiting_for_study"] == 0
        assert said(settled) == ["a on_time 1"]

    def test_the_best_of_what_waits_counts(self) -> None:
        joint = Joint()

        joint.takes(prediction("a", 5, status="failed"), prediction("a", 7), arrived_s=8)

        assert said(joint.takes(study("a", 0), arrived_s=9)) == ["a on_time 1"]

    def test_the_oldest_has_to_go_when_there_are_too_many(self) -> None:
        joint = Joint(waiting_per_site=2)
        joint.takes(*(prediction(key, n) for n, key in enumerate("abc")))

        settled = joint.takes(*(study(key, 0) for key in "abc"), arrived_s=9)

        assert said(settled) == ["b on_time 1", "c on_time 1"]
        assert joint.correlate.dropped == {"waiting_overflow": 1}

    @pytest.mark.parametrize("order", list(permutations("abc")), ids="".join)
    def test_after_a_restart_the_same_one_has_to_go(self, order: tuple[str, ...]) -> None:
        joint = Joint(waiting_per_site=3)
        joint.takes(*(prediction(key, n) for n, key in enumerate(order)))
        joint.takes(prediction(order[0], 3, model_version="2"))
        restarted = joint.restarted(lambda records: sorted(records, key=lambda r: r.study))

        for one in (joint, restarted):
            one.takes(prediction("d", 4))

            kept = {key for _, key in one.correlate._studies.records}
            assert kept == {*"abcd"} - {order[1]}

    @pytest.mark.parametrize("order", list(permutations("abc")), ids="".join)
    def test_of_those_that_came_at_one_moment_too(self, order: tuple[str, ...]) -> None:
        joint = Joint(waiting_per_site=3)
        joint.takes(*(prediction(key, 0) for key in order))
        restarted = joint.restarted(lambda records: sorted(records, key=lambda r: r.study)[::-1])

        for one in (joint, restarted):
            one.takes(prediction("d", 4))

            assert sorted(key for _, key in one.correlate._studies.records) == ["b", "c", "d"]

    def test_one_site_does_not_push_out_what_waits_at_another(self) -> None:
        joint = Joint(waiting_per_site=1)

        joint.takes(prediction("a", 0, site="south"), prediction("a", 0), prediction("b", 0))

        assert said(joint.takes(study("a", 0, site="south"))) == ["a on_time 1"]

    def test_what_waited_in_vain_is_dropped_and_counted(self) -> None:
        joint = Joint(waiting_s=50.0)
        joint.takes(prediction("a", 0))

        joint.passes(10_000)

        assert joint.correlate.sizes() == {
            "studies": 0,
            "pending": 0,
            "waiting_for_study": 0,
            "patients": 0,
        }
        assert joint.correlate.dropped == {"waited_in_vain": 1}


class TestForgetting:
    def test_a_settled_study_is_remembered_so_that_a_repeat_is_no_new_one(self) -> None:
        joint = Joint(settled_s=1_000.0)
        joint.takes(study("a", 0), prediction("a", 10))

        repeated = joint.takes(study("a", 0), prediction("a", 10), arrived_s=500)

        assert said(repeated) == []
        assert joint.passes(1_400) == []

    def test_after_its_time_it_is_forgotten_and_a_tombstone_is_left(self) -> None:
        joint = Joint(settled_s=1_000.0)
        joint.takes(study("a", 0), prediction("a", 10))
        dict(joint.correlate.changes())

        joint.passes(1_200)

        assert list(joint.correlate.changes()) == [(("north", "a"), None)]
        assert joint.correlate.sizes()["studies"] == 0

    def test_a_repeat_of_what_was_forgotten_expects_nothing(self) -> None:
        joint = Joint(settled_s=1_000.0)
        joint.takes(study("a", 0), prediction("a", 10))
        joint.passes(1_100)

        again = joint.takes(study("a", 0), prediction("a", 10), arrived_s=1_101)

        assert said(again) == []
        assert joint.passes(10_000) == []
        assert joint.correlate.dropped["too_old"] == 1

    def test_nor_does_it_when_its_prediction_is_repeated_first(self) -> None:
        joint = Joint(settled_s=1_000.0)
        joint.takes(study("a", 0), prediction("a", 10))
        joint.passes(1_100)

        again = joint.takes(prediction("a", 10), study("a", 0), arrived_s=1_101)

        assert said(again) == []

    def test_a_study_is_not_forgotten_before_its_deadline(self) -> None:
        joint = Joint([Model(name="ptx", deadline_s=5_000.0)], settled_s=10.0, waiting_s=10.0)
        joint.takes(study("a", 0))

        assert joint.passes(4_999) == []
        assert joint.passes(5_000) == ["a missing"]

    @pytest.mark.parametrize(("settled_s", "waiting_s"), [(100.0, 1_000.0), (1_000.0, 100.0)])
    def test_a_restart_does_not_change_when_a_study_is_forgotten(
        self, settled_s: float, waiting_s: float
    ) -> None:
        slow = Model(name="ptx", deadline_s=Deadlines(routine=2_000, stat=50))

        def taken_up(restarts: bool, at_s: int) -> list[Correlated]:
            joint = Joint([slow], settled_s=settled_s, waiting_s=waiting_s)
            joint.takes(prediction("early", 0), study("early", 1), study("hurried", 0))
            joint.takes(prediction("alone", 2), study("b", 3))
            joint.passes(1_200)
            joint.takes(study("hurried", 0, priority="stat"), arrived_s=1_200)
            joint = joint.restarted() if restarts else joint
            joint.passes(at_s)
            keys = ("early", "hurried", "alone", "b")
            return joint.takes(*(study(key, 1_100) for key in keys), arrived_s=at_s)

        for at_s in range(1_250, 4_000, 50):
            assert taken_up(True, at_s) == taken_up(False, at_s)

    def test_studies_from_before_1970_are_forgotten_as_well(self) -> None:
        joint = Joint([], settled_s=1_000.0)
        joint.takes(study("a", -2e9))

        joint.passes(-2e9 + 1_100)

        assert joint.correlate.sizes()["studies"] == 0


class TestOnce:
    def test_an_event_is_observed_once_however_often_it_is_told(self) -> None:
        joint = Joint()

        fresh = [t.fresh for t in joint.takes(study("a", 0), study("a", 0), prediction("a", 9))]
        again = [t.fresh for t in joint.takes(prediction("a", 9), prediction("a", 10))]

        assert (fresh, again) == ([True, False, True], [False, False])

    def test_a_study_is_observed_when_it_is_complete(self) -> None:
        joint = Joint()

        taken = joint.takes(study("a", 0, state="received"), study("a", 5), study("a", 6))

        assert [t.fresh for t in taken] == [False, True, False]

    def test_a_failure_is_not_observed_but_the_result_after_it_is(self) -> None:
        joint = Joint()

        taken = joint.takes(study("a", 0), prediction("a", 5, status="failed"), prediction("a", 9))

        assert [t.fresh for t in taken] == [True, False, True]

    @pytest.mark.parametrize("first", ["study", "failure"])
    def test_a_failure_is_no_turnaround_whichever_came_first(self, first: str) -> None:
        joint = Joint()
        events = [study("a", 0), prediction("a", 5, status="failed")]

        joint.takes(*(events if first == "study" else reversed(events)), arrived_s=6)
        (taken,) = joint.takes(prediction("a", 9))

        assert [t.seconds for t in taken.turnarounds] == [9]

    def test_the_turnaround_of_an_early_result_is_known_when_its_study_comes(self) -> None:
        joint = Joint()

        (early,) = joint.takes(prediction("a", 5))
        (late,) = joint.takes(study("a", 1), arrived_s=6)

        assert early.turnarounds == ()
        assert [(t.model, t.seconds) for t in late.turnarounds] == [("ptx", 4)]

    def test_a_label_counts_once_for_a_finding_of_a_study(self) -> None:
        joint = Joint()

        told = [
            [label.finding for label in joint.reads(*findings).labels]
            for findings in (["effusion"], ["effusion", "nodule"], ["nodule"])
        ]

        assert told == [["effusion"], ["nodule"], []]

    def test_only_a_final_report_says_anything(self) -> None:
        joint = Joint()

        preliminary = joint.reads("effusion", status="preliminary")
        final = joint.reads("effusion")

        assert (preliminary.fresh, preliminary.labels) == (False, ())
        assert final.fresh
        assert len(final.labels) == 1

    def test_a_shadow_settles_nothing_and_hides_no_live_answer(self) -> None:
        joint = Joint()
        joint.takes(study("a", 0))

        shadow = joint.correlate.shadow(prediction("a", 5, role="shadow"), us(5), us(5))
        (live,) = joint.takes(prediction("a", 9))

        assert (shadow.settled, shadow.fresh) == ((), True)
        assert [s.outcome for s in live.settled] == ["on_time"]
        assert live.fresh

    def test_what_is_asked_of_a_study_is_known_when_its_results_come(self) -> None:
        joint = Joint()
        joint.takes(study("a", 3, patient=Patient(sex="F")))

        (taken,) = joint.takes(prediction("a", 9))

        assert taken.study is not None
        assert (taken.study.at_us, taken.study.fields["patient.sex"]) == (us(3), "F")

    def test_what_was_observed_of_one_study_is_bounded(self) -> None:
        joint = Joint()
        joint.takes(study("a", 0))

        for number in range(5_000):
            joint.takes(prediction("a", 1, model_version=f"{number}", status="completed"))
            joint.reads(f"finding {number}")

        (_, record), *_ = joint.correlate.changes()
        assert record is not None
        assert len(msgspec.msgpack.encode(record)) < 20_000
        assert joint.correlate.dropped["observed_overflow"] > 0


class TestManyUpserts:
    def test_those_beyond_32_are_merged_and_counted(self) -> None:
        joint = Joint([Model(name="cxr", deadline_s=1e4)])

        joint.takes(*(study("a", n, view=f"{n % 2}") for n in range(32)))
        assert joint.correlate.dropped == {}
        joint.takes(*(study("a", n, view=f"{n % 2}") for n in range(35)))

        assert joint.correlate.dropped == {"upserts_merged": 3}


class TestWaiting:
    def test_the_oldest_that_waits_is_known_by_its_start(self) -> None:
        joint = Joint()
        joint.takes(study("b", 10), study("a", 5), arrived_s=11)

        oldest = [joint.correlate.oldest_waiting_us("north", "ptx")]
        joint.takes(prediction("a", 12))
        oldest.append(joint.correlate.oldest_waiting_us("north", "ptx"))
        joint.takes(prediction("b", 13))
        oldest.append(joint.correlate.oldest_waiting_us("north", "ptx"))

        assert oldest == [us(5), us(10), None]

    def test_models_that_only_studies_name_leave_nothing_behind(self) -> None:
        joint = Joint([])
        for number in range(100):
            model = f"m{number}"
            joint.takes(study(f"s{number}", 0, expects=[Expectation(model=model, deadline_s=9.0)]))
            joint.takes(prediction(f"s{number}", 1, model=model))
            joint.correlate.oldest_waiting_us("north", model)

        assert joint.correlate._deadlines._waiting == {}

    def test_what_is_due_is_told_in_order_and_counted(self) -> None:
        joint = Joint()
        joint.takes(study("b", 10), study("a", 5), study("c", 20), arrived_s=21)

        assert joint.correlate.sizes()["pending"] == 3
        assert joint.passes(110) == ["a missing", "b missing"]
        assert joint.correlate.sizes()["pending"] == 1
        assert joint.restarted().correlate.sizes()["pending"] == 1
