"""The account of the one false-alarm promise: what was given away, for what, and what was spent.

Values in, structs out; `radvigil budget` reads them from Kafka and prints them. A part is a mean
number of false incidents in the period of the promise. The ledger of shares (streams/budget.py)
says what was given away, which never is more than the promise, at whatever pace a series runs.
Series that can promise nothing are told beside it: what they say is `info`, and no part of it.
"""

from collections import Counter
from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta
from math import inf

from msgspec import Struct

from schemas.config import Config
from schemas.incident import Incident
from streams import state
from streams.budget import Account, Budget, promise, share_of
from streams.clock import from_us
from streams.incidents.lifecycle import LIVE
from streams.pipeline import Pipeline
from streams.series.account import SeriesAccount, series_account

_DRIFT = {"input_drift", "output_drift", "performance_drift", "calibration_drift"}
_MONITORS = {"silence", "partial_silence", "subgroup_gap", "version_disagreement", "off_label"}
_OF_QUALITY = {"repeats", "cat_sr"}  # of what is told as `data_quality` these alone have a share
_OUTAGES = {
    "missing_output": "missing",
    "failed_output": "failed",
    "incomplete_output": "incomplete",
    "latency": "late",
}


class SiteAccount(Struct, frozen=True):
    """One site: `equal_part` is its own, `given` what of it was given away, for good.

    `learning_n` of `needed_n` observations has the series that will learn longest, and
    `ready_in_days` is when it is ready at today's pace; None: it cannot be said, or none learns.
    """

    site: str
    equal_part: float
    shares_given: int
    given: float
    of_series: float  # of what was given; policies `rate` and other monitors have the rest
    learning: int
    watching: int
    away: int
    not_promised: int
    learning_n: int | None = None
    needed_n: int | None = None
    ready_in_days: float | None = None


class Spent(Struct, frozen=True):
    """Incidents under the promise that opened in the period, true ones and false ones.

    Not every one that went back by itself was false, nor every other one true: the promise is
    about them all when nothing has changed.
    """

    opened: int
    went_back: int
    by_person: int
    live: int
    by_kind: dict[str, int]


class Statement(Struct, frozen=True):
    """The whole account. `could_reach` is the promise, but for more sites than it was shared by."""

    promise: str
    false_incidents: float
    per_days: float
    sites_shared: int
    sites_seen: int
    sites_beyond: int
    could_reach: float
    given: float
    of_series: float
    proved_until: datetime | None
    sites: list[SiteAccount]
    series: list[SeriesAccount]
    spent: Spent
    warnings: list[str]


class ShardPart(Struct, frozen=True):
    """What one shard adds to the account; `proved_until` is None for one that saw nothing."""

    proved_until: datetime | None
    shares_given: dict[str, int]
    series: list[SeriesAccount]


def shard_part(config: Config, records: Iterable[tuple[bytes, bytes]]) -> ShardPart:
    """The part of the shard whose state the records are. Raises `streams.state.UnreadableState`."""
    records = list(records)
    pipeline = Pipeline(config)
    pipeline.restore(records)
    accounts = (value for _, value in state.read(records) if isinstance(value, Account))
    proved_us = pipeline.watermark_us
    return ShardPart(
        proved_until=from_us(proved_us) if proved_us >= 0 else None,
        shares_given={account.site: account.shares_given for account in accounts},
        series=[
            series_account(config, key, series, proved_us) for key, series in pipeline.series()
        ],
    )


def statement(
    config: Config, parts: Iterable[ShardPart], incidents: Iterable[Incident], now: datetime
) -> Statement:
    """The account of a deployment from all its shards, and what was spent before `now`."""
    parts = list(parts)
    budget = Budget(config)
    series = [one for part in parts for one in part.series]
    shares = {site: n for part in parts for site, n in part.shares_given.items()}
    names = sorted({*shares, *(one.site for one in series)})
    equal = budget.per_site_day * config.budget.per_days
    sites = [_site_account(name, equal, shares.get(name, 0), series) for name in names]
    beyond = max(0, len(sites) - budget.sites)
    return Statement(
        promise=promise(config),
        false_incidents=config.budget.false_incidents,
        per_days=config.budget.per_days,
        sites_shared=budget.sites,
        sites_seen=len(sites),
        sites_beyond=beyond,
        could_reach=equal * (budget.sites + beyond),
        given=sum(site.given for site in sites),
        of_series=sum(site.of_series for site in sites),
        proved_until=min((p.proved_until for p in parts if p.proved_until), default=None),
        sites=sites,
        series=sorted(series, key=lambda one: (one.site, one.model or "", one.subject)),
        spent=spent(config, incidents, now),
        warnings=list(_warnings(config, sites, budget.sites)),
    )


def spent(config: Config, incidents: Iterable[Incident], now: datetime) -> Spent:
    """Of the transitions: what opened in the period until `now`, and how it ended."""
    since = now - timedelta(days=config.budget.per_days)
    last: dict[str, tuple[int, str]] = {}
    kinds: dict[str, str] = {}
    for incident in incidents:
        if not since < incident.opened_at <= now or not _is_promised(config, incident):
            continue
        if incident.state == "pending":  # nobody was told of it
            continue
        seq, ending = last.get(incident.incident, (0, "live"))
        if incident.seq > seq:
            last[incident.incident] = incident.seq, _ending(incident, ending)
            kinds[incident.incident] = incident.kind
    endings = Counter(ending for _, ending in last.values())
    return Spent(
        opened=len(last),
        went_back=endings["back"],
        by_person=endings["person"],
        live=endings["live"],
        by_kind=dict(sorted(Counter(kinds.values()).items())),
    )


def _ending(incident: Incident, before: str) -> str:
    if incident.state in LIVE:
        return "live"
    if incident.reason in ("accepted", "resolved_by_hand"):
        return "person"
    return "back" if incident.reason == "recovered" else before


def _is_promised(config: Config, incident: Incident) -> bool:
    """Drift, monitors, and outages whose model asks for the policy `rate`: these have shares.

    What is told as `info` disturbs nobody. Where no study may be off label each is told, unasked.
    """
    if incident.kind in _DRIFT:
        return incident.severity != "info"
    if incident.kind == "data_quality":
        return incident.evidence.detector in _OF_QUALITY and incident.severity != "info"
    if incident.kind in _MONITORS:
        return incident.kind != "off_label" or config.oversight.off_label.tolerated_share > 0
    field = _OUTAGES.get(incident.kind)
    return field is not None and any(
        model.name == incident.model and getattr(model, field).policy == "rate"
        for model in config.models
    )


def _site_account(
    name: str, equal_part: float, shares_given: int, series: Iterable[SeriesAccount]
) -> SiteAccount:
    own = [one for one in series if one.site == name]
    standings = Counter(one.standing for one in own)
    last = max((one for one in own if one.needed_n is not None), key=_ready_at, default=None)
    return SiteAccount(
        site=name,
        equal_part=equal_part,
        shares_given=shares_given,
        given=equal_part * sum(share_of(place) for place in range(shares_given)),
        of_series=sum(one.part for one in own),
        learning=standings["learning"],
        watching=standings["watching"],
        away=standings["away"],
        not_promised=sum("not_promised" in one.notes for one in own),
        learning_n=last.reference_n if last else None,
        needed_n=last.needed_n if last else None,
        ready_in_days=last.ready_in_days if last else None,
    )


def _ready_at(one: SeriesAccount) -> tuple[float, int]:
    days = inf if one.ready_in_days is None else one.ready_in_days
    return days, -one.reference_n


def _warnings(config: Config, sites: list[SiteAccount], shared: int) -> Iterator[str]:
    days = config.budget.per_days
    if len(sites) > shared:
        could = sites[0].equal_part * len(sites)
        yield (
            f"{len(sites)} sites were seen, {len(sites) - shared} more than the {shared} that the "
            f"promise was shared by: up to {could:.3g} false incidents in {days:g} days. Set "
            "budget.sites; series that are already watched keep their share"
        )
