"""What is open, worst first, from the transitions of the topic; and how a person reads it.

A transition that is not later than the last known one (`seq`) changes nothing: delivery may repeat.
Who has an incident is told by its transitions, not by its last one alone.
"""

from datetime import UTC, datetime, timedelta

from msgspec import Struct
from rich.table import Table
from rich.text import Text

from schemas.incident import Incident
from streams.incidents.lifecycle import LIVE

_SEVERITIES = ("critical", "error", "warning", "info")
_STATES = ("open", "pending", "acknowledged", "resolving", "resolved", "closed")
_STYLES = {"critical": "bold red", "error": "red", "warning": "yellow", "info": "cyan"}
_MARKS = {"open": "!", "pending": "?", "acknowledged": "+", "resolving": "~"}
NOBODY = "nobody"
ID_N = 8  # of an id: so many characters name an incident to `radvigil ack`


class Row(Struct, frozen=True):
    """One incident in words."""

    id: str
    state: str
    severity: str
    what: str
    where: str
    since: str
    how_many: str
    who: str

    @property
    def line(self) -> str:
        """All of it in one line, for a pipe."""
        return (
            f"{self.id} {self.state:<12} {self.severity:<8} {self.what} [{self.where}] "
            f"since {self.since}, {self.how_many}, with {self.who}"
        )


class IncidentBoard:
    """The last known transition of every incident."""

    def __init__(self, site: str | None = None) -> None:
        self._site = site
        self._last: dict[str, Incident] = {}
        self._holders: dict[str, str] = {}

    def take(self, incident: Incident) -> bool:
        """Take a transition; False when it is not news, or of another site."""
        if self._site not in (None, incident.site):
            return False
        last = self._last.get(incident.incident)
        if last is not None and last.seq >= incident.seq:
            return False
        self._last[incident.incident] = incident
        if incident.reason == "acknowledged":
            self._holders[incident.incident] = incident.actor or "someone"
        elif incident.reason in ("unacknowledged", "acknowledgement_expired", "reopened"):
            self._holders.pop(incident.incident, None)
        return True

    def incidents(self, *, over: bool = False) -> list[Incident]:
        """Those that are live, worst first; `over` adds the resolved and closed ones."""
        shown = (i for i in self._last.values() if over or i.state in LIVE)
        return sorted(shown, key=_rank)

    def counts(self) -> tuple[int, int]:
        """How many are live, and how many are over."""
        live = sum(incident.state in LIVE for incident in self._last.values())
        return live, len(self._last) - live

    def row(self, incident: Incident, now: datetime) -> Row:
        """The incident in words, seen at `now`."""
        return Row(
            id=incident.incident[:ID_N],
            state=incident.state,
            severity=incident.severity,
            what=printable(incident.title),
            where=_where(incident),
            since=f"{_absolute(incident.opened_at)} ({_length(now - incident.opened_at)})",
            how_many=_how_many(incident),
            who=self._who(incident),
        )

    def _who(self, incident: Incident) -> str:
        holder = self._holders.get(incident.incident)
        if holder is not None:
            return printable(holder)
        return f"{NOBODY} (owner {printable(incident.owner)})" if incident.owner else NOBODY


def table(rows: list[Row]) -> Table:
    """The rows for a terminal; every state has a word and a mark besides its colour."""
    shown = Table(box=None, pad_edge=False, header_style="bold", expand=True)
    for name, ratio in (
        ("incident", 0),
        ("state", 0),
        ("severity", 0),
        ("what", 5),
        ("where", 2),
        ("since", 3),
    ):
        shown.add_column(name, ratio=ratio or None, no_wrap=not ratio, overflow="fold")
    shown.add_column("how many", ratio=2, overflow="fold")
    shown.add_column("who has it", ratio=2, overflow="fold")
    for row in rows:
        state = Text(f"{_MARKS.get(row.state, ' ')} {row.state}", style=_STYLES[row.severity])
        words = (row.severity, row.what, row.where, row.since, row.how_many, row.who)
        shown.add_row(row.id, state, *(Text(word) for word in words))
    return shown


def told(incident: Incident) -> str:
    """One transition in a line."""
    title = printable(incident.title)
    what = f"{incident.state:<12} {incident.reason:<14} {title} [{_where(incident)}]"
    return f"{_absolute(incident.at)} {incident.incident[:ID_N]} {what}"


def _where(incident: Incident) -> str:
    return ", ".join(printable(name) for name in (incident.site, incident.model) if name)


def printable(text: str) -> str:
    """The text without what a terminal would act on."""
    return "".join(letter if letter.isprintable() else "?" for letter in text)


def sentence(open_n: int, over_n: int) -> str:
    """How many there are.

    >>> sentence(0, 3), sentence(1, 0)
    ('Nothing is open; 3 are over.', '1 incident is open; 0 are over.')
    """
    over = "1 is over" if over_n == 1 else f"{over_n} are over"
    if open_n == 0:
        return f"Nothing is open; {over}."
    return f"{open_n} incident{' is' if open_n == 1 else 's are'} open; {over}."


def _rank(incident: Incident) -> tuple[int, int, datetime, str]:
    over = incident.state not in LIVE
    severity = _SEVERITIES.index(incident.severity) + len(_SEVERITIES) * over
    return severity, _STATES.index(incident.state), incident.opened_at, incident.incident


def _how_many(incident: Incident) -> str:
    evidence = incident.evidence
    if evidence.affected_count is not None:
        n = evidence.affected_count
        return f"{n:,} stud{'y' if n == 1 else 'ies'}"
    if evidence.current_n is not None:
        return f"{evidence.current_n:,} observations"
    return "number unknown"


def _absolute(moment: datetime) -> str:
    return moment.astimezone(UTC).strftime("%Y-%m-%d %H:%M:%SZ")


def _length(elapsed: timedelta) -> str:
    seconds = max(0, round(elapsed.total_seconds()))
    if seconds < 60:
        return f"{seconds} s"
    if seconds < 7200:
        return f"{seconds // 60} min"
    if seconds < 172_800:
        return f"{seconds // 3600} h {seconds % 3600 // 60} min"
    return f"{seconds // 86_400} days"
