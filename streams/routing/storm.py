"""When too much is to be told at once, and what then still is told singly.

A storm begins with the first notice above `storm_n` that a receiver gets of one site within
`storm_window_s`, and lasts until `group_interval_s` have passed without another. Meanwhile what is
new joins one digest. What is critical is told singly all the same, `storm_n` times in a storm.
"""

from msgspec import field

from streams.clock import seconds_to_us
from streams.routing.follow import Followed
from streams.routing.ledger import Key, Ledger, Record
from streams.routing.match import Routes, Target
from streams.routing.notice import deterministic_id


class Storm(Record, kw_only=True, omit_defaults=True):
    """What one receiver was lately told of one site for the first time."""

    receiver: str
    site: str
    recent_us: list[int] = field(default_factory=list)
    digest: str = ""
    """The digest that takes what comes now; empty while there is no storm."""
    ends_us: int = 0
    critical_n: int = 0

    @property
    def key(self) -> Key:
        """Receiver and site."""
        return (self.receiver, self.site)


class Storms:
    """The storms of one shard."""

    def __init__(self, ledger: Ledger, routes: Routes) -> None:
        self._ledger = ledger
        self._routes = routes

    def admit(self, followed: Followed, target: Target, at_us: int) -> str | None:
        """Count a first notice: None if it is told singly, else the id of the digest it joins."""
        route, site = self._routes[target.route], followed.incident.site
        storm = self._ledger.of(Storm).get((target.receiver, site))
        if storm is None:
            storm = Storm(receiver=target.receiver, site=site)
        if storm.digest and at_us > storm.ends_us:
            storm.digest = ""
        if not storm.digest:
            since_us = at_us - seconds_to_us(route.storm_window_s)
            storm.recent_us = [each_us for each_us in storm.recent_us if each_us > since_us]
            if len(storm.recent_us) < route.storm_n:
                storm.recent_us.append(at_us)
                storm.due_us = max(storm.recent_us) + seconds_to_us(route.storm_window_s)
                self._ledger.keep(storm)
                return None
            storm.digest = _digest_id(followed, target)
            storm.recent_us, storm.critical_n, storm.ends_us = [], 0, at_us
        storm.ends_us = max(storm.ends_us, at_us + seconds_to_us(route.group_interval_s))
        storm.due_us = storm.ends_us + 1
        singly = followed.incident.severity == "critical" and storm.critical_n < route.storm_n
        storm.critical_n += singly
        self._ledger.keep(storm)
        return None if singly else storm.digest


def _digest_id(followed: Followed, target: Target) -> str:
    """Of what began it: an incident and its seq begin no two storms of a receiver."""
    incident = followed.incident
    return deterministic_id("digest", target.receiver, incident.incident, incident.seq)
