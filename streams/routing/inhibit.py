"""What explains what: an incident that makes others of its site not worth telling while it lasts.

An inhibitor hides no incident that is graver than itself: better one page too many than a critical
outage behind a warning. It does not matter whether anybody was told of the inhibitor, so that a
silenced feed's outage does not bring its consequences up.
"""

from collections.abc import Iterable
from datetime import timedelta

from schemas.incident import Incident
from streams.quality.missing import PREFIX as MISSING_FIELD
from streams.routing.follow import Followed
from streams.routing.severity import graver

_BY_SILENCE = frozenset({"missing_output", "latency", "partial_silence"})
_BY_AGE = "report_turnaround_s"
_TOGETHER = timedelta(days=3)
INHIBITORS = ("monitor_stale", "silence", "flapping", "missing_output")


def explains(inhibitor: Incident, followed: Followed) -> bool:
    """Whether a live incident explains another.

    A silent feed explains what does not come of it: missing and late outputs and parts that are
    silent, at its site and, where the feed is a model's, of that model. A silent scanner explains
    that the site's studies are others on average, from about then on; where no studies come at all,
    those that are still reported have waited long. Outputs that are missing
    explain that the same model's come late, since they do when it is over. A stale monitor explains
    all that its shard opened meanwhile, but for what it says of itself: it cannot know whether
    that is still so. A flapping incident explains those that were folded into it.
    """
    incident = followed.incident
    if incident.incident == inhibitor.incident or graver(incident.severity, inhibitor.severity):
        return False
    if inhibitor.kind == "monitor_stale":
        return followed.blind and incident.site != inhibitor.site
    if inhibitor.kind == "flapping":
        return incident.folded_into == inhibitor.incident
    if inhibitor.kind == "missing_output":
        same_model = (incident.site, incident.model) == (inhibitor.site, inhibitor.model)
        return same_model and incident.kind == "latency"
    if incident.kind == "input_drift" or (incident.subject or "").startswith(MISSING_FIELD):
        return _is_of_the_mix(incident, inhibitor)
    same_feed = incident.site == inhibitor.site and inhibitor.model in (None, incident.model)
    return same_feed and incident.kind in _BY_SILENCE


def _is_of_the_mix(drift: Incident, silence: Incident) -> bool:
    """Whether a drift of a site's studies began when one of its scanners fell silent.

    Or all of them, where it is of how long reports take.

    Both starts are estimates, that of a drift by some days where studies are few.
    """
    subject = silence.subject or ""
    is_meant = subject.startswith("studies scanner.") or (
        subject == "studies" and drift.subject == _BY_AGE  # what is reported then is old
    )
    if not is_meant or silence.model or drift.site != silence.site or drift.model is not None:
        return False
    silent = silence.evidence.since or silence.opened_at
    return abs((drift.evidence.since or drift.opened_at) - silent) <= _TOGETHER


class Inhibitors:
    """The live incidents of one shard that may explain others."""

    def __init__(self) -> None:
        self._live: dict[str, Incident] = {}

    def take(self, incident: Incident, is_live: bool) -> bool:
        """Take the newest state of an incident; whether it is one that may explain others."""
        if incident.kind not in INHIBITORS:
            return False
        if is_live:
            self._live[incident.incident] = incident
        else:
            self._live.pop(incident.incident, None)
        return True

    @property
    def blind(self) -> bool:
        """Whether the monitor is stale."""
        return any(each.kind == "monitor_stale" for each in self._live.values())

    def of(self, followed: Followed) -> str | None:
        """The id of an incident that explains this one."""
        if not self._live:
            return None
        return min((each.incident for each in self._explaining(followed)), default=None)

    def _explaining(self, followed: Followed) -> Iterable[Incident]:
        return (each for each in self._live.values() if explains(each, followed))
