"""How the results of one study are settled: a table of stories, in words."""

from itertools import permutations

import pytest

from schemas.config import Deadlines, Model
from schemas.prediction import Output, Prediction
from schemas.study import Expectation, Study
from streams.outcomes.expectation import Expectations
from streams.outcomes.study_record import StudyRecord, result_of
from tests.unit.builders import prediction, seconds, study, us

PTX = Model(name="ptx", deadline_s=100.0, findings=("pneumothorax",))


def told(*events: Study | Prediction | float, models: list[Model] | None = None) -> list[str]:
    """What is settled by these in turn; a number is time that has been proved until then."""
    expectations = Expectations([PTX] if models is None else models)
    record = StudyRecord(site="north", study="a", touched_us=0)
    settled = []
    for event in events:
        if isinstance(event, Study):
            settled += record.upsert(event, us(seconds(event.at)), expectations).settled
        elif isinstance(event, Prediction):
            rule = expectations.rules.get(event.model)
            one = record.answer(event.model, result_of(event, us(seconds(event.at)), rule))
            settled += [] if one is None else [one]
        else:
            due = [m for m, e in record.expected.items() if e.outcome is None]
            settled += [record.expire(m) for m in due if record.expected[m].due_us <= us(event)]
    whose = "" if models is None else "{0.model} "
    return [
        (whose + "{0.outcome} {0.revision}").format(s) + f" @{seconds(s.at_us):g}" for s in settled
    ]


def other(at_s: float) -> Prediction:
    """A completed answer without the finding that is owed."""
    return prediction("a", at_s, outputs=[Output(finding="effusion", score=0.1)])


def failing(at_s: float, status: str = "failed") -> Prediction:
    return prediction("a", at_s, status=status)


COMPLETE = study("a", 0)
STORIES = {
    "answered in time": ([COMPLETE, prediction("a", 99)], ["on_time 1 @99"]),
    "answered at the deadline": ([COMPLETE, prediction("a", 100)], ["on_time 1 @100"]),
    "answered too late": ([COMPLETE, prediction("a", 100.000001)], ["late 1 @100"]),
    "never answered": ([COMPLETE, 99.9, 100.0], ["missing 1 @100"]),
    "answered after it was missed": (
        [COMPLETE, 100.0, prediction("a", 120)],
        ["missing 1 @100", "late 2 @120"],
    ),
    "answered in time, told after it was missed": (
        [COMPLETE, 100.0, prediction("a", 50)],
        ["missing 1 @100", "late 2 @50"],
    ),
    "failed, then answered in time": (
        [COMPLETE, failing(10), prediction("a", 50)],
        ["failed 1 @10", "on_time 2 @50"],
    ),
    "failed, then answered late": (
        [COMPLETE, failing(10), prediction("a", 150)],
        ["failed 1 @10", "late 2 @150"],
    ),
    "failed, and time passes": ([COMPLETE, failing(10), 100.0], ["failed 1 @10"]),
    "failed twice": ([COMPLETE, failing(10), failing(20)], ["failed 1 @10"]),
    "failed, then incomplete": ([COMPLETE, failing(10), other(20)], ["failed 1 @10"]),
    "incomplete": ([COMPLETE, other(10)], ["incomplete 1 @10"]),
    "incomplete, then complete": (
        [COMPLETE, other(10), prediction("a", 20)],
        ["incomplete 1 @10", "on_time 2 @20"],
    ),
    "missed, then failed": ([COMPLETE, 100.0, failing(110)], ["missing 1 @100"]),
    "missed, then incomplete": ([COMPLETE, 100.0, other(110)], ["missing 1 @100"]),
    "settled twice at most": (
        [COMPLETE, failing(10), prediction("a", 150), prediction("a", 20)],
        ["failed 1 @10", "late 2 @150"],
    ),
    "worse news never count": (
        [COMPLETE, prediction("a", 10), failing(20), other(30)],
        ["on_time 1 @10"],
    ),
    "late is not made better": (
        [COMPLETE, prediction("a", 110), prediction("a", 20)],
        ["late 1 @110"],
    ),
    "rejected, and that is final": (
        [COMPLETE, failing(10, "rejected"), prediction("a", 20)],
        ["rejected 1 @10"],
    ),
    "the model says it does not apply": (
        [COMPLETE, failing(10, "not_applicable"), 100.0],
        ["not_applicable 1 @10"],
    ),
    "the model was cancelled": ([COMPLETE, failing(10, "cancelled")], ["cancelled 1 @10"]),
    "not started before it is complete": ([study("a", 0, state="received"), 1e6], []),
    "starts when it is complete": (
        [
            study("a", 0, state="received"),
            study("a", 50, state="stable"),
            study("a", 60),
            159.0,
            160.0,
        ],
        ["missing 1 @160"],
    ),
    "a repeat does not start it anew": ([COMPLETE, study("a", 50), 100.0], ["missing 1 @100"]),
    "cancelled while it waits": (
        [COMPLETE, study("a", 30, state="cancelled"), 100.0],
        ["cancelled 1 @30"],
    ),
    "cancelled after it was answered": (
        [COMPLETE, prediction("a", 10), study("a", 30, state="cancelled")],
        ["on_time 1 @10"],
    ),
    "cancelled by an older stamp than the newest": (
        [study("a", 20), study("a", 10, state="cancelled"), 120.0],
        ["missing 1 @120"],
    ),
    "cancelled before it began": (
        [study("a", 30, state="cancelled"), study("a", 0)],
        ["cancelled 1 @30"],
    ),
    "answered before the study came": (
        [prediction("a", 10), COMPLETE],
        ["on_time 1 @10"],
    ),
    "answered before it was complete": (
        [study("a", 0, state="received"), prediction("a", 5), study("a", 10)],
        ["on_time 1 @5"],
    ),
    "failed before the study came, answered after": (
        [failing(5), COMPLETE, prediction("a", 20)],
        ["failed 1 @5", "on_time 2 @20"],
    ),
}


@pytest.mark.parametrize(("events", "settled"), STORIES.values(), ids=STORIES)
def test_a_study(events: list[Study | Prediction | float], settled: list[str]) -> None:
    assert told(*events) == settled


@pytest.mark.parametrize(("events", "settled"), STORIES.values(), ids=STORIES)
def test_a_study_of_which_everything_is_told_twice(
    events: list[Study | Prediction | float], settled: list[str]
) -> None:
    assert told(*(event for event in events for _ in range(2))) == settled


PRIORITIES = Model(name="ptx", deadline_s=Deadlines(routine=1_000, urgent=300, stat=100))
GAPS = Model(name="ptx", deadline_s=Deadlines(routine=1_000, stat=100))
ONLY_ROUTINE = Model(name="ptx", deadline_s=Deadlines(routine=1_000))


@pytest.mark.parametrize(
    ("model", "priorities", "missing_s"),
    [
        (PRIORITIES, ["routine"], 1_000),
        (PRIORITIES, ["urgent"], 300),
        (PRIORITIES, ["stat"], 100),
        (PRIORITIES, ["routine", "stat"], 100),
        (PRIORITIES, ["stat", "routine"], 100),
        (PRIORITIES, ["routine", "urgent", "routine"], 300),
        (GAPS, ["urgent"], 1_000),
        (ONLY_ROUTINE, ["stat"], 1_000),
        (PTX, ["stat"], 100),
    ],
)
def test_a_deadline_is_that_of_the_highest_priority(
    model: Model, priorities: list[str], missing_s: float
) -> None:
    events = [study("a", n, priority=priority) for n, priority in enumerate(priorities)]

    assert told(*events, missing_s - 1, missing_s, models=[model]) == [
        f"ptx missing 1 @{missing_s:g}"
    ]


class TestExpects:
    OWN = [Expectation(model="cxr", deadline_s=10.0)]

    def test_its_own_expectations_replace_the_configured_ones(self) -> None:
        assert told(study("a", 0, expects=self.OWN), 1e6, models=[PTX]) == ["cxr missing 1 @10"]

    def test_none_at_all_expects_nothing(self) -> None:
        assert told(study("a", 0, expects=[]), 1e6, models=[PTX]) == []

    def test_its_own_deadline_is_the_same_at_every_priority(self) -> None:
        own = [Expectation(model="ptx", deadline_s=10.0)]

        assert told(study("a", 0, expects=own, priority="stat"), 10.0, models=[PRIORITIES]) == [
            "ptx missing 1 @10"
        ]

    def test_a_model_that_is_expected_no_more_is_not_applicable(self) -> None:
        assert told(COMPLETE, study("a", 5, expects=self.OWN), 1e6, models=[PTX]) == [
            "ptx not_applicable 1 @5",
            "cxr missing 1 @15",
        ]

    def test_a_later_upsert_without_any_keeps_them(self) -> None:
        assert told(study("a", 0, expects=self.OWN), study("a", 5), 1e6, models=[PTX]) == [
            "cxr missing 1 @10"
        ]

    def test_findings_that_a_known_model_owes_are_still_owed(self) -> None:
        own = [Expectation(model="ptx", deadline_s=10.0)]

        assert told(study("a", 0, expects=own), other(5), models=[PTX]) == ["ptx incomplete 1 @5"]

    def test_the_start_of_a_known_model_is_still_its_own(self) -> None:
        early = Model(name="ptx", starts_at="received")
        own = [Expectation(model="ptx", deadline_s=10.0)]

        events = [study("a", 0, state="received", expects=own), 10.0]

        assert told(*events, models=[early]) == ["ptx missing 1 @10"]

    def test_of_one_model_twice_the_last_counts(self) -> None:
        twice = [Expectation(model="cxr", deadline_s=n) for n in (10.0, 20.0)]

        assert told(study("a", 0, expects=twice), 15.0, 20.0, models=[]) == ["cxr missing 1 @20"]


class TestMany:
    PROMPT = Model(name="ptx", deadline_s=Deadlines(routine=200, stat=100))

    def test_one_upsert_is_read_as_many_are(self) -> None:
        upserts = [
            study("a", 10, body_part="CHEST"),
            study("a", 10, priority="stat"),
            study("a", 10, state="cancelled"),
            study("a", 10, state="received"),
            study("a", 10, expects=[Expectation(model="ptx", deadline_s=7.0)]),
            study("a", 10, expects=[]),
        ]
        chest = Model(name="cxr", starts_at="received", applies={"body_part": ["CHEST"]})
        expectations = Expectations([self.PROMPT, chest])
        for upsert in upserts:
            records = [StudyRecord(site="north", study="a", touched_us=0) for _ in range(2)]
            records[1].upsert(study("a", 0, state="unheard of"), us(0), expectations)
            for record in records:
                record.upsert(upsert, us(10), expectations)

            assert records[0].expected == records[1].expected

    def test_what_the_first_of_very_many_said_stays_known(self) -> None:
        chest = Model(name="cxr", deadline_s=100.0, applies={"body_part": ["CHEST"]})
        views = [
            study("a", n, view=f"{n % 2}", priority=("stat", "urgent")[n % 2]) for n in range(200)
        ]
        expectations = Expectations([chest])
        record = StudyRecord(site="north", study="a", touched_us=0)

        settled = []
        for upsert in [study("a", -1, body_part="HAND"), study("a", -1, body_part="CHEST"), *views]:
            settled += record.upsert(upsert, us(seconds(upsert.at)), expectations).settled

        assert settled == []
        assert record.expected["cxr"].start_us == us(-1)
        assert len(record.upserts) <= 32

    def test_a_late_one_among_many_alike_counts_from_the_next_of_them(self) -> None:
        chest = Model(name="cxr", deadline_s=100.0, applies={"body_part": ["CHEST"]})
        alike = [study("a", at_s) for at_s in (0, 10, 20)]
        early = study("a", 5, state="received", body_part="CHEST")

        assert told(*alike, early, 110.0, models=[chest]) == ["cxr missing 1 @110"]


class TestApplies:
    CHEST = Model(name="cxr", deadline_s=100.0, applies={"body_part": ["CHEST"]})

    def test_a_study_that_matches_no_more_is_not_applicable(self) -> None:
        events = [study("a", 0, body_part="CHEST"), study("a", 5, body_part="HAND"), 1e6]

        assert told(*events, models=[self.CHEST]) == ["cxr not_applicable 1 @5"]

    def test_what_an_upsert_leaves_out_stays_known(self) -> None:
        events = [study("a", 0, body_part="CHEST"), study("a", 5), 100.0]

        assert told(*events, models=[self.CHEST]) == ["cxr missing 1 @100"]

    def test_a_later_upsert_can_add_a_model(self) -> None:
        events = [study("a", 0), study("a", 5, body_part="CHEST"), 104.0, 105.0]

        assert told(*events, models=[self.CHEST]) == ["cxr missing 1 @105"]

    def test_a_correction_with_an_older_stamp_does_not_undo_a_newer_fact(self) -> None:
        events = [study("a", 5, body_part="CHEST"), study("a", 0, body_part="HAND"), 105.0]

        assert told(*events, models=[self.CHEST]) == ["cxr missing 1 @105"]

    @pytest.mark.parametrize("order", list(permutations(range(4))))
    def test_the_order_in_which_upserts_come_does_not_matter(self, order: tuple[int, ...]) -> None:
        upserts = [
            study("a", 0, state="received", body_part="HAND"),
            study("a", 10, body_part="CHEST"),
            study("a", 20, priority="stat"),
            study("a", 30, body_part="CHEST", view="PA"),
        ]
        hurried = Model(
            name="cxr",
            applies={"body_part": ["CHEST"]},
            deadline_s=Deadlines(routine=1_000, stat=100),
        )

        events = [upserts[place] for place in order]

        assert told(*events, 109.0, 110.0, models=[hurried]) == ["cxr missing 1 @110"]
