"""All that the page knows: the newest of every topic, in bounded space. Pure: no clock, no broker.

`version` grows with everything that may change what is shown. Messages of one topic come in order
within a site; topics may be read in any order.
"""

from collections import Counter, deque

from schemas.command import Command
from schemas.config import Config
from schemas.incident import Incident
from schemas.notification import Notification
from schemas.outcome import Outcome
from schemas.reply import Reply
from schemas.series import SeriesPoint
from schemas.web import WebSettings
from streams.incidents.lifecycle import LIVE, TRUE
from streams.web.freshness import Proof
from streams.web.view_incidents import Incidents
from streams.web.view_monitor import Monitor
from streams.web.view_outcomes import Outcomes, fine_s
from streams.web.view_people import People
from streams.web.view_series import Lines

Told = Incident | Outcome | SeriesPoint | Command | Reply | Notification
_NEWS = 100


class View:
    """The view model."""

    def __init__(self, config: Config, settings: WebSettings) -> None:
        self.incidents = Incidents()
        self.outcomes = Outcomes(fine_s(config), settings.detail_days)
        self.series = Lines()
        self.people = People()
        self.monitor = Monitor()
        self._configured = {site.name for site in config.sites}
        self.version = 0
        # Incidents that have just opened, each with the version that brought it.
        self.news: deque[tuple[int, Incident]] = deque(maxlen=_NEWS)
        self.unreadable = 0

    def take(self, message: Told) -> None:
        """Take one message of any of the topics."""
        self.version += 1
        match message:
            case Outcome():
                self.outcomes.take(message)
            case SeriesPoint():
                self.series.take(message)
            case Incident():
                if self.incidents.take(message) and _is_news(message):
                    self.news.append((self.version, message))
            case Command():
                self.people.commanded(message)
            case Reply():
                self.people.replied(message)
            case Notification():
                self.people.noticed(message)

    def take_state(self, partition: int, key: bytes | None, value: bytes | None) -> None:
        """Take a record of the state topic."""
        if self.monitor.take(partition, key, value):
            self.version += 1

    @property
    def dropped(self) -> Counter[str]:
        """What its bounds have cost."""
        parts = (self.incidents, self.outcomes, self.series, self.people, self.monitor)
        return sum((part.dropped for part in parts), Counter())

    def proof(self) -> Proof:
        """What the monitor says of how far it is, and for whom."""
        subjects = (
            one.last.subject or ""
            for one in self.incidents.live()
            if one.last.kind == "monitor_stale" and one.last.state in TRUE
        )
        numbers = (subject.removeprefix("partition-") for subject in subjects)
        stale = frozenset(int(number) for number in numbers if number.isdecimal())
        return Proof(self.monitor.proved_us, stale, self.outcomes.sites() | self._configured)

    def news_since(self, version: int) -> list[Incident]:
        """What has opened since."""
        return [incident for at, incident in self.news if at > version]


def _is_news(incident: Incident) -> bool:
    opens = incident.reason in ("opened", "held", "reopened", "recurred")
    return opens and incident.state in LIVE and incident.severity != "info"
