"""Values that cannot be are told one by one, and a run of possible ones ends it."""

import pytest

from schemas.config import Clock, Model, Watch
from schemas.oversight import DataQuality
from schemas.prediction import Output
from schemas.study import Patient, Scanner
from streams.observations.observe import Observations
from streams.outcomes.study_record import StudyFacts
from streams.quality.limits import LIMITS
from streams.quality.stage import Quality
from tests.unit.builders import prediction, us
from tests.unit.happenings import Watched, findings, happened, incident_of, signals

PTX = Model(name="ptx", owner="kim", runbook="https://r")
ALL = Watch()
KVP = "acquisition.kvp"


def watched(watch: Watch = ALL, **settings: object) -> Watched:
    return Watched(Quality([PTX], DataQuality(**settings), watch, Clock(), lambda _: 1_000.0))


def test_a_value_that_cannot_be_is_told_with_its_reason_and_not_with_the_value() -> None:
    north = watched()

    [told] = findings(north.study("a", acquisition={"kvp": -47.0}))

    assert (told.signal, told.kind, told.severity) == ("holds", "data_quality", "warning")
    assert (told.site, told.model, told.subject) == ("north", None, KVP)
    assert told.title.startswith(
        "acquisition.kvp of north is impossible in 1 study: a tube voltage"
    )
    assert "47" not in told.title
    assert told.evidence.affected_count == 1
    assert told.evidence.examples == ["a"]


@pytest.mark.parametrize(
    ("field", "impossible", "possible"),
    [
        ("kvp", [0, -1, 500.1], [0.1, 120, 500]),
        ("exposure_mas", [-0.1], [0, 5]),
        ("pixel_mm", [0, -1, 1001], [0.01, 0.7]),
        ("slice_mm", [0, -5], [0.3, 10]),
        ("rows", [0, -1, 65_536], [1, 4096, 65_535]),
        ("cols", [0, -1, 65_536], [1, 512]),
    ],
)
def test_the_limits_of_an_acquisition(
    field: str, impossible: list[float], possible: list[float]
) -> None:
    bad = [watched().study(acquisition={field: float(value)}) for value in impossible]
    good = [watched().study(acquisition={field: float(value)}) for value in possible]

    assert [signals(said) for said in bad] == [["holds"]] * len(impossible)
    assert good == [[]] * len(possible)


@pytest.mark.parametrize(("age", "said"), [(0.0, []), (130.0, []), (130.5, ["holds"])])
def test_the_limits_of_an_age(age: float, said: list[str]) -> None:
    assert signals(watched().study(patient=Patient(age_years=age))) == said


def test_every_limit_has_a_reason() -> None:
    assert all(len(limit.reason) > 10 and limit.least < limit.greatest for limit in LIMITS.values())


@pytest.mark.parametrize(
    "study",
    [
        {"acquisition": {"kvp": "120 kV"}},
        {"acquisition": {"kernel": "B30f", "unheard_of": -1.0}},
        {"attributes": {"kvp": -1.0}},
        {"acquisition": {"kvp": -1.0}, "fresh": False},
        {},
    ],
    ids=["a word", "no limit", "an attribute", "a repeat", "nothing"],
)
def test_what_has_no_limit_or_was_seen_says_nothing(study: dict[str, object]) -> None:
    assert watched().study(**study) == []


def test_more_of_them_are_one_episode_until_a_run_of_possible_values() -> None:
    north = watched()

    bad = [signals(north.study(acquisition={"kvp": 0.0})) for _ in range(30)]
    said = [signal for _ in range(49) for signal in signals(north.study(acquisition={"kvp": 90.0}))]
    north.study()  # says nothing of it
    eased = north.study(acquisition={"kvp": 90.0})
    again = north.study(acquisition={"kvp": 0.0})

    assert bad == [["holds"]] * 30
    assert said == []
    assert signals(eased) == ["eased"]
    assert findings(eased)[0].evidence.affected_count == 30
    assert len(findings(eased)[0].evidence.examples or []) == 20
    assert findings(again)[0].evidence.affected_count == 1


def test_values_that_a_person_accepted_are_told_no_more() -> None:
    north = watched()
    [told] = findings(north.study(acquisition={"kvp": 0.0, "rows": 0.0}))[:1]

    north.stage.accept("north", None, KVP)
    north.stage.over(incident_of(told))

    assert [f.subject for f in findings(north.study(acquisition={"kvp": 0.0, "rows": 0.0}))] == [
        "acquisition.rows"
    ]


def test_what_is_not_watched_is_not_told() -> None:
    north = watched(Watch(exclude=("acquisition.*", "turnaround_s")))

    north.study(acquisition={"kvp": 0.0}, patient=Patient(age_years=140.0))
    answered_before(north, 3600)

    assert [finding.subject for finding in north.findings()] == ["patient.age_years"]


def answered_before(north: Watched, ahead_s: float, **fields: object) -> list[str]:
    """An answer that is stamped so long before its study."""

    event = prediction("a", 10_000, **fields)
    facts = StudyFacts(us(10_000 + ahead_s), {})
    return signals(north.take(happened(event, 10_000, study=facts)))


def test_an_answer_long_before_its_study_is_told() -> None:
    north = watched()

    said = [answered_before(north, ahead_s) for ahead_s in (-60, 0, 300, 300.1)]

    assert said == [[], [], [], ["holds"]]
    [told] = north.findings()
    assert (told.model, told.subject) == ("ptx", "turnaround_s")
    assert (told.owner, told.runbook) == ("kim", "https://r")
    assert told.title == (
        "turnaround_s of ptx at north is impossible in 1 study: "
        "a result does not come before its study"
    )
    assert answered_before(north, 400, role="shadow") == []


def full(**fields: object) -> dict[str, object]:
    plain = {
        "view": "PA",
        "scanner": Scanner(station="CT2"),
        "acquisition": {"kvp": 90.0},
        "attributes": {"snr": 3.0},
    }
    return plain | fields


def test_which_usual_fields_a_study_lacks_is_an_observation_of_each() -> None:
    north = watched(learn_from=50)
    learning = [north.study(**full()) for _ in range(50)]

    said = north.study("x", **full(view=None, acquisition={"kvp": 80.0}, attributes=None))

    assert learning == [[]] * 50
    assert said == [
        Observations(
            "north",
            "",
            "x",
            us(51 * 60),
            [
                ("missing.acquisition.kvp", False),
                ("missing.attributes.snr", True),
                ("missing.scanner.station", False),
                ("missing.view", True),
            ],
        )
    ]


def test_a_field_of_less_than_half_of_the_studies_is_not_usual() -> None:
    north = watched(learn_from=50)
    for n in range(50):
        north.study(view="PA" if n < 25 else None, body_part="CHEST" if n < 24 else None)

    [said] = north.study()

    assert said.values == [("missing.view", True)]


def test_fields_are_bounded_and_the_most_usual_are_kept() -> None:
    north = watched(learn_from=50, fields=2)
    for n in range(50):
        few = {f"a{index}": 1.0 for index in range(60) if index == 7 or n % 2}
        north.study(attributes=few | {f"{n} {index}": 1.0 for index in range(3)}, view="PA")

    [said] = north.study()

    assert [subject for subject, _ in said.values] == ["missing.attributes.a7", "missing.view"]
    assert north.stage.dropped["fields_overflow"] > 0
    assert north.stage.dropped["fields_unwatched"] == 59


def test_a_site_without_usual_fields_costs_nothing() -> None:
    north = watched(learn_from=50)

    said = [north.study() for _ in range(60)]

    assert said == [[]] * 60


@pytest.mark.parametrize("exclude", ["view", "missing.view", "*"])
def test_a_field_that_is_not_watched_is_not_missed(exclude: str) -> None:
    north = watched(Watch(exclude=(exclude,)), learn_from=50)
    for _ in range(50):
        north.study(view="PA")

    assert north.study() == []


def test_studies_of_one_patient_are_observed_once() -> None:
    north = watched(learn_from=50)
    for _ in range(50):
        north.study(view="PA")

    assert north.study(counts=False) == []


def test_what_a_site_usually_sends_is_learnt_again_when_a_person_says_so() -> None:
    north = watched(learn_from=50)
    for _ in range(50):
        north.study(view="PA")
    north.stage.accept("north", None, "view")
    before = len(north.study())

    north.stage.accept("north", None, None)
    for _ in range(50):
        north.study(body_part="CHEST")
    [said] = north.study()

    assert before == 1
    assert said.values == [("missing.body_part", True)]


def test_a_shadow_is_not_watched_for_its_quality() -> None:
    north = watched(learn_from=50)
    outputs = [Output(finding="x", score=0.25)]

    assert not any(north.answer(role="shadow", outputs=outputs) for _ in range(100))
    assert north.stage.sizes()["scores_watched"] == 0
