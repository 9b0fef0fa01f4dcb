"""Complete silence: how surprising it is that nothing has come.

With e arrivals expected and Poisson counts, the chance of none is exp(-e): the surprise is the
integrated intensity since the last arrival. Hours vary more than that, by a gamma factor of
variance a; then the chance of none is (1 + a e)^(-1/a), and the surprise log(1 + a e) / a. It is e
where a is 0 and less where arrivals are bursty, so nearly one threshold serves all feeds.
"""

from math import expm1, log, log1p

from streams.clock import NEVER_US
from streams.silence.feed import HOUR_US

# A feed whose week is not known yet may well be closed over a long weekend.
COLD_SILENCE_US = 96 * HOUR_US


def surprise(expected: float, dispersion: float) -> float:
    """Minus the log of the chance that nothing comes where so much is expected."""
    return log1p(dispersion * expected) / dispersion


def reached_us(from_us: int, missing: float, per_hour: float, dispersion: float) -> int:
    """When so much more surprise has gathered, at a constant rate; NEVER_US if nothing comes."""
    if missing <= 0:
        return from_us
    if per_hour <= 0 or dispersion * missing > 500:  # beyond any hour, and beyond a float
        return NEVER_US
    hours = expm1(dispersion * missing) / dispersion / per_hour
    return from_us + int(min(hours, 1e6) * HOUR_US) + 1


def cold_surprise(active_hours: int, seen_us: int, silent_us: int) -> float:
    """The same where the rhythm is unknown and the rate is taken as constant.

    With `active_hours` hours in which something came within `seen_us`, a silence of `silent_us` has
    the chance (seen / (seen + silent))^active (gamma posterior of the rate).
    """
    return active_hours * log1p(silent_us / max(seen_us, HOUR_US))


def cold_threshold(active_hours: int, seen_us: int, days: float) -> float:
    """What it must reach to be wrong once in so many days; each active hour may be the last."""
    per_day = active_hours * 24 * HOUR_US / max(seen_us, HOUR_US)
    return log(max(2.0, per_day * days))
