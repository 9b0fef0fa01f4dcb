"""What became of what was ingested: events let through, the rest counted and named."""

import sys
from collections import Counter
from collections.abc import Iterable, Iterator

from streams.ingest import Translated, Untranslated
from streams.ingest.sink import Event


class Tally:
    """What became of the sources."""

    def __init__(self) -> None:
        self._events: Counter[str] = Counter()
        self._untranslated: Counter[Untranslated] = Counter()

    def events(self, translated: Iterable[Translated]) -> Iterator[Event]:
        """Let events through and count the rest."""
        for one in translated:
            if isinstance(one, Untranslated):
                self._untranslated[one] += 1
            else:
                self._events[type(one).__name__.lower()] += 1
                yield one

    def report(self) -> None:
        """Say it on stderr, the most frequent first."""
        told = ", ".join(f"{n} {kind}" for kind, n in sorted(self._events.items())) or "no event"
        print(f"radvigil: {told}", file=sys.stderr)
        for one, n in self._untranslated.most_common(20):
            code = f" {one.code}" if one.code else ""
            print(
                f"radvigil: not translated: {n} x {one.reason}{code} ({one.where})", file=sys.stderr
            )
