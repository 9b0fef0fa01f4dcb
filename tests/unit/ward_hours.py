"""A site with office hours whose feeds come like clockwork, and the stage that watches them."""

from collections.abc import Iterable
from typing import Any

import msgspec
from msgspec.structs import replace

from schemas.config import Config, Model
from schemas.silence import SilenceSettings
from schemas.study import Scanner
from streams.finding import Finding
from streams.lost import Losses
from streams.silence import Silence
from streams.silence.feed import HOUR_US, FeedId
from streams.silence.gap import reached_us, surprise
from streams.stage import Happened
from tests.unit.builders import LATENESS_S, START_US, prediction, report, seconds, study, us
from tests.unit.happenings import incident_of

HOUR_S = 3600.0
DAY_S = 24 * HOUR_S
WEEK_S = 7 * DAY_S
DAYS = 60.0  # between two false alarms

EVENTS = {
    "ct1": study(scanner=Scanner(station="CT1")),
    "ct2": study(scanner=Scanner(station="CT2")),
    "plain": study(),
    "ptx": prediction(),
    "cad": prediction(model="cad"),
    "shadow": prediction(role="shadow"),
    "failed": prediction(status="failed"),
    "report": report(),
}


class Ward:
    """Hands the stage its arrivals in order and proves time; keeps what it says."""

    def __init__(self, config: Config | None = None, settings: SilenceSettings | None = None):
        self._config = config or Config(models=[Model(name="ptx", owner="imaging")])
        self._settings = settings or SilenceSettings()
        self.lost = Losses(0)
        self.stage = self._make()
        self.said: list[Finding] = []
        self._log: dict[tuple[str, ...], tuple[type[Any], bytes]] = {}

    def _make(self) -> Silence:
        return Silence(self._config, self._settings, lambda site: DAYS, self.lost)

    def arrive(self, name: str, at_s: float, **circumstances: Any) -> list[Finding]:
        """One event, and the proof of time that it is."""
        arrived_us = us(at_s)
        said = self.prove(at_s - LATENESS_S)
        happened = Happened(
            EVENTS[name], arrived_us, arrived_us, us(at_s - LATENESS_S), True, True, None
        )
        new = list(self.stage.take(replace(happened, **circumstances)))
        self.said += new
        return said + new

    def prove(self, until_s: float) -> list[Finding]:
        """Time passes."""
        said: list[Finding] = []
        while (at_us := self.stage.earliest_us()) <= us(until_s):
            said += self.stage.tick(at_us)
        self.said += said
        return said

    def work(
        self, names: Iterable[str], from_s: float, until_s: float, every_s: float = 300.0
    ) -> None:
        """Each name comes so often on weekdays from 8 to 18, one shortly after the other."""
        names = list(names)
        for at_s in _office(from_s, until_s, every_s):
            for place, name in enumerate(names):
                self.arrive(name, at_s + 2.0 * place)

    def restart(self) -> None:
        """Go on with a fresh stage that has read what the old one wrote, backwards."""
        for kind, key, record in self.stage.changes():
            if record is None:
                self._log.pop((kind, *key), None)
            else:
                written = self.stage.kinds[kind], msgspec.msgpack.encode(record)
                self._log[kind, *key] = written
        self.stage = self._make()
        records = [*reversed(self._log.values())]
        self.stage.restore(msgspec.msgpack.decode(raw, type=kind) for kind, raw in records)

    def resolve(self, finding: Finding) -> None:
        """Its incident is over."""
        self.stage.over(incident_of(finding))

    def known_us(self, feed_id: FeedId, from_us: int) -> int | None:
        """When a silence that begins then can be known, hour by hour; None within eight weeks."""
        judge, feeds = self.stage._judge, self.stage._feeds
        feed, profile = feeds.known[feed_id], feeds.profile(feed_id)
        missing, hour = judge.gap_threshold(feed, profile), from_us // HOUR_US
        for later in range(hour, hour + 8 * 168):
            begin_us, end_us = max(from_us, later * HOUR_US), (later + 1) * HOUR_US
            expected = judge.expected(profile, later)
            at_us = reached_us(begin_us, missing, expected, profile.dispersion)
            if at_us <= end_us:
                return at_us
            missing -= surprise(expected * (end_us - begin_us) / HOUR_US, profile.dispersion)
        return None

    def told(self) -> list[str]:
        """What was said, in short."""
        return [
            f"{one.signal} {one.kind}: {f'{one.model} ' if one.model else ''}{one.subject}"
            for one in self.said
        ]


def _office(from_s: float, until_s: float, every_s: float) -> Iterable[float]:
    at_s = from_s
    while at_s < until_s:
        day, within_s = divmod(at_s, DAY_S)
        if day % 7 < 5 and 8 * HOUR_S <= within_s < 18 * HOUR_S:
            yield at_s
        at_s += every_s


def clock(week: int, day: int, hour: float) -> float:
    """Seconds after START, a Monday midnight; weeks and days from 0."""
    return week * WEEK_S + day * DAY_S + hour * HOUR_S


def hours(at_us: int) -> float:
    """Hours since START."""
    return seconds(at_us) / HOUR_S


def weekhour_of(at_us: int) -> int:
    """Hour of the week, in UTC."""
    return (at_us - START_US) // HOUR_US % 168
