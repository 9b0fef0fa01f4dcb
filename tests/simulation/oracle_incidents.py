"""When missing, failed and incomplete answers must open an incident, and when it must be over."""

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import count, takewhile
from typing import NamedTuple

from schemas.config import Config, Outage

_NO_END_US = 2**62
_KINDS = {
    "missing": "missing_output",
    "failed": "failed_output",
    "incomplete": "incomplete_output",
}


class Settled(NamedTuple):
    """A study that a model has settled, for better or worse; in order of time."""

    at_us: int
    start_us: int
    study: str
    model: str
    outcome: str
    revision: int


class Transition(NamedTuple):
    """One step of one episode: opened, updated, recovering, recurred or recovered."""

    kind: str
    site: str
    model: str
    episode: int
    step: str
    at_us: int
    affected: int


class _Served(NamedTuple):
    """A study that has its result: within the shortest time that one missed until then had, or not.

    `on_time` is by its own deadline.
    """

    start_us: int
    quick: bool
    on_time: bool


@dataclass
class _Episode:
    """Bad outcomes without a proved end. `since` has what was served since the last of them.

    `hold_us` is set while it is resolving, `update_us` while there is more to tell than was told.
    """

    number: int
    studies: set[str] = field(default_factory=set)
    shortest_us: int = _NO_END_US
    since: list[_Served] = field(default_factory=list)
    before: list[_Served] = field(default_factory=list)
    last_bad_us: int = -_NO_END_US
    is_open: bool = False
    heard_us: int = -_NO_END_US
    said_us: int = -_NO_END_US
    hold_us: int | None = None
    update_us: int | None = None


class Episodes:
    """All episodes of one site."""

    def __init__(self, config: Config, site: str) -> None:
        self._site = site
        self._rules = {
            (model.name, outcome): getattr(model, outcome)
            for model in config.models
            for outcome in _KINDS
        }
        self._live: dict[tuple[str, str], _Episode] = {}
        self._numbers: dict[tuple[str, str], int] = defaultdict(int)
        self.transitions: list[Transition] = []

    def settled(self, settled: Settled, waiting_since: list[int]) -> None:
        """Count a bad outcome; then see which episodes of the model are over.

        `waiting_since`: the starts of the model's studies that still wait. Served are studies that
        have their result, on time or late.
        """
        if settled.outcome in _KINDS:
            self._bad(settled)
        for outcome in _KINDS:
            self._see_whether_over(settled, outcome, waiting_since)

    def next_timer_us(self) -> int:
        """The end of the first hold, or the first update that had to wait."""
        times_us = [us for e in self._live.values() for us in (e.hold_us, e.update_us)]
        return min((us for us in times_us if us is not None), default=_NO_END_US)

    def run_timer(self, us: int) -> None:
        """Resolve what has held until `us`, tell what had to wait until then."""
        for key, episode in list(self._live.items()):
            if episode.hold_us == us:
                self._say(key, episode, "recovered", us)
                del self._live[key]
            elif episode.update_us == us:
                self._say(key, episode, "updated", us)

    def _rule(self, model: str, outcome: str) -> Outage:
        return self._rules.get((model, outcome), Outage())

    def _bad(self, settled: Settled) -> None:
        key = (settled.model, settled.outcome)
        if key not in self._live:
            self._live[key] = _Episode(self._numbers[key] + 1)
        episode = self._live[key]
        episode.studies.add(settled.study)
        episode.last_bad_us = max(episode.last_bad_us, settled.at_us)
        if settled.outcome == "missing":
            episode.shortest_us = min(episode.shortest_us, settled.at_us - settled.start_us)
        episode.before += episode.since
        episode.since.clear()  # only news from after it can show that it was the last
        if not episode.is_open and len(episode.studies) >= self._rule(*key).open_after:
            episode.is_open = True
            self._numbers[key] = episode.number
            self._say(key, episode, "opened", episode.last_bad_us)
        elif episode.hold_us is not None:
            episode.hold_us = None
            self._say(key, episode, "recurred", settled.at_us)
        elif episode.is_open:
            self._update(key, episode)

    def _see_whether_over(self, settled: Settled, outcome: str, waiting_since: list[int]) -> None:
        """Later studies are served and no earlier one waits: the outage is over, if it holds.

        True since the last outcome that was heard of. An episode with too few bad outcomes to
        open just ends.
        """
        key = (settled.model, outcome)
        episode = self._live.get(key)
        if episode is None:
            return
        episode.heard_us = max(episode.heard_us, settled.at_us)
        if episode.hold_us is not None:
            return
        if settled.outcome in ("on_time", "late") and settled.start_us > episode.last_bad_us:
            quick = settled.at_us - settled.start_us <= episode.shortest_us
            on_time = settled.outcome == "on_time"
            episode.since.append(_Served(settled.start_us, quick, on_time))
        oldest_us = min(waiting_since, default=_NO_END_US)
        if not any(min(s.start_us for s in run) <= oldest_us for run in _shown(episode)):
            return
        if not episode.is_open:
            del self._live[key]
            return
        self._say(key, episode, "recovering", episode.heard_us)
        episode.hold_us = episode.said_us + round(self._rule(*key).hold_s * 1e6)

    def _update(self, key: tuple[str, str], episode: _Episode) -> None:
        """Tell that there are more, but not more often than every `update_s`."""
        allowed_us = episode.said_us + round(self._rule(*key).update_s * 1e6)
        if episode.last_bad_us >= allowed_us:
            self._say(key, episode, "updated", episode.last_bad_us)
        else:
            episode.update_us = allowed_us

    def _say(self, key: tuple[str, str], episode: _Episode, step: str, at_us: int) -> None:
        """A step is never dated before the one that it follows."""
        model, outcome = key
        episode.said_us = max(episode.said_us, at_us)
        episode.update_us = None
        studies = len(episode.studies)
        self.transitions.append(
            Transition(
                _KINDS[outcome], self._site, model, episode.number, step, episode.said_us, studies
            )
        )


def _shown(episode: _Episode) -> Iterator[list[_Served]]:
    """The runs of studies, up to the last, that show the end, if none that is older waits.

    Each was answered within the shortest time that a missed one had: one if no other was slower
    than that in all the episode, else so many, at least two, that it is chance once in twenty. Or
    twenty were on time by their own deadlines.
    """
    everything = episode.before + episode.since
    slow_n = sum(not s.quick for s in everything)
    quick = list(takewhile(lambda s: s.quick, reversed(episode.since)))
    others_n = len(everything) - slow_n - len(quick)
    share = others_n / (others_n + slow_n + len(episode.studies))
    needed_n = 1 if not slow_n else next(n for n in count(2) if share**n <= 1 / 20)
    if len(quick) >= needed_n:
        yield quick
    on_time = list(takewhile(lambda s: s.on_time, reversed(episode.since)))
    if len(on_time) >= 20:
        yield on_time
