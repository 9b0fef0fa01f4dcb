"""One study as it really is, before anything of it is sent: what a fault may alter."""

from dataclasses import dataclass
from math import exp
from random import Random
from typing import NamedTuple

from bench.hospital.scanner import Modality, Scanner
from schemas.fields import Priority
from schemas.prediction import PredictionStatus


class Reader(NamedTuple):
    """A model: what it reads, how often that is there, and how long it takes at noon."""

    name: str
    version: str
    modality: Modality
    body_part: str
    finding: str
    prevalence: float
    usual_s: float
    longest_s: float


READERS = (
    Reader("ptx", "2.1.0", "DX", "CHEST", "pneumothorax", 0.07, 55.0, 240.0),
    Reader("ich", "1.4", "CT", "HEAD", "hemorrhage", 0.10, 110.0, 1_200.0),
)
_ILL, _HEALTHY, _SPREAD = 2.1, -2.2, 1.45  # logits: an AUC of .98


@dataclass
class Answer:
    """What a model says of an exam, and what is true."""

    reader: Reader
    version: str
    illness: float
    """From 0 to 1: below the prevalence the patient has it."""
    prevalence: float
    noise: float
    """Standard normal: how this image differs from others alike."""
    bias: float
    quality: float
    distance: float
    turnaround_s: float
    status: PredictionStatus = "completed"
    confidence: float = 1.0
    """Stretches the scores on the logit scale, and moves no call."""
    threshold: float = 0.0
    """On the logit scale: what is above is called."""
    is_called: bool | None = None
    """Where a fault decides the call."""
    stuck_score: float | None = None
    shadow: tuple[str, float] | None = None
    """Version of another model beside it, and its logit."""
    is_sent: bool = True

    @property
    def is_ill(self) -> bool:
        """Whether the finding is there."""
        return self.illness < self.prevalence

    @property
    def logit(self) -> float:
        """Before the call is made."""
        return (_ILL if self.is_ill else _HEALTHY) + _SPREAD * self.noise + self.bias

    @property
    def score(self) -> float:
        """As it is sent."""
        return share(self.logit * self.confidence) if self.stuck_score is None else self.stuck_score

    @property
    def positive(self) -> bool:
        """The call."""
        return self.logit > self.threshold if self.is_called is None else self.is_called


@dataclass
class Exam:
    """A study, its patient, its settings, the answer to it and its report."""

    site: str
    number: int
    at_us: int
    scanner: Scanner
    random: Random
    """Its own: what it draws changes no other exam."""
    patient: str
    sex: str | None
    age_years: float | None
    priority: Priority
    body_part: str | None
    procedure: str
    view: str | None
    software: str
    kernel: str | None
    slice_mm: float | None
    pixel_mm: float
    kvp: float | None
    exposure_mas: float
    snr: float
    reported_us: int | None
    answer: Answer | None = None
    labelled_if_negative: float = 0.9
    """The share of the exams called negative whose report says yes or no of the finding."""
    is_sent: bool = True


def share(logit: float) -> float:
    """The inverse of the logit, to four digits."""
    return round(1 / (1 + exp(-logit)), 4)
