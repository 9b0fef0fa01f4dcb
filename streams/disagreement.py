"""A shadow's calls against those of the live model, study by study.

A pair is the same finding of the same study, called by both; one study of a patient makes a pair.
Two questions are asked of the pairs. Is the share that is called differently shown to exceed the
margin? That is the alarm, within the false-alarm budget. And among those, does the shadow call more
or less than the live model? That is said beside it, and only when it is shown.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from typing import ClassVar

from msgspec import Struct, field

from schemas.config import Model
from schemas.incident import Evidence, Incident
from schemas.oversight import VersionDisagreement
from schemas.prediction import Prediction
from streams.clock import seconds_to_us
from streams.finding import Finding, Signal
from streams.shadow_pairs import Pair, Pairs, Shadows, Unpaired
from streams.share_bet import ShareBet, direction, wilson
from streams.stage import Change, Happened, Said, Takes, Timeless

_COMPARISONS_PER_SITE = 256
_UPDATE_US = seconds_to_us(3600)

ComparisonId = tuple[str, str, str, str, str]  # site, model, shadow, its version, finding


class Comparison(Struct, omit_defaults=True):
    """One finding, called by a version of a shadow and by the live model, whichever version.

    `more_n` and `less_n`: called by the shadow alone, by the live model alone, as `share` counts;
    a direction is claimed by chance in 1 of 20 such counts at most.
    """

    site: str
    model: str
    shadow: str
    shadow_version: str
    finding: str
    share: ShareBet = field(default_factory=ShareBet)
    more_n: int = 0
    less_n: int = 0

    @property
    def subject(self) -> str:
        """What its incident is about: the version belongs to it, since two may run at once."""
        return f"{self.finding[:120]}.positive of {self.shadow[:80]} {self.shadow_version[:40]}"

    def begin(self) -> None:
        """Count anew."""
        self.more_n = self.less_n = 0


class Disagreement(Timeless):
    """The comparisons at the sites of one shard."""

    takes: ClassVar[Takes] = (Prediction,)
    kinds: ClassVar[dict[str, type[Struct]]] = {
        "comparison/1": Comparison,
        "unpaired/1": Unpaired,
        "shadows/1": Shadows,
    }

    def __init__(
        self,
        models: Iterable[Model],
        settings: VersionDisagreement,
        grant: Callable[[str], float],
    ) -> None:
        self._models = {model.name: model for model in models}
        self._margin = settings.margin
        self._grant = grant
        self._comparisons: dict[ComparisonId, Comparison] = {}
        self._per_site_n: Counter[str] = Counter()
        self._dirty: dict[ComparisonId, None] = {}
        self.dropped: Counter[str] = Counter()
        self._pairs = Pairs(settings, self.dropped)

    def take(self, happened: Happened) -> Iterable[Said]:
        """Take one event: an answer of a shadow or of its live model may complete pairs."""
        event = happened.event
        if not happened.counts or not isinstance(event, Prediction):
            return ()
        pairs = self._pairs.take(event, happened.arrived_us)
        if not pairs:
            return ()
        return [said for pair in pairs for said in self._compare(pair, happened.at_us)]

    def over(self, incident: Incident) -> None:
        """The incident has ended: what comes next is a new episode."""
        if incident.kind != "version_disagreement":
            return
        for comparison in self._named(incident.site, incident.model, incident.subject):
            comparison.share.over()
            comparison.begin()

    def accept(self, site: str, model: str | None, subject: str | None) -> None:
        """A person says that so much disagreement is normal."""
        for comparison in self._named(site, model, subject):
            comparison.share.accept()

    def begin_anew(self, site: str, model: str) -> Iterable[Said]:
        """Its margin is the same for every version."""
        return ()

    def changes(self) -> Iterator[Change]:
        """What changed since the last call."""
        dirty, self._dirty = self._dirty, {}
        for key in dirty:
            yield "comparison/1", key, self._comparisons[key]
        yield from self._pairs.changes()

    def restore(self, records: Iterable[Struct]) -> None:
        """Take up the records of a checkpoint."""
        pairs: list[Struct] = []
        for record in records:
            if isinstance(record, Comparison):
                self._comparisons[_id(record)] = record
                self._per_site_n[record.site] += 1
            else:
                pairs.append(record)
        self._pairs.restore(pairs)

    def sizes(self) -> dict[str, int]:
        """How many comparisons there are, and how many answers wait for their other half."""
        return {"comparisons": len(self._comparisons), "answers_unpaired": len(self._pairs)}

    def _named(self, site: str, model: str | None, subject: str | None) -> Iterator[Comparison]:
        """Those that are meant, to be changed."""
        for key, comparison in self._comparisons.items():
            is_meant = comparison.site == site and model in (None, comparison.model)
            if is_meant and subject in (None, comparison.subject):
                self._dirty[key] = None
                yield comparison

    def _compare(self, pair: Pair, at_us: int) -> Iterator[Finding]:
        for finding, live_call in pair.live.items():
            shadow_call = pair.shadow.calls.get(finding)
            if shadow_call is None:
                continue
            comparison = self._comparison(pair, finding)
            if comparison is None:
                continue
            comparison.more_n += shadow_call and not live_call
            comparison.less_n += live_call and not shadow_call
            if live_call != shadow_call:
                comparison.share.affects(pair.study, at_us)
            signal = comparison.share.take(
                live_call != shadow_call, at_us, self._margin, lambda: self._grant(pair.site)
            )
            if signal is not None:
                yield self._finding(comparison, signal, at_us)
            elif comparison.share.seen_n == 0:  # a clean run, and nothing was told
                comparison.begin()

    def _comparison(self, pair: Pair, finding: str) -> Comparison | None:
        key = (pair.site, pair.model, pair.shadow.model, pair.shadow.version, finding)
        comparison = self._comparisons.get(key)
        if comparison is None:
            if self._per_site_n[pair.site] >= _COMPARISONS_PER_SITE:
                self.dropped["comparisons_overflow"] += 1
                return None
            self._per_site_n[pair.site] += 1
            comparison = self._comparisons[key] = Comparison(*key)
        self._dirty[key] = None
        return comparison

    def _finding(self, comparison: Comparison, signal: Signal, at_us: int) -> Finding:
        share, model = comparison.share, self._models.get(comparison.model)
        tolerated = share.tolerated(self._margin)
        return Finding(
            signal=signal,
            kind="version_disagreement",
            site=comparison.site,
            model=comparison.model,
            model_version=comparison.shadow_version,
            subject=comparison.subject,
            at_us=at_us,
            title=_title(comparison, signal, tolerated),
            severity="warning",
            evidence=Evidence(
                detector="bet_sr",
                statistic=share.statistic,
                threshold=share.days,
                current_n=share.seen_n,
                before=tolerated,
                after=share.share,
                since=share.since,
                affected_count=share.affected_n,
                examples=list(share.examples),
            ),
            update_us=_UPDATE_US,
            owner=model.owner if model else None,
            runbook=model.runbook if model else None,
        )


def _id(comparison: Comparison) -> ComparisonId:
    c = comparison
    return c.site, c.model, c.shadow, c.shadow_version, c.finding


def _title(comparison: Comparison, signal: Signal, tolerated: float) -> str:
    c, share = comparison, comparison.share
    whose = f"{c.model[:30]} at {c.site}: shadow {c.shadow_version[:20]}"
    if signal == "eased":
        return f"{whose} agrees on {c.finding[:30]} within {tolerated:.1%} again"
    limits = wilson(share.yes_n, share.seen_n)
    which = {0: "", 1: ", calls more", -1: ", calls fewer"}[direction(c.more_n, c.less_n)]
    return (
        f"{whose} differs on {c.finding[:30]} in {share.share:.1%} of {share.seen_n} studies "
        f"({limits}){which}"
    )
