"""Shown to be worse, shown to be back: sensitivity, calibration and limits, as incidents see it."""

from collections.abc import Iterator

import numpy as np
import pytest

from schemas.config import Limits
from schemas.incident import Evidence, Incident
from streams.clock import from_us, to_us
from streams.finding import Finding
from streams.performance.readout import Readout
from tests.unit.builders import START_US
from tests.unit.reports import (
    DAY_S,
    Grants,
    Ward,
    answer,
    findings,
    happened,
    readout,
    report,
    told,
)

REFERENCE_N = 1_000


def drawn(seed: int, share: float) -> Iterator[bool]:
    rng = np.random.default_rng(seed)
    while True:
        yield from (rng.random(1_000) < share).tolist()


def called(present: list[bool], seed: int, sensitivity: float, specificity: float = 0.95):
    rng = np.random.default_rng(seed)
    for one in present:
        yield bool(rng.random() < (sensitivity if one else 1 - specificity))


class Model:
    """A model with a sensitivity, at a site where a third of the studies have the finding."""

    def __init__(self, stage: Readout) -> None:
        self.ward = Ward(stage, every_s=DAY_S / 100)
        self._seed = 0

    def reads(self, n: int, sensitivity: float, specificity: float = 0.95) -> list[Finding]:
        self._seed += 1
        share = drawn(self._seed, 1 / 3)
        present = [next(share) for _ in range(n)]
        calls = called(present, self._seed + 100, sensitivity, specificity)
        return findings(self.ward.sees(n, calls, iter(present)))


def signals(found: list[Finding], subject: str) -> list[str]:
    return [one.signal for one in found if one.subject == f"pneumothorax.{subject}"]


def incident(found: Finding) -> Incident:
    at = from_us(found.at_us)
    return Incident(
        incident="i",
        seq=1,
        fingerprint="f",
        kind=found.kind,
        state="resolved",
        reason="resolved_by_hand",
        severity="warning",
        site=found.site,
        title=found.title,
        opened_at=at,
        last_seen=at,
        at=at,
        evidence=Evidence(),
        model=found.model,
        subject=found.subject,
    )


def test_lost_sensitivity_is_told_with_its_numbers_and_its_start():
    model = Model(readout(REFERENCE_N))
    assert model.reads(2_000, 0.9) == []

    found = model.reads(1_500, 0.6)

    first = found[0]
    assert (first.signal, first.kind, first.subject) == (
        "holds",
        "performance_drift",
        "pneumothorax.sensitivity",
    )
    assert first.evidence.before == pytest.approx(0.9, abs=0.05)
    assert first.evidence.after == pytest.approx(0.6, abs=0.12)
    assert first.evidence.reference_n == REFERENCE_N
    assert first.title.startswith("pneumothorax of ptx at north: sensitivity fell from 0.")
    assert "sensitivity lost" in first.title
    assert first.evidence.since is not None
    days = (to_us(first.evidence.since) - START_US) / (DAY_S * 1e6)
    assert 18 <= days <= 22
    assert first.since_us is None  # it opens when that was shown, as all drift does
    assert first.owner == "kim"


def test_as_long_as_it_stays_lost_it_is_shown_again_and_it_is_eased_by_fresh_evidence_only():
    model = Model(readout(REFERENCE_N))
    lost = model.reads(2_000, 0.9) + model.reads(3_000, 0.6)
    waiting = model.ward.rests()

    back = model.reads(1_500, 0.9)

    assert len(signals(lost, "sensitivity")) >= 3
    assert set(signals(lost, "sensitivity")) == {"holds"}
    assert "eased" not in [one.signal for one in findings(waiting)]
    assert "eased" in signals(back, "sensitivity")
    assert "holds" not in signals(back, "sensitivity")


def test_in_control_nothing_is_told():
    assert Model(readout(REFERENCE_N)).reads(5_000, 0.9) == []


@pytest.mark.parametrize(
    ("limits", "sensitivity", "specificity", "subject", "words"),
    [
        (Limits(min_ppv=0.85), 0.9, 0.75, "min_ppv", "is below its limit of 0.85"),
        (Limits(max_for=0.1), 0.5, 0.95, "max_for", "is above its limit of 0.1"),
    ],
)
def test_a_limit_that_is_broken_is_told_without_any_reference(
    limits: Limits, sensitivity: float, specificity: float, subject: str, words: str
):
    model = Model(readout(100_000, limits))

    found = model.reads(800, sensitivity, specificity)
    mended = model.reads(1_500, 0.97, 0.98)

    assert signals(found, subject)[:1] == ["holds"]
    assert found[0].severity == "error"
    assert found[0].evidence.before == getattr(limits, subject)
    assert words in found[0].title
    assert "eased" in signals(mended, subject)


class Wider(Limits, frozen=True, kw_only=True):
    """Limits with one on sensitivity."""

    min_sensitivity: float | None = None


def test_sensitivity_may_have_a_limit_too():
    model = Model(readout(100_000, Wider(min_sensitivity=0.8)))

    kept = model.reads(2_000, 0.85)
    broken = model.reads(1_500, 0.6)

    assert kept == []
    assert signals(broken, "min_sensitivity")[0] == "holds"
    assert "sensitivity 0." in broken[0].title
    assert "is below its limit of 0.8" in broken[0].title


def test_a_limit_that_is_kept_is_not_told():
    limits = Limits(min_ppv=0.7, max_for=0.1)

    assert Model(readout(100_000, limits)).reads(4_000, 0.9) == []


@pytest.mark.parametrize("limits", [Limits(min_ppv=0.0, max_for=1.0), Limits(min_ppv=1.0)])
def test_a_limit_at_the_edge_is_no_error(limits: Limits):
    found = Model(readout(100_000, limits)).reads(600, 0.9)

    assert all(one.subject == "pneumothorax.min_ppv" for one in found)
    assert bool(found) == (limits.min_ppv == 1.0)


def test_an_incident_resolved_by_hand_begins_anew():
    stage = readout(REFERENCE_N)
    model = Model(stage)
    model.reads(2_000, 0.9)
    first = model.reads(700, 0.6)[0]

    stage.over(incident(first))
    again = model.reads(1_000, 0.6)

    assert signals(again, "sensitivity")[0] == "holds"


def test_what_is_accepted_becomes_the_reference():
    grants = Grants()
    stage = readout(REFERENCE_N, grants=grants)
    model = Model(stage)
    model.reads(2_000, 0.9)
    assert model.reads(1_000, 0.6) != []

    stage.accept("north", "ptx", "pneumothorax.sensitivity")
    learning = model.reads(2_500, 0.6)
    lost_again = model.reads(1_500, 0.3)

    assert learning == []
    assert lost_again[0].evidence.before == pytest.approx(0.6, abs=0.06)
    assert grants.asked == ["north"]


@pytest.mark.parametrize(
    "named",
    [("south", "ptx", None), ("north", "other", None), ("north", "ptx", "effusion.sensitivity")],
)
def test_what_is_accepted_elsewhere_changes_nothing(named: tuple[str, str, str | None]):
    stage = readout(REFERENCE_N)
    Model(stage).reads(1_500, 0.9)
    list(stage.changes())

    stage.accept(*named)

    assert list(stage.changes()) == []


def test_a_site_that_is_accepted_as_a_whole_learns_all_anew():
    stage = readout(REFERENCE_N)
    Model(stage).reads(1_500, 0.9)
    assert stage.sizes()["performance_watched"] == 1

    stage.accept("north", None, None)

    assert stage.sizes()["performance_watched"] == 0


def scored(stage: Readout, n: int, shift: float, start: int, seed: int) -> list[Finding]:
    """Studies with a calibrated score, moved by `shift` log odds."""
    rng = np.random.default_rng(seed)
    said = []
    for number in range(start, start + n):
        log_odds = rng.normal(-1, 1.5)
        value = "present" if rng.random() < 1 / (1 + np.exp(-log_odds)) else "absent"
        score = 1 / (1 + np.exp(-log_odds - shift))
        made_s = number * DAY_S / 200
        events = (
            answer(str(number), made_s + 1, None, score=score),
            report(str(number), made_s + 2, value),
        )
        said += told(stage, [happened(event, made_s) for event in events], made_s)
    return findings(said)


def test_scores_that_lost_their_meaning_are_a_calibration_drift():
    stage = readout(REFERENCE_N)
    calm = scored(stage, 2_500, 0.0, 0, 1)

    found = scored(stage, 1_500, -1.0, 2_500, 2)
    back = scored(stage, 1_500, 0.0, 4_000, 3)

    assert calm == []
    assert (found[0].kind, found[0].subject) == ("calibration_drift", "pneumothorax.calibration")
    assert "present more often than its score says" in found[0].title
    assert (found[0].evidence.before, found[0].evidence.after) in {(0.0, 0.5), (0.0, 1.0)}
    assert "eased" in signals(back, "calibration")


def test_every_monitor_asks_once_for_its_share():
    grants = Grants()
    stage = readout(REFERENCE_N, Limits(min_ppv=0.5, max_for=0.5), grants)

    Model(stage).reads(2_500, 0.9)

    assert grants.asked == ["north"] * 3


class TestAnotherVersion:
    def test_what_was_worse_is_over_and_a_lower_level_is_the_new_ones_own(self) -> None:
        stage = readout(REFERENCE_N)
        model = Model(stage)
        model.reads(1_500, 0.9)
        assert "holds" in signals(model.reads(800, 0.6), "sensitivity")

        ended = findings(stage.begin_anew("north", "ptx"))
        later = model.reads(2_500, 0.6)

        assert signals(ended, "sensitivity") == ["eased"]
        assert ended[0].title.endswith(" at north: sensitivity is learnt anew")
        assert "holds" not in signals(later, "sensitivity")

    def test_studies_that_the_former_version_answered_are_in_no_reference(self) -> None:
        stage = readout(REFERENCE_N)
        model = Model(stage)
        model.reads(1_500, 0.9)

        assert [*stage.begin_anew("north", "ptx")] == []
        model.reads(100, 0.9)

        (record,) = [one for kind, _, one in stage.changes() if kind == "accuracy/1"]
        assert record.reference is None and record.sample is not None
        assert record.sample.studies_n <= 100
        assert record.epoch_us > START_US

    def test_of_another_model_nothing_changes(self) -> None:
        stage = readout(REFERENCE_N)
        Model(stage).reads(1_500, 0.9)

        assert [*stage.begin_anew("north", "other"), *stage.begin_anew("south", "ptx")] == []
        assert stage.sizes()["performance_learning"] == 0
