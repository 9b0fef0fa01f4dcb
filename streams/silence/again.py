"""When a silence is over: not with any arrival, but when the feed comes as it used to.

Where a tenth of the usual trickles in, each arrival is followed by another gap, and each gap would
be a silence of its own. So a silence that is told ends when the arrivals since show that the feed
is back: a CUSUM of each gap's likelihood at the usual rate over that at a quarter of it,

    S <- max(0, S + ln 4 - (1 + 1/a) ln((1 + a e) / (1 + a e / 4)))

for e expected in the gap and dispersion a (a gamma factor on the rate: as in gap.py; -3/4 e where a
is 0), begun at the first arrival. Over at S = ln 100: after 7 expected arrivals in the mean, fewer
than it took to tell of the silence. A tenth of the usual passes for it once in thousands of
arrivals, a fifth once in a thousand, and half within 50 expected ones: no silence any more, but a
partial one.

A feed need not show more than it is expected to within the next hours. Where that is less than one
arrival, one is the usual: the first ends it.
"""

from math import log, log1p

from streams.silence.feed import HOUR_US

PART = 0.25  # of the usual: still as good as silent
SURE = log(100)
SOON_US = 4 * HOUR_US
_PER_EXPECTED = log(1 / PART) - (1 - PART)  # what S gains by each, at the usual rate


def gained(statistic: float, expected: float, dispersion: float) -> float:
    """S after one more arrival, behind a gap in which so many were expected."""
    at_usual, at_part = log1p(dispersion * expected), log1p(dispersion * PART * expected)
    return max(0.0, statistic - log(PART) - (1 + 1 / dispersion) * (at_usual - at_part))


def needed(expected_soon: float) -> float:
    """What S must reach, where so many are expected within the next hours."""
    return 0.0 if expected_soon < 1 else min(SURE, _PER_EXPECTED * expected_soon)
