"""Which versions of a model answer at a site, and when another one has taken over.

A version never seen before is told at once, by its first answer. Nothing else follows from one
answer: a straggler of the old version, or a canary among a thousand studies, must not cost the
model its references. So a reference epoch begins only with a short run of answers by a version
that is new, and with a long one by a version that was in use before; a mixture has neither, and its
series learn the mixture.
"""

from collections import Counter
from collections.abc import Iterable, Iterator
from typing import ClassVar

from msgspec import Struct, field

from schemas.config import Model
from schemas.incident import Evidence, Incident
from schemas.oversight import VersionChange
from schemas.prediction import Prediction
from streams.clock import seconds_to_us
from streams.finding import Finding, Signal
from streams.stage import Change, Happened, NewEpoch, Said, Takes, Timeless

_VERSIONS_KEPT = 16
_TOLD_AT_MOST = 8  # versions within one change: a model that names each answer anew tells no more
_MODELS_PER_SITE = 1_000
_LONGEST = 24  # of a version's name in a title
_UPDATE_US = seconds_to_us(3600)

ServingId = tuple[str, str]  # site, model


class Serving(Struct, omit_defaults=True):
    """The versions of one model at one site.

    `known`: in the order of their first answer, and whether each has had a reference epoch.
    `usual`: in use when nothing changes, one as a rule. `since`: those that came up in the change
    that is being told, none when there is none; `answered_n` counts from the latest of them.
    """

    site: str
    model: str
    known: dict[str, bool]
    usual: list[str]
    epoch: str
    run_version: str
    run_n: int = 1
    since: list[str] = field(default_factory=list)
    answered_n: int = 0
    newest_n: int = 0

    def run(self, version: str, longest_n: int) -> None:
        """One more answer by this version."""
        if version == self.run_version:
            self.run_n = min(self.run_n + 1, longest_n)
        else:
            self.run_version, self.run_n = version, 1

    def count(self, version: str) -> None:
        """An answer during a change."""
        self.answered_n += 1
        self.newest_n += version == self.since[-1]

    def settle(self, usual: list[str]) -> None:
        """These are in use, and no change is being told any more."""
        self.usual, self.since = usual, []
        self.answered_n = self.newest_n = 0


class Versions(Timeless):
    """The versions in use at the sites of one shard."""

    takes: ClassVar[Takes] = (Prediction,)
    kinds: ClassVar[dict[str, type[Struct]]] = {"serving/1": Serving}

    def __init__(self, models: Iterable[Model], settings: VersionChange) -> None:
        self._models = {model.name: model for model in models}
        self._settled_n = settings.settled_after
        self._mixed_n = 2 * settings.settled_after
        self._epoch_n = min(settings.epoch_after, settings.settled_after)
        self._serving: dict[ServingId, Serving] = {}
        self._per_site_n: Counter[str] = Counter()
        self._dirty: dict[ServingId, None] = {}
        self.dropped: Counter[str] = Counter()

    def take(self, happened: Happened) -> Iterable[Said]:
        """Take one event: a live answer says which version is in use."""
        event = happened.event
        if not happened.fresh or not isinstance(event, Prediction) or event.role != "live":
            return ()
        key = (event.site, event.model)
        serving = self._serving.get(key)
        if serving is None:
            self._meet(key, event.model_version)
            return ()
        is_usual = serving.run_version == event.model_version and not serving.since
        if is_usual and serving.run_n >= self._settled_n:
            return ()
        self._dirty[key] = None
        return self._answered(serving, event.model_version, happened.at_us)

    def over(self, incident: Incident) -> None:
        """The change has been told to its end: what was in use during it is usual now."""
        serving = self._serving.get((incident.site, incident.model or ""))
        if incident.kind == "version_change" and serving is not None:
            self._accept(serving)

    def accept(self, site: str, model: str | None, subject: str | None) -> None:
        """A person says that what is in use now is the normal."""
        for serving in self._serving.values():
            if (
                serving.site == site
                and model in (None, serving.model)
                and subject in (None, "version")
            ):
                self._accept(serving)

    def begin_anew(self, site: str, model: str) -> Iterable[Said]:
        """It said so itself."""
        return ()

    def changes(self) -> Iterator[Change]:
        """What changed since the last call."""
        dirty, self._dirty = self._dirty, {}
        for key in dirty:
            yield "serving/1", key, self._serving[key]

    def restore(self, records: Iterable[Struct]) -> None:
        """Take up the records of a checkpoint."""
        for serving in records:
            assert isinstance(serving, Serving)
            self._serving[serving.site, serving.model] = serving
            self._per_site_n[serving.site] += 1

    def sizes(self) -> dict[str, int]:
        """How many models have versions here."""
        return {"models_serving": len(self._serving)}

    def _meet(self, key: ServingId, version: str) -> None:
        site, model = key
        if self._per_site_n[site] >= _MODELS_PER_SITE:
            self.dropped["models_overflow"] += 1
            return
        self._per_site_n[site] += 1
        self._serving[key] = Serving(site, model, {version: True}, [version], version, version)
        self._dirty[key] = None

    def _answered(self, serving: Serving, version: str, at_us: int) -> list[Said]:
        said: list[Said] = []
        serving.run(version, self._settled_n)
        if version not in serving.usual and version not in serving.since:
            said += self._came_up(serving, version, at_us)
        elif serving.since:
            serving.count(version)
        said += self._epoch(serving, version)
        if serving.run_n >= self._settled_n:
            said += self._settled(serving, version, at_us)
        elif serving.since and serving.answered_n % self._mixed_n == 0:
            said.append(self._finding(serving, "holds", at_us, serving.since[-1], _mixed(serving)))
        return said

    def _came_up(self, serving: Serving, version: str, at_us: int) -> Iterator[Said]:
        """Another version than those in use has answered."""
        if len(serving.since) >= _TOLD_AT_MOST:
            self.dropped["versions_overflow"] += 1
            serving.count(version)
            return
        before = (serving.since or serving.usual)[-1]
        signal: Signal = "changed" if serving.since else "holds"
        how = "is back at" if version in serving.known else "answers with"
        self._remember(serving, version)
        serving.since.append(version)
        serving.answered_n = serving.newest_n = 1
        title = f"{how} version {version[:_LONGEST]}, before it was {before[:_LONGEST]}"
        yield self._finding(serving, signal, at_us, version, title)

    def _epoch(self, serving: Serving, version: str) -> Iterator[NewEpoch]:
        had_one = serving.known.get(version, True)
        run_n = self._settled_n if had_one else self._epoch_n
        if version != serving.epoch and serving.run_n >= run_n:
            serving.epoch = version
            if version in serving.known:
                serving.known[version] = True
            yield NewEpoch(serving.site, serving.model)

    def _settled(self, serving: Serving, version: str, at_us: int) -> Iterator[Finding]:
        """One version alone has answered for long enough."""
        if serving.since:
            signal: Signal = "returned" if version in serving.usual else "eased"
            title = f"answers with version {version[:_LONGEST]} alone"
            yield self._finding(serving, signal, at_us, version, title)
        self._remember(serving, version)
        serving.settle([version])

    def _remember(self, serving: Serving, version: str) -> None:
        serving.known.setdefault(version, False)
        if len(serving.known) > _VERSIONS_KEPT:
            in_use = {*serving.usual, *serving.since, version}
            oldest = next(known for known in serving.known if known not in in_use)
            del serving.known[oldest]
            self.dropped["versions_forgotten"] += 1

    def _accept(self, serving: Serving) -> None:
        if serving.since:
            both = dict.fromkeys((*serving.usual, *serving.since))
            serving.settle([*both][-_TOLD_AT_MOST:])
            self._dirty[serving.site, serving.model] = None

    def _finding(
        self, serving: Serving, signal: Signal, at_us: int, version: str, title: str
    ) -> Finding:
        model = self._models.get(serving.model)
        return Finding(
            signal=signal,
            kind="version_change",
            site=serving.site,
            model=serving.model,
            model_version=version,
            subject="version",
            at_us=at_us,
            title=f"{serving.model[:50]} at {serving.site} {title}",
            severity="info",
            evidence=Evidence(detector="version", current_n=serving.newest_n),
            update_us=_UPDATE_US,
            owner=model.owner if model else None,
            runbook=model.runbook if model else None,
        )


def _mixed(serving: Serving) -> str:
    share = serving.newest_n / serving.answered_n
    newest, usual = serving.since[-1][:_LONGEST], serving.usual[-1][:_LONGEST]
    return f"is in mixed use: {share:.0%} by version {newest}, the rest by {usual} or another"
