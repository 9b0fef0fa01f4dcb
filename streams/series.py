"""One watched series: it learns a reference, is held against it, and after an alarm learns again.

learning -> watching -> (alarm) -> relearning -> watching -> ...

After an alarm the reference stays, and a provisional one is learnt from what comes. If that sample
agrees with the reference, the series has returned. If not, it is watched against the provisional
one, so that a second change or a return is seen, and nothing alarms for ever. Numbers, yes and no,
and words live alike; streams/seen.py says what they differ in.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import TypeAlias, cast

import detectors
from schemas.series import Note, Phase
from streams.blocks import BLOCK_N, Block, Blocks
from streams.change import Change, NewWord, alarmed, relearnt
from streams.learning import Learning, Settings
from streams.pace import Pace, days_before
from streams.seen import Frozen, Row, Sample, Seen, Vote
from streams.share import Grant, Share
from streams.unseen import Unseen

Happening: TypeAlias = Change | NewWord | Block


class Series:
    """The state of one series; `streams.series_record` writes it down."""

    def __init__(self, settings: Settings, new_sample: Callable[[], Sample]) -> None:
        self.phase: Phase = "learning"
        self.learning = Learning(settings, new_sample)
        self.newest_us: int | None = None
        self.original: Frozen | None = None
        self.provisional: Frozen | None = None
        self.share = Share()
        self.votes: dict[str, Vote] = {}
        self.changed_us = 0
        self.unseen = Unseen()
        self.blocks = Blocks()
        self.place = 0  # of the observations handed in, the one that showed the last change
        self.closed = False  # its words are names: it is not watched

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
            self._freeze(grant)

    def accept(self) -> Iterator[Happening]:
        """What is now is the normal: the provisional reference becomes the reference."""
        was_away = self.is_away
        yield from self._last_block()
        if self.phase == "relearning":
            self.original = self.provisional = None
            self.learning.pace = Pace()
            self.phase = "learning"
        elif self.provisional is not None:
            self.original, self.provisional = self.provisional, None
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

    @property
    def missing(self) -> tuple[int, int] | None:
        """See Learning; None while it learns no first reference."""
        return None if self.phase != "learning" or self.closed else self.learning.missing

    def resume(self, states: Mapping[str, detectors.State]) -> None:
        """Take up the votes of a checkpoint; one that cannot be read begins anew."""
        if self.phase == "watching":
            self._arm(states)

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
        images = self.learning.sample.images(part.values)
        taken, complete = self.learning.take(part)
        self._grown(part, images, taken)
        if complete:
            self._freeze(grant)
        return taken

    def _grown(self, part: Seen, images: list[float], taken: int) -> None:
        self.blocks.extend(images[:taken], part.ats_us[:taken].tolist())
        self.closed = self.learning.sample.is_of_names

    def _freeze(self, grant: Grant) -> None:
        sample = self.learning.sample
        self.original = sample.freeze()
        per_day = self.learning.pace.per_day(sample.n)
        self.share.settle(grant, is_promised=self.is_promised, per_day=per_day)
        self._watch_from_now()

    def _watch(self, row: Row, start: int, stop: int) -> tuple[int, Change | None]:
        """Feed the votes up to the first alarm of any."""
        assert self.reference is not None
        readings, first = row.against(self.reference, start)
        days = row.days[start:stop]
        part = readings.part(start - first, stop - first)
        alarms = [
            (index, kind)
            for kind, vote in self.votes.items()
            if (index := vote.run(part, days)) is not None
        ]
        taken, kind = min(alarms, default=(stop - start - 1, None), key=lambda alarm: alarm[0])
        taken += 1
        seen = row.seen.part(start, start + taken)
        scores = [] if part.scores is None else part.scores[:taken].tolist()
        self.blocks.extend(self.reference.images(seen.values), seen.ats_us.tolist(), scores)
        return taken, None if kind is None else self._alarm(kind, int(seen.ats_us[-1]))

    def _alarm(self, kind: str, at_us: int) -> Change:
        assert self.reference is not None
        vote = self.votes[kind]
        since, again = self.blocks.since(vote.changed_n), self.provisional is not None
        change = alarmed(kind, vote, self.reference, since, at_us, again=again)
        self.changed_us = change.since_us
        self._start_sample("relearning")
        return change

    def _relearnt(self, at_us: int) -> Change:
        assert self.original is not None
        before, sample = self.provisional or self.original, self.learning.sample
        again = self.provisional is not None
        returned = self.original.agrees(sample)
        self.provisional = None if returned else sample.freeze()
        self._watch_from_now()
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
        self._begin()
        self.closed = True
        self.blocks, self.newest_us = Blocks(), None

    def _begin(self) -> None:
        self.original = self.provisional = None
        self.learning.pace, self.closed = Pace(), False
        self._start_sample("learning")

    def _start_sample(self, phase: Phase) -> None:
        self.phase = phase
        self.blocks.end()
        self.learning.begin()
        self.votes = {}

    def _watch_from_now(self) -> None:
        self._start_sample("watching")
        self._arm()

    def _arm(self, states: Mapping[str, detectors.State] | None = None) -> None:
        assert self.reference is not None
        self.votes = self.reference.arm(self.share.promise, states or {})

    def _keep_ahead(self, block: Block) -> None:
        """Arm the votes that count observations for a faster pace, before it costs the promise."""
        behind = self.share.falls_behind(block.n, block.at_us)
        if behind and self.phase == "watching":
            self._arm({kind: vote.state() for kind, vote in self.votes.items()})
