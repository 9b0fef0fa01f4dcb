"""Studies and predictions joined: what waits, what is remembered, what is forgotten."""

from collections.abc import Callable
from itertools import permutations
from typing import Any

import msgspec
import pytest

from schemas.config import Bounds, Deadlines, Model
from schemas.study import Expectation
from streams.lost import Losses
from streams.outcomes.correlate import Correlate, Joined
from streams.outcomes.study_record import StudyRecord
from tests.unit.builders import config, prediction, report, seconds, study, us


class Joint:
    """Correlate, with time as the pipeline tells it: everything arrives when it is stamped."""

    def __init__(
        self, models: list[Model] | None = None, *, is_observed: bool = True, **bounds: Any
    ) -> None:
        self.config = config(models, bounds=Bounds(**bounds))
        self.correlate = Correlate(self.config, Losses(0), is_observed=is_observed)

    def takes(self, *events: Any, arrived_s: float | None = None) -> list[Joined]:
        taken = []
        for event in events:
            at_us = us(seconds(event.at))
            arrived_us = at_us if arrived_s is None else us(arrived_s)
            taken.append(self.correlate.join(event, at_us, arrived_us, arrived_us))
        return taken

    def passes(self, until_s: float) -> list[str]:
        missing = self.correlate.expire(us(until_s))
        self.correlate.forget(us(until_s))
        return [f"{m.study} {m.outcome}" for m in missing]

    def restarted(
        self,
        order: Callable[[list[StudyRecord]], list[StudyRecord]] = list,
        models: list[Model] | None = None,
    ) -> "Joint":
        """Go on from what was written, read in any order; perhaps with other models configured."""
        other = Joint.__new__(Joint)
        other.config = self.config if models is None else config(models)
        other.correlate = Correlate(other.config, Losses(0))
        written = [msgspec.msgpack.encode(r) for _, r in self.correlate.changes() if r is not None]
        records = [msgspec.msgpack.decode(raw, type=StudyRecord) for raw in written]
        other.correlate.restore(order(records))
        return other


def said(taken: list[Joined]) -> list[str]:
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

        def taken_up(restarts: bool, at_s: int) -> list[Joined]:
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


class TestNothingToSettle:
    def test_a_shadow_settles_nothing(self) -> None:
        joint = Joint()
        joint.takes(study("a", 0))

        shadow, live = joint.takes(prediction("a", 5, role="shadow"), prediction("a", 9))

        assert said([shadow]) == []
        assert said([live]) == ["a on_time 1"]

    def test_what_settles_nothing_is_remembered_only_where_somebody_looks_at_it(self) -> None:
        looked_at, alone = Joint(), Joint(is_observed=False)

        for joint in (looked_at, alone):
            joint.takes(report("a", 1), prediction("b", 1, role="shadow"))

        assert looked_at.correlate.sizes()["waiting_for_study"] == 2
        assert alone.correlate.sizes()["waiting_for_study"] == 0

    def test_a_report_that_is_not_final_begins_nothing(self) -> None:
        joint = Joint()

        (taken,) = joint.takes(report("a", 1, status="preliminary"))

        assert taken.record is None
        assert joint.correlate.sizes()["studies"] == 0


def test_who_has_waited_is_let_go_though_nobody_asks_for_the_oldest() -> None:
    joint = Joint()

    for number in range(1_000):
        joint.takes(study(f"{number}", number), prediction(f"{number}", number + 1))

    kept = joint.correlate._deadlines._waiting
    assert sum(map(len, kept.values())) <= 2


class TestManyUpserts:
    def test_those_beyond_32_are_merged_and_counted(self) -> None:
        joint = Joint([Model(name="cxr", deadline_s=1e4)])

        joint.takes(*(study("a", n, view=f"{n % 2}") for n in range(32)))
        assert joint.correlate.dropped == {}
        joint.takes(*(study("a", n, view=f"{n % 2}") for n in range(35)))

        assert joint.correlate.dropped == {"upserts_merged": 3}


class TestManyModels:
    def test_those_beyond_64_of_a_study_are_counted(self) -> None:
        models = [Model(name=f"m{n:02}", deadline_s=10) for n in range(66)]
        joint = Joint(models)

        joint.takes(study("a", 0))
        missed = [missing.model for missing in joint.correlate.expire(us(100))]

        assert len(missed) == 64
        assert joint.correlate.dropped == {"study_models_overflow": 2}

    def test_so_are_results_that_cannot_wait_for_their_study(self) -> None:
        joint = Joint()

        joint.takes(*(prediction("a", n, model=f"m{n:02}") for n in range(66)))
        joint.takes(study("a", 70))

        assert joint.correlate.dropped == {"study_models_overflow": 2}

    def test_those_within_are_not(self) -> None:
        joint = Joint([Model(name=f"m{n:02}", deadline_s=1_000) for n in range(64)])

        joint.takes(study("a", 0), study("a", 1, priority="stat"))
        joint.takes(*(prediction("a", 2, model=f"m{n:02}") for n in range(64)))

        assert joint.correlate.dropped == {}


class TestModelsTakenOut:
    def test_nobody_misses_what_a_model_owed_that_is_not_configured_any_more(self) -> None:
        joint = Joint([Model(name="old", deadline_s=100), Model(name="kept", deadline_s=100)])
        joint.takes(study("a", 0))

        after = joint.restarted(models=[Model(name="kept", deadline_s=100)])
        settled = after.correlate.expire(us(100))

        assert [(one.model, one.outcome) for one in settled] == [
            ("kept", "missing"),
            ("old", "not_applicable"),
        ]

    def test_one_that_the_study_itself_expects_is_missed(self) -> None:
        joint = Joint([Model(name="old", deadline_s=100)])
        joint.takes(study("a", 0, expects=[Expectation(model="old", deadline_s=100)]))

        after = joint.restarted(models=[Model(name="other", deadline_s=100)])

        assert after.passes(100) == ["a missing"]


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
