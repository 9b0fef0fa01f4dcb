"""Words that a reference does not have: told at once and as they double, until none comes."""

from collections.abc import Iterator, Sequence
from typing import cast

from msgspec import Struct

from streams.series.change import NewWord
from streams.series.seen import Seen

_LEAST_AWAY_N = 30


class Unseen(Struct, omit_defaults=True):
    """An episode of words never seen before: `word` was the first; `away_n` came without any."""

    word: str = ""
    n: int = 0
    since_us: int = 0
    away_n: int = 0

    def take(
        self, seen: Seen, places: list[int], reference_n: int
    ) -> Iterator[tuple[int, NewWord]]:
        """Go on by observations of which those at `places` are unseen; what is to be told, where.

        It is over when half as many observations as the reference has came without one.
        """
        words, ats_us = cast(Sequence[str], seen.values), seen.ats_us.tolist()
        taken = 0
        for place in [*places, seen.n]:
            for new in self._away(ats_us[taken:place], reference_n):
                yield place - 1, new
            if place < seen.n:
                for new in self._again(words[place], ats_us[place], reference_n):
                    yield place, new
            taken = place + 1

    def end(self, at_us: int, reference_n: int) -> list[NewWord]:
        """It is over, if there is one, whatever the observations say."""
        if self.n == 0:
            return []
        told = self._told(False, at_us, reference_n)
        self.word, self.n, self.since_us, self.away_n = "", 0, 0, 0
        return [told]

    def _again(self, word: str, at_us: int, reference_n: int) -> list[NewWord]:
        if self.n == 0:
            self.word, self.since_us = word, at_us
        self.n += 1
        self.away_n = 0
        if self.n & (self.n - 1):  # told at the 1st, 2nd, 4th, 8th
            return []
        return [self._told(True, at_us, reference_n)]

    def _away(self, ats_us: Sequence[int], reference_n: int) -> list[NewWord]:
        if self.n == 0 or not ats_us:
            return []
        # A reference that was learnt since may want fewer than came already: the next one is it.
        missing_n = max(max(_LEAST_AWAY_N, reference_n // 2) - self.away_n, 1)
        self.away_n += len(ats_us)
        return self.end(ats_us[missing_n - 1], reference_n) if missing_n <= len(ats_us) else []

    def _told(self, holds: bool, at_us: int, reference_n: int) -> NewWord:
        return NewWord(holds, at_us, self.since_us, self.word, self.n, reference_n)
