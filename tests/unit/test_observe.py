"""Events become observations: which series, which values, and what is refused."""

from math import inf, nan
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.config import Watch
from schemas.prediction import Output
from schemas.study import Patient, Scanner
from streams.correlate import Turnaround
from streams.observe import Observation, Observe
from tests.unit.builders import Shard, config, prediction, report, study, us


def seen(observations: list[Observation]) -> dict[str, float]:
    return {f"{o.model}/{o.subject}" if o.model else o.subject: o.value for o in observations}


def everything() -> Observe:
    return Observe(Watch())


class TestStudies:
    def test_numbers_are_named_by_their_path(self) -> None:
        upsert = study(
            acquisition={"kvp": 120.0, "kernel": "B30"},
            attributes={"snr": 3.5},
            patient=Patient(age_years=61.5),
        )

        assert seen(everything().study(upsert, us(0))) == {
            "patient.age_years": 61.5,
            "acquisition.kvp": 120.0,
            "attributes.snr": 3.5,
        }

    def test_words_are_counted(self) -> None:
        observe = everything()

        observe.study(study(view="PA", scanner=Scanner(model="Ysio Max")), us(0))

        assert observe.counts["word"] == 3  # the modality as well

    @pytest.mark.parametrize("told", [90.0, 91.0, 130.0])
    def test_ages_of_ninety_and_more_are_one(self, told: float) -> None:
        upsert = study(patient=Patient(age_years=told))

        assert seen(everything().study(upsert, us(0))) == {"patient.age_years": 90.0}

    def test_the_pseudonym_of_a_patient_is_never_observed(self) -> None:
        upsert = study(patient=Patient(key="0815"), attributes={"patient.key": 1.0})

        assert list(seen(everything().study(upsert, us(0)))) == ["attributes.patient.key"]

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
            "ptx/nodule.positive": 1.0,
            "ptx/nodule.value": 7.0,
            "ptx/features.quality": 0.9,
        }

    def test_of_several_outputs_of_one_finding_the_first_is_the_studys_observation(self) -> None:
        outputs = [Output(finding="nodule", score=score) for score in (0.9, 0.4, 0.1)]

        observations = everything().prediction(prediction(outputs=outputs), us(0))

        assert [(o.subject, o.value) for o in observations] == [("nodule.score", 0.9)]

    def test_a_turnaround_is_dated_by_the_result(self) -> None:
        (one,) = everything().turnaround("north", "a", Turnaround("ptx", 12.5, us(30)))

        assert (one.subject, one.value, one.at_us) == ("turnaround_s", 12.5, us(30))

    def test_a_name_that_no_message_could_carry_is_not_watched_and_counted(self) -> None:
        observe = everything()
        features = {"x" * 247: 1.0, "x" * 248: 1.0}

        observations = observe.prediction(prediction(status="failed", features=features), us(0))

        assert [len(o.subject) for o in observations] == [256]
        assert observe.counts["name_too_long"] == 1


@pytest.mark.parametrize(("present", "value"), [(True, 1.0), (False, 0.0)])
def test_a_label_is_the_prevalence_of_its_finding(present: bool, value: float) -> None:
    observations = everything().label(report(), "effusion", present, us(0))

    assert seen(observations) == {"effusion.present": value}


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

    assert all(abs(o.value) < inf and len(o.subject) <= 256 for o in observations)


def test_refusals_show_in_the_losses_of_the_shard() -> None:
    north = Shard(config(watch=Watch()))

    north.send(prediction("a", 0, features={"x" * 256: 1.0, "y": nan}))

    losses = north.pipeline.losses()
    assert (losses["not_finite"], losses["name_too_long"]) == (1, 1)
