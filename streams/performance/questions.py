"""What one study says of each thing that is watched: yes or no, and how likely a yes was.

A yes is the bad answer throughout: missed, not confirmed, contradicted.
"""

from collections.abc import Callable
from functools import cache
from math import log
from typing import NamedTuple

import numpy as np
from msgspec.structs import asdict

from detectors.calibration_sr import SHIFTS, WEIGHTS, Calibration, bin_of, shifted
from detectors.weighted_bet import CERTAIN, Floats, chance, plausible, raised
from schemas.config import Limits
from streams.performance.monitor import ODDS, Question
from streams.performance.reference import Reference
from streams.performance.table import Table
from streams.performance.unread import Matured

_LIMIT_EDGE = 1e-4  # a limit of exactly 0 or 1 leaves nothing to bet with
_BOTH_WAYS = (0, 0, 0, 3, 3, 3)  # the mildest of SHIFTS, up and down

Ask = Callable[[Matured, Table], Question | None]
"""From a study and the last 2,000; None where the study has nothing to say."""


class Watched(NamedTuple):
    """One thing that is watched, and how `WeightedBet` is to be set up for it."""

    subject: str
    ask: Ask
    weights: Floats
    bets_n: int
    limit: float | None = None


def against_reference(reference: Reference) -> list[Watched]:
    """Sensitivity and calibration, as far as the reference knows them."""
    watched = []
    if reference.table.studies_n:
        steps, weights = plausible()
        known = reference.table.sensitivity()
        ask = _sensitivity(known.log_odds + steps * known.se)
        watched.append(Watched("sensitivity", ask, weights, len(ODDS)))
    if reference.calibration is not None:
        ask = _calibration(reference.calibration)
        watched.append(Watched("calibration", ask, WEIGHTS, len(SHIFTS)))
    return watched


def against_limits(limits: Limits | None) -> list[Watched]:
    """The clinical limits that there are, by their names in the configuration."""
    given = asdict(limits) if limits else {}
    asks: dict[str, Callable[[float], Ask]] = {
        "min_ppv": _ppv,
        "max_for": _false_omission,
        "min_sensitivity": lambda limit: _sensitivity(_log_odds(limit), is_limit=True),
    }
    return [
        Watched(name, asks[name](_inside(limit)), CERTAIN, len(ODDS), limit)
        for name, limit in given.items()
        if limit is not None and name in asks
    ]


def _sensitivity(log_odds: Floats, is_limit: bool = False) -> Ask:
    """Among studies read with the finding present: was it missed?

    Called studies are read more often, which makes misses rarer among the studies read than among
    all: the odds of a miss are weighted by how often each call is read at present. A likelihood
    ratio, so it is fair as the inverse weights of the probability are, and wastes less.
    """

    def ask(study: Matured, recent: Table) -> Question | None:
        if not study.present or study.called is None:
            return None
        weight = log(recent.read_share(called=False) / recent.read_share(called=True))
        missed = chance(weight - log_odds)
        return Question(not study.called, missed, raised(missed, ODDS), is_limit)

    return ask


def _calibration(calibration: Calibration) -> Ask:
    @cache  # there are 81 bins
    def chances(bin_: int) -> tuple[Floats, Floats]:
        expected = calibration.expected(bin_)
        return expected, shifted(expected)

    def ask(study: Matured, recent: Table) -> Question | None:
        if study.present is None or study.score is None:
            return None
        return Question(study.present, *chances(bin_of(study.score)), mildest=_BOTH_WAYS)

    return ask


def _ppv(limit: float) -> Ask:
    wrong = np.array([1 - limit])
    changed = raised(wrong, ODDS)

    def ask(study: Matured, recent: Table) -> Question | None:
        if not study.called or study.present is None:
            return None
        return Question(not study.present, wrong, changed, is_limit=True)

    return ask


def _false_omission(limit: float) -> Ask:
    missed = np.array([limit])
    changed = raised(missed, ODDS)

    def ask(study: Matured, recent: Table) -> Question | None:
        if study.called is not False or study.present is None:
            return None
        return Question(study.present, missed, changed, is_limit=True)

    return ask


def _inside(limit: float) -> float:
    return min(max(limit, _LIMIT_EDGE), 1 - _LIMIT_EDGE)


def _log_odds(share: float) -> Floats:
    return np.array([log(share / (1 - share))])
