"""What happened to a series and to its slices, as one episode: it begins, goes on, and is over.

One cause moves a scanner, everything with that scanner's model in it, and perhaps the whole. All
that has left its reference is away; the episode is over when all of it is back.
"""

from collections.abc import Iterable, Sequence
from typing import Literal, NamedTuple

from msgspec import Struct, field

from streams.finding import Signal
from streams.observations.slicing import WHOLE
from streams.series.change import Change

Step = Literal["opened", "joined", "changed", "updated", "returned", "ended"]


class Part(NamedTuple):
    """What happened to one slice, or to the whole."""

    slice: str
    change: Change
    promised: bool


class Away(Struct, array_like=True):
    """Where a slice is that has left its reference, by the last that was shown of it."""

    change: Change
    promised: bool


class Fold(Struct, omit_defaults=True):
    """`away`: slices in the order in which they left. `named`: those that were told to explain it.

    `blamed`: all that ever were in this episode. `told_us`: when its last change was told as one.
    Plain data, as it is written down.
    """

    away: dict[str, Away] = field(default_factory=dict)
    named: list[str] = field(default_factory=list)
    blamed: list[str] = field(default_factory=list)
    told_us: int = 0

    def take(self, parts: Sequence[Part]) -> Step | None:
        """What was shown by one and the same observation; None if there is nothing to be told."""
        before = set(self.away)
        steps = [self._take(part) for part in parts]
        if not self.away:
            self.named, self.blamed, self.told_us = [], [], 0
            if not before:
                return None
            return "returned" if parts[-1].change.what == "returned" else "ended"
        found: tuple[Step, ...] = ("changed", "joined", "updated")
        step = next((step for step in found if step in steps), None) if before else "opened"
        if step in ("opened", "changed"):
            self.told_us = parts[-1].change.at_us
        return step

    def signal(self, step: Step, named: Sequence[str]) -> Signal:
        """What is to be concluded, if these slices explain it.

        Who joins is news where it shows another cause. The whole, or the scanner's model, that
        follows its scanner is no news, nor who is named anew.
        """
        known = dict.fromkeys([*self.blamed, *self.named])
        self.named, self.blamed = list(named), [*(known | dict.fromkeys(named))]
        if step == "joined":
            return "changed" if set(named) - set(known) else "holds"
        signals: dict[Step, Signal] = {
            "changed": "changed",
            "returned": "returned",
            "ended": "eased",
        }
        return signals.get(step, "holds")

    def shown(self) -> str:
        """The slice whose numbers are told: the one that explains it, or else the whole."""
        if len(self.named) == 1 and self.named[0] in self.away:
            return self.named[0]
        if WHOLE in self.away:
            return WHOLE
        return next((name for name in self.named if name in self.away), next(iter(self.away)))

    @property
    def promised(self) -> bool:
        """Whether any that is away can keep a promise."""
        return any(away.promised for away in self.away.values())

    def keep(self, slices: Iterable[str]) -> None:
        """Forget what is away of all others: they are not watched any more."""
        watched = set(slices)
        self.away = {name: away for name, away in self.away.items() if name in watched}

    def _take(self, part: Part) -> Step | None:
        name, change = part.slice, part.change
        if change.what in ("returned", "ended"):
            return "updated" if self.away.pop(name, None) else None
        if change.what == "alarm" and change.again:
            return None  # told when it is known whether it is a return or another change
        joined = name not in self.away
        self.away[name] = Away(change, part.promised)
        if joined:
            return "joined"
        if not change.again:
            return "updated"
        # What began before the last change was told is that one, which the others show as well.
        return "changed" if change.since_us > self.told_us else "joined"
