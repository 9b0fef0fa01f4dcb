"""What the words around a mention make of it: negation, doubt, history, resolution.

After ConText (Harkema et al. 2009): a cue acts on the mentions before or after it, so many words
far, up to a word that ends its scope.
"""

from bisect import bisect_left
from collections.abc import Iterable, Sequence
from typing import Any, Literal, NamedTuple

from streams.ingest.labeller.phrases import Match

Kind = Literal["negation", "uncertainty", "history", "hypothetical", "resolution", "current"]
Side = Literal["before", "after"]
Value = Literal["present", "absent", "uncertain"]

_NOWHERE = 1 << 30


class Cue(NamedTuple):
    """What a phrase does: to mentions that it stands `before`, or `after`."""

    kind: Kind
    side: Side
    reach_words: int


class Acting(NamedTuple):
    """A cue at its place in a sentence."""

    cue: Cue
    start: int
    stop: int
    phrase: str


class Verdict(NamedTuple):
    """What is said of a finding, and why."""

    value: Value
    why: str


class Scope:
    """One sentence: its cues, and the words that end or carry on what they act on."""

    def __init__(
        self,
        words: Sequence[str],
        cues: Iterable[Match[Cue | None]],
        ends: Iterable[int],
        joins: frozenset[str],
    ) -> None:
        matches = [match for match in cues if match.means != (None,)]
        self.cues = [
            Acting(cue, match.start, match.stop, match.phrase)
            for match in matches
            for cue in match.means
            if cue is not None
        ]
        self._ends = list(ends)
        self._commas = [i for i, word in enumerate(words) if word == ","]
        self._joins = [i for i, word in enumerate(words) if word in joins]

    def judge(self, mention: Match[Any]) -> Verdict | None:
        """Of a finding that is named; None where nothing is said of it as it is now."""
        acting: dict[Kind, Acting] = {}
        for one in self._before(mention):
            acting[one.cue.kind] = one  # the nearest of its kind
        after = self._after(mention)
        if after is not None:
            acting.setdefault(after.cue.kind, after)
        if "resolution" in acting:
            return _verdict("absent", acting["resolution"])
        if _not_of_now(acting):
            return None
        return _negated_or_uncertain(acting, after) or Verdict("present", "stated")

    def judge_stated(self, mention: Match[Any], value: Value) -> Verdict | None:
        """Of a phrase that says a value itself: only what stands within it, or history, counts."""
        for one in self.cues:
            inside = mention.start < one.start and one.stop <= mention.stop
            if inside and one.cue.kind == "negation":
                return _verdict("present" if value == "absent" else "absent", one)
            if inside and one.cue.kind == "uncertainty":
                return _verdict("uncertain", one)
        kinds = {one.cue.kind for one in self._before(mention)}
        return None if kinds & {"history", "hypothetical"} else Verdict(value, "stated")

    def _before(self, mention: Match[Any]) -> list[Acting]:
        """The cues whose reach comes to the mention from the left, the nearest last."""
        return [
            one
            for one in self.cues
            if one.cue.side == "before"
            and one.start < mention.stop
            and self._reaches_right(one, mention)
        ]

    def _reaches_right(self, one: Acting, mention: Match[Any]) -> bool:
        if one.start > mention.start:  # between the words of the mention
            return one.stop <= mention.stop
        if not one.stop <= mention.start < one.stop + one.cue.reach_words:
            return False
        if _next(self._ends, one.stop) < mention.start:
            return False
        comma = _next(self._commas, one.stop)
        return (
            one.cue.kind == "negation"
            or comma > mention.start
            or _next(self._joins, comma) < _NOWHERE
        )

    def _after(self, mention: Match[Any]) -> Acting | None:
        """The nearest cue on the right, if it reaches the mention."""
        for one in self.cues:
            near = one.cue.side == "after" and one.start >= mention.stop
            if near and one.start - mention.stop < one.cue.reach_words:
                ended = _next(self._ends, mention.stop) < one.start
                comma = _next(self._commas, mention.stop) < one.start
                joined = _next(self._joins, mention.stop) < one.start
                return None if ended or (comma and not joined) else one
        return None


def _not_of_now(acting: dict[Kind, Acting]) -> bool:
    """Whether it is history or a hypothesis; `history of A without B` speaks of B now."""
    negation = acting.get("negation")
    nearest = -1 if negation is None or negation.cue.side == "after" else negation.start
    if "hypothetical" in acting and acting["hypothetical"].start > nearest:
        return True
    history = acting.get("history")
    return history is not None and history.start > nearest and "current" not in acting


def _negated_or_uncertain(acting: dict[Kind, Acting], after: Acting | None) -> Verdict | None:
    """The nearest before the mention, else the one after it."""
    said = [acting[kind] for kind in ("negation", "uncertainty") if kind in acting]
    if len(said) == 2:
        said.sort(key=lambda one: (one is after, -one.start))
    if not said:
        return None
    return _verdict("absent" if said[0].cue.kind == "negation" else "uncertain", said[0])


def _verdict(value: Value, by: Acting) -> Verdict:
    return Verdict(value, f"{by.cue.kind}:{by.phrase}")


def _next(places: Sequence[int], at: int) -> int:
    """The first of `places` from `at` on."""
    found = bisect_left(places, at)
    return places[found] if found < len(places) else _NOWHERE
