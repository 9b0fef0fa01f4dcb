"""The simulated hospital itself: what it may be relied on for."""

from argparse import ArgumentParser
from collections import Counter
from datetime import UTC, datetime, timedelta
from statistics import mean

import pytest

from schemas.prediction import Prediction
from schemas.report import Report
from schemas.study import Study
from streams.hospital.faults import Failure, Fault, Outage, Shift, Silence
from streams.hospital.settings import Hospital
from streams.simulate import Arrival, lines, simulate
from streams.simulate_cli import add_arguments, hospital_from

START = Hospital().start
HOUR = timedelta(hours=1)


def arrivals(*faults: Fault, seed: int = 1, **settings: object) -> list[Arrival]:
    return list(simulate(Hospital(faults=faults, **settings), seed))  # type: ignore[arg-type]


def only(kind: type, events: list[Arrival], site: str = "north") -> list:
    return [a.event for a in events if isinstance(a.event, kind) and a.event.site == site]


def test_the_same_seed_gives_the_same_bytes_and_another_seed_others():
    first, again = (b"".join(lines(simulate(Hospital(days=0.5), 3))) for _ in range(2))

    assert first == again
    assert first != b"".join(lines(simulate(Hospital(days=0.5), 4)))


def test_arrivals_are_in_order_and_no_event_arrives_before_it_happened():
    arrived = [a.arrived_us for a in arrivals(days=2)]

    assert arrived == sorted(arrived)
    assert all(a.event.at.timestamp() * 1e6 < a.arrived_us for a in arrivals())


def test_a_site_is_the_same_whatever_other_sites_there_are():
    alone = arrivals(sites=("south",))

    assert alone == [a for a in arrivals() if a.event.site == "south"]


def test_studies_come_by_day_and_on_weekdays():
    studies = {s.study: s.at for s in only(Study, arrivals(days=28, studies_per_day=300))}.values()
    by_day = Counter(at.date() for at in studies)
    weekdays = [n for day, n in by_day.items() if day.weekday() < 5]

    assert 280 < mean(weekdays) < 320
    assert mean(n for day, n in by_day.items() if day.weekday() > 4) < 0.5 * mean(weekdays)
    assert sum(8 <= at.hour < 18 for at in studies) > 2 * sum(at.hour < 7 for at in studies)


def test_scores_know_the_truth():
    events = arrivals(days=7)
    present = {
        report.study: label.value == "present"
        for report in only(Report, events)
        for label in report.labels or []
        if label.finding == "pneumothorax"
    }
    scores: dict[bool, list[float]] = {True: [], False: []}
    for prediction in only(Prediction, events):
        if prediction.model == "ptx" and prediction.study in present:
            scores[present[prediction.study]].append(prediction.outputs[0].score)

    assert mean(scores[True]) > mean(scores[False]) + 0.15


def test_patients_come_back():
    keys = Counter(s.patient.key for s in only(Study, arrivals(days=3)) if s.state == "complete")

    assert 1 < max(keys.values()) < 20


def test_an_outage_removes_the_answers_inside_it_and_nothing_else():
    outage = Outage("north", "ptx", START + 9 * HOUR, 2 * HOUR)
    healthy, broken = arrivals(), arrivals(outage)

    lost = [a for a in healthy if a not in broken]
    assert lost
    assert all(isinstance(a.event, Prediction) and a.event.model == "ptx" for a in lost)
    assert all(outage.at <= a.event.at < outage.at + outage.length for a in lost)
    assert [a for a in healthy if a in broken] == broken


def test_a_burst_answers_everything_when_the_outage_is_over():
    outage = Outage("north", "ptx", START + 9 * HOUR, 2 * HOUR, catches_up=True)
    healthy, broken = arrivals(), arrivals(outage)

    late = [a.event for a in broken if a not in healthy]
    assert len(late) == len([a for a in healthy if a not in broken]) > 0
    assert all(outage.at + 2 * HOUR <= p.at < outage.at + 2.1 * HOUR for p in late)


@pytest.mark.parametrize("catches_up", [False, True])
def test_a_silent_feed_loses_or_delays_what_was_sent(catches_up):
    silence = Silence("north", "studies", START + 9 * HOUR, HOUR, catches_up)
    healthy, broken = arrivals(), arrivals(silence)

    until_us = (silence.at + HOUR).timestamp() * 1e6
    moved = [a for a in healthy if a not in broken]
    assert moved
    assert all(isinstance(a.event, Study) for a in moved)
    assert not any(
        silence.at.timestamp() * 1e6 <= a.arrived_us < until_us
        for a in broken
        if isinstance(a.event, Study) and a.event.site == "north"
    )
    assert len(broken) == len(healthy) - (0 if catches_up else len(moved))


@pytest.mark.parametrize("status", ["failed", "rejected", "incomplete"])
def test_a_failing_model_says_so_for_its_share(status):
    failure = Failure("north", "cxr", START, 24 * HOUR, status, 0.5)
    answers = [
        p for p in only(Prediction, arrivals(failure, studies_per_day=600)) if p.model == "cxr"
    ]

    def bad(prediction: Prediction) -> bool:
        return prediction.status == status or (
            status == "incomplete" and {o.finding for o in prediction.outputs or []} == {"effusion"}
        )

    assert 0.35 < mean(bad(p) for p in answers) < 0.65


@pytest.mark.parametrize(
    ("shift", "measure"),
    [
        (
            Shift("acquisition.kvp", START, by=20.0, site="north", station="DX1"),
            lambda e: [s.acquisition["kvp"] for s in only(Study, e) if s.acquisition],
        ),
        (
            Shift("patient.age_years", START, by=-10.0),
            lambda e: [s.patient.age_years for s in only(Study, e)],
        ),
        (
            Shift("pneumothorax.score", START, by=2.0),
            lambda e: [p.outputs[0].score for p in only(Prediction, e) if p.model == "ptx"],
        ),
        (
            Shift("pneumothorax.present", START, to=0.8),
            lambda e: [
                label.value == "present"
                for r in only(Report, e)
                for label in r.labels or []
                if label.finding == "pneumothorax"
            ],
        ),
        (
            Shift("turnaround_s", START, by=100.0),
            lambda e: [(p.at - p.requested_at).total_seconds() for p in only(Prediction, e)],
        ),
    ],
    ids=lambda value: getattr(value, "series", ""),
)
def test_a_shift_moves_its_series(shift, measure):
    before, after = mean(measure(arrivals())), mean(measure(arrivals(shift)))

    assert (after > before * 1.05) if (shift.by > 0 or shift.to) else (after < before * 0.95)


def test_a_shift_begins_and_ends_when_it_says():
    shift = Shift("scanner.software", START + 9 * HOUR, to="VE11", station="CR2", length=HOUR)
    updated = [s for s in only(Study, arrivals(shift)) if s.scanner.software == "VE11"]

    assert updated
    assert all(
        s.scanner.station == "CR2"
        and s.at >= shift.at - timedelta(minutes=2)  # announced before it is complete
        and s.at < shift.at + HOUR + timedelta(minutes=1)
        for s in updated
    )


def command_line(*words: str) -> Hospital:
    parser = ArgumentParser()
    add_arguments(parser)
    return hospital_from(parser.parse_args(words))


def test_the_command_line_describes_every_fault():
    hospital = command_line(
        *("--sites", "3", "--days", "2", "--studies-per-day", "50"),
        *("--outage", "site-1/ptx@9h+2h", "--burst", "site-2/ich@2026-01-05T10:00:00+01:00+1h"),
        *("--silence", "site-3/reports@1d+30m", "--stall", "site-1/studies@1d12h+45s"),
        *("--failure", "site-1/cxr@0h+2d=incomplete:0.25"),
        *("--shift", "site-1/DX1/acquisition.pixel_mm@12h=0.139", "--shift", "turnaround_s@6h+=60"),
        *("--shift", "site-2/effusion.score@6h-=1", "--shift", "scanner.software@1h=V2"),
    )

    assert hospital.sites == ("site-1", "site-2", "site-3")
    assert hospital.faults == (
        Outage("site-1", "ptx", START + 9 * HOUR, 2 * HOUR),
        Outage("site-2", "ich", datetime(2026, 1, 5, 9, tzinfo=UTC), HOUR, catches_up=True),
        Silence("site-3", "reports", START + 24 * HOUR, HOUR / 2),
        Silence("site-1", "studies", START + 36 * HOUR, timedelta(seconds=45), catches_up=True),
        Failure("site-1", "cxr", START, 48 * HOUR, "incomplete", 0.25),
        Shift("acquisition.pixel_mm", START + 12 * HOUR, to=0.139, site="site-1", station="DX1"),
        Shift("turnaround_s", START + 6 * HOUR, by=60.0),
        Shift("effusion.score", START + 6 * HOUR, by=-1.0, site="site-2"),
        Shift("scanner.software", START + HOUR, to="V2"),
    )


@pytest.mark.parametrize(
    ("words", "complaint"),
    [
        (("--outage", "nowhere/ptx@1h+1h"), "'nowhere' is none of north, south"),
        (("--outage", "north/gpt@1h+1h"), "'gpt' is none of ptx, cxr, ich"),
        (("--outage", "north/ptx@1h+soon"), "'soon' is not a length like 90m or 1d12h"),
        (("--outage", "north/ptx@1h"), "'' is not a length"),
        (("--silence", "north/faxes@1h+1h"), "'faxes' is none of"),
        (("--failure", "north/ptx@1h+1h"), "'' is none of failed, rejected, incomplete"),
        (("--shift", "acquisition.kvp@1h"), "is not like"),
        (("--shift", "acquisition.kvp@1h=high"), "is no number"),
        (("--shift", "acquisition.kvp@1h=nan"), "'nan' is no number"),
        (("--shift", "acquisition.kpv@1h=90"), "'acquisition.kpv' is none of acquisition.pixel_mm"),
        (("--shift", "scanner.software@1h+=1"), "it can only be set"),
        (("--failure", "north/ptx@1h+1h=failed:2"), "the share: expected"),
        (("--outage", "north/ptx@1h+0h"), "lasts no time"),
        (("--outage", "north/ptx@99999999d+1h"), "too far away"),
        (("--start", "2026-01-05T00:00:00"), "has no offset"),
        (("--start", "2026-01-05"), "write 2026-01-05T00:00:00Z"),
        (("--start", "9999-12-31T00:00:00Z"), "too far"),
        (("--start", "monday"), "'monday' is not a time"),
        (("--days", "nan"), "--days: expected a number above 0"),
        (("--days", "-1"), "--days: expected"),
        (("--studies-per-day", "0"), "--studies-per-day: expected"),
        (("--sites", "0"), "--sites: expected"),
        (("--sites", "North"), "--sites: names of 1 to 32"),
        (("--sites", "north,north"), "stands there twice"),
    ],
)
def test_a_wrong_argument_is_named_with_what_it_may_be(words, complaint):
    with pytest.raises(ValueError, match=complaint):
        command_line(*words)
