"""The references of one series: the one in force, the last few before it, and one on trial.

Each has a number that stays with it: a reference that is restored has the number it had. Of those
that are over the last KEPT are kept, whoever ended them: a person, another version of the model, a
reference that was shipped. A reference from another site is on trial first: it comes into force
only if the site's own first observations agree with it, and is forgotten if not, without an alarm.
"""

from collections.abc import Mapping
from typing import Literal

from msgspec import Struct, field

from streams.series.seen import Frozen

KEPT = 3
Origin = Literal["learnt", "accepted", "restored", "shipped", "tried"]
_PAST = "past/"


class Entry(Struct, omit_defaults=True):
    """One reference: how it last came into force, and from when until when it was; 0: not known.

    `learnt` from what came first, `accepted` by a person after a change, `restored` by a person,
    `shipped` from the site's own past, `tried`: shipped from elsewhere, and it agreed.
    """

    number: int
    origin: Origin
    since_us: int = 0
    until_us: int | None = None


class History(Struct, omit_defaults=True):
    """What is known of all of them; `past`: as they went out of force, the last one last."""

    current: Entry | None = None
    past: list[Entry] = field(default_factory=list)
    numbers_given: int = 0
    unfit_n: int = 0
    """So many that were shipped did not agree with what came."""


class References:
    """`original` is in force but for `provisional`, after an alarm; `shipped` is on trial."""

    def __init__(self) -> None:
        self.original: Frozen | None = None
        self.provisional: Frozen | None = None
        self.shipped: Frozen | None = None
        self.past: dict[int, Frozen] = {}
        self.history = History()

    def begin(self, reference: Frozen, origin: Origin, at_us: int) -> None:
        """From here on the series is held against a new one."""
        self.end(at_us)
        self.history.numbers_given += 1
        self._force(reference, Entry(self.history.numbers_given, origin, at_us))

    def end(self, at_us: int) -> None:
        """What was in force is no more."""
        history, reference = self.history, self.original
        self.original = self.provisional = None
        if reference is None or history.current is None:
            return
        history.current.until_us = at_us
        history.past.append(history.current)
        self.past[history.current.number] = reference
        history.current = None
        for entry in history.past[:-KEPT]:
            del self.past[entry.number]
        del history.past[:-KEPT]

    def find(self, number: int) -> int | None:
        """The number of an earlier one that is kept; 0 stands for the one before. None if not."""
        if number == 0 and self.history.past:
            return self.history.past[-1].number
        return number if number in self.past else None

    def restore(self, number: int, at_us: int) -> None:
        """Put an earlier one into force again."""
        reference = self.past.pop(number)
        self.history.past = [one for one in self.history.past if one.number != number]
        self.end(at_us)
        self._force(reference, Entry(number, "restored", at_us))

    def slots(self) -> dict[str, Frozen]:
        """All of them by the name under which each is written down."""
        named = {
            "original": self.original,
            "provisional": self.provisional,
            "shipped": self.shipped,
            **{f"{_PAST}{number}": reference for number, reference in self.past.items()},
        }
        return {slot: reference for slot, reference in named.items() if reference is not None}

    def resume(self, slots: Mapping[str, Frozen], history: History) -> None:
        """Take up what was written; what was in force before there were numbers is the first."""
        self.original, self.provisional = slots.get("original"), slots.get("provisional")
        self.shipped, self.history = slots.get("shipped"), history
        self.past = {entry.number: slots[f"{_PAST}{entry.number}"] for entry in history.past}
        if self.original is not None and history.current is None:
            history.numbers_given += 1
            history.current = Entry(history.numbers_given, "learnt")

    def _force(self, reference: Frozen, entry: Entry) -> None:
        self.original, self.history.current = reference, entry


def is_reference(slot: str) -> bool:
    """Whether a name is one under which a reference is written down."""
    return slot in ("original", "provisional", "shipped") or slot.startswith(_PAST)
