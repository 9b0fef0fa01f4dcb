"""A study that waits to be read: what models said of it, what reports say of it.

Every merge is a minimum, a maximum, an "or" or "the newest stamp wins", so that the order of
arrival does not matter and a repeat changes nothing.
"""

from collections.abc import Collection, Iterator
from typing import NamedTuple

from msgspec import Struct, field

from schemas.prediction import Prediction
from schemas.report import Report
from streams.outcomes.correlate import READ_STATUSES

REMOVING = frozenset({"cancelled", "entered_in_error"})
_MAX_MODELS = 64  # per study, as on the wire
_MAX_FINDINGS = 64
_MAX_REPORTS = 16
_PRESENCE = {"present": True, "absent": False, "uncertain": None}


class Matured(NamedTuple):
    """One finding of one model in a study that is read: None for what was not said."""

    model: str
    finding: str
    at_us: int
    called: bool | None
    score: float | None
    present: bool | None
    disagrees: bool | None


class Said(Struct, frozen=True, gc=False, array_like=True):
    """A model's first word on one finding."""

    at_us: int
    version: str
    called: bool | None
    score: float | None

    def before(self, other: "Said") -> bool:
        """Whether this is the first word; of two at one moment an order that is always the same."""
        return self._order() < other._order()

    def _order(self) -> tuple[int, str, int, float]:
        called = -1 if self.called is None else int(self.called)
        return self.at_us, self.version, called, -1.0 if self.score is None else self.score


class Read(Struct, frozen=True, gc=False, array_like=True):
    """The newest word of one report; nothing in it when it was withdrawn.

    `labels`: present, absent, or None for uncertain. `disagrees`: model, finding, and whether the
    radiologist disagrees.
    """

    at_us: int
    labels: tuple[tuple[str, bool | None], ...] = ()
    disagrees: tuple[tuple[str, str, bool], ...] = ()

    def after(self, other: "Read") -> bool:
        """Whether this is the newer word; of two at one moment an order that is always the same."""
        return (self.at_us, repr(self)) > (other.at_us, repr(other))


class Unread(Struct, omit_defaults=True):
    """One study; `at_us` is None until it is known when it was made."""

    site: str
    study: str
    arrived_us: int
    at_us: int | None = None
    left_out: bool = False  # cancelled, or a further study of a patient of whom one has counted
    answers: dict[str, dict[str, Said]] = field(default_factory=dict)
    reports: dict[str, Read] = field(default_factory=dict)
    slices: tuple[str, ...] = ()  # of which parts of the studies it is one

    def answer(self, prediction: Prediction, at_us: int) -> bool:
        """Take what a model said; whether that was news."""
        model = prediction.model
        if model not in self.answers and len(self.answers) >= _MAX_MODELS:
            return False
        said = self.answers.setdefault(model, {})
        is_news = False
        for finding, word in _said(prediction, at_us):
            known = said.get(finding)
            if known is None and len(said) >= _MAX_FINDINGS:
                continue
            if known is None or word.before(known):
                said[finding] = word
                is_news = True
        return is_news

    def sliced(self, slices: tuple[str, ...]) -> bool:
        """Take of which parts of the studies it is one, where that is known; whether it is news."""
        if not slices or slices == self.slices:
            return False
        self.slices = slices
        return True

    def report(self, report: Report, at_us: int) -> bool:
        """Take what a report says; whether that was news."""
        read = _read(report, at_us)
        known = self.reports.get(report.report)
        if read is None or (known is None and len(self.reports) >= _MAX_REPORTS):
            return False
        if known is not None and not read.after(known):
            return False
        self.reports[report.report] = read
        return True

    def matured(self) -> Iterator[Matured]:
        """What each model said, beside what the reports say."""
        assert self.at_us is not None
        presence, disagreement = self.presence(), self._disagreement()
        for model in sorted(self.answers):
            for finding, said in sorted(self.answers[model].items()):
                yield Matured(
                    model,
                    finding,
                    self.at_us,
                    said.called,
                    said.score,
                    presence.get(finding),
                    disagreement.get((model, finding)),
                )

    def is_read(self) -> bool:
        """Whether a report says anything of it."""
        return any(read.labels or read.disagrees for read in self.reports.values())

    def presence(self) -> dict[str, bool | None]:
        """What the reports say of each finding that they name; the newest report that does."""
        return {finding: present for read in self._reads() for finding, present in read.labels}

    def _disagreement(self) -> dict[tuple[str, str], bool]:
        """Whether the radiologists disagree with a model on a finding, where they say."""
        return {
            (model, finding): disagrees
            for read in self._reads()
            for model, finding, disagrees in read.disagrees
        }

    def _reads(self) -> Collection[Read]:
        """The reports, the newest last."""
        reads = self.reports.values()
        if len(reads) < 2:
            return reads
        return sorted(reads, key=lambda read: (read.at_us, repr(read)))


def _said(prediction: Prediction, at_us: int) -> Iterator[tuple[str, Said]]:
    """Of several lesions of one finding: called if any is, and the highest score."""
    calls: dict[str, bool | None] = {}
    scores: dict[str, float | None] = {}
    for output in prediction.outputs or ():
        if output.positive is None and output.score is None:
            continue
        name = output.finding
        called, score = calls.get(name), scores.get(name)
        calls[name] = called if output.positive is None else output.positive or bool(called)
        scores[name] = score if output.score is None else max(output.score, score or 0.0)
    for name in sorted(calls):
        yield name, Said(at_us, prediction.model_version, calls[name], scores[name])


def _read(report: Report, at_us: int) -> Read | None:
    if report.status in REMOVING:
        return Read(at_us)
    if report.status not in READ_STATUSES or not (report.labels or report.feedback):
        return None
    labels = {label.finding: _PRESENCE[label.value] for label in report.labels or ()}
    disagrees = {(f.model, f.finding): f.verdict == "disagree" for f in report.feedback or ()}
    return Read(
        at_us,
        tuple(sorted(labels.items(), key=lambda label: label[0])),
        tuple((*named, verdict) for named, verdict in sorted(disagrees.items())),
    )
