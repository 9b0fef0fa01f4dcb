"""One watched series: it learns a reference, is held against it, and after an alarm learns again.

learning -> watching -> (alarm) -> relearning -> watching -> ...

After an alarm the reference stays, and a provisional one is learnt from what comes. If that sample
agrees with the reference, the series has returned. If not, it is watched against the provisional
one, so that a second change or a return is seen, and nothing alarms for ever. Numbers, yes and no,
and words live alike; streams/seen.py says what they differ in.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from sys import maxsize
from typing import TypeAlias, cast

import detectors
from schemas.series import Note, Phase
from streams.blocks import BLOCK_N, Block, Blocks
from streams.change import Change, NewWord, alarmed, relearnt
from streams.learning import Learning, Settings
from streams.pace import Pace, days_before
from streams.references import Origin, References
from streams.seen import Floats, Frozen, Readings, Row, Sample, Seen, Vote
from streams.share import Grant, Share
from streams.unseen import Unseen

Happening: TypeAlias = Change | NewWord | Block


class Series:
    """The state of one series; `streams.series_record` writes it down."""

    def __init__(self, settings: Settings, new_sample: Callable[[], Sample]) -> None:
        self.phase: Phase = "learning"
        self.learning = Learning(settings, new_sample)
        self.newest_us: int | None = None
        self.references = References()
        self.share = Share()
        self.votes: dict[str, Vote] = {}
        self._learnt: dict[str, detectors.State] = {}  # of the votes, while it relearns
        self.changed_us = 0
        self.unseen = Unseen()
        self.blocks = Blocks()
        self.place = 0  # of the observations handed in, the one that showed the last change
        self.closed = False  # its words are names: it is not watched

    @property
    def original(self) -> Frozen | None:
        """What it is held against as long as nothing has changed."""
        return self.references.original

    @property
    def provisional(self) -> Frozen | None:
        """What it is held against after an alarm."""
        return self.references.provisional

    @property
    def reference(self) -> Frozen | None:
        """What the series is held against now."""
        return self.provisional or self.original

    @property
    def is_away(self) -> bool:
        """Whether it has left its reference, as far as is known."""
        return self.phase == "relearning" or self.provisional is not None

    @property
    def notes(self) -> tuple[Note, ...]:
        """What is to be known of the reference that is in force."""
        return self.reference.notes if self.reference else ()

    @property
    def is_promised(self) -> bool:
        """Whether its false alarms are counted in days; what is not promised disturbs nobody."""
        return self.original is None or "not_promised" not in self.original.notes

    def observe(self, seen: Seen, grant: Grant) -> Iterator[Happening]:
        """Take observations in order; what happened, and the blocks that they filled.

        However the observations are cut into calls, the result is the same.
        """
        if self.closed:
            return
        days, self.newest_us = days_before(self.newest_us, seen.ats_us)
        row, start = Row(seen, days), 0
        while start < seen.n and not self.closed:
            stop = min(start + self.blocks.room, seen.n)
            reference = self.reference
            if self.phase == "watching":
                taken, change = self._watch(row, start, stop)
            else:
                taken, change = self._collect(seen.part(start, stop), grant)
            yield from self._newness(reference, seen.part(start, start + taken))
            if change is not None:
                self.place = start + taken - 1
                yield change
            if self.blocks.room == BLOCK_N and not self.closed:
                block = self.blocks.full[-1]
                yield block
                self._keep_ahead(block)
            start += taken

    def complete(self, grant: Grant) -> Iterator[Happening]:
        """Freeze what has been learnt, if that is enough."""
        if self.phase == "learning" and self.learning.has_enough:
            yield from self._last_block()
            self._try_shipped(grant)
            if self.phase == "learning":
                self._freeze(grant)

    def accept(self) -> Iterator[Happening]:
        """What is now is the normal: the provisional reference becomes the reference."""
        was_away, at_us = self.is_away, self.newest_us or 0
        yield from self._last_block()
        if self.phase == "relearning":
            self.references.end(at_us)
            self.learning.pace, self._learnt = Pace(), {}
            self.phase = "learning"
        elif self.provisional is not None:
            self.references.begin(self.provisional, "accepted", at_us)
            self._arm()
        elif self.original is not None or self.closed:
            self._begin()
        yield from self._ended(was_away, self.newest_us or 0)

    def begin_anew(self) -> Iterator[Happening]:
        """What was learnt is of no use any more: a new epoch, in which all is learnt again."""
        was_away = self.is_away
        yield from self._last_block()
        if self.phase != "learning" or self.learning.sample.n or self.closed:
            self._begin()
        yield from self._ended(was_away, self.newest_us or 0)

    def restore(self, number: int) -> Iterator[Happening]:
        """Hold it against an earlier reference again, one of `references.past`."""
        was_away, at_us = self.is_away, self.newest_us or 0
        yield from self._last_block()
        self.references.shipped = None
        self.references.restore(number, at_us)
        self._watch_from_now()
        yield from self._ended(was_away, at_us)

    def ship(
        self, reference: Frozen, per_day: float, at_us: int, grant: Grant
    ) -> Iterator[Happening]:
        """Hold it against a reference of its own past, which was learnt at this pace."""
        was_away, at_us = self.is_away, self.newest_us or at_us
        yield from self._last_block()
        self.references.shipped = None
        self.references.begin(reference, "shipped", at_us)
        self.share.settle(grant, is_promised=self.is_promised, per_day=per_day)
        self._watch_from_now()
        yield from self._ended(was_away, at_us)

    def put_on_trial(self, reference: Frozen) -> bool:
        """Whether it will be held against a reference from elsewhere, if what comes agrees."""
        is_open = self.phase == "learning" and not self.closed
        if is_open:
            self.references.shipped = reference
        return is_open

    @property
    def missing(self) -> tuple[int, int] | None:
        """See Learning; None while it learns no first reference."""
        if self.phase != "learning" or self.closed:
            return None
        observations, stamp_us = self.learning.missing
        return min(observations, self._trial_left), stamp_us

    @property
    def _trial_left(self) -> int:
        """Observations until a shipped reference has been tried."""
        shipped = self.references.shipped
        return maxsize if shipped is None else max(shipped.relearn_n - self.learning.sample.n, 1)

    def resume(self, states: Mapping[str, detectors.State]) -> None:
        """Take up the votes of a checkpoint; one that cannot be read begins anew."""
        if self.phase == "watching":
            self._arm(states)
        else:
            self._learnt = {**states}

    def states(self) -> dict[str, detectors.State]:
        """Those of the votes, or what outlasts their alarm."""
        return {kind: vote.state() for kind, vote in self.votes.items()} or self._learnt

    def _collect(self, part: Seen, grant: Grant) -> tuple[int, Change | None]:
        """Let the sample grow up to where it is complete."""
        if self.phase == "learning":
            return self._learn(part, grant), None
        assert self.original is not None
        assert self.reference is not None
        sample, needed_n = self.learning.sample, self.original.relearn_n
        part = part.part(0, max(needed_n - sample.n, 1))
        taken = sample.take(part)
        self._grown(part, self.reference.images(part.values), taken)
        if self.closed or sample.n < needed_n:
            return taken, None
        return taken, self._relearnt(int(part.ats_us[-1]))

    def _learn(self, part: Seen, grant: Grant) -> int:
        left = self._trial_left
        part = part.part(0, left)
        images = self.learning.sample.images(part.values)
        taken, complete = self.learning.take(part)
        self._grown(part, images, taken)
        if not self.closed and (complete or taken == left):
            self._try_shipped(grant)
        if complete and self.phase == "learning":
            self._freeze(grant)
        return taken

    def _try_shipped(self, grant: Grant) -> None:
        """Take a shipped reference if what has come agrees with it, and else forget it."""
        shipped, self.references.shipped = self.references.shipped, None
        if shipped is None:
            return
        if shipped.agrees(self.learning.sample):
            self._hold_against(shipped, "tried", grant)
        else:
            self.references.history.unfit_n += 1

    def _grown(self, part: Seen, images: list[float], taken: int) -> None:
        self.blocks.extend(images[:taken], part.ats_us[:taken].tolist())
        self.closed = self.learning.sample.is_of_names

    def _freeze(self, grant: Grant) -> None:
        self._hold_against(self.learning.sample.freeze(), "learnt", grant)

    def _hold_against(self, reference: Frozen, origin: Origin, grant: Grant) -> None:
        learning = self.learning
        self.references.begin(reference, origin, learning.pace.newest_us)
        per_day = learning.pace.per_day(learning.sample.n)
        self.share.settle(grant, is_promised=self.is_promised, per_day=per_day)
        self._watch_from_now()

    def _watch(self, row: Row, start: int, stop: int) -> tuple[int, Change | None]:
        """Feed the votes up to the first alarm of any."""
        assert self.reference is not None
        readings, first = row.against(self.reference, start)
        days = row.days[start:stop]
        part = readings.part(start - first, stop - first)
        taken, kind = self._first_alarm(part, days)
        seen = row.seen.part(start, start + taken)
        scores = [] if part.scores is None else part.scores[:taken].tolist()
        self.blocks.extend(self.reference.images(seen.values), seen.ats_us.tolist(), scores)
        return taken, None if kind is None else self._alarm(kind, int(seen.ats_us[-1]))

    def _first_alarm(self, part: Readings, days: Floats) -> tuple[int, str | None]:
        """How many were taken up to the first alarm of any vote, and whose it is.

        None is fed what comes after the alarm of one before it: what the last ones learn outlasts
        the alarm, and would depend on how observations are cut.
        """
        taken, opened = len(days), None
        for kind, vote in self.votes.items():
            index = vote.run(part, days)
            if index is not None and (opened is None or index + 1 < taken):
                taken, opened = index + 1, kind
                part, days = part.part(0, taken), days[:taken]
        return taken, opened

    def _alarm(self, kind: str, at_us: int) -> Change:
        assert self.reference is not None
        vote = self.votes[kind]
        since, again = self.blocks.since(vote.changed_n), self.provisional is not None
        change = alarmed(kind, vote, self.reference, since, at_us, again=again)
        self.changed_us = change.since_us
        learnt = {} if again else {kind: vote.learnt() for kind, vote in self.votes.items()}
        self._start_sample("relearning")
        self._learnt = {kind: state for kind, state in learnt.items() if state is not None}
        return change

    def _relearnt(self, at_us: int) -> Change:
        assert self.original is not None
        before, sample = self.provisional or self.original, self.learning.sample
        again = self.provisional is not None
        returned = self.original.agrees(sample)
        self.references.provisional = None if returned else sample.freeze()
        self._watch_from_now(self._learnt if returned else None)
        since_us = self.changed_us
        return relearnt(before, sample, at_us, since_us, returned=returned, again=again)

    def _newness(self, reference: Frozen | None, part: Seen) -> Iterator[Happening]:
        """Unseen words of observations just taken, against what was the reference then."""
        if self.closed:
            was_away = self.is_away
            self._close()
            yield from self._ended(was_away, int(part.ats_us[-1]))
        elif reference is not None:
            words = cast(Sequence[str], part.values)
            places = reference.unseen(words)
            if places or self.unseen.n:
                yield from self.unseen.take(words, places, part.ats_us.tolist(), reference.n)

    def _last_block(self) -> Iterator[Block]:
        if self.blocks.filling is not None:
            self.blocks.end()
            yield self.blocks.full[-1]

    def _ended(self, was_away: bool, at_us: int) -> Iterator[Happening]:
        yield from self.unseen.end(at_us, self.reference.n if self.reference else 0)
        if was_away:
            yield Change("ended", at_us, again=False, since_us=self.changed_us)

    def _close(self) -> None:
        self.references = References()
        self._begin()
        self.closed = True
        self.blocks, self.newest_us = Blocks(), None

    def _begin(self) -> None:
        self.references.end(self.newest_us or 0)
        self.references.shipped = None
        self.learning.pace, self.closed = Pace(), False
        self._start_sample("learning")

    def _start_sample(self, phase: Phase) -> None:
        self.phase = phase
        self.blocks.end()
        self.learning.begin()
        self.votes, self._learnt = {}, {}

    def _watch_from_now(self, learnt: Mapping[str, detectors.State] | None = None) -> None:
        self._start_sample("watching")
        self._arm(learnt)

    def _arm(self, states: Mapping[str, detectors.State] | None = None) -> None:
        assert self.reference is not None
        self.votes = self.reference.arm(self.share.promise, states or {})

    def _keep_ahead(self, block: Block) -> None:
        """Arm the votes that count observations for a faster pace, before it costs the promise."""
        behind = self.share.falls_behind(block.n, block.at_us)
        if behind and self.phase == "watching":
            self._arm(self.states())
