"""Partial silence: has a feed lost half of its arrivals? An hourly CUSUM of counts.

S <- max(0, S + n ln(r q) + ln(q) / a), q = (1 + a e) / (1 + a r e), r = .5: the log of the
likelihood ratio of r times the expected count e against e itself, counts being negative binomial
of dispersion a (Page 1954; for such counts Hoehle and Paul 2008).
"""

from math import log

from streams.silence.feed import Excursion

LEFT = 0.5  # of the arrivals, in a partial silence


def step(excursion: Excursion, hour: int, n: int, expected: float, dispersion: float) -> None:
    """Take the count of one hour."""
    q = (1 + dispersion * expected) / (1 + dispersion * LEFT * expected)
    statistic = excursion.statistic + n * log(LEFT * q) + log(q) / dispersion
    if statistic <= 0:
        reset(excursion)
        return
    if excursion.statistic == 0:
        excursion.since_hour = hour
    excursion.statistic = statistic
    excursion.hours += 1
    excursion.n += n
    excursion.expected += expected


def reset(excursion: Excursion) -> None:
    """Begin anew."""
    excursion.statistic = excursion.expected = 0.0
    excursion.since_hour = excursion.hours = excursion.n = 0
