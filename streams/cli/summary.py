"""What a replay found, summed up: for a person first, as JSON for a script."""

import sys
from collections import Counter
from collections.abc import Iterable, Iterator

import msgspec
from msgspec import Struct
from rich.console import Console
from rich.table import Table

from schemas.deadletter import DeadLetter
from schemas.incident import Incident
from schemas.messages import Effect
from schemas.outcome import Outcome
from streams.incident_board import printable
from streams.replay import Replay

_TOLD = 20
_PIPE_WIDTH = 160
_FOLDED = {"what", "evidence"}


class Told(Struct, frozen=True):
    """The summary: stable names, documented in docs/OPERATIONS.md."""

    events: int
    events_per_s: float
    incidents: list[Incident]  # the last transition of each
    outcomes: dict[str, dict[str, int]]  # of each model, by outcome, the last revision counts
    dead_letters: dict[str, int]  # by reason
    first_dead_letters: list[DeadLetter]
    state: dict[str, int]
    dropped: dict[str, int]


class Summary:
    """Counts effects as they come."""

    def __init__(self) -> None:
        self._incidents: dict[str, Incident] = {}
        self._outcomes: dict[str, Counter[str]] = {}
        self._replaced: dict[tuple[str, str, str], str] = {}
        self._dead: list[DeadLetter] = []
        self._reasons: Counter[str] = Counter()

    def take(self, effect: Effect | DeadLetter) -> None:
        """Count one effect."""
        if isinstance(effect, Incident):
            self._incidents[effect.incident] = effect
        elif isinstance(effect, Outcome):
            self._outcome(effect)
        elif isinstance(effect, DeadLetter):
            self._reasons[effect.reason] += 1
            if len(self._dead) < _TOLD:
                self._dead.append(effect)

    def finished(self, replay: Replay, elapsed_s: float) -> Told:
        """The summary of a replay that took so long."""
        return Told(
            events=replay.handled_n,
            events_per_s=round(replay.handled_n / max(elapsed_s, 1e-9), 1),
            incidents=list(self._incidents.values()),
            outcomes={model: dict(n.most_common()) for model, n in sorted(self._outcomes.items())},
            dead_letters=dict(self._reasons.most_common()),
            first_dead_letters=self._dead,
            state=replay.pipeline.sizes(),
            dropped={why: n for why, n in replay.pipeline.losses().items() if n},
        )

    def _outcome(self, outcome: Outcome) -> None:
        counts = self._outcomes.setdefault(outcome.model, Counter())
        key = (outcome.site, outcome.study, outcome.model)
        if outcome.revision == 1 and outcome.outcome in ("missing", "failed", "incomplete"):
            self._replaced[key] = outcome.outcome
        elif outcome.revision > 1:
            counts[self._replaced.pop(key)] -= 1
        counts[outcome.outcome] += 1


def as_text(told: Told) -> str:
    """The summary as a person reads it."""
    # Names come from producers: a bracket in one is a bracket.
    width = None if sys.stdout.isatty() else _PIPE_WIDTH
    console = Console(width=width, highlight=False, markup=False, emoji=False)
    with console.capture() as captured:
        for part in _parts(told):
            console.print(part)
    return captured.get().rstrip("\n")


def as_json(told: Told) -> str:
    """The summary as a script reads it."""
    return msgspec.json.format(msgspec.json.encode(told), indent=2).decode()


def _parts(told: Told) -> Iterator[str | Table]:
    if told.incidents:
        yield _incident_table(told.incidents)
    else:
        yield "No incident."
    if told.outcomes:
        yield _outcome_table(told.outcomes)
    yield _state_line(told.state)
    for why, n in told.dropped.items():
        yield f"{n:,} dropped: {why.replace('_', ' ')} (docs/OPERATIONS.md says what to do)"
    if told.dead_letters:
        yield from _dead_letters(told)
    events = "event" if told.events == 1 else "events"
    yield f"{told.events:,} {events}, {told.events_per_s:,.0f} a second."
    yield _next_step(told)


def _incident_table(incidents: Iterable[Incident]) -> Table:
    table = Table(box=None, pad_edge=False, header_style="bold")
    for name in ("opened (UTC)", "state", "severity", "what", "evidence"):
        table.add_column(name, overflow="fold", no_wrap=name not in _FOLDED)
    for incident in sorted(incidents, key=lambda i: i.opened_at):
        opened = incident.opened_at.strftime("%Y-%m-%d %H:%M:%S")
        what = printable(incident.title)
        table.add_row(opened, incident.state, incident.severity, what, evidence_text(incident))
    return table


def evidence_text(incident: Incident) -> str:
    """The evidence in words."""
    evidence = incident.evidence
    said = []
    if evidence.since is not None:
        said.append(f"since {evidence.since:%Y-%m-%d %H:%M}")
    if evidence.affected_count is not None:
        said.append(f"{evidence.affected_count} affected")
    if evidence.current_n is not None and evidence.reference_n is not None:
        said.append(f"{evidence.current_n} against {evidence.reference_n} observations")
    if evidence.detector is not None:
        said.append(f"by {evidence.detector}")
    return ", ".join(said)


def _outcome_table(outcomes: dict[str, dict[str, int]]) -> Table:
    kinds = sorted({kind for counts in outcomes.values() for kind in counts})
    table = Table(box=None, pad_edge=False, header_style="bold")
    table.add_column("model")
    for kind in kinds:
        table.add_column(kind, justify="right")
    for model, counts in outcomes.items():
        table.add_row(printable(model), *(f"{counts.get(kind, 0):,}" for kind in kinds))
    return table


def _state_line(state: dict[str, int]) -> str:
    learning, watching = state.get("series_learning", 0), state.get("series_watching", 0)
    all_n = learning + watching + state.get("series_relearning", 0)
    return f"{all_n:,} series: {watching:,} watched, {learning:,} still learn their reference."


def _dead_letters(told: Told) -> Iterator[str]:
    dead_n = sum(told.dead_letters.values())
    yield f"{dead_n:,} {'line' if dead_n == 1 else 'lines'} could not be read:"
    for letter in told.first_dead_letters:
        wanted = f", expected {letter.expected}" if letter.expected else ""
        yield f"  {letter.topic}:{letter.offset}: {letter.reason} at {letter.path}{wanted}"
    if len(told.first_dead_letters) < dead_n:
        yield "  ... all of them with --deadletters OUT"


def _next_step(told: Told) -> str:
    if told.incidents:
        return "Every transition with its evidence: --incidents OUT. The series: --series OUT."
    return "What became of every study: --outcomes OUT."
