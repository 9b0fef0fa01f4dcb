"""Observations become findings: every series has its reference, its votes and its share.

What an event says is put into columns, series by series; what the columns mean is computed at the
next flush, many observations at once.
"""

from collections import Counter
from collections.abc import Iterable, Iterator

from schemas.command import Command
from schemas.config import Config
from schemas.incident import Incident
from schemas.series import SeriesPoint
from schemas.shipped import Shipped
from schemas.slices import SliceSettings
from streams.budget import Budget
from streams.fields import Value
from streams.finding import Finding
from streams.observations.observe import Complete, Look, Observations
from streams.observations.slicing import SiteLabels, is_slice_of_input
from streams.series.blocks import Block
from streams.series.change import Change, NewWord
from streams.series.drift_finding import drift_finding, drift_kind, new_value_finding
from streams.series.kept import Kept, Owner, kind_of
from streams.series.learning import settings_of
from streams.series.point import series_point
from streams.series.record import Bulk, SeriesRecord, Written, kept_of, record_of
from streams.series.record_1 import SeriesRecord1, kept_of_version_1
from streams.series.seen import SeriesId, SeriesKind
from streams.series.share import Grant
from streams.series.shipping import named_series, reference_of
from streams.series.watched import Happening, Series
from streams.site_time import SiteTimes
from streams.slices.group import Group
from streams.slices.watch import SliceWatch, whole_id

Said = Finding | SeriesPoint


class Detect:
    """The series of one shard."""

    def __init__(
        self, config: Config, budget: Budget, slicing: SliceSettings | None = None
    ) -> None:
        self._settings = settings_of(config.reference)
        self._models = {model.name: model for model in config.models}
        self._per_site = config.bounds.series_per_site
        self._budget = budget
        self._times = SiteTimes(config)
        self._owners: dict[tuple[str, str], Owner] = {}
        self._written: dict[SeriesId, Written] = {}
        self._per_site_n: Counter[str] = Counter()
        self._queued: list[Kept] = []
        self._dirty: dict[SeriesId, Kept] = {}
        self._outgrown: list[SeriesId] = []
        self._said: list[Said] = []
        self.dropped: Counter[str] = Counter()
        self._slices = SliceWatch(config, slicing or SliceSettings(), self.dropped)

    def observe(self, seen: Observations) -> Iterable[Said]:
        """Take what one event says; what it means may be said at the next `flush` only."""
        owner = self._owners.get((seen.site, seen.model)) or self._owner(seen.site, seen.model)
        at_us, series, queued = seen.at_us, owner.series, self._queued
        key, weekhour = owner.study_key(seen.study), owner.time.weekhour(at_us)
        due: list[Kept] | None = None
        values, codes = self._slices.spread(seen)
        for subject, told in values:
            kept, value = series.get(subject), told
            if kept is None or value.__class__ is not kept.takes:
                kept, value = self._unusual(owner, subject, told)
                if kept is None:
                    continue
            ats_us = kept.ats_us
            if not ats_us:
                queued.append(kept)
            kept.values.append(value)
            kept.keys.append(key)
            kept.weekhours.append(weekhour)
            kept.codes += codes
            ats_us.append(at_us)
            if at_us >= kept.look_us or len(ats_us) >= kept.look_n:
                due = [*(due or ()), kept]
        # At once: shares of the budget are given in the order in which references freeze.
        return () if due is None else [said for kept in due for said in self._look(kept)]

    def flush(self) -> Iterator[Said]:
        """What the observations since the last flush mean, series by series.

        Feeding a series many values in a row is what makes detection cheap. What is said of a
        series, and its dates, do not depend on when this is called.
        """
        said, self._said = self._said, []
        yield from said
        queued, self._queued = self._queued, []
        for kept in queued:
            if kept.ats_us:
                yield from self._look(kept)

    def look(self, look: Look) -> Iterator[Said]:
        """What the observations of these series mean that wait, before the next flush."""
        owner = self._owners.get((look.site, look.model))
        known = owner.series if owner else {}
        for subject in look.subjects:
            if subject in known:
                yield from self._look(known[subject])

    def complete(self, complete: Complete) -> Iterator[Said]:
        """Freeze the reference of a learning series, if it has the observations at all."""
        owner = self._owners.get((complete.site, complete.model))
        kept = owner.series.get(complete.subject) if owner else None
        if kept is not None:
            yield from self._look(kept)
            group = self._slices.group(kept.id)
            for one in group.members if group else [kept]:
                yield from self._said_of(one, one.series.complete(self._grant(complete.site)))
                self._changed(one)
            yield from group.conclude() if group else ()

    def accept(self, command: Command, told: Iterable[Incident]) -> int:
        """Make what is now the normal, where a person says so; what is over is told at a flush.

        For the series whose incident was accepted, and for all that a `rebaseline` names: how
        many those are.
        """
        accepted = {
            (incident.site, incident.model or "", incident.subject or "")
            for incident in told
            if incident.reason == "accepted"
        }
        by_name = command.action == "rebaseline" and command.incident is None
        meant = [
            kept
            for kept in self._all()
            if whole_id(kept.id) in accepted or (by_name and _is_named(whole_id(kept.id), command))
        ]
        self._over((kept, kept.series.accept()) for kept in meant)
        return len(meant)

    def refer(self, command: Command, at_us: int) -> int:
        """Hold series against the reference that a person names or has sent: how many.

        Who names a series means its slices as well: they have one incident.
        """
        if command.reference is not None:
            return self._ship(command, command.reference, at_us)
        meant = [
            (kept, found)
            for kept in self._all()
            if command.incident is None
            and (_is_named(kept.id, command) or _is_named(whole_id(kept.id), command))
            and (found := kept.series.references.find(command.reference_number or 0)) is not None
        ]
        self._over((kept, kept.series.restore(number)) for kept, number in meant)
        return len(meant)

    def _ship(self, command: Command, shipped: Shipped, at_us: int) -> int:
        """To one series, which is begun if there is none. What is not readable is counted."""
        subject, model = named_series(command)
        reference = reference_of(shipped)
        if subject is None or reference is None:
            self.dropped["reference_unusable"] += 1
            return 0
        owner = self._owner(command.site, model)
        kept = owner.series.get(subject) or self._new(owner, subject, shipped.kind)
        if kept is None or kept.kind != shipped.kind:
            self.dropped["reference_unusable"] += kept is not None
            return 0
        if shipped.site != command.site:
            is_taken = kept.series.put_on_trial(reference)
            self._changed(kept)
            return int(is_taken)
        grant = self._grant(command.site)
        self._over([(kept, kept.series.ship(reference, shipped.per_day, at_us, grant))])
        return 1

    def accept_model(self, site: str, model: str) -> None:
        """A new version of the model at the site: all of its series learn a new reference."""
        owner = self._owners.get((site, model))
        meant = owner.series.values() if owner else ()
        self._over((kept, kept.series.begin_anew()) for kept in meant)

    def changes(self) -> Iterator[tuple[SeriesId, SeriesRecord, list[Bulk]]]:
        """Series changed since the last call: the small record, and the bulk that is new."""
        dirty, self._dirty = self._dirty, {}
        for key, kept in dirty.items():
            bulk = [*self._written[key].news(kept.series), *self._slices.news(key)]
            yield key, record_of(kept), bulk

    def outgrown(self) -> Iterator[SeriesId]:
        """Series whose records of version 1 are over, as they were restored; each told once."""
        outgrown, self._outgrown = self._outgrown, []
        yield from outgrown

    def labels(self) -> Iterator[SiteLabels]:
        """The labels of sites where they have grown since the last call."""
        return self._slices.labels()

    def take_up(self, known: SiteLabels) -> None:
        """Take up the labels of a site, before its series."""
        self._slices.take_up(known)

    def restore(self, record: SeriesRecord | SeriesRecord1, bulk: dict[str, bytes]) -> None:
        """Take up one series of a checkpoint."""
        settings = self._slices.settings(record.model, record.subject, self._settings)
        if isinstance(record, SeriesRecord1):
            kept, written = kept_of_version_1(record, bulk, settings)
            self._outgrown.append(kept.id)
            self._dirty[kept.id] = kept
        else:
            kept, written = kept_of(record, bulk, settings)
        self._keep(self._owner(record.site, record.model), kept, written)
        self._slices.restore(kept.id, bulk)

    def series(self) -> Iterator[tuple[SeriesId, Series]]:
        """Every series, to be looked at only."""
        return ((kept.id, kept.series) for kept in self._all())

    def sizes(self) -> dict[str, int]:
        """How many series there are in each phase, for the metrics."""
        phases = Counter(kept.series.phase for kept in self._all() if not kept.series.closed)
        return {f"series_{phase}": n for phase, n in phases.items()}

    def _look(self, kept: Kept) -> Iterator[Said]:
        """What the observations that wait mean, together with those of its slices or its whole."""
        group = self._slices.group(kept.id)
        for one in group.members if group else (kept,):
            yield from self._look_at(one, group)
        yield from group.conclude() if group else ()

    def _look_at(self, kept: Kept, group: Group | None) -> Iterator[Said]:
        if not kept.ats_us:
            return
        was_closed, codes, seen = kept.series.closed, bytes(kept.codes), kept.seen()
        if group is not None:
            group.take(kept, seen.values, codes)
        happened = kept.series.observe(seen, self._grant(kept.id[0]))
        yield from self._said_of(kept, happened, seen.n)
        if kept.series.closed and not was_closed:
            self.dropped["words_are_names"] += 1
        self._changed(kept)

    def _said_of(
        self, kept: Kept, happened: Iterator[Happening], seen_n: int | None = None
    ) -> Iterator[Said]:
        """Of `seen_n` observations; what moves a series with slices is told by its group."""
        group = self._slices.group(kept.id)
        for what in happened:
            if isinstance(what, Block):
                yield series_point(kept.id, kept.series, what)
            elif group is not None and isinstance(what, Change):
                group.pend(kept, what, seen_n)
            elif group is not None and isinstance(what, NewWord):
                yield group.new_word(kept, what, seen_n)
            elif (finding := self._finding(kept, what)) is not None:
                yield finding

    def _changed(self, kept: Kept) -> None:
        self._dirty[kept.id] = kept
        kept.wait()

    def _over(self, ended: Iterable[tuple[Kept, Iterator[Happening]]]) -> None:
        """Keep what a decision has ended, to be told at the next flush.

        By name: a restart brings series back in another order.
        """
        for kept, happened in sorted(ended, key=lambda one: one[0].id):
            self._said += self._said_of(kept, happened)
            self._changed(kept)
        for group in sorted(self._slices.groups(), key=lambda one: one.key):
            self._said += group.conclude()

    def _grant(self, site: str) -> Grant:
        budget = self._budget
        return lambda promised: budget.grant(site) if promised else budget.unpromised(site)

    def _owner(self, site: str, model: str) -> Owner:
        owner = self._owners.get((site, model))
        if owner is None:
            owner = self._owners[site, model] = Owner(site, model, self._times.working(site))
        return owner

    def _unusual(self, owner: Owner, subject: str, value: Value) -> tuple[Kept | None, Value]:
        """A series that is not there yet, or a value of another kind than its series has."""
        kept = owner.series.get(subject)
        if kept is None:
            kept = self._new(owner, subject, kind_of(value))
        elif kept.kind != "number" or isinstance(value, str):
            self.dropped["other_kind_of_value"] += 1
            return None, value
        return kept, float(value) if kept is not None and kept.kind == "number" else value

    def _new(self, owner: Owner, subject: str, kind: SeriesKind) -> Kept | None:
        series_n = self._per_site_n[owner.site]
        if series_n >= self._per_site:
            self.dropped["series_overflow"] += 1
            return None
        if series_n >= self._per_site // 2 and is_slice_of_input(subject):
            self.dropped["input_slices_unwatched"] += 1  # room is kept for wholes that come later
            return None
        settings = self._slices.settings(owner.model, subject, self._settings)
        kept = Kept((owner.site, owner.model, subject), kind, settings)
        kept.wait()
        self._keep(owner, kept, Written())
        return kept

    def _keep(self, owner: Owner, kept: Kept, written: Written) -> None:
        owner.series[kept.id[2]] = kept
        self._written[kept.id] = written
        self._per_site_n[owner.site] += 1
        self._slices.join(kept)

    def _all(self) -> Iterator[Kept]:
        return (kept for owner in self._owners.values() for kept in owner.series.values())

    def _finding(self, kept: Kept, happened: Change | NewWord) -> Finding | None:
        series, model = kept.series, self._models.get(kept.id[1])
        if isinstance(happened, NewWord):
            return new_value_finding(kept.id, happened, model)
        return drift_finding(
            kept.id,
            kept.kind,
            happened,
            model=model,
            severity="warning" if series.is_promised else "info",
        )


def _is_named(key: SeriesId, command: Command) -> bool:
    site, model, subject = key
    names = {"kind": drift_kind(key), "site": site, "model": model or None, "subject": subject}
    wanted = (command.matchers or {}).items()
    return site == command.site and all(names.get(name) == value for name, value in wanted)
