"""Which change explains what moved: the causes that fit, and whether any fits.

Call rate, PPV and FOR are three independent shares, and each cause moves them along a line of its
own. Prevalence moves all three up or down together; a lost sensitivity raises FOR and lowers the
call rate a little; a lost specificity raises the call rate and lowers PPV; a moved threshold trades
one for the other; changed labels leave the call rate alone. A cause is named if it fits clearly
better than that nothing moved, what moved lies on its line, and no other cause fits clearly better.
"""

from collections.abc import Callable, Iterator
from math import exp, log
from typing import Literal, get_args

from streams.performance.table import Estimate, Table

Cause = Literal[
    "prevalence moved", "sensitivity lost", "specificity lost", "threshold moved", "labels changed"
]
CAUSES: tuple[Cause, ...] = get_args(Cause)

_FITS = 9.2  # chi square with 2 degrees of freedom, 1 %: a cause that leaves more is none
_CLEARLY = 3.84  # with 1, 5 %: by so much one explanation is better than another
_NAMED_MOST = 2
_SIZES = tuple(0.05 * step for step in range(1, 81))  # how far a cause may have moved, in log odds

_Point = tuple[float, float, float]  # log odds of call rate, PPV, FOR


def causes(reference: Table, now: Table) -> tuple[Cause, ...]:
    """What explains the difference, the likeliest first; () where that cannot be told."""
    before, after = _estimates(reference), _estimates(now)
    start: _Point = tuple(e.log_odds for e in before)  # type: ignore[assignment]
    moved = [a.log_odds - b.log_odds for a, b in zip(after, before, strict=True)]
    variances = [a.se**2 + b.se**2 for a, b in zip(after, before, strict=True)]

    def misfit(point: _Point) -> float:
        left = (m - (p - s) for m, p, s in zip(moved, point, start, strict=True))
        return sum(gap * gap / v for gap, v in zip(left, variances, strict=True))

    fits = sorted((min(map(misfit, _line(cause, start))), cause) for cause in CAUSES)
    best = fits[0][0]
    if misfit(start) < best + _CLEARLY:
        return ()
    named = tuple(cause for fit, cause in fits if fit <= min(_FITS, best + _CLEARLY))
    return named if len(named) <= _NAMED_MOST else ()


def _estimates(table: Table) -> tuple[Estimate, Estimate, Estimate]:
    return table.call_rate(), table.ppv(), table.false_omission()


def _line(cause: Cause, start: _Point) -> Iterator[_Point]:
    """Where a cause can lead to."""
    if cause == "labels changed":
        yield from _relabelled(start)
        return
    prevalence, sensitivity, specificity = _rates(start)
    move: dict[Cause, Callable[[float], Iterator[tuple[float, float, float]]]] = {
        "prevalence moved": lambda t: iter(((t, 0.0, 0.0), (-t, 0.0, 0.0))),
        "sensitivity lost": lambda t: iter(((0.0, -t, 0.0),)),
        "specificity lost": lambda t: iter(((0.0, 0.0, -t),)),
        "threshold moved": lambda t: iter(((0.0, t, -t), (0.0, -t, t))),
    }
    for size in _SIZES:
        for of_prevalence, of_sensitivity, of_specificity in move[cause](size):
            yield _point(
                _share(prevalence + of_prevalence),
                _share(sensitivity + of_sensitivity),
                _share(specificity + of_specificity),
            )


def _relabelled(start: _Point) -> Iterator[_Point]:
    """The finding is reported less often, more often, or at random more or less."""
    rate, ppv, missed = start[0], _share(start[1]), _share(start[2])
    for size in _SIZES:
        kept = exp(-size)
        yield rate, _log_odds(ppv * kept), _log_odds(missed * kept)
        lost = (1 - kept) * _share(-2.0)  # finer steps: most studies are without the finding
        yield rate, _log_odds(ppv + (1 - ppv) * lost), _log_odds(missed + (1 - missed) * lost)
        yield (
            rate,
            _log_odds(ppv * (1 - lost) + (1 - ppv) * lost),
            _log_odds(missed * (1 - lost) + (1 - missed) * lost),
        )


def _rates(point: _Point) -> tuple[float, float, float]:
    """Log odds of prevalence, sensitivity and specificity."""
    rate, ppv, missed = map(_share, point)
    present_called, present_missed = rate * ppv, (1 - rate) * missed
    absent_called, absent_not = rate * (1 - ppv), (1 - rate) * (1 - missed)
    return (
        _log_odds(present_called + present_missed),
        log(present_called / present_missed),
        log(absent_not / absent_called),
    )


def _point(prevalence: float, sensitivity: float, specificity: float) -> _Point:
    called = prevalence * sensitivity + (1 - prevalence) * (1 - specificity)
    missed = prevalence * (1 - sensitivity)
    return (
        _log_odds(called),
        _log_odds(prevalence * sensitivity / called),
        _log_odds(missed / (1 - called)),
    )


def _share(log_odds: float) -> float:
    return 1 / (1 + exp(-log_odds))


def _log_odds(share: float) -> float:
    return log(share / (1 - share))
