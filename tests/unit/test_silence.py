"""A feed that falls silent is told when its own week makes that too surprising, and not before."""

from random import Random

import pytest

from schemas.config import Config, Model
from schemas.silence import SilenceSettings
from schemas.site import Maintenance, SiteSettings
from streams.clock import NEVER_US, from_us
from streams.silence.feed import FeedId
from tests.unit.builders import LATENESS_S, us
from tests.unit.ward_hours import HOUR_S, Ward, clock, hours

TUESDAY_10 = clock(3, 1, 10)
STUDIES = FeedId("north", "studies")


def learnt(*names: str, ward: Ward | None = None, until_s: float = TUESDAY_10) -> Ward:
    """A ward after three weeks and a day of regular work, a round of events every 5 minutes."""
    ward = ward or Ward()
    ward.work(names, 0, until_s)
    assert ward.said == []
    return ward


def test_a_silence_is_told_at_its_deadline_and_rests_on_the_last_arrival() -> None:
    ward = learnt("plain")

    ward.prove(TUESDAY_10 + 5 * HOUR_S)

    (finding,) = ward.said
    evidence = finding.evidence
    assert (finding.kind, finding.subject, finding.model) == ("silence", "studies", None)
    assert 0.6 < hours(finding.at_us) - TUESDAY_10 / HOUR_S < 1.0  # 12 an hour, surprise about 10
    assert evidence.detector == "gap"
    assert evidence.statistic == pytest.approx(evidence.threshold, abs=1e-3)
    assert evidence.since is not None
    assert evidence.since.timestamp() * 1e6 == us(TUESDAY_10 - 300)
    assert evidence.before == pytest.approx(12, rel=0.02)
    assert (evidence.after, evidence.affected_count) == (0.0, 9)
    assert finding.title.startswith("No studies from north for 47 min")


def test_nothing_is_told_while_the_deadline_is_not_proved() -> None:
    ward = learnt("plain")
    earliest_us = ward.known_us(STUDIES, us(TUESDAY_10 - 300))
    assert earliest_us is not None
    deadline_s = hours(earliest_us) * HOUR_S

    assert ward.prove(deadline_s - 60) == []
    assert len(ward.prove(deadline_s + 60)) == 1


def test_an_arrival_before_the_proof_of_the_deadline_prevents_it() -> None:
    """A monitor that is hours behind takes the arrivals first: it cannot tell of a silence."""
    ward = learnt("plain")
    deadline_us = ward.known_us(STUDIES, us(TUESDAY_10 - 300))
    assert deadline_us is not None

    assert ward.arrive("plain", hours(deadline_us) * HOUR_S + LATENESS_S - 1) == []


def test_only_arrivals_end_it() -> None:
    ward = learnt("plain")
    ward.prove(TUESDAY_10 + 30 * 24 * HOUR_S)
    ward.restart()
    ward.prove(TUESDAY_10 + 60 * 24 * HOUR_S)
    assert ward.told() == ["holds silence: studies"]
    assert ward.stage.earliest_us() == NEVER_US  # nothing is expected any more

    back_s = TUESDAY_10 + 63 * 24 * HOUR_S
    ward.work(["plain"], back_s, back_s + HOUR_S)

    assert ward.told()[1:] == ["eased silence: studies"]
    assert 0 < ward.said[1].at_us - us(back_s) <= 45 * 60e6  # nine arrivals
    assert ward.said[1].title == "Studies from north: again after 63.0 days"


def test_a_trickle_does_not_end_it_and_is_not_told_again_after_each_gap() -> None:
    """One in three quarters of an hour, where nine are expected: each gap would be a silence."""
    ward = learnt("plain")
    ward.work(["plain"], clock(3, 1, 12), clock(4, 2, 8), every_s=45 * 60)
    assert ward.told() == ["holds silence: studies"]

    ward.work(["plain"], clock(4, 2, 8), clock(4, 2, 12))

    assert ward.told()[1:] == ["eased silence: studies"]
    assert us(clock(4, 2, 8)) < ward.said[1].at_us <= us(clock(4, 2, 8.75))
    assert ward.said[1].title == "Studies from north: again after 7.9 days"


def test_a_restart_forgets_nothing_of_how_far_it_has_come_back() -> None:
    def eased_us(*, restarted: bool) -> int:
        ward = learnt("plain")
        ward.prove(clock(3, 1, 12))
        for number in range(12):
            if restarted:
                ward.restart()
            ward.arrive("plain", clock(3, 1, 12) + 300 * number)
        return ward.said[1].at_us

    assert eased_us(restarted=True) == eased_us(restarted=False) > us(clock(3, 1, 12.25))


def test_of_a_feed_that_hardly_ever_comes_one_arrival_is_the_usual() -> None:
    ward, rng = Ward(), Random(1)
    for day in range(120):
        if rng.random() < 0.7:
            ward.arrive("plain", clock(0, day, 24 * rng.random()))
    ward.prove(clock(0, 200, 0))
    assert ward.told() == ["holds silence: studies"]

    ward.arrive("plain", clock(0, 200, 12))

    assert ward.told()[1:] == ["eased silence: studies"]


def test_before_the_week_is_known_the_first_arrival_ends_it() -> None:
    ward = Ward()
    ward.work(["plain"], 0, clock(0, 4, 18))
    ward.prove(clock(2, 0, 0))
    assert ward.told() == ["holds silence: studies"]

    ward.arrive("plain", clock(2, 0, 8))

    assert ward.told()[1:] == ["eased silence: studies"]


def test_after_it_the_watch_goes_on() -> None:
    ward = learnt("plain")
    ward.prove(TUESDAY_10 + 3 * HOUR_S)
    ward.work(["plain"], TUESDAY_10 + 3 * HOUR_S, TUESDAY_10 + 5 * HOUR_S)
    ward.resolve(ward.said[-1])
    ward.prove(TUESDAY_10 + 8 * HOUR_S)

    assert [one.signal for one in ward.said] == ["holds", "eased", "holds"]


def test_a_night_is_no_silence_and_its_end_is_the_first_moment_to_know() -> None:
    evening = clock(3, 1, 18)
    ward = learnt("plain", until_s=evening)
    known_us = ward.known_us(STUDIES, us(evening))
    assert known_us is not None
    assert 32.6 < hours(known_us) - clock(3, 1, 0) / HOUR_S < 33.2  # the next morning, before 9:12

    ward.prove(clock(3, 2, 12))

    (finding,) = ward.said
    assert abs(finding.at_us - known_us) < 600 * 1_000_000  # a day more was learnt


def test_hours_are_those_of_the_site() -> None:
    """The night is at other hours of UTC after the clocks went forward on 29 March 2026."""
    config = Config(timezone="Europe/Berlin")
    utc, local = Ward(), Ward(config)
    for ward in (utc, local):
        ward.work(["plain"], clock(8, 0, 0), clock(11, 6, 0))
        ward.work(["plain"], clock(12, 0, -1), clock(12, 0, 17))  # an hour earlier by UTC
        del ward.said[:]
    known = [ward.known_us(STUDIES, us(clock(12, 0, 17))) for ward in (utc, local)]

    assert None not in known
    evening, morning = ((at_us or 0) - us(clock(12, 0, 0)) for at_us in known)
    assert 17.5 < evening / 3.6e9 < 18  # an hour of work is still expected
    assert 31.5 < morning / 3.6e9 < 32  # work is over, and tomorrow's begins at seven


@pytest.mark.parametrize(
    ("usual", "still", "told"),
    [
        (["ct1", "ct2", "ptx", "report"], [], "all feeds"),
        (["ct1", "ct2", "ptx", "report"], ["ct1", "ptx", "report"], "studies scanner.station=CT2"),
        (["ct1", "ct2", "ptx", "report"], ["ct1", "ct2", "report"], "ptx predictions"),
        (["ct1", "ptx", "cad", "report"], ["ct1", "report"], "predictions"),
        (["ct1", "ptx", "cad", "report"], ["ct1", "cad", "report"], "ptx predictions"),
        (["ct1", "ct2", "ptx", "report"], ["report"], "studies"),
        (["ct1", "ct2", "ptx", "report"], ["ct1", "ct2", "ptx"], "reports"),
    ],
)
def test_a_common_cause_is_one_incident(usual: list[str], still: list[str], told: str) -> None:
    ward = learnt(*usual)

    ward.work(still, TUESDAY_10, TUESDAY_10 + 6 * HOUR_S)
    ward.prove(TUESDAY_10 + 6 * HOUR_S)

    assert ward.told() == [f"holds silence: {told}"]


def test_after_a_common_cause_all_feeds_begin_anew() -> None:
    ward = learnt("ct1", "ct2", "ptx", "report")
    ward.prove(TUESDAY_10 + 3 * HOUR_S)
    ward.work(["ct1", "ptx", "report"], TUESDAY_10 + 3 * HOUR_S, TUESDAY_10 + 7 * HOUR_S)

    assert ward.told() == [
        "holds silence: all feeds",
        "eased silence: all feeds",
        "holds silence: studies scanner.station=CT2",
    ]
    assert ward.said[1].title.startswith("Something comes from north again, after ")  # CT2 does not
    assert hours(ward.said[2].at_us) > TUESDAY_10 / HOUR_S + 3.6


def test_a_wider_silence_counts_the_narrower_ones_that_were_told_before() -> None:
    ward = learnt("ct1", "ct2", "ptx")
    ward.work(["ct1", "ptx"], TUESDAY_10, TUESDAY_10 + 2 * HOUR_S)
    ward.prove(TUESDAY_10 + 5 * HOUR_S)

    assert ward.told() == ["holds silence: studies scanner.station=CT2", "holds silence: all feeds"]
    assert ward.said[1].title.endswith("; 1 narrower silence told before")

    ward.work(["ct1", "ptx"], TUESDAY_10 + 5 * HOUR_S, TUESDAY_10 + 6 * HOUR_S)  # the wide one
    ward.work(["ct1", "ct2", "ptx"], TUESDAY_10 + 6 * HOUR_S, TUESDAY_10 + 7 * HOUR_S)
    assert [one.subject for one in ward.said[2:]] == ["all feeds", "studies scanner.station=CT2"]


def test_half_of_the_arrivals_lost_is_partial_silence_until_they_are_back() -> None:
    ward = learnt("plain")
    ward.work(["plain"], TUESDAY_10, clock(3, 2, 18), every_s=600)

    (finding,) = ward.said
    evidence = finding.evidence
    assert (finding.kind, finding.severity, evidence.detector) == (
        "partial_silence",
        "warning",
        "nb_cusum",
    )
    assert evidence.statistic is not None
    assert evidence.threshold is not None
    assert evidence.statistic >= evidence.threshold
    assert (evidence.before, evidence.after) == (pytest.approx(12, rel=0.02), pytest.approx(6))
    assert evidence.since is not None
    assert evidence.since.timestamp() * 1e6 == us(TUESDAY_10)

    ward.work(["plain"], clock(3, 3, 8), clock(3, 4, 18))
    assert ward.told()[1:] == ["eased partial_silence: studies"]


def test_partial_silence_of_the_studies_explains_what_follows_from_them() -> None:
    ward = learnt("ct1", "ptx", "report")
    ward.work(["ct1", "ptx", "report"], TUESDAY_10, clock(3, 2, 18), every_s=600)

    assert ward.told() == ["holds partial_silence: studies"]


@pytest.mark.parametrize("accepted", [False, True])
def test_partial_silence_closed_by_a_person_leaves_nothing_to_cry_at_once(accepted: bool) -> None:
    ward = learnt("ct1", "ptx", "report")
    ward.work(["ct1", "ptx", "report"], TUESDAY_10, clock(3, 1, 16), every_s=600)
    if accepted:
        ward.stage.accept("north", None, "studies")
    ward.resolve(ward.said[0])
    ward.work(["ct1", "ptx", "report"], clock(3, 1, 16), clock(3, 1, 18), every_s=600)
    assert ward.told() == ["holds partial_silence: studies"]

    ward.work(["ct1", "ptx", "report"], clock(3, 2, 8), clock(3, 4, 18), every_s=600)
    assert (len(ward.told()) == 1) == accepted  # nobody said that half is the normal


def test_a_silent_scanner_explains_what_does_not_come_of_the_rest() -> None:
    """Half of the studies, of the answers and of the reports: one incident, and its end."""
    ward = learnt("ct1", "ct2", "ptx", "ptx", "report", "report")
    ward.work(["ct1", "ptx", "report"], TUESDAY_10, clock(3, 4, 12))
    assert ward.told() == ["holds silence: studies scanner.station=CT2"]

    ward.work(["ct1", "ct2", "ptx", "ptx", "report", "report"], clock(3, 4, 12), clock(4, 4, 0))
    assert ward.told()[1:] == ["eased silence: studies scanner.station=CT2"]


@pytest.mark.parametrize("accepted", [False, True])
def test_a_scanner_that_is_gone_for_good_is_expected_no_more(accepted: bool) -> None:
    ward = learnt("ct1", "ct2", "ptx", "ptx")
    ward.work(["ct1", "ptx"], TUESDAY_10, TUESDAY_10 + 3 * HOUR_S)
    if accepted:
        ward.stage.accept("north", None, "studies scanner.station=CT2")
    ward.resolve(ward.said[0])
    ward.restart()
    ward.work(["ct1", "ptx"], TUESDAY_10 + 3 * HOUR_S, clock(4, 4, 18))

    assert ward.told() == ["holds silence: studies scanner.station=CT2"]


def test_an_outage_is_not_learnt() -> None:
    ward = learnt("plain")
    before_us = ward.known_us(STUDIES, us(clock(20, 1, 10)))
    ward.prove(clock(9, 1, 10))
    ward.arrive("plain", clock(9, 1, 10))

    after_us = ward.known_us(STUDIES, us(clock(20, 1, 10)))
    assert before_us is not None
    assert after_us is not None
    assert abs(after_us - before_us) < 60 * 1_000_000


def test_a_feed_is_watched_from_the_start_but_only_for_days_of_silence() -> None:
    ward = Ward()
    ward.work(["plain"], 0, clock(0, 4, 18))
    weekend_over = clock(1, 0, 8)
    assert ward.prove(weekend_over) == []

    (finding,) = ward.prove(clock(2, 0, 0))
    assert 96 <= hours(finding.at_us) - clock(0, 4, 18) / HOUR_S < 24 * 9


def test_three_arrivals_make_no_feed_to_be_watched_and_are_forgotten() -> None:
    ward = Ward(settings=SilenceSettings(forget_days=20))
    for hour in (1, 2, 3):
        ward.arrive("ptx", hour * HOUR_S)

    ward.prove(clock(10, 0, 0))

    assert ward.said == []
    assert ward.stage.sizes() == {"feeds": 0, "silences": 0}
    assert ward.stage.earliest_us() == NEVER_US


def test_maintenance_is_neither_silence_nor_learnt() -> None:
    window = Maintenance(cron="0 9 * * 2", minutes=540)  # Tuesdays from 9 to 18
    config = Config(sites=[SiteSettings(name="north", maintenance=[window])])
    kept = learnt("plain", ward=Ward(config))

    kept.prove(clock(3, 1, 18))
    assert kept.said == []

    kept.prove(clock(3, 2, 12))
    assert kept.told() == ["holds silence: studies"]


def lost(ward: Ward, feed: str, from_s: float, until_s: float) -> None:
    list(ward.lost.add(feed, 9, us(from_s), us(until_s)))


def test_where_arrivals_may_be_lost_is_neither_silence_nor_learnt() -> None:
    kept, whole = learnt("plain", "ptx"), learnt("plain", "ptx")
    lost(kept, "studies", TUESDAY_10, clock(3, 1, 16))
    kept.work(["ptx"], TUESDAY_10, clock(3, 1, 16))
    whole.work(["plain", "ptx"], TUESDAY_10, clock(3, 1, 16))
    for ward in (kept, whole):
        ward.work(["plain", "ptx"], clock(3, 1, 16), clock(4, 1, 10))

    assert kept.said == whole.said == []
    rate, whole_rate = (ward.stage._feeds.profile(STUDIES) for ward in (kept, whole))
    assert rate.learnt_hours == whole_rate.learnt_hours - 7  # from 10 to 16 o'clock, both touched
    assert rate.expected(34) == pytest.approx(whole_rate.expected(34), rel=0.02)


def test_silence_begins_where_the_loss_ends_and_only_for_what_was_lost() -> None:
    ward = learnt("plain", "ptx")
    lost(ward, "studies", TUESDAY_10, clock(3, 1, 14))
    ward.work(["ptx"], TUESDAY_10, clock(3, 1, 18))

    (studies,) = ward.said

    assert ward.told() == ["holds silence: studies"]
    assert studies.evidence.since == from_us(us(clock(3, 1, 14)))
    assert studies.at_us > us(clock(3, 1, 15))  # the hour in which it ended says nothing


def test_a_loss_before_the_week_is_known_is_no_cold_silence() -> None:
    ward = Ward()
    ward.work(["plain"], clock(0, 0, 0), clock(1, 0, 0))
    lost(ward, "studies", clock(1, 0, 0), clock(1, 6, 0))
    ward.prove(clock(1, 6, 12))

    assert ward.said == []


def test_one_closed_by_hand_is_not_told_again_before_something_comes() -> None:
    ward = learnt("plain", "ptx")
    ward.prove(TUESDAY_10 + 3 * HOUR_S)
    ward.resolve(ward.said[0])
    ward.prove(clock(6, 0, 0))
    assert ward.told() == ["holds silence: all feeds"]

    ward.work(["plain"], clock(6, 0, 8), clock(6, 0, 12))
    assert ward.told() == ["holds silence: all feeds"]  # ptx is still excused
    ward.prove(clock(6, 0, 17))
    assert ward.told()[1:] == ["holds silence: studies"]


def test_accepted_means_that_it_is_learnt_anew() -> None:
    ward = learnt("ct1", "ct2")
    ward.work(["ct1"], TUESDAY_10, TUESDAY_10 + 3 * HOUR_S)
    assert ward.told() == ["holds silence: studies scanner.station=CT2"]

    ward.stage.accept("north", None, "studies scanner.station=CT2")
    ward.stage.accept("south", None, "studies")

    assert ward.stage.sizes() == {"feeds": 2, "silences": 0}


def test_a_shadow_keeps_no_model_alive_but_a_failure_does() -> None:
    ward = learnt("plain", "ptx")

    ward.work(["plain", "failed"], TUESDAY_10, TUESDAY_10 + 3 * HOUR_S)
    assert ward.said == []

    ward.work(["plain", "shadow"], TUESDAY_10 + 3 * HOUR_S, TUESDAY_10 + 6 * HOUR_S)
    assert ward.told() == ["holds silence: ptx predictions"]
    assert (ward.said[0].owner, ward.said[0].severity) == ("imaging", "error")


def test_a_model_without_configuration_has_the_severity_of_the_settings() -> None:
    ward = Ward(Config(models=[Model(name="x")]), SilenceSettings(severity="critical"))
    learnt("plain", "ptx", ward=ward)
    ward.work(["plain"], TUESDAY_10, TUESDAY_10 + 3 * HOUR_S)

    assert [one.severity for one in ward.said] == ["critical"]


def test_too_many_feeds_are_counted() -> None:
    ward = Ward(settings=SilenceSettings(feeds_per_site=2))
    for name in ("ct1", "ct2", "ptx", "ptx"):
        ward.arrive(name, 0)

    assert ward.stage.sizes()["feeds"] == 2
    assert ward.stage.dropped == {"feeds_overflow": 3}
