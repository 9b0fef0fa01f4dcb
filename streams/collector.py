"""The garbage collector, told what kind of program this is.

A shard holds hundreds of thousands of small values that live for days and make no cycles. With the
default thresholds the collector walks them again and again to find nothing.
"""

import gc


def expect_large_state() -> None:
    """Leave what is loaded by now alone, and look at the rest less often."""
    gc.freeze()
    gc.set_threshold(50_000, 20, 50)
