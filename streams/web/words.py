"""Numbers, times and states as a person reads them. Pure; nothing here escapes HTML."""

from datetime import UTC, datetime, tzinfo
from zoneinfo import ZoneInfo

from schemas.config import Config
from schemas.incident import Incident
from streams.clock import from_us
from streams.delivery.trouble import is_about_receiver
from streams.finding import MONITOR_SITE

NOBODY = "nobody"
KINDS = {
    "missing_output": "no result",
    "failed_output": "results fail",
    "incomplete_output": "results incomplete",
    "latency": "results late",
    "silence": "feed silent",
    "partial_silence": "part of a feed silent",
    "input_drift": "input changed",
    "output_drift": "output changed",
    "performance_drift": "agreement with reports changed",
    "calibration_drift": "calibration changed",
    "new_value": "new value",
    "version_change": "version changed",
    "version_disagreement": "versions disagree",
    "subgroup_gap": "group served worse",
    "off_label": "outside intended use",
    "data_quality": "data quality",
    "clock_skew": "clock wrong",
    "monitor_stale": "monitor behind",
    "flapping": "comes and goes",
}
SAID = {
    "missing_output": "gives no results",
    "failed_output": "fails",
    "incomplete_output": "gives incomplete results",
    "latency": "is late",
    "silence": "is silent",
    "partial_silence": "is silent in part",
}
STATES = {
    "pending": "not yet told",
    "open": "open",
    "acknowledged": "acknowledged",
    "resolving": "recovering",
    "resolved": "resolved",
    "closed": "closed",
}
REASONS = {
    "pending": "seen, and held back until it has lasted",
    "opened": "opened",
    "held": "has lasted, and is open",
    "updated": "still true, with new numbers",
    "changed_again": "changed again",
    "severity_changed": "severity is now",
    "acknowledged": "acknowledged",
    "unacknowledged": "given back",
    "acknowledgement_expired": "the acknowledgement has expired",
    "recovering": "recovering: fresh results say that it is over",
    "returned": "back at the reference",
    "recurred": "true again before it was over",
    "recovered": "over: it held",
    "resolved_by_hand": "resolved by hand",
    "accepted": "accepted as the new normal",
    "noted": "a note",
    "reopened": "true again soon after its end",
    "retired": "closed for good",
}


FOUND_BY = {
    "deadline": "a deadline that passed",
    "mean_sr": "a moved mean (mean_sr)",
    "cat_sr": "other shares of its values (cat_sr)",
    "bet_sr": "a changed share (bet_sr)",
    "weighted_bet": "a changed share (weighted_bet)",
    "calibration_sr": "scores that mean something else (calibration_sr)",
    "gap_bet": "a gap between groups (gap_bet)",
    "gap": "no event for too long",
    "nb_cusum": "too few events (nb_cusum)",
    "watermark": "how far time is proved",
    "clock": "stamps in the future",
    "retention": "events that were gone before they were read",
    "limits": "values that cannot be",
    "repeats": "the same value again and again",
    "version": "another version",
    "flapping": "how often it came and went",
}
_COUNTLESS = frozenset({"monitor_stale", "silence", "flapping", "version_change"})


def length(seconds: float) -> str:
    """A length of time, in the two units that matter.

    >>> length(38 * 60), length(3 * 3600 + 720), length(50), length(4 * 86400), length(90)
    ('38 min', '3 h 12 min', '50 s', '4 days', '90 s')
    """
    whole = max(0, round(seconds))
    if whole < 120:
        return f"{whole} s"
    if whole < 7200:
        return f"{whole // 60} min"
    if whole < 172_800:
        minutes = whole % 3600 // 60
        return f"{whole // 3600} h {minutes} min" if minutes else f"{whole // 3600} h"
    return f"{whole // 86_400} days"


def number(value: float | None) -> str:
    """With as many digits as mean something.

    >>> number(0.14832), number(None), number(12345.6), number(2560), number(3.0)
    ('0.1483', 'unknown', '12,346', '2,560', '3')
    """
    if value is None:
        return "unknown"
    return f"{value:,.0f}" if abs(value) >= 1000 else f"{value:.4g}"


def percent(share: float | None) -> str:
    """A share of 0 to 1; never 100 % for less than all of them.

    >>> percent(0.9996), percent(1), percent(0.5), percent(None), percent(0)
    ('99.9 %', '100 %', '50 %', 'unknown', '0 %')
    """
    if share is None:
        return "unknown"
    if share in (0, 1):
        return f"{share * 100:.0f} %"
    shown = min(99.9, max(0.1, round(share * 100, 1)))
    return f"{shown:.3g} %"


def count(n: int, one: str, many: str | None = None) -> str:
    """How many of what.

    >>> count(1, "study", "studies"), count(1200, "study", "studies"), count(2, "hour")
    ('1 study', '1,200 studies', '2 hours')
    """
    return f"{n:,} {one if n == 1 else many or f'{one}s'}"


def affected(incident: Incident) -> str:
    """How many it is about; empty for kinds that are about no number."""
    evidence = incident.evidence
    if evidence.affected_count is not None:
        return count(evidence.affected_count, "study", "studies")
    if evidence.current_n is not None:
        return count(evidence.current_n, "observation")
    return "" if incident.kind in _COUNTLESS else "number unknown"


def where(incident: Incident) -> str:
    """Whose it is."""
    return f"{incident.model} at {incident.site}" if incident.model else incident.site


def kind(incident: Incident) -> str:
    """What it is, in two or three words."""
    return "receiver away" if is_about_receiver(incident) else KINDS[incident.kind]


def what(incident: Incident) -> str:
    """What is wrong and where, as the beginning of a sentence that a time ends."""
    if incident.site == MONITOR_SITE:  # a title of its own names the receiver or the partition
        return f"{incident.title.rstrip('.')},"
    if said := SAID.get(incident.kind):
        return f"{where(incident)} {said}"
    of = (
        ""
        if incident.subject is None
        else f"{incident.subject}{' of' if incident.model else ' at'} "
    )
    return f"{of}{where(incident)}: {KINDS[incident.kind]}"


def is_part(subject: str) -> bool:
    """Whether a series is of a part of the studies.

    >>> is_part("ptx.score @ patient.sex=F"), is_part("ptx.score")
    (True, False)
    """
    return " @ " in subject


class Moment:
    """A time where a site is, with how long ago it was; UTC for who asks."""

    def __init__(self, at: datetime, zone: tzinfo, now: datetime) -> None:
        local, today = at.astimezone(zone), now.astimezone(zone).date()
        clock = local.strftime("%H:%M:%S" if abs((now - at).total_seconds()) < 600 else "%H:%M")
        if local.date() == today:
            self.text = clock
        elif local.year == today.year:
            self.text = f"{local.day} {local:%b} {clock}"
        else:
            self.text = f"{local:%Y-%m-%d} {clock}"
        self.ago = length((now - at).total_seconds())
        self.is_past = at <= now
        self.utc = at.astimezone(UTC).strftime("%Y-%m-%d %H:%M:%S UTC")
        self.iso = at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


class Clockface:
    """Times of one rendering: every site's zone, one `now`."""

    def __init__(self, config: Config, now_us: int) -> None:
        self.now_us = now_us
        self.now = from_us(now_us)
        self._zones = {site.name: site.timezone for site in config.sites if site.timezone}
        self._default = config.timezone

    def zone(self, site: str | None = None) -> tzinfo:
        """The zone of a site, or of the deployment."""
        name = self._zones.get(site or "", self._default)
        return UTC if name == "UTC" else ZoneInfo(name)

    def at(self, moment: datetime | int, site: str | None = None) -> Moment:
        """A moment where a site is."""
        at = from_us(moment) if isinstance(moment, int) else moment
        return Moment(at, self.zone(site), self.now)
