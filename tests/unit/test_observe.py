"""Events become observations: which series, which values, and what is refused."""

from math import inf, nan
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.config import Config, Model, Watch
from schemas.messages import Event
from schemas.prediction import Output
from schemas.report import Label
from schemas.study import Patient, Scanner
from streams.fields import Value
from streams.observations.firsts import Turnaround
from streams.observations.observe import Observations, Observe
from tests.unit.builders import Shard, at, config, prediction, report, study, us


def seen(one: Observations | None) -> dict[str, Value]:
    """By subject, those of a model with its name; what all studies have is left out."""
    if one is None:
        return {}
    owner = f"{one.model}/" if one.model else ""
    return {owner + s: value for s, value in one.values if s not in ("modality", "priority")}


def everything() -> Observe:
    return Observe(Watch())


class TestStudies:
    def test_numbers_and_words_are_named_by_their_path(self) -> None:
        upsert = study(
            acquisition={"kvp": 120.0, "kernel": "B30"},
            attributes={"snr": 3.5},
            patient=Patient(age_years=61.5, sex="F"),
            scanner=Scanner(model="Ysio Max", software="VE10A"),
            view="PA",
        )

        assert seen(everything().study(upsert, us(0))) == {
            "patient.age_years": 61.5,
            "patient.sex": "F",
            "scanner.model": "Ysio Max",
            "scanner.software": "VE10A",
            "view": "PA",
            "acquisition.kvp": 120.0,
            "acquisition.kernel": "B30",
            "attributes.snr": 3.5,
        }

    def test_modality_and_priority_are_watched_of_every_study(self) -> None:
        observations = everything().study(study(), us(0))

        assert observations is not None
        assert dict(observations.values) == {"modality": "DX", "priority": "routine"}
        assert observations[:4] == ("north", "", "a", us(0))

    @pytest.mark.parametrize("told", [90.0, 91.0, 130.0])
    def test_ages_of_ninety_and_more_are_one(self, told: float) -> None:
        upsert = study(patient=Patient(age_years=told))

        assert seen(everything().study(upsert, us(0))) == {"patient.age_years": 90.0}

    def test_the_pseudonym_of_a_patient_is_never_observed(self) -> None:
        upsert = study(patient=Patient(key="0815"), attributes={"patient.key": 1.0})

        assert [*seen(everything().study(upsert, us(0)))] == ["attributes.patient.key"]

    @pytest.mark.parametrize("value", [nan, inf, -inf])
    def test_what_is_not_finite_is_refused_and_counted(self, value: float) -> None:
        observe = everything()

        observations = observe.study(study(acquisition={"kvp": value, "rows": 1.0}), us(0))

        assert seen(observations) == {"acquisition.rows": 1.0}
        assert observe.counts["not_finite"] == 1


class TestPredictions:
    def test_scores_calls_and_features_belong_to_the_model(self) -> None:
        outputs = [Output(finding="nodule", score=0.25, positive=True, value=7.0)]
        answer = prediction(outputs=outputs, features={"quality": 0.9})

        assert seen(everything().prediction(answer, us(0))) == {
            "ptx/nodule.score": 0.25,
            "ptx/nodule.positive": True,
            "ptx/nodule.value": 7.0,
            "ptx/features.quality": 0.9,
        }

    def test_of_several_outputs_of_one_finding_the_first_is_the_studys_observation(self) -> None:
        outputs = [Output(finding="nodule", score=score) for score in (0.9, 0.4, 0.1)]

        observations = everything().prediction(prediction(outputs=outputs), us(0))

        assert seen(observations) == {"ptx/nodule.score": 0.9}

    def test_outputs_that_tell_different_things_of_one_finding_are_put_together(self) -> None:
        outputs = [Output(finding="nodule", score=0.9), Output(finding="nodule", positive=True)]

        observations = everything().prediction(prediction(outputs=outputs), us(0))

        assert seen(observations) == {"ptx/nodule.score": 0.9, "ptx/nodule.positive": True}

    @pytest.mark.parametrize(("started_s", "told"), [(10, {"ptx/inference_s": 20.0}), (31, {})])
    def test_how_long_a_model_computed_is_watched(
        self, started_s: float, told: dict[str, Value]
    ) -> None:
        answer = prediction(status="failed", at_s=30, started_at=at(started_s))

        assert seen(everything().prediction(answer, us(30))) == told

    def test_a_turnaround_is_dated_by_the_result(self) -> None:
        one = everything().turnaround(prediction(), Turnaround("ptx", 12.5, us(30)))

        assert one == Observations("north", "ptx", "a", us(30), [("turnaround_s", 12.5)])

    def test_a_name_that_no_message_could_carry_is_not_watched_and_counted(self) -> None:
        observe = everything()
        features = {"x" * 247: 1.0, "x" * 248: 1.0}

        observations = observe.prediction(prediction(status="failed", features=features), us(0))

        assert [len(subject) for subject in seen(observations)] == [4 + 256]  # ptx/
        assert observe.counts["name_too_long"] == 1

    def test_the_name_of_a_slice_is_nobodys_to_give_and_counted_each_time(self) -> None:
        observe = everything()
        of_slice = "dose @ scanner.station=CT2"
        values = {of_slice: 1.0, "dose": 2.0, "wedge @ 15": 3.0}

        for _ in range(2):
            told = seen(observe.study(study(acquisition=values, attributes=values), us(0)))
            assert told["acquisition.dose"] == told["attributes.dose"] == 2.0
            assert not [subject for subject in told if " @ " in subject]
        told = seen(observe.prediction(prediction(features={of_slice: 1.0, "dose": 2.0}), us(0)))
        assert not [subject for subject in told if " @ " in subject]
        assert observe.counts["name_of_slice"] == 9

    def test_a_finding_may_be_called_what_it_is_called(self) -> None:
        outputs = [Output(finding="nodule @ left", score=0.5)]

        observations = everything().prediction(prediction(outputs=outputs), us(0))

        assert seen(observations) == {"ptx/nodule @ left.score": 0.5}


def test_labels_are_the_prevalence_of_their_findings() -> None:
    labels = [
        Label(finding="effusion", value="present"),
        Label(finding="nodule", value="absent"),
        Label(finding="mass", value="uncertain"),
    ]

    observations = everything().labels(report(), labels, us(0))

    assert seen(observations) == {"effusion.present": True, "nodule.present": False}


EVERYTHING = {
    *("modality", "body_part", "procedure", "view", "priority"),
    *("scanner.manufacturer", "scanner.model", "scanner.software", "scanner.station"),
    *("patient.sex", "patient.age_years", "acquisition.kvp", "attributes.snr"),
    *("pneumothorax.present", "report_turnaround_s"),
    *("ptx/pneumothorax.score", "ptx/pneumothorax.positive", "ptx/pneumothorax.value"),
    *("ptx/features.quality", "ptx/inference_s", "ptx/turnaround_s"),
}


def test_without_configuration_everything_is_watched() -> None:
    north = Shard(Config(models=[Model(name="ptx")]))

    north.send(
        study(
            state="complete",
            body_part="CHEST",
            procedure="two views",
            view="PA",
            priority="urgent",
            scanner=Scanner(manufacturer="Y", model="Z", software="1", station="CT2"),
            patient=Patient(key="p", sex="F", age_years=61.0),
            acquisition={"kvp": 120.0},
            attributes={"snr": 3.5},
        ),
        prediction(
            at_s=30,
            started_at=at(10),
            outputs=[Output(finding="pneumothorax", score=0.25, positive=True, value=7.0)],
            features={"quality": 0.9},
        ),
        report(at_s=3_600),
    )

    watched = {
        f"{model}/{name}" if model else name for (_, model, name), _ in north.pipeline.series()
    }
    assert {name for name in watched if " @ " not in name and "missing." not in name} == EVERYTHING
    (filling,) = [
        s.blocks.filling for key, s in north.pipeline.series() if key[2] == "report_turnaround_s"
    ]
    assert filling is not None and filling.total == 3_600.0


@pytest.mark.parametrize(
    "events",
    [
        [report(at_s=60)],
        [report(at_s=60), study(at_s=0)],
        [study(at_s=0), report(at_s=60, status="preliminary")],
        [study(at_s=90), report(at_s=60)],
    ],
)
def test_a_report_that_says_no_time_is_none(events: list[Event]) -> None:
    north = Shard(Config())
    north.send(*events, arrived_s=120)

    assert "report_turnaround_s" not in {key[2] for key, _ in north.pipeline.series()}


def test_the_first_final_report_of_a_study_tells_the_time() -> None:
    north = Shard(Config())
    north.send(study(), report(at_s=60), report(at_s=90, status="corrected", report="r-2"))
    north.send(study("b"), report("b", at_s=60, status="appended"))  # with an addendum already

    assert dict(north.pipeline.series())["north", "", "report_turnaround_s"].learning.sample.n == 2


def test_of_nothing_nothing_is_observed() -> None:
    assert everything().labels(report(), [], us(0)) is None
    assert everything().prediction(prediction(status="failed"), us(0)) is None


WATCHED = {
    "everything": (Watch(), {"acquisition.kvp", "acquisition.rows", "attributes.snr"}),
    "nothing": (Watch(exclude=("*",)), set()),
    "one left out": (
        Watch(exclude=("acquisition.kvp",)),
        {"acquisition.rows", "attributes.snr"},
    ),
    "a group left out": (Watch(exclude=("acquisition.*",)), {"attributes.snr"}),
    "only some": (Watch(include=("*.kvp", "attributes.*")), {"acquisition.kvp", "attributes.snr"}),
    "left out wins": (Watch(include=("*.kvp",), exclude=("*.kvp",)), set()),
    "case matters": (Watch(include=("ACQUISITION.*",)), set()),
}


@pytest.mark.parametrize(("watch", "subjects"), WATCHED.values(), ids=WATCHED)
def test_patterns_say_what_is_watched(watch: Watch, subjects: set[str]) -> None:
    upsert = study(acquisition={"kvp": 1.0, "rows": 2.0}, attributes={"snr": 3.0})
    observe = Observe(watch)

    once, twice = observe.study(upsert, us(0)), observe.study(upsert, us(1))

    assert set(seen(once)) == set(seen(twice)) == subjects


@given(st.dictionaries(st.text(min_size=1, max_size=256), st.floats(), max_size=8))
def test_whatever_a_model_sends_only_finite_numbers_are_observed(features: dict[str, Any]) -> None:
    observations = everything().prediction(prediction(features=features), us(0))

    told = observations.values if observations else []
    assert all(abs(float(value)) < inf and len(subject) <= 256 for subject, value in told)


def test_refusals_show_in_the_losses_of_the_shard() -> None:
    north = Shard(config(watch=Watch()))

    north.send(prediction("a", 0, features={"x" * 256: 1.0, "y": nan, "z @ a=b": 1.0}))

    losses = north.pipeline.losses()
    counted = losses["not_finite"], losses["name_too_long"], losses["name_of_slice"]
    assert counted == (1, 1, 1)
