"""Use outside the intended use is told as a share; what is not known is no part of it."""

import pytest

from schemas.config import Model, Range
from schemas.oversight import OffLabel as Settings
from streams.fields import Value
from streams.off_label import OffLabel
from streams.share_bet import clean_run
from tests.unit.builders import at, us
from tests.unit.happenings import Watched, findings, incident_of, signals

PTX = Model(
    name="ptx",
    intended_use={"patient.age_years": Range(min=18), "view": ["PA", "AP"]},
    owner="kim",
    runbook="https://r",
)
ADULT: dict[str, Value] = {"patient.age_years": 40.0, "view": "PA"}
CHILD: dict[str, Value] = {"patient.age_years": 4.0, "view": "PA"}
SIDE: dict[str, Value] = {"patient.age_years": 40.0, "view": "LL"}
DAYS = 1_000.0


def stage(tolerated_share: float = 0.05) -> OffLabel:
    return OffLabel([PTX, Model(name="any")], Settings(tolerated_share=tolerated_share), days_of)


def days_of(site: str) -> float:
    assert site == "north"
    return DAYS


def watched(tolerated_share: float = 0.05, adults_n: int = 50) -> Watched:
    north = Watched(stage(tolerated_share))
    for _ in range(adults_n):
        north.answer(facts=ADULT)
    return north


def children(north: Watched, n: int) -> list[str]:
    return [signal for _ in range(n) for signal in signals(north.answer(facts=CHILD))]


def test_many_children_are_told_as_a_share_with_its_limits() -> None:
    north = watched()

    children(north, 15)

    opened = north.findings()[0]
    n = opened.evidence.current_n or 0
    bad_n = opened.evidence.affected_count or 0
    assert (opened.signal, opened.kind, opened.severity) == ("holds", "off_label", "warning")
    assert (opened.model, opened.subject) == ("ptx", "patient.age_years")
    assert (opened.owner, opened.runbook) == ("kim", "https://r")
    assert n == bad_n  # the fifty adults came before it began
    assert 3 <= bad_n <= 8
    assert opened.evidence.before == 0.05
    assert opened.evidence.after == pytest.approx(bad_n / n)
    assert opened.evidence.threshold == DAYS
    assert (opened.evidence.statistic or 0) >= DAYS
    assert opened.evidence.examples == [f"s{51 + index}" for index in range(bad_n)]
    assert opened.evidence.since == at(51 * 60)
    assert "5.0% tolerated" in opened.title
    assert " to " in opened.title


def test_a_share_that_is_tolerated_raises_nothing() -> None:
    north = watched()

    for _ in range(200):
        for facts in [CHILD] + [ADULT] * 24:
            north.answer(facts=facts)

    assert north.findings() == []


def test_the_field_that_is_violated_most_is_the_subject_and_stays_it() -> None:
    north = watched()

    for facts in [SIDE] + [CHILD] * 15 + [SIDE] * 30:
        north.answer(facts=facts)

    assert {finding.subject for finding in north.findings()} == {"patient.age_years"}
    assert len(north.findings()) > 20


def test_a_run_of_studies_within_the_use_ends_it_and_the_next_is_counted_anew() -> None:
    north = watched()
    children(north, 15)

    said = [signal for _ in range(clean_run(0.05)) for signal in signals(north.answer(facts=ADULT))]
    again = children(north, 12)

    assert said == ["eased"]
    assert north.findings()[-1].evidence.affected_count == 12
    assert again[0] == "holds"


def test_an_unknown_field_is_counted_apart() -> None:
    north = watched()

    for _ in range(100):
        north.answer(facts={"view": "PA"})
    children(north, 15)

    opened = north.findings()[0]
    assert opened.title.endswith("; 100 unknown")
    assert (opened.evidence.current_n or 0) < 70


def test_a_known_violation_counts_whatever_else_is_unknown() -> None:
    north = watched(tolerated_share=0.0, adults_n=0)

    said = north.answer(facts={"view": "LL"})

    assert [finding.subject for finding in findings(said)] == ["view"]


def test_where_none_is_tolerated_every_study_counts_also_of_one_patient() -> None:
    north = watched(tolerated_share=0.0, adults_n=3)

    said = north.answer(facts=CHILD)
    again = north.answer(facts=CHILD, counts=False)
    eased = [signal for _ in range(299) for signal in signals(north.answer(facts=ADULT))]

    assert signals(said) == signals(again) == ["holds"]
    assert findings(again)[0].evidence.affected_count == 2
    assert eased == ["eased"]


def test_many_studies_of_one_patient_are_no_share() -> None:
    north = watched()

    said = [north.answer(facts=CHILD, counts=False) for _ in range(100)]

    assert not any(said)


def test_nothing_is_bet_before_fifty_studies() -> None:
    granted: list[str] = []
    north = Watched(OffLabel([PTX], Settings(), lambda site: granted.append(site) or DAYS))

    for _ in range(49):
        assert north.answer(facts=CHILD) == []
    assert granted == []
    north.answer(facts=CHILD)

    assert granted == ["north"]
    assert children(north, 10)[0] == "holds"
    assert granted == ["north"]


@pytest.mark.parametrize(
    "fields",
    [{"role": "shadow"}, {"fresh": False}, {"model": "any"}, {"model": "stranger"}],
    ids=["a shadow", "a repeat", "any use is intended", "not configured"],
)
def test_answers_that_say_nothing_of_the_use(fields: dict[str, object]) -> None:
    north = Watched(stage(tolerated_share=0.0))

    assert north.answer(facts=CHILD, **fields) == []


def test_an_answer_before_its_study_waits_for_it() -> None:
    north = Watched(stage(tolerated_share=0.0))

    early = north.answer("a", known=False)
    said = north.study("a", facts=CHILD)
    again = north.study("a", facts=CHILD)

    assert early == []
    assert signals(said) == ["holds"]
    assert findings(said)[0].at_us == us(60)
    assert again == []


def test_an_early_answer_waits_a_day_at_most() -> None:
    north = Watched(stage(tolerated_share=0.0))
    north.answer("a", known=False)
    north.answer("b", known=False, after_s=86_400)

    assert north.study("a", facts=CHILD) == []
    assert signals(north.study("b", facts=CHILD)) == ["holds"]
    assert north.stage.dropped == {"early_answers_in_vain": 1}


def test_a_share_that_a_person_accepted_is_tolerated_and_a_larger_one_told() -> None:
    north = watched()
    for _ in range(60):
        children(north, 1)
        for _ in range(4):
            north.answer(facts=ADULT)

    north.stage.accept("north", "ptx", "patient.age_years")
    north.stage.over(incident_of(north.findings()[-1]))
    as_before = [
        signal
        for _ in range(20)
        for facts in [CHILD] + [ADULT] * 6
        for signal in signals(north.answer(facts=facts))
    ]
    more = children(north, 20)

    assert as_before == []
    assert more[0] == "holds"
    assert (north.findings()[-1].evidence.before or 0) > 0.15


def test_what_is_accepted_elsewhere_changes_nothing() -> None:
    north = watched()
    children(north, 10)

    north.stage.accept("south", None, None)
    north.stage.accept("north", "other", None)
    north.stage.accept("north", "ptx", "view")
    north.stage.over(incident_of(north.findings()[-1]))
    for _ in range(3):
        children(north, 10)

    assert north.findings()[-1].evidence.before == 0.05


def test_titles_fit_whatever_the_names() -> None:
    long = Model(name="x" * 250, intended_use={"y" * 250: ["PA"]})
    north = Watched(OffLabel([long], Settings(tolerated_share=0.0), days_of))

    for _ in range(3):
        north.answer(model=long.name, facts={"y" * 250: "LL"}, site="n" * 32)

    assert max(len(finding.title) for finding in north.findings()) <= 200
