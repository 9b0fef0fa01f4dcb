"""Studies are read once, at their maturity, and what models said is held against the reports."""

from itertools import cycle, repeat

import pytest

from schemas.config import Watch
from schemas.prediction import Output
from schemas.report import Feedback, Label
from streams.clock import NEVER_US, from_us
from streams.observations.observe import Observations
from tests.unit import builders
from tests.unit.builders import us
from tests.unit.reports import (
    DAY_S,
    MATURITY_S,
    Ward,
    advanced,
    answer,
    complete,
    happened,
    readout,
    report,
    told,
    values,
)


@pytest.mark.parametrize(
    ("called", "value", "said"),
    [
        (True, "present", ["a call_rate=yes", "a ppv=yes"]),
        (True, "absent", ["a call_rate=yes", "a ppv=no"]),
        (False, "present", ["a call_rate=no", "a for=yes"]),
        (False, "absent", ["a call_rate=no", "a for=no"]),
        (True, "uncertain", ["a call_rate=yes"]),
        (None, "present", []),
    ],
)
def test_a_call_is_held_against_the_report(called: bool | None, value: str, said: list[str]):
    stage = readout()

    arrivals = [happened(answer(positive=called, score=0.4)), happened(report(value=value))]

    assert values(told(stage, arrivals)) == said


def test_nothing_is_said_before_maturity_and_it_is_dated_then():
    stage = readout()
    told(stage, [happened(answer()), happened(report())], until_s=MATURITY_S - 1)
    assert stage.earliest_us() == us(MATURITY_S)

    said = advanced(stage, us(MATURITY_S))

    assert [(one.site, one.model, one.at_us) for one in said if isinstance(one, Observations)] == [
        ("north", "ptx", us(MATURITY_S))
    ]
    assert stage.earliest_us() == NEVER_US
    assert advanced(stage, us(1e9)) == []


def test_studies_are_read_in_the_order_in_which_they_were_made():
    stage = readout()
    arrivals = [happened(answer("b", 200), made_s=100), happened(answer("a", 300), made_s=50)]

    assert values(told(stage, arrivals)) == ["a call_rate=yes", "b call_rate=yes"]


@pytest.mark.parametrize(
    ("statuses", "said"),
    [
        (["final"], ["ppv=yes"]),
        (["preliminary"], []),
        (["registered", "partial"], []),
        (["final", "corrected:absent"], ["ppv=no"]),
        (["final", "amended:uncertain"], []),
        (["final", "appended:absent"], ["ppv=no"]),  # an addendum: seen when it was read again
        (["appended"], ["ppv=yes"]),  # the final one was never sent, as by a source that is polled
        (["final", "entered_in_error"], []),
        (["final", "cancelled"], []),
        (["final", "entered_in_error", "corrected"], ["ppv=yes"]),
    ],
)
def test_the_newest_word_of_a_report_counts(statuses: list[str], said: list[str]):
    events = []
    for minute, word in enumerate(statuses):
        status, _, value = word.partition(":")
        withdrawn = status in ("entered_in_error", "cancelled")
        fields = {"labels": None} if withdrawn else {}
        events.append(report("a", 3600 + minute, value or "present", status=status, **fields))

    for order in (events, events[::-1]):
        arrivals = [happened(answer()), *(happened(one, arrived_s=4000) for one in order)]
        found = values(told(readout(), arrivals))
        assert [one for one in found if "ppv" in one] == [f"a {one}" for one in said]


def test_of_two_reports_the_newer_one_counts_and_a_withdrawn_one_leaves_the_other():
    first = report("a", 100, "absent", report="r-1")
    second = report("a", 200, "present", report="r-2")
    withdrawn = report("a", 300, report="r-2", status="entered_in_error", labels=None)

    both = told(readout(), [happened(one) for one in (answer(), first, second)])
    one_left = told(readout(), [happened(one) for one in (answer(), first, second, withdrawn)])

    assert values(both)[1] == "a ppv=yes"
    assert values(one_left)[1] == "a ppv=no"


def test_the_first_word_of_a_model_counts():
    events = [answer(at_s=90, positive=False), answer(at_s=60, positive=True, model_version="0")]

    for order in (events, events[::-1]):
        arrivals = [happened(one, arrived_s=100) for one in order]
        assert values(told(readout(), arrivals)) == ["a call_rate=yes"]


def test_a_finding_of_many_lesions_is_called_if_any_is():
    lesions = [
        Output(finding="nodule", positive=False, score=0.1),
        Output(finding="nodule", positive=True, score=0.8),
        Output(finding="nodule", value=3.0),
    ]

    said = told(readout(), [happened(answer(outputs=lesions))])

    assert values(said) == ["a call_rate=yes"]


@pytest.mark.parametrize("fields", [{"role": "shadow"}, {"status": "failed", "outputs": None}])
def test_what_no_clinician_saw_is_not_held_against_the_report(fields: dict[str, str]):
    stage = readout()

    assert told(stage, [happened(answer(**fields)), happened(report())]) == []
    assert stage.dropped["readout_unverified"] == 0


def test_every_model_and_finding_is_held_against_the_same_report():
    two = [
        Output(finding="pneumothorax", positive=True),
        Output(finding="effusion", positive=False),
    ]
    labels = [
        Label(finding="pneumothorax", value="absent"),
        Label(finding="effusion", value="present"),
    ]
    arrivals = [
        happened(answer(model="b", outputs=two)),
        happened(answer(model="a", positive=False)),
        happened(report(labels=labels)),
    ]

    said = [one for one in told(readout(), arrivals) if isinstance(one, Observations)]

    assert [(one.model, list(one.values)) for one in said] == [
        ("a", [("pneumothorax.call_rate", False), ("pneumothorax.for", False)]),
        ("b", [("effusion.call_rate", False), ("effusion.for", True)]),
        ("b", [("pneumothorax.call_rate", True), ("pneumothorax.ppv", False)]),
    ]


@pytest.mark.parametrize(("verdict", "word"), [("agree", "no"), ("disagree", "yes")])
def test_what_radiologists_say_of_a_model_is_a_series_of_its_own(verdict: str, word: str):
    feedback = [Feedback(model="ptx", finding="pneumothorax", verdict=verdict)]
    arrivals = [happened(answer()), happened(report(labels=None, feedback=feedback))]

    assert values(told(readout(), arrivals)) == ["a call_rate=yes", f"a disagree={word}"]


def test_what_comes_after_maturity_is_counted_and_changes_nothing():
    stage = readout()
    late_s = MATURITY_S + DAY_S
    arrivals = [
        happened(answer()),
        happened(report(at_s=100), arrived_s=late_s),
        happened(answer("b"), arrived_s=late_s),
    ]

    assert values(told(stage, arrivals)) == ["a call_rate=yes"]
    assert stage.dropped["readout_too_late"] == 2
    assert stage.dropped["readout_unverified"] == 1


def test_uncertain_labels_are_counted():
    stage = readout()

    told(stage, [happened(answer()), happened(report(value="uncertain"))])

    assert stage.dropped["readout_uncertain"] == 1
    assert stage.dropped["readout_unverified"] == 0


def test_a_result_that_came_before_its_study_waits_for_it():
    stage = readout()
    arrivals = [
        happened(answer(at_s=60), made_s=None),
        happened(builders.study("a", 0), made_s=0, arrived_s=120),
        happened(report()),
    ]

    assert values(told(stage, arrivals)) == ["a call_rate=yes", "a ppv=yes"]


def test_a_result_whose_study_never_comes_is_given_up():
    stage = readout()

    assert told(stage, [happened(answer(), made_s=None)]) == []
    assert stage.dropped["readout_without_study"] == 1
    assert stage.sizes()["studies_unread"] == 0


@pytest.mark.parametrize("first", [True, False])
def test_a_further_study_of_a_patient_is_no_observation(first: bool):
    repeat_study = happened(builders.study("a", 0), counts=False)
    arrivals = [happened(answer(), counts=first), repeat_study, happened(report(), counts=False)]

    assert told(readout(), arrivals) == []


def test_a_cancelled_study_is_not_read():
    cancelled = builders.study("a", 30, state="cancelled")

    for order in ((0, 1), (1, 0)):
        arrivals = [happened(answer(), arrived_s=90), happened(cancelled, arrived_s=90)]
        assert told(readout(), [arrivals[i] for i in order]) == []


def test_hitting_a_bound_is_counted():
    stage = readout(studies_per_site=1, findings_per_site=1)
    two = [Output(finding="f", positive=True), Output(finding="g", positive=True)]
    arrivals = [happened(answer("a", outputs=two)), happened(answer("b"))]

    assert values(told(stage, arrivals)) == ["a call_rate=yes"]
    assert stage.dropped["readout_overflow"] == 1
    assert stage.dropped["readout_findings_overflow"] == 1


def test_what_is_not_to_be_watched_is_not_said():
    quiet = readout(watch=Watch(exclude=("*.ppv",)))
    nothing = readout(watch=Watch(exclude=("*",)))
    arrivals = [happened(answer()), happened(report())]

    assert values(told(quiet, arrivals)) == ["a call_rate=yes"]
    assert told(nothing, arrivals) == []
    assert list(nothing.changes()) == []


def test_references_of_labels_are_learnt_on_the_same_studies():
    """PPV has one observation in ten studies here, and its reference is no older for it."""
    ward = Ward(readout(observations=1_000))
    called = cycle([True] + [False] * 9)

    early = ward.sees(999, called, cycle([True] * 10))
    until = complete(early)
    rest = complete(ward.sees(601, called, repeat(True)))

    assert until == []
    assert sorted(rest) == [f"pneumothorax.{name}" for name in ("call_rate", "for", "ppv")]


def test_a_reference_without_50_observations_waits_for_them():
    ward = Ward(readout(observations=100))
    called = cycle([True] + [False] * 9)

    said = complete(ward.sees(400, called, repeat(True)) + ward.rests())
    late = complete(ward.sees(0, called, repeat(True)))

    assert sorted(said) == ["pneumothorax.call_rate", "pneumothorax.for"]
    more = complete(ward.sees(100, called, repeat(True)) + ward.rests())
    assert late == []
    assert more == ["pneumothorax.ppv"]


def test_a_record_is_written_when_it_changed_and_gone_when_it_was_read():
    stage = readout()
    assert list(stage.take(happened(answer()))) == []
    assert [kind for kind, _, record in stage.changes() if record] == ["unread/1"]
    assert list(stage.take(happened(answer()))) == []
    assert list(stage.changes()) == []

    told(stage, [])

    written = {kind: record for kind, _, record in stage.changes()}
    assert written["unread/1"] is None
    assert written["accuracy/1"] is not None
    assert list(stage.changes()) == []


def test_a_study_that_turns_out_to_be_newer_is_read_later():
    stage = readout()
    arrivals = [
        happened(answer(at_s=60), made_s=0),
        happened(builders.study("a", DAY_S), made_s=DAY_S),
    ]

    said = told(stage, arrivals)

    assert [from_us(one.at_us) for one in said if isinstance(one, Observations)] == [
        from_us(us(DAY_S + MATURITY_S))
    ]
