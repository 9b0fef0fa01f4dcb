"""Recorded events through the same pipeline that runs live: backtest, tuning, post-mortem.

Virtual time follows `arrived_at`, else `at`, and never goes back. A stamp without `arrived_at` that
jumps ahead, and that the next lines take back, is a wrong clock and not the passage of time. One in
ten of them is not enough: those are late themselves.
"""

from collections import deque
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from hashlib import sha256
from itertools import islice

import msgspec
from msgspec import Struct

from schemas.config import Config
from schemas.deadletter import DeadLetter
from schemas.decoding import decode_event
from schemas.fields import EARLIEST_YEAR, LATEST_YEAR
from schemas.messages import Effect, Event
from schemas.refusal import Refused
from streams.clock import from_us, seconds_to_us, to_us
from streams.pipeline import Pipeline

_START_US = to_us(datetime(EARLIEST_YEAR, 1, 1, tzinfo=UTC))
_LOOK_AHEAD = 100  # lines: a wrong clock stamps the study and its results alike
_STRAY_OF = 10  # one of so many lines may be late, and takes nothing back
_BATCH = 2_000  # fixed: the order of what is told is part of a replay's bytes


class _Dated(Struct):
    arrived_at: datetime | None = None


class Line(Struct, frozen=True):
    """One line of a recording: where it stands, and the event or what is wrong with it."""

    source: str
    number: int
    size_bytes: int
    event: Event | Refused
    sha256: str
    arrived_us: int | None = None


_dated = msgspec.json.Decoder(_Dated)


def parse(source: str, texts: Iterable[bytes]) -> Iterator[Line]:
    """The lines of one recording, decoded; blank ones are passed over."""
    for number, text in enumerate(texts, start=1):
        if not text.strip():
            continue
        event, digest = decode_event(text), sha256(text).hexdigest()
        arrived_us = None if isinstance(event, Refused) else _arrived_us(text)
        yield Line(source, number, len(text), event, digest, arrived_us)


def _arrived_us(text: bytes) -> int | None:
    try:
        arrived_at = _dated.decode(text).arrived_at
    except msgspec.ValidationError:
        return None  # not a time: as if it were not there, `at` dates the line
    if arrived_at is None or arrived_at.tzinfo is None:
        return None
    return to_us(arrived_at) if EARLIEST_YEAR <= arrived_at.year <= LATEST_YEAR else None


class Replay:
    """One pass over recordings; what it says is a function of the lines and the configuration."""

    def __init__(self, config: Config) -> None:
        self.pipeline = Pipeline(config)
        self.now_us = _START_US
        self.handled_n = 0
        self._lateness_us = seconds_to_us(config.clock.lateness_s)
        self._max_skew_us = seconds_to_us(config.clock.max_skew_s)

    def play(self, lines: Iterable[Line]) -> Iterator[Effect | DeadLetter]:
        """Take lines in the order of arrival."""
        dated = self._dated(lines)
        while batch := list(islice(dated, _BATCH)):
            events = []
            for line, arrived_us in batch:
                if isinstance(line.event, Refused):
                    yield _dead_letter(line, line.event, arrived_us)
                elif refused := self.pipeline.refuse(line.event.site):
                    yield _dead_letter(line, refused, arrived_us)
                else:
                    events.append((line.event, arrived_us))
            self.handled_n += len(events)
            yield from self.pipeline.handle_all(events)

    def finish(self, until_us: int | None = None) -> Iterator[Effect]:
        """Let time run on to `until_us`, or until every deadline has passed.

        To `until_us` nothing has come, and feeds fall silent; else it is not known what came.
        """
        if until_us is not None:
            yield from self.pipeline.tick(until_us - self._lateness_us)
            return
        self.pipeline.end(self.now_us)
        while (due_us := self.pipeline.next_due()) is not None:
            yield from self.pipeline.tick(due_us)

    def _dated(self, lines: Iterable[Line]) -> Iterator[tuple[Line, int]]:
        """Each line with the virtual time of its arrival."""
        following = iter(lines)
        ahead = deque(islice(following, _LOOK_AHEAD))
        while ahead:
            line = ahead.popleft()
            ahead.extend(islice(following, 1))
            if not isinstance(line.event, Refused):
                self.now_us = max(self.now_us, self._arrival_us(line.arrived_us, line.event, ahead))
            yield line, self.now_us

    def _arrival_us(self, arrived_us: int | None, event: Event, ahead: Iterable[Line]) -> int:
        if arrived_us is not None:
            return arrived_us
        stamp_us = to_us(event.at)
        if stamp_us <= self.now_us + self._max_skew_us:
            return stamp_us
        stamps = sorted(after for line in ahead if (after := _stamp_us(line)) is not None)
        if stamps and stamps[len(stamps) // _STRAY_OF] < stamp_us - self._max_skew_us:
            return stamps[0]
        return stamp_us


def _stamp_us(line: Line) -> int | None:
    if line.arrived_us is not None or isinstance(line.event, Refused):
        return line.arrived_us
    return to_us(line.event.at)


def _dead_letter(line: Line, refused: Refused, now_us: int) -> DeadLetter:
    return DeadLetter(
        topic=line.source[-256:],
        offset=line.number,
        path=refused.path,
        reason=refused.reason,
        at=from_us(now_us),
        size_bytes=line.size_bytes,
        sha256=line.sha256,
        site=refused.site,
        expected=refused.expected,
    )
