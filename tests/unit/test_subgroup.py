"""Groups against the rest: shown, not claimed of too few, eased, bounded, restored bit for bit."""

from collections.abc import Iterator

import numpy as np
import pytest

from schemas.config import Config
from schemas.incident import Incident
from schemas.slices import SliceSettings
from streams import state
from streams.clock import from_us
from streams.finding import Finding
from streams.observations.observe import Missed, Observations
from streams.slices.subgroup_bet import GapBet, Tally
from streams.slices.subgroups import Subgroups

DAY_US = 86_400_000_000
DAYS = 1_000.0
USING = SliceSettings(subgroup_least_n=100)


def reads(
    n: int, worse: float, rest: float = 0.1, seed: int = 1, start: int = 0, subject: str = "p.ppv"
) -> Iterator[Observations]:
    """Twenty a day, half of them women, of whom so many are called wrongly."""
    rng = np.random.default_rng(seed)
    for place in range(start, start + n):
        sex = "FM"[int(rng.integers(2))]
        wrong = bool(rng.random() < (worse if sex == "F" else rest))
        value = not wrong if subject.endswith("ppv") else wrong
        slices = (f"patient.sex={sex}", "scanner.station=CT1")
        yield Observations(
            "north", "ptx", f"s{place}", place * DAY_US // 20, [(subject, value)], slices
        )


def with_finding(
    n: int, missed: float, rest: float = 0.1, seed: int = 1, read: float = 1.0
) -> Iterator[Missed]:
    """Ten a day that have the finding; of those that were missed not all are read."""
    rng = np.random.default_rng(seed)
    for place in range(n):
        sex = "FM"[int(rng.integers(2))]
        is_missed = bool(rng.random() < (missed if sex == "F" else rest))
        if is_missed and rng.random() > read:
            continue
        at_us, slices = place * DAY_US // 10, (f"patient.sex={sex}",)
        yield Missed("north", "ptx", "p.sensitivity", at_us, is_missed, read, slices)


def stage(using: SliceSettings = USING) -> Subgroups:
    return Subgroups(Config(), using, lambda site: DAYS)


def said(groups: Subgroups, seen: Iterator[Observations]) -> list[Finding]:
    return [finding for one in seen for finding in groups.observe(one)]


def compared(groups: Subgroups, seen: Iterator[Missed]) -> list[Finding]:
    return [finding for one in seen for finding in groups.compare(one)]


@pytest.mark.parametrize(
    ("subject", "shares"),
    [("p.ppv", (0.9, 0.5)), ("p.for", (0.1, 0.5)), ("p.disagree", (0.1, 0.5))],
)
def test_a_group_that_is_served_worse_is_told_with_its_numbers(
    subject: str, shares: tuple[float, float]
) -> None:
    first, *_ = said(stage(), reads(1_000, 0.5, subject=subject))

    assert (first.kind, first.signal) == ("subgroup_gap", "holds")
    assert first.subject == f"{subject} patient.sex=F"
    assert "in patient.sex=F, " in first.title
    assert first.evidence.before == pytest.approx(shares[0], abs=0.08)
    assert first.evidence.after == pytest.approx(shares[1], abs=0.12)
    assert first.evidence.current_n is not None
    assert first.evidence.current_n >= 100


@pytest.mark.parametrize("read", [1.0, 0.5])
def test_a_lower_sensitivity_is_told_as_it_is_among_all_studies_read_or_not(read: float) -> None:
    first, *_ = compared(stage(), with_finding(1_500, 0.4, read=read))

    assert first.subject == "p.sensitivity patient.sex=F"
    assert first.title.startswith("p of ptx at north: sensitivity 0.")
    assert first.evidence.before == pytest.approx(0.9, abs=0.06)
    assert first.evidence.after == pytest.approx(0.6, abs=0.12)


def test_of_sensitivity_nothing_is_claimed_below_the_minimum_of_studies_with_the_finding() -> None:
    first, *_ = compared(stage(), with_finding(1_500, 0.9))

    assert min(first.evidence.current_n or 0, first.evidence.reference_n or 0) >= 100
    assert compared(stage(), with_finding(180, 0.9)) == []


def test_who_is_read_more_often_has_no_gap() -> None:
    """Half of what is missed is read: .9 would look like .95, and .8 like .89."""
    assert compared(stage(), with_finding(4_000, 0.15, read=0.5)) == []


@pytest.mark.parametrize("share", [0.5, 0.1])
def test_sensitivity_at_the_very_margin_keeps_the_promise(share: float) -> None:
    """30 times 400 days are 12,000: 120 false alarms are allowed at one in 100 days."""
    alarms = 0
    for seed in range(30):
        rng = np.random.default_rng(seed)
        bet, rest = GapBet(), Tally()
        for place in range(4_000):
            missed_n = rng.random(2) < (0.2, 0.1)
            if rng.random() >= share:
                rest.add(bool(missed_n[1]))
                continue
            bet.take(bool(missed_n[0]), rest.less(Tally()), 0.1, place * DAY_US // 10)
            if bet.statistic >= 100:
                alarms += 1
                bet.begin()

    assert 0 < alarms < 120


def test_nothing_is_claimed_below_the_minimum() -> None:
    assert said(stage(), reads(150, 0.95)) == []
    assert said(stage(), reads(260, 0.95)) != []


@pytest.mark.parametrize("worse", [0.02, 0.1, 0.15])
def test_within_the_margin_is_no_gap(worse: float) -> None:
    assert said(stage(), reads(6_000, worse)) == []


def test_at_the_very_margin_the_promise_holds() -> None:
    """20 times 200 days are 4,000: 4 false alarms are allowed, 9 would be 2.5 sd too many."""
    alarms = [said(stage(), reads(4_000, 0.2, seed=seed)) for seed in range(20)]

    assert sum(bool(one) for one in alarms) < 9


def test_a_gap_that_closes_eases_and_may_come_again() -> None:
    groups = stage()
    said(groups, reads(1_500, 0.5))

    closed = said(groups, reads(3_000, 0.1, seed=2, start=1_500))
    again = said(groups, reads(2_000, 0.5, seed=3, start=4_500))

    assert [one.signal for one in closed][-1] == "eased"
    assert again[0].signal == "holds"
    assert again[0].at_us > 4_500 * DAY_US // 20


def test_resolved_by_hand_it_is_a_new_episode() -> None:
    groups = stage()
    first, *_ = said(groups, reads(800, 0.5))
    now = from_us(first.at_us)
    groups.over(
        Incident(
            incident="i",
            seq=1,
            fingerprint="f",
            kind="subgroup_gap",
            state="resolved",
            reason="resolved_by_hand",
            severity="warning",
            site="north",
            title="t",
            opened_at=now,
            last_seen=now,
            at=now,
            evidence=first.evidence,
            model="ptx",
            subject=first.subject,
        )
    )

    (compared, *_) = (record for _, _, record in groups.changes())

    assert compared.groups["patient.sex=F"].back is None  # type: ignore[union-attr]
    assert compared.groups["patient.sex=F"].statistic == 0  # type: ignore[union-attr]


def test_bounds_are_counted() -> None:
    groups = stage(SliceSettings(subgroups_per_site=1))

    said(groups, reads(20, 0.1))

    assert groups.sizes() == {"subgroups": 1}
    assert groups.dropped["subgroups_overflow"] > 0


@pytest.mark.parametrize("cut", [1, 300, 777])
def test_restored_anywhere_it_goes_on_bit_for_bit(cut: int) -> None:
    whole, first, second = stage(), stage(), stage()
    seen = [*reads(1_200, 0.4)]
    expected = said(whole, iter(seen))

    told = said(first, iter(seen[:cut]))
    second.restore(record for _, _, record in first.changes() if record is not None)
    told += said(second, iter(seen[cut:]))

    assert told == expected
    left = {key: record for _, key, record in second.changes()}
    assert left.items() <= {key: record for _, key, record in whole.changes()}.items()


def test_time_that_runs_backwards_adds_nothing() -> None:
    bet = GapBet()
    for number, at_us in enumerate((5 * DAY_US, 0, 5 * DAY_US)):
        bet.take(True, Tally(number + 1, 0), 0.1, at_us)

    assert bet.statistic == 0


@pytest.mark.parametrize("cut", [7, 500])
def test_sensitivity_restored_anywhere_goes_on_bit_for_bit(cut: int) -> None:
    whole, first, second = stage(), stage(), stage()
    seen = [*with_finding(1_000, 0.4, read=0.7)]
    expected = compared(whole, iter(seen))

    told = compared(first, iter(seen[:cut]))
    written = [state.write(kind, key, record) for kind, key, record in first.changes()]
    second.restore(record for _, record in state.read(written))
    told += compared(second, iter(seen[cut:]))

    assert told == expected
    assert told
    left = {key: record for _, key, record in second.changes()}
    assert left == {key: record for _, key, record in whole.changes()}
