"""Groups that a model serves worse than the rest, against a stated margin: `subgroup_gap`.

A group is a slice: one value of a field in `watch.slices`; the rest are the studies with another
value there. What is compared is what is held against the reports, at its maturity.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from typing import ClassVar

from msgspec import Struct, field

from schemas.config import Config
from schemas.incident import Evidence, Incident
from schemas.slices import SliceSettings
from streams.clock import from_us, seconds_to_us
from streams.finding import Finding, Signal
from streams.observations.observe import Missed, Observations
from streams.slices.subgroup_bet import BACK_DAYS, GapBet, Tally
from streams.slices.words import tellable
from streams.stage import Change, Happened, Said, Takes, Timeless

# Whether a yes is the bad answer, and what the share is called.
_MEASURES = {
    "ppv": (False, "PPV"),
    "for": (True, "false omission rate"),
    "disagree": (True, "disagreement"),
    "sensitivity": (False, "sensitivity"),
}
_UPDATE_US = seconds_to_us(86_400)
FieldId = tuple[str, str, str, str]
"""Site, model, subject, and the path of a field."""


class Compared(Struct, omit_defaults=True):
    """One series by one field: all its studies with a value there, and a bet for each value."""

    site: str
    model: str
    subject: str
    path: str
    known: Tally = field(default_factory=Tally)
    groups: dict[str, GapBet] = field(default_factory=dict)

    @property
    def id(self) -> FieldId:
        """Whose record it is."""
        return self.site, self.model, self.subject, self.path


class Subgroups(Timeless):
    """The groups of one shard: a stage that is told of observations, see streams/stage.py."""

    takes: ClassVar[Takes] = ()
    kinds: ClassVar[dict[str, type[Struct]]] = {"subgroups/1": Compared}

    def __init__(self, config: Config, using: SliceSettings, grant: Callable[[str], float]) -> None:
        self._paths = tuple(dict.fromkeys(config.watch.slices))
        self._using = using
        self._grant = grant
        self._models = {model.name: model for model in config.models}
        self._compared: dict[FieldId, Compared] = {}
        self._per_site_n: Counter[str] = Counter()
        self._dirty: dict[FieldId, None] = {}
        self.dropped: Counter[str] = Counter()

    def observe(self, seen: Observations) -> Iterator[Finding]:
        """What is read of one study."""
        if not seen.slices:
            return
        for subject, value in seen.values:
            measure = _MEASURES.get(subject.rpartition(".")[2])
            if measure is None or not isinstance(value, bool):
                continue
            for slice_ in seen.slices:
                yield from self._take(seen, subject, slice_, value is measure[0])

    def compare(self, seen: Missed) -> Iterator[Finding]:
        """What is read of one study with the finding: sensitivity, which is no series."""
        for slice_ in seen.slices:
            yield from self._take(seen, seen.subject, slice_, seen.missed, seen.odds)

    def take(self, happened: Happened) -> Iterable[Said]:
        """Events say nothing here before they are read."""
        return ()

    def over(self, incident: Incident) -> None:
        """One of its incidents was resolved: what comes next is a new episode."""
        if incident.kind == "subgroup_gap":
            self.accept(incident.site, incident.model, incident.subject)

    def accept(self, site: str, model: str | None, subject: str | None) -> None:
        """The gaps there are told about no more, until they are shown anew by what comes."""
        for key, compared in self._compared.items():
            if key[0] != site or model not in (None, key[1]):
                continue
            for slice_, bet in compared.groups.items():
                if subject in (None, key[2], _named(key[2], slice_)):
                    bet.begin()
                    self._dirty[key] = None

    def begin_anew(self, site: str, model: str) -> Iterable[Said]:
        """Its margin is the same for every version."""
        return ()

    def changes(self) -> Iterator[Change]:
        """Records changed since the last call."""
        dirty, self._dirty = self._dirty, {}
        for key in dirty:
            yield "subgroups/1", key, self._compared[key]

    def restore(self, records: Iterable[Struct]) -> None:
        """Take up the records of a checkpoint."""
        for record in records:
            if isinstance(record, Compared):
                self._compared[record.id] = record
                self._per_site_n[record.site] += len(record.groups)

    def sizes(self) -> dict[str, int]:
        """What is remembered, for the metrics."""
        return {"subgroups": sum(self._per_site_n.values())}

    def _take(
        self,
        seen: Observations | Missed,
        subject: str,
        slice_: str,
        bad: bool,
        odds: float = 1.0,
    ) -> Iterator[Finding]:
        path = next((path for path in self._paths if slice_.startswith(f"{path}=")), None)
        if path is None:
            return
        key = (seen.site, seen.model, subject, path)
        compared = self._compared.get(key)
        if compared is None:
            compared = self._compared[key] = Compared(*key)
        self._dirty[key] = None
        bet = self._bet(compared, slice_)
        rest = compared.known.less(bet.group if bet else Tally())
        compared.known.add(bad, odds)
        margin = self._using.subgroup_margin
        if bet is None or not bet.take(bad, rest, margin, seen.at_us, odds):
            return
        if bet.days is None and min(bet.group.n, rest.n) >= self._using.subgroup_least_n:
            bet.days = self._grant(seen.site)
        if bet.is_shown(self._using.subgroup_least_n):
            yield self._finding(compared, slice_, bet, "holds", seen.at_us)
            bet.alarmed()
        elif bet.is_back:
            yield self._finding(compared, slice_, bet, "eased", seen.at_us)
            bet.begin()

    def _bet(self, compared: Compared, slice_: str) -> GapBet | None:
        bet = compared.groups.get(slice_)
        if bet is not None:
            return bet
        if (
            self._per_site_n[compared.site] >= self._using.subgroups_per_site
            or len(compared.groups) >= self._using.values_per_field
        ):
            self.dropped["subgroups_overflow"] += 1
            return None
        self._per_site_n[compared.site] += 1
        before = (Tally(), compared.known.less(Tally()))
        bet = compared.groups[slice_] = GapBet(paired=before, begun=before)
        return bet

    def _finding(
        self, compared: Compared, slice_: str, bet: GapBet, signal: Signal, at_us: int
    ) -> Finding:
        finding, _, tail = compared.subject.rpartition(".")
        is_bad, word = _MEASURES[tail]
        group, rest = bet.since
        shares = [one.share if is_bad else 1 - one.share for one in (rest, group)]
        model = self._models.get(compared.model)
        whose = f"{finding[:40]} of {compared.model[:30]} at {compared.site}"
        margin = f"(margin {self._using.subgroup_margin:g})"
        where = tellable(slice_)
        if signal == "eased":
            told = f"{word} in {where} is as in the rest again, within the margin"
            statistic, threshold = bet.back_statistic, BACK_DAYS
        else:
            told = f"{word} {shares[1]:.2f} in {where}, {shares[0]:.2f} in the rest {margin}"
            statistic, threshold = bet.statistic, bet.days or 0.0
        return Finding(
            signal=signal,
            kind="subgroup_gap",
            site=compared.site,
            model=compared.model,
            subject=_named(compared.subject, slice_),
            at_us=at_us,
            title=f"{whose}: {told}"[:200],
            severity="warning",
            evidence=Evidence(
                detector="gap_bet",
                statistic=statistic,
                threshold=threshold,
                reference_n=rest.n,
                current_n=group.n,
                before=shares[0],
                after=shares[1],
                since=from_us(bet.since_us),
            ),
            update_us=_UPDATE_US,
            owner=model.owner if model else None,
            runbook=model.runbook if model else None,
        )


def _named(subject: str, slice_: str) -> str:
    return f"{subject} {slice_}"[:256]
