"""What became of what was ingested: events let through, the rest counted and named."""

import sys
from collections import Counter
from collections.abc import Iterable, Iterator

from schemas.config_file import ConfigError
from streams.ingest import Translated, Untranslated
from streams.ingest.sink import Event

_MANY = {"study": "studies", "prediction": "predictions", "report": "reports"}


class Tally:
    """What became of the sources; left, it says so, unless there was no use in beginning."""

    def __init__(self) -> None:
        self._events: Counter[str] = Counter()
        self._untranslated: Counter[Untranslated] = Counter()

    def __enter__(self) -> "Tally":
        return self

    def __exit__(self, kind: type[BaseException] | None, *error: object) -> None:
        if kind is None or not issubclass(kind, ConfigError):
            self.report()

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
        events = sorted(self._events.items())
        told = ", ".join(f"{n} {kind if n == 1 else _MANY[kind]}" for kind, n in events)
        told = told or "no event"
        print(f"radvigil: {told}", file=sys.stderr)
        for one, n in self._untranslated.most_common(20):
            code = f" {one.code}" if one.code else ""
            print(
                f"radvigil: not translated: {n} x {one.reason}{code} ({one.where})", file=sys.stderr
            )
