"""What time alone brings about in a shard: each thing at its own time, in order.

It does not matter when time is advanced, only how far: every conclusion is dated by when it became
true.
"""

from collections.abc import Iterable, Iterator

from schemas.messages import Effect
from streams.clock import NEVER_US
from streams.parts import Parts
from streams.telling import Telling


class Passing:
    """The timers of all parts of one shard."""

    def __init__(self, parts: Parts, tell: Telling) -> None:
        self._parts = parts
        self._tell = tell
        self._correlate = parts.correlate
        self._firsts = parts.firsts
        self._incidents = parts.incidents
        self._proving = parts.proving
        self._routing = parts.routing
        self._watching = parts.watching()
        timed = (parts.correlate, parts.incidents, *self._watching)
        self._earliest = [part.earliest_us for part in timed]
        self._any = [parts.proving.earliest_us, *self._earliest]  # asked for each event

    def until(self, watermark_us: int) -> Iterable[Effect]:
        """What becomes true up to a proved time."""
        for earliest_us in self._any:
            if earliest_us() <= watermark_us:
                return self._pass(watermark_us)
        return ()

    def deadline_us(self) -> int:
        """When the next thing happens, housekeeping included; NEVER_US for never."""
        return min(self._next_us(), self._correlate.forget_at() or NEVER_US)

    def due_us(self) -> int:
        """When something is next said of a study or an incident; NEVER_US for never."""
        due_us, timer_us = self._correlate.deadline(), self._incidents.deadline()
        return min(
            NEVER_US if due_us is None else due_us,
            NEVER_US if timer_us is None else timer_us,
            self._proving.earliest_us(),
        )

    def _timer_us(self) -> int:
        """Before this no deadline, hold, update or retention ends: cheap, and perhaps too early."""
        return min([earliest_us() for earliest_us in self._earliest])

    def _next_us(self) -> int:
        retire_us = self._incidents.retire_at()
        times = [part.earliest_us() for part in self._watching]
        return min(self.due_us(), NEVER_US if retire_us is None else retire_us, *times)

    def _pass(self, watermark_us: int) -> Iterator[Effect]:
        timer_us = self._timer_us()
        while settlement := self._proving.reached(min(timer_us - 1, watermark_us)):
            if findings := self._tell.follows_from(settlement):
                yield from self._tell.findings(findings)
                timer_us = self._timer_us()
        if timer_us > watermark_us:
            return
        while (at_us := self._next_us()) <= watermark_us:
            yield from self._pass_at(at_us)
        self._correlate.forget(watermark_us)
        self._firsts.patients.forget(watermark_us)

    def _pass_at(self, at_us: int) -> Iterator[Effect]:
        """What becomes true at this moment."""
        for settlement in self._correlate.expire(at_us):
            yield from self._tell.settled(settlement)
        while (reached := self._proving.reached(at_us)) is not None:
            yield from self._tell.proved(reached)
        for stage in self._parts.stages:
            if stage.earliest_us() <= at_us:
                yield from self._tell.said(stage.tick(at_us))
        if self._incidents.earliest_us() <= at_us:
            yield from self._tell.flush()  # what was observed was so before this moment
        yield from self._tell.incidents(self._incidents.tick(at_us))
        if self._routing.earliest_us() <= at_us:
            yield from self._tell.flush()
            yield from self._routing.tick(at_us)
