"""A site, a model and its reports: worlds that change, and the events that come of them.

200 studies a day: prevalence 10 %, sensitivity .9, specificity .92, scores binormal and calibrated;
reports come after hours or days, for 95 % of the studies called and 65 % of the others.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from statistics import NormalDist
from typing import NamedTuple

import numpy as np

from schemas.prediction import Output, Prediction
from schemas.report import Label, Report
from streams.clock import from_us
from streams.outcomes.study_record import StudyFacts
from streams.stage import Happened

PER_DAY = 200
DAY_US = 86_400_000_000
START_US = 20_454 * DAY_US
PROMISE_DAYS = 500.0
CALM_DAYS = 30  # in control between the reference and the change
_normal = NormalDist()


@dataclass(frozen=True)
class World:
    """How a site and a model are; shares, and `score_shift` in log odds."""

    prevalence: float = 0.1
    sensitivity: float = 0.9
    specificity: float = 0.92
    score_shift: float = 0.0
    unseen: float = 0.0  # share of the studies with the finding that look like those without
    read_called: float = 0.95
    read_uncalled: float = 0.65
    label_noise: float = 0.0
    report_days: float = 0.5  # mean delay of a report


USUAL = World()
EARLY = "sensitivity .9 to .8, after a week"
EVENTS: dict[str, tuple[World, World]] = {
    EARLY: (USUAL, replace(USUAL, sensitivity=0.8)),
    "sensitivity .9 to .8": (USUAL, replace(USUAL, sensitivity=0.8)),
    "specificity .92 to .88": (USUAL, replace(USUAL, specificity=0.88)),
    "prevalence 10 to 15 %": (USUAL, replace(USUAL, prevalence=0.15)),
    "score logit -.5": (USUAL, replace(USUAL, score_shift=-0.5)),
    "score logit -1": (USUAL, replace(USUAL, score_shift=-1.0)),
}
QUIET: dict[str, tuple[World, World]] = {
    "in control": (USUAL, USUAL),
    "backlog week": (USUAL, USUAL),
    "verification .65 to .95": (USUAL, replace(USUAL, read_uncalled=0.95)),
}
NOISY = World(
    sensitivity=0.857,
    specificity=0.869,
    label_noise=0.03,
    read_called=1,
    read_uncalled=1,
    report_days=1,
)


@dataclass(frozen=True)
class Task:
    """One replicate: a world that becomes another, followed for so many days."""

    name: str
    before: World
    after: World
    followed_days: int
    seed: int
    promise_days: float = PROMISE_DAYS
    reference_n: int = 2000
    maturity_days: float = 3
    calm_days: int = CALM_DAYS


def changed_us(task: Task) -> int:
    """When the world changes."""
    return START_US + int((task.reference_n / PER_DAY + task.calm_days) * DAY_US)


class Study(NamedTuple):
    """What a model said of a study, what its report says, and when that comes; None: unread."""

    at_us: int
    called: bool
    score: float
    present: bool
    report_us: int | None


def studies(task: Task) -> Iterator[Study]:
    """Those of one replicate, in the order in which they are made."""
    rng = np.random.default_rng([task.seed, len(task.name)])
    before_n = task.reference_n + task.calm_days * PER_DAY
    after_n = task.followed_days * PER_DAY
    number = 0
    for world, n in ((task.before, before_n), (task.after, after_n)):
        present, called, scores = drawn(world, rng, n)
        read = rng.random(n) < np.where(called, world.read_called, world.read_uncalled)
        labelled = present ^ (rng.random(n) < world.label_noise)
        delays = rng.exponential(world.report_days, n)
        for i in range(n):
            at_us = START_US + number * DAY_US // PER_DAY
            week = (at_us - changed_us(task)) / DAY_US
            if task.name == "backlog week" and 0 <= week < 7:
                delays[i] += 7 - week
            report_us = at_us + int(delays[i] * DAY_US) if read[i] else None
            yield Study(at_us, bool(called[i]), float(scores[i]), bool(labelled[i]), report_us)
            number += 1


def events(task: Task) -> list[Happened]:
    """Predictions and reports in the order of arrival."""
    found: list[Happened] = []
    for number, study in enumerate(studies(task)):
        found.append(_answer(f"{number}", study.at_us, study.called, study.score))
        if study.report_us is not None:
            found.append(_report(f"{number}", study.at_us, study.report_us, study.present))
    return sorted(found, key=lambda happened: happened.arrived_us)


def drawn(world: World, rng: np.random.Generator, n: int):  # type: ignore[no-untyped-def]
    """Presence, call and score of n studies.

    The scores are calibrated in the usual world: a change of the model moves its inner value away
    from what its score was made for.
    """
    base = USUAL if world.sensitivity in (0.8, 0.9) else NOISY
    edge = _normal.inv_cdf(base.specificity)
    apart = edge + _normal.inv_cdf(base.sensitivity)
    present = rng.random(n) < world.prevalence
    seen = present & (rng.random(n) >= world.unseen)
    mean = np.where(
        seen,
        edge + _normal.inv_cdf(world.sensitivity),
        edge - _normal.inv_cdf(world.specificity),
    )
    value = rng.normal(size=n) + mean
    odds = base.prevalence / (1 - base.prevalence)
    log_odds = apart * value - apart**2 / 2 + np.log(odds) + world.score_shift
    return present, value > edge, 1 / (1 + np.exp(-log_odds))


def _answer(study: str, at_us: int, called: bool, score: float) -> Happened:
    prediction = Prediction(
        site="s",
        study=study,
        model="ptx",
        model_version="1",
        status="completed",
        at=from_us(at_us),
        outputs=[Output(finding="f", score=score, positive=called)],
    )
    return Happened(prediction, at_us, at_us, at_us, True, True, StudyFacts(at_us, {}))


def _report(study: str, at_us: int, report_us: int, present: bool) -> Happened:
    report = Report(
        site="s",
        study=study,
        report=study,
        status="final",
        at=from_us(report_us),
        labels=[Label(finding="f", value="present" if present else "absent")],
    )
    return Happened(report, report_us, report_us, report_us, True, True, StudyFacts(at_us, {}))
