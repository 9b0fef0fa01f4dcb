"""A model that misses more in women, at low prevalence: from events to the incident."""

from collections.abc import Iterator

import numpy as np
import pytest

from schemas.config import Budget, Config, Model, Watch
from schemas.incident import Incident
from schemas.messages import Event
from schemas.prediction import Output
from schemas.report import Label
from schemas.study import Patient
from tests.unit.builders import Shard, prediction, report, study

DAY_S = 86_400
PER_DAY = 250
PREVALENCE = 0.07
CONFIG = Config(
    models=[Model(name="ptx", deadline_s=3_600.0)],
    watch=Watch(
        include=("*.sensitivity",),
        slices=("patient.sex",),
        monitors=("performance", "subgroup_gap"),
    ),
    budget=Budget(false_incidents=1, per_days=30),
)


def events(days: int, of_women: float, seed: int) -> Iterator[tuple[int, list[Event]]]:
    """Each day's; one in twenty studies is never read."""
    rng = np.random.default_rng(seed)
    for day in range(days):
        said: list[Event] = []
        for place in range(PER_DAY):
            key, at_s = f"s{day}-{place}", day * DAY_S + place * (DAY_S - 600) / PER_DAY
            sex = "FM"[int(rng.integers(2))]
            present = bool(rng.random() < PREVALENCE)
            found = 0.9 if sex == "M" else of_women
            called = bool(rng.random() < (found if present else 0.03))
            outputs = [Output(finding="p", positive=called)]
            said.append(study(key, at_s, state="complete", patient=Patient(sex=sex)))
            said.append(prediction(key, at_s + 30, outputs=outputs))
            if rng.random() < 0.95:
                word = Label(finding="p", value="present" if present else "absent")
                said.append(report(key, at_s + 60, labels=[word]))
        yield day, said


def first_gap(days: int, of_women: float, seed: int) -> Incident | None:
    shard = Shard(CONFIG)
    for day, said in events(days, of_women, seed):
        shard.send(*said)
        shard.proved((day + 1) * DAY_S)
        for incident in shard.incidents("subgroup_gap"):
            return incident
    return None


@pytest.mark.parametrize("seed", [2, 6])
def test_a_third_less_in_women_is_found_in_weeks_and_named_with_its_numbers(seed: int) -> None:
    """Seeds 1 to 6 find it after 18 to 44 days, 24 in the median."""
    gap = first_gap(30, 0.6, seed)

    assert gap is not None
    assert gap.subject == "p.sensitivity patient.sex=F"
    assert gap.evidence.before == pytest.approx(0.9, abs=0.06)
    assert gap.evidence.after == pytest.approx(0.6, abs=0.1)
    assert min(gap.evidence.current_n or 0, gap.evidence.reference_n or 0) >= 100
    assert gap.evidence.since is not None
    assert gap.evidence.since < gap.opened_at == gap.at  # it opens when it was shown


def test_where_both_are_served_alike_nobody_is_named() -> None:
    assert first_gap(25, 0.9, seed=1) is None
