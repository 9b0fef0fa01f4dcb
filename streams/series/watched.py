"""One watched series: it learns a reference, is held against it, and after an alarm learns again.

learning -> watching -> (alarm) -> relearning -> watching -> ...

After an alarm the reference stays, and a provisional one is learnt from what comes. If that sample
agrees with the reference, the series has returned. If not, it is watched against the provisional
one, so that a second change or a return is seen, and nothing alarms for ever. A change that was
soon over is half of it, and would hide its own return: a later sample that agrees with the
reference, and is nearer to it by half, is a return, too. streams/series/seen.py has what kinds
differ in.

A reference of less than a week is of weekdays alone, or of weekends. What comes on other days is
not judged; a sample goes on growing, and when it holds a week, that is the reference.
"""

from collections.abc import Callable, Iterator, Mapping
from sys import maxsize
from typing import TypeAlias

import detectors
from detectors.day_levels import DayLevels
from schemas.series import Note, Phase
from streams.pace import days_before
from streams.series.blocks import BLOCK_N, Block, Blocks
from streams.series.change import Change, NewWord, alarmed, relearnt
from streams.series.judging import Judges, judge, read_states, written_states
from streams.series.learning import Goal, Learning, Settings, relearn_n
from streams.series.references import Origin, References
from streams.series.seen import Frozen, Row, Sample, Seen, Vote
from streams.series.share import Grant, Share
from streams.series.unseen import Unseen
from streams.series.vote_by_day import carried
from streams.series.week import PART_OF_A_DAY, is_of_usual_days, is_short, stretch

Happening: TypeAlias = Change | NewWord | Block


class Series:
    """The state of one series; `streams.series.record` writes it down."""

    def __init__(self, settings: Settings, new_sample: Callable[[], Sample]) -> None:
        self.phase: Phase = "learning"
        self.learning = Learning(settings, new_sample)
        self.newest_us: int | None = None
        self.references = References()
        self.share = Share()
        self.votes: dict[str, Vote] = {}
        self._learnt: dict[str, detectors.State] = {}  # of the votes, while it relearns
        self.levels: DayLevels | None = None  # of its days, whatever the reference
        self.changed_us = 0
        self.unseen = Unseen()
        self.blocks = Blocks()
        self.place = 0  # of the observations handed in, the one that showed the last change or word
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
            reference = self.reference
            held = self.original if self.phase == "relearning" else reference
            alike_n, judged = stretch(held.notes if held else (), seen.weekhours[start:])
            if self.blocks.filling is not None and self.blocks.filling.judged != judged:
                self.blocks.end()
                yield from self._block()
            stop = start + min(self.blocks.room, alike_n)
            if self.phase == "watching":
                taken, change = self._watch(row, start, stop, grant, judged=judged)
            else:
                taken, change = self._collect(seen.part(start, stop), grant, judged=judged)
            yield from self._newness(reference, seen.part(start, start + taken), start)
            if change is not None:
                self.place = start + taken - 1
                yield change
            if self.blocks.room == BLOCK_N and not self.closed:
                yield from self._block()
            start += taken

    def complete(self, grant: Grant) -> Iterator[Happening]:
        """Freeze what has been learnt, if that is enough."""
        if self.phase == "learning" and self.learning.has_enough:
            yield from self._last_block()
            self._try_shipped(grant)
            if self.phase == "learning":
                self._hold_against(self._frozen(), "learnt", grant)

    def accept(self) -> Iterator[Happening]:
        """What is now is the normal: the provisional reference becomes the reference."""
        was_away, at_us = self.is_away, self.newest_us or 0
        yield from self._last_block()
        if self.phase == "relearning":
            self.references.end(at_us)
            self.phase = "learning"
        elif self.provisional is not None:
            self.references.begin(self.provisional, "accepted", at_us)
            self._watch_from_now(goes_on=True)
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
        """See Learning; None while nothing is to be frozen that a share may be granted for."""
        settings = self.learning.settings
        if self.closed or self.phase == "relearning":
            return None
        if self.phase == "watching":
            goal = self._goal if is_short(self.notes) else None
            return None if goal is None else self.learning.missing(goal)
        observations, stamp_us = self.learning.missing(settings.first)
        return min(observations, self._trial_left), stamp_us

    @property
    def _trial_left(self) -> int:
        """Observations until a shipped reference has been tried."""
        shipped = self.references.shipped
        return maxsize if shipped is None else max(relearn_n(shipped) - self.learning.sample.n, 1)

    def resume(self, states: Mapping[str, detectors.State]) -> None:
        """Take up the votes of a checkpoint; one that cannot be read begins anew."""
        self.levels, of_votes = read_states(states, self.reference)
        if self.phase == "watching":
            self._arm(of_votes)
        else:
            self._learnt = of_votes

    def states(self) -> dict[str, detectors.State]:
        """Those of the votes, or what outlasts their alarm."""
        return written_states(self.votes, self._learnt, self.levels)

    def _collect(self, part: Seen, grant: Grant, *, judged: bool) -> tuple[int, Change | None]:
        """Let the sample grow up to where it is complete."""
        if self.phase == "learning":
            return self._learn(part, grant), None
        assert self.original is not None
        assert self.reference is not None
        images = self.reference.images(part.values)
        if not judged:
            self.blocks.extend(images, part.ats_us.tolist(), judged=False)
            return part.n, None
        taken, complete = self.learning.take(part, Goal(self.learning.again_n(self.original)))
        self._grown(part, images, taken)
        return taken, self._relearnt(int(part.ats_us[taken - 1])) if complete else None

    def _learn(self, part: Seen, grant: Grant) -> int:
        left = self._trial_left
        part = part.part(0, left)
        images = self.learning.sample.images(part.values)
        taken, complete = self.learning.take(part, self.learning.settings.first)
        self._grown(part, images, taken)
        if not self.closed and (complete or taken == left):
            self._try_shipped(grant)
        if complete and self.phase == "learning":
            self._hold_against(self._frozen(), "learnt", grant)
        return taken

    def _try_shipped(self, grant: Grant) -> None:
        """Take a shipped reference if what has come agrees with it, and else forget it."""
        shipped, self.references.shipped = self.references.shipped, None
        if shipped is None:
            return
        if shipped.agrees(self.learning.sample, shipped.levels(None)):
            self._hold_against(shipped, "tried", grant)
        else:
            self.references.history.unfit_n += 1

    def _grown(self, part: Seen, images: list[float], taken: int) -> None:
        self.blocks.extend(images[:taken], part.ats_us[:taken].tolist())
        self.closed = self.learning.sample.is_of_names

    def _frozen(self) -> Frozen:
        """The reference that the sample makes now."""
        learning = self.learning
        notes: list[Note] = [] if learning.holds_day else [PART_OF_A_DAY]
        return learning.sample.freeze(of_usual_days=not learning.holds_week, notes=notes)

    def _hold_against(self, reference: Frozen, origin: Origin, grant: Grant) -> None:
        self.references.begin(reference, origin, self.learning.pace.newest_us)
        self._settle(grant)
        self._watch_from_now(goes_on=origin == "learnt")

    def _settle(self, grant: Grant) -> None:
        per_day = self.learning.pace.per_day(self.learning.sample.n)
        self.share.settle(grant, is_promised=self.is_promised, per_day=per_day)

    def _watch(
        self, row: Row, start: int, stop: int, grant: Grant, *, judged: bool
    ) -> tuple[int, Change | None]:
        """Judge observations up to the first alarm, or up to where a sample of them is complete."""
        assert self.reference is not None
        goal, complete = self._goal, False
        if goal is not None:
            taken, complete = self.learning.take(row.seen.part(start, stop), goal)
            stop = start + taken
        judges = Judges(self.votes if judged else {}, self.levels)
        taken, kind = judge(judges, self.reference, row, (start, stop), self.blocks)
        at_us = int(row.seen.ats_us[start + taken - 1])
        if kind is not None:
            return taken, self._alarm(kind, at_us)
        self.closed = self.learning.sample.is_of_names
        return taken, self._sampled(at_us, grant) if complete else None

    @property
    def _goal(self) -> Goal | None:
        """What is sampled beside watching."""
        original = self.original
        return None if original is None else self.learning.beside(original, self.provisional)

    def _sampled(self, at_us: int, grant: Grant) -> Change | None:
        """Such a sample is complete."""
        before, sample, original = self.provisional, self.learning.sample, self.original
        assert original is not None
        if before is None:
            self.references.original = self._frozen()
            self._settle(grant)
            self._watch_from_now(goes_on=True)
            return None
        some_days = is_of_usual_days(before.notes)
        if original.agrees(sample, self.levels, self.states()) and (
            some_days or original.apart(sample) < before.apart(sample) / 2
        ):
            self.references.provisional = None
            self._watch_from_now()
            return relearnt(before, sample, at_us, self.changed_us, returned=True, again=True)
        if some_days:
            self.references.provisional = sample.freeze()
            self._watch_from_now()
        else:
            self.learning.begin()
        return None

    def _alarm(self, kind: str, at_us: int) -> Change:
        assert self.reference is not None
        vote = self.votes[kind]
        since, again = self.blocks.since(vote.changed_n), self.provisional is not None
        change = alarmed(kind, vote, self.reference, since, at_us, again=again)
        self.changed_us = change.since_us
        learnt = {kind: vote.learnt() for kind, vote in self.votes.items()}
        self._start_sample("relearning")
        self._learnt = {kind: state for kind, state in learnt.items() if state is not None}
        return change

    def _relearnt(self, at_us: int) -> Change:
        assert self.original is not None
        before, sample = self.provisional or self.original, self.learning.sample
        again = self.provisional is not None
        returned = self.original.agrees(sample, self.levels, self._learnt)
        if returned:
            self.original.tell(sample, self.levels, again=again)
        # Against a reference of some days the sample has no others.
        some_days = is_of_usual_days(self.original.notes) or not self.learning.holds_week
        provisional = None if returned else sample.freeze(of_usual_days=some_days)
        self.references.provisional = provisional
        self._watch_from_now(self._learnt if returned and not again else None)
        return relearnt(before, sample, at_us, self.changed_us, returned=returned, again=again)

    def _newness(self, reference: Frozen | None, part: Seen, start: int) -> Iterator[Happening]:
        """Unseen words of observations just taken, against what was the reference then."""
        if self.closed:
            was_away = self.is_away
            self._close()
            yield from self._ended(was_away, int(part.ats_us[-1]))
        elif reference is not None:
            places = reference.unseen(part.values)
            if places or self.unseen.n:
                for place, new in self.unseen.take(part, places, reference.n):
                    self.place = start + place
                    yield new

    def _last_block(self) -> Iterator[Block]:
        if self.blocks.filling is not None:
            self.blocks.end()
            yield self.blocks.full[-1]

    def _block(self) -> Iterator[Block]:
        """The one that has just ended.

        Votes that count are armed anew for a faster pace, before it costs the promise.
        """
        block = self.blocks.full[-1]
        yield block
        behind = self.share.falls_behind(block.n, block.at_us)
        if behind and self.phase == "watching":
            self._arm(self.states())

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
        self.closed, self.levels = False, None
        self._start_sample("learning")

    def _start_sample(self, phase: Phase, *, goes_on: bool = False) -> None:
        self.phase = phase
        self.blocks.end()
        if not goes_on:
            self.learning.begin()
        self.votes, self._learnt = {}, {}

    def _watch_from_now(
        self, learnt: Mapping[str, detectors.State] | None = None, *, goes_on: bool = False
    ) -> None:
        """A sample goes on growing if it holds no whole week yet, or is over.

        What days have told goes on whatever the reference; all of `learnt` if it is the same one.
        """
        assert self.reference is not None
        states = carried(self.states()) if learnt is None else learnt
        self._start_sample("watching", goes_on=goes_on and is_short(self.notes))
        self.levels = self.reference.levels(self.levels)
        self._arm(states)

    def _arm(self, states: Mapping[str, detectors.State] | None = None) -> None:
        assert self.reference is not None
        self.votes = self.reference.arm(self.share.promise, states or {}, self.levels)
