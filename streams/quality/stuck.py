"""Scores that repeat to the last bit, study after study, more often than chance allows.

A bet that the next score equals the last: M <- (M + days since the last) / p if it does, 0 if not,
where p is an upper limit of how often that very value comes (from the first studies; Wilson, 3
standard errors). By chance the score repeats with a probability of at most p, so that the factor is
1 at most on average, and the mean time between two false alarms is at least the threshold, in days
(Shiryaev-Roberts; the argument of streams/share_bet.py). Where scores do not repeat by nature, six
in a row are found; a score that half of the studies have must repeat some twenty times.

A model that gives two scores only says yes or no: it is left out here, its calls are watched. One
that gives all of the first studies the same score, other than 0 or 1, is constant: that is told.
"""

from collections.abc import Callable
from typing import Literal

from msgspec import Struct, field

from schemas.incident import Evidence
from streams.clock import NEVER_US, from_us, seconds_to_us
from streams.finding import Finding
from streams.share_bet import wilson

SUFFIX = ".score"
"""A series of scores is named by its finding and this."""
_UPDATE_US = seconds_to_us(3600)

_DAY_US = 86_400_000_000
_VALUES_KEPT = 16
_LIMIT_Z = 3.0  # standard errors
_CALLS = (0.0, 1.0)  # a yes or no, written as a score
_SILENCE_SHARE = 0.01  # of the promise: a longer silence weighs no more, it is no evidence
_MOVED_N = 3  # scores that differ from the one before show that it moves again

Phase = Literal["learning", "watching", "call"]
Verdict = Literal["stuck", "moves"]


class Scores(Struct, omit_defaults=True):
    """The scores that a model gives for one finding at one site.

    `counts`: how often each value came while learning; of them the most frequent are kept, and of
    any other value it is known that it came at most `other_n` times in `learnt_n`.
    """

    site: str
    model: str
    finding: str
    phase: Phase = "learning"
    learnt_n: int = 0
    counts: dict[float, int] = field(default_factory=dict)
    other_n: int = 0
    days: float | None = None
    last: float | None = None
    latest_us: int = -NEVER_US
    evidence: float = 0.0
    run_n: int = 0
    run_since_us: int = 0
    moved_n: int = 0
    told: bool = False

    def take(
        self, score: float, at_us: int, learn_n: int, grant: Callable[[], float]
    ) -> Verdict | None:
        """What the score of one more study means, of another patient than those before.

        `grant` gives the mean number of days between false alarms that is allowed.
        """
        is_repeat = score == self.last
        elapsed_days = max(at_us - self.latest_us, 0) / _DAY_US
        self.latest_us, self.last = max(self.latest_us, at_us), score
        if is_repeat:
            self.run_n += 1
        else:
            self.run_n, self.run_since_us = 1, at_us
        if self.told:
            return self._after(is_repeat)
        if self.phase == "watching":
            return self._bet(score, is_repeat, elapsed_days)
        return self._learn(score, learn_n, grant)

    def over(self) -> None:
        """The incident has ended: if it is stuck still, that is a new one."""
        self.told, self.evidence, self.moved_n = False, 0.0, 0

    def accept(self) -> None:
        """A person says that this score is what the model says: until it says another."""
        if self.told and self.last is not None:
            self.over()
            self.phase, self.counts = "call", {self.last: 1}

    def relearn(self) -> None:
        """Which scores repeat is to be learnt again."""
        self.phase, self.counts, self.learnt_n, self.other_n = "learning", {}, 0, 0
        self.evidence = 0.0

    def _after(self, is_repeat: bool) -> Verdict | None:
        """It is told: does it repeat still, or move again?"""
        if is_repeat:
            return "stuck"
        self.moved_n += 1
        if self.moved_n != _MOVED_N:
            return None
        self.relearn()  # that it repeats may be new and in order: one such alarm, no second
        return "moves"

    def _bet(self, score: float, is_repeat: bool, elapsed_days: float) -> Verdict | None:
        if not is_repeat:
            self.evidence = 0.0
            return None
        limit = wilson(self.counts.get(score, self.other_n), self.learnt_n, _LIMIT_Z).high
        assert self.days is not None
        self.evidence = (self.evidence + min(elapsed_days, self.days * _SILENCE_SHARE)) / limit
        if self.evidence < self.days:
            return None
        self.told = True
        return "stuck"

    def _learn(self, score: float, learn_n: int, grant: Callable[[], float]) -> Verdict | None:
        if self.phase == "call":
            if score in self.counts:
                return None
            self.relearn()
        self.learnt_n += 1
        self.counts[score] = self.counts.get(score, 0) + 1
        if self.learnt_n < learn_n:
            return None
        if len(self.counts) == 1 and score not in _CALLS:
            self.told = True
            return "stuck"
        if len(self.counts) <= len(_CALLS):
            self.phase = "call"
            return None
        self._watch()
        self.days = grant() if self.days is None else self.days
        return None

    def _watch(self) -> None:
        """Keep what is needed of the values that were learnt."""
        self.phase = "watching"
        frequent = sorted(self.counts.items(), key=lambda count: (-count[1], count[0]))
        self.other_n = frequent[_VALUES_KEPT][1] if len(frequent) > _VALUES_KEPT else 0
        self.counts = dict(frequent[:_VALUES_KEPT])


def finding_of(scores: Scores, verdict: Verdict, version: str, at_us: int) -> Finding:
    """What is to be told of a verdict at the study whose score is the last."""
    whose = f"{scores.finding[:60]}.score of {scores.model[:40]} at {scores.site}"
    is_stuck = verdict == "stuck"
    told = f"is stuck: the same in {scores.run_n} studies in a row" if is_stuck else "moves again"
    return Finding(
        signal="holds" if is_stuck else "eased",
        kind="data_quality",
        site=scores.site,
        model=scores.model,
        model_version=version,
        subject=scores.finding + SUFFIX,
        at_us=at_us,
        title=f"{whose} {told}",
        severity="warning",
        evidence=Evidence(
            detector="repeats",
            statistic=scores.evidence,
            threshold=scores.days,
            current_n=scores.run_n,
            after=scores.last,
            since=from_us(scores.run_since_us),
            affected_count=scores.run_n,
        ),
        update_us=_UPDATE_US,
    )
