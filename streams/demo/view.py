"""What the demo shows: how much is read, how far behind, what is open, what became of studies."""

from collections import Counter, deque
from collections.abc import Iterator, Sequence
from datetime import datetime

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from schemas.incident import Incident
from schemas.messages import Effect
from schemas.outcome import Outcome
from streams.incident_board import IncidentBoard, printable, table, told
from streams.incidents.lifecycle import LIVE
from streams.telemetry import Silent

_TOLD = 8
_OUTCOMES = ("on_time", "late", "missing")


class View(Silent):
    """Listens to the worker's telemetry; `news` are transitions that nobody has printed yet."""

    def __init__(self) -> None:
        self.board = IncidentBoard()
        self.read_n = 0
        self.news: deque[Incident] = deque(maxlen=1000)
        self._latest: deque[Incident] = deque(maxlen=_TOLD)
        self._lags_s: dict[int, float] = {}
        self._outcomes: dict[str, Counter[str]] = {}

    def handled(self, counts: dict[str, int]) -> None:
        """Count what was read."""
        self.read_n += sum(counts.values())

    def published(self, effects: Sequence[Effect]) -> None:
        """Take incidents and outcomes that a checkpoint has made visible."""
        for effect in effects:
            if isinstance(effect, Outcome):
                counts = self._outcomes.setdefault(effect.model, Counter())
                counts[effect.outcome if effect.outcome in _OUTCOMES else "other"] += 1
            elif isinstance(effect, Incident) and self.board.take(effect):
                self.news.append(effect)
                self._latest.append(effect)

    def behind(self, partition: int, events: int, lag_s: float, watermark_us: int) -> None:
        """Note the lag."""
        self._lags_s[partition] = lag_s

    def released(self, partition: int) -> None:
        """Forget the lag of what is not ours any more."""
        self._lags_s.pop(partition, None)

    def standing(self, elapsed_s: float) -> str:
        """Read and behind, in a sentence."""
        rate = self.read_n / elapsed_s if elapsed_s > 0 else 0.0
        lag = f"{max(self._lags_s.values()):.1f} s behind" if self._lags_s else "lag unknown"
        return f"{self.read_n:,} events read, {rate:,.0f} a second, {lag}."

    def outcomes(self) -> str:
        """What became of the studies, in a line."""
        parts = [
            f"{model}: " + ", ".join(f"{counts[kind]:,} {kind}" for kind in counts)
            for model, counts in sorted(self._outcomes.items())
        ]
        return "; ".join(parts) or "no outcome yet"

    def screen(self, heading: Sequence[str], now: datetime, elapsed_s: float) -> RenderableType:
        """All of it, for a terminal."""
        rows = [self.board.row(incident, now) for incident in self.board.incidents()]
        latest = [Text(f"  {told(incident)}") for incident in reversed(self._latest)]
        return Group(
            *(Text(line) for line in heading),
            Text(self.standing(elapsed_s)),
            Text(),
            Text("open now", style="bold"),
            table(rows) if rows else Text("  nothing"),
            Text(),
            Text("what happened, latest first", style="bold"),
            *(latest or [Text("  nothing yet")]),
            Text(),
            self._outcome_table(),
        )

    def summary(self, elapsed_s: float) -> Iterator[str]:
        """What was seen, for the end."""
        yield f"In {elapsed_s:.0f} s: {self.read_n:,} events read. Outcomes: {self.outcomes()}."
        incidents = self.board.incidents(over=True)
        if not incidents:
            yield "No incident: it takes about half a minute until the first one."
        for incident in sorted(incidents, key=lambda one: one.opened_at):
            yield f"  {incident.state} {_when(incident)}: {printable(incident.title)}"

    def _outcome_table(self) -> Table:
        shown = Table(box=None, pad_edge=False, header_style="bold")
        shown.add_column("studies by model")
        kinds = (*_OUTCOMES, "other")
        for kind in kinds:
            shown.add_column(kind.replace("_", " "), justify="right")
        for model, counts in sorted(self._outcomes.items()):
            shown.add_row(model, *(f"{counts[kind]:,}" for kind in kinds))
        return shown


def _when(incident: Incident) -> str:
    if incident.state in LIVE:
        return f"since {incident.opened_at:%H:%M:%S}Z"
    return f"after {(incident.at - incident.opened_at).total_seconds():.0f} s"
