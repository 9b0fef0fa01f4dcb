"""FHIR R4 and R5: what algorithms say, as predictions."""

from datetime import UTC, datetime
from typing import Any

import msgspec
import pytest

from schemas.ingest import Code, DeclaredModel, Models
from schemas.prediction import Output, Prediction
from schemas.report import Report
from schemas.study import Study
from streams.ingest import Untranslated
from streams.ingest._fhir_prediction import Gathering
from tests.unit import fhir_samples as samples
from tests.unit.fhir_samples import bundle, concept, of
from tests.unit.fhir_translator import STUDY, both, events, found, only, refs, translator, valid


class TestPredictions:
    @both
    def test_an_observation_by_a_device_is_one(self, version: str) -> None:
        content = valid(
            version,
            bundle(samples.study(version), samples.device(version), samples.observation(version)),
        )

        told = events(content)["Prediction"]

        assert (told.study, told.model, told.model_version) == (STUDY, "ptx-detect", "2.1.0")
        assert told.outputs == [Output(finding="pneumothorax", score=0.915, positive=True)]
        assert told.at == datetime(2026, 1, 5, 7, 25, tzinfo=UTC)

    @both
    def test_a_report_with_results_of_a_device_is_one_with_all_of_them(self, version: str) -> None:
        effusion = samples.observation(
            version, id="o2", code=concept("60046008"), valueBoolean=False, component=[]
        )
        effusion.pop("component")
        tree = samples.report(
            version,
            result=[{"reference": f"Observation/{n}"} for n in ("o1", "o2")],
            status="preliminary",
        )
        for name in ("resultsInterpreter", "presentedForm", "conclusionCode"):
            del tree[name]
        parts = (samples.study(version), samples.device(version), samples.observation(version))

        told = found(valid(version, bundle(*parts, effusion, tree)))

        assert [type(one) for one in told] == [Study, Prediction]
        assert [(o.finding, o.positive) for o in told[1].outputs or ()] == [  # type: ignore[union-attr]
            ("pneumothorax", True),
            ("pleural_effusion", False),
        ]

    def test_what_a_radiologist_signs_stays_the_radiologists(self) -> None:
        tree = samples.report("R4", result=[{"reference": "Observation/o1"}])
        content = of(bundle(samples.device("R4"), samples.observation("R4"), tree))

        assert [type(one) for one in found(content)] == [Report, Prediction]

    @pytest.mark.parametrize(
        ("changes", "kinds"),
        [
            ({"performer": [{"reference": "Device/ai1"}]}, [Prediction]),
            ({"meta": {"security": [{"code": "AIAST"}]}, "result": refs("o", 1)}, [Prediction]),
            ({"result": refs("o", 1)}, [Report, Prediction]),
            ({"meta": {"security": [{"code": "N"}]}}, [Report]),
        ],
    )
    def test_whose_result_it_is(self, changes: dict[str, Any], kinds: list[type]) -> None:
        told = [samples.report("R4", **changes)]
        if "result" in changes:
            told.append(samples.observation("R4", id="o0"))

        assert [type(one) for one in found(of(bundle(*told)))] == kinds

    def test_an_algorithm_without_a_name_is_no_model(self) -> None:
        tree = samples.report("R4", meta={"security": [{"code": "AIAST"}]})

        assert only(of(tree)) == Untranslated("missing_field", "DiagnosticReport.performer")

    def test_observations_of_one_study_and_model_are_one_answer(self) -> None:
        other = samples.observation("R4", id="o2", code=concept("60046008"))
        lines = [samples.device("R4"), samples.observation("R4"), other]

        told = found(b"\n".join(map(of, lines)))

        (prediction,) = (one for one in told if isinstance(one, Prediction))
        assert [o.finding for o in prediction.outputs or ()] == ["pneumothorax", "pleural_effusion"]

    def test_a_finding_may_be_the_value(self) -> None:
        tree = samples.observation("R4", code=concept("404684003"))
        tree["valueCodeableConcept"] = concept("36118008")
        del tree["valueBoolean"]

        assert only(of(tree)).outputs == [
            Output(finding="pneumothorax", score=0.915, positive=True)
        ]

    def test_a_site_maps_its_own_codes(self) -> None:
        row = Code(code="NOD", scheme="https://ai.example/codes", finding="nodule", means="score")
        tree = samples.observation("R4", code=concept("NOD", row.scheme))
        tree["valueQuantity"] = {"value": 0.25}
        for name in ("valueBoolean", "component"):
            del tree[name]

        assert only(of(tree), translator([row])).outputs == [Output(finding="nodule", score=0.25)]

    @pytest.mark.parametrize(
        ("code", "status"),
        [
            ("error", "failed"),
            ("unsupported", "rejected"),
            ("not-applicable", "not_applicable"),
        ],
    )
    def test_an_absent_value_says_why(self, code: str, status: str) -> None:
        why = concept(code, "http://terminology.hl7.org/CodeSystem/data-absent-reason")
        tree = samples.observation("R4", dataAbsentReason=why)
        for name in ("valueBoolean", "component"):
            del tree[name]

        told = only(valid("R4", tree))

        assert (told.status, told.reason.code) == (status, code)
        assert told.outputs is None

    def test_a_panel_that_only_holds_others_together_is_no_answer_of_its_own(self) -> None:
        panel = samples.observation("R4", id="p", hasMember=refs("o", 1))
        for name in ("valueBoolean", "component"):
            del panel[name]

        told = found(of(bundle(panel, samples.observation("R4"))))

        assert told[0] == Untranslated("ignored", "Observation.hasMember")
        assert [type(one) for one in told[1:]] == [Prediction]

    def test_a_device_is_remembered_over_messages(self) -> None:
        by = translator()
        found(of(samples.device("R5")), by)

        assert only(of(samples.observation("R5")), by).model == "ptx-detect"

    @both
    def test_the_site_says_which_model_a_device_is(self, version: str) -> None:
        row = DeclaredModel(declared="PTX-Detect", manufacturer="example", name="ptx", version="9")
        by = translator(models=Models((row,)))
        device = samples.device(version)
        del device["version"]

        told = found(of(bundle(device, samples.observation(version))), by)

        assert [(one.model, one.model_version) for one in told] == [("ptx", "9")]  # type: ignore[union-attr]

    def test_a_device_never_heard_of_has_the_name_of_its_resource(self) -> None:
        told = only(of(samples.observation("R4")))

        assert (told.model, told.model_version) == ("ai1", "unknown")

    @pytest.mark.parametrize(
        ("status", "told"), [("cancelled", "cancelled"), ("final", "completed")]
    )
    def test_a_result_that_was_called_off(self, status: str, told: str) -> None:
        assert only(of(samples.observation("R4", status=status))).status == told

    def test_more_than_may_wait_leave_in_their_order(self) -> None:
        one = only(of(samples.observation("R4")))
        gathering = Gathering(most=2)
        studies = [msgspec.structs.replace(one, study=f"s{n}") for n in range(4)]

        left = [gone for study in studies for gone in gathering.add(study)]

        assert [gone.study for gone in left] == ["s0", "s1"]
        assert [gone.study for gone in gathering.finish()] == ["s2", "s3"]
