"""What a model's performance on one finding was: learnt, then frozen."""

from msgspec import Struct, field

from detectors.calibration_sr import Calibration, bin_of, calibrated
from streams.clock import NEVER_US
from streams.performance.table import Table
from streams.performance.unread import Matured

LEAST_N = 50
"""Read studies with the finding, and without it, that a reference needs."""


class Sample(Struct, omit_defaults=True):
    """Studies that a reference is learnt from; `scores` by bin: how many, how many present."""

    table: Table = field(default_factory=Table)
    scores: dict[int, tuple[int, int]] = field(default_factory=dict)
    studies_n: int = 0
    first_us: int = NEVER_US

    def add(self, study: Matured) -> None:
        """Take the next study."""
        self.studies_n += 1
        self.first_us = min(self.first_us, study.at_us)
        if study.called is not None:
            self.table.add(study.called, study.present)
        if study.score is not None and study.present is not None:
            bin_ = bin_of(study.score)
            n, present_n = self.scores.get(bin_, (0, 0))
            self.scores[bin_] = (n + 1, present_n + study.present)

    def knows_calls(self) -> bool:
        """Whether it can say what the calls were worth."""
        return min(self.table.present_n, self.table.absent_n) >= LEAST_N

    def knows_scores(self) -> bool:
        """Whether it can say what the scores meant."""
        n, present_n = map(sum, zip(*self.scores.values(), strict=True)) if self.scores else (0, 0)
        return min(present_n, n - present_n) >= LEAST_N

    def is_complete(self, at_us: int, studies_n: int, max_us: int) -> bool:
        """Whether it has so many studies, or is so old, and knows what there is to know."""
        if self.studies_n < studies_n and at_us - self.first_us < max_us:
            return False
        if not (self.table.studies_n or self.scores):
            return False
        return (self.knows_calls() or not self.table.studies_n) and (
            self.knows_scores() or not self.scores
        )


class Reference(Struct, frozen=True):
    """What it was: counts of calls, and what the scores meant, where there were any."""

    table: Table
    studies_n: int
    calibration: Calibration | None

    @classmethod
    def of(cls, sample: Sample) -> "Reference":
        """A complete sample, frozen."""
        calibration = calibrated(sample.scores) if sample.scores else None
        return cls(sample.table, sample.studies_n, calibration)
