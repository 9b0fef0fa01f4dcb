"""The slices of all series of a shard: what an event says of each, and the groups they form."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence

from msgspec.structs import replace

from schemas.config import Config
from schemas.slices import SliceSettings
from streams.fields import Value
from streams.observations.observe import Observations
from streams.observations.slicing import (
    WHOLE,
    Labels,
    SiteLabels,
    is_input,
    is_sliced,
    may_explain,
    whole_and_slice,
)
from streams.series.kept import Kept
from streams.series.learning import Settings
from streams.series.record import Bulk
from streams.series.seen import SeriesId
from streams.slices.group import Group


class SliceWatch:
    """Of the fields in `watch.slices`; without any nothing is sliced.

    What models say has series in all slices, inputs in those by the fields of `slices.inputs`.
    """

    def __init__(self, config: Config, using: SliceSettings, dropped: Counter[str]) -> None:
        self._paths = config.watch.slices
        self._per_field = using.values_per_field
        self._explains_inputs = using.explain_inputs
        self._of_inputs = tuple(path for path in self._paths if path in using.inputs)
        self._observations = min(using.observations, config.reference.observations)
        self._models = {model.name: model for model in config.models}
        self._labels: dict[str, tuple[Labels, Labels]] = {}  # of models' answers, of all studies
        self._groups: dict[tuple[str, str], dict[str, Group]] = {}
        self._dropped = dropped

    def spread(self, seen: Observations) -> tuple[Sequence[tuple[str, Value]], bytes]:
        """What an event says, of slices as well; and the codes of its slices."""
        if not self._paths:
            return seen.values, b""
        labels = self._labels_of(seen.site, seen.model)
        codes, watched, _ = labels.of(seen.slices, self._dropped)
        spread = self._in_slices(seen, watched) if watched else ()
        return [*seen.values, *spread] if spread else seen.values, codes

    def settings(self, model: str, subject: str, plain: Settings) -> Settings:
        """When a reference is complete: a slice's sooner."""
        if whole_and_slice(model, subject)[1] == WHOLE:
            return plain
        return replace(plain, observations=self._observations)

    def join(self, kept: Kept) -> None:
        """A series that is new, or restored."""
        site, model, subject = kept.id
        whole, slice_ = whole_and_slice(model, subject)
        if self._paths and (self._explains_inputs or is_sliced(model, whole)):
            group = self._group(site, model, whole)
            if group.has_series(slice_):
                group.join(slice_, kept)

    def group(self, key: SeriesId) -> Group | None:
        """The group that a series is of."""
        groups = self._groups.get(key[:2])
        if groups is None:
            return None
        whole, slice_ = whole_and_slice(key[1], key[2])
        group = groups.get(whole)
        return group if group is not None and group.has_series(slice_) else None

    def groups(self) -> Iterator[Group]:
        """All of them."""
        return (group for groups in self._groups.values() for group in groups.values())

    def news(self, key: SeriesId) -> Iterable[Bulk]:
        """What is to be written with this series."""
        group = self.group(key)
        return group.news() if group is not None and group.key == key else ()

    def labels(self) -> Iterator[SiteLabels]:
        """Those of the sites where they have grown since the last call."""
        for site, both in self._labels.items():
            if any(labels.has_grown for labels in both):
                for labels in both:
                    labels.has_grown = False
                yield SiteLabels(site, *(labels.told() for labels in both))

    def take_up(self, known: SiteLabels) -> None:
        """Take up the labels of a site, before its series."""
        answered, studies = self._both(known.site)
        answered.take_up(known.slices)
        studies.take_up(known.studies)

    def restore(self, key: SeriesId, bulk: Mapping[str, bytes]) -> None:
        """Take up what was written with this series."""
        group = self.group(key)
        if group is not None and group.key == key:
            group.restore(bulk)

    def _in_slices(self, seen: Observations, watched: tuple[str, ...]) -> list[tuple[str, Value]]:
        spread: list[tuple[str, Value]] = []
        groups = self._groups.get((seen.site, seen.model), {})
        for subject, value in seen.values:
            if isinstance(value, str):
                continue
            group = groups.get(subject)
            if group is None and is_sliced(seen.model, subject):
                group = self._group(seen.site, seen.model, subject)
            if group is not None and group.is_spread:
                spread += [(name, value) for name in group.names(watched)]
        return spread

    def _paths_of(self, model: str, whole: str) -> tuple[str, ...]:
        """By which fields it has series for its slices."""
        if is_sliced(model, whole):
            return self._paths
        paths = self._of_inputs if is_input(whole) else ()
        return tuple(path for path in paths if may_explain(path, whole))

    def _labels_of(self, site: str, model: str) -> Labels:
        answered, studies = self._labels.get(site) or self._both(site)
        return answered if model else studies

    def _both(self, site: str) -> tuple[Labels, Labels]:
        if site not in self._labels:
            answered, studies = (Labels(self._paths, self._per_field) for _ in range(2))
            self._labels[site] = answered, studies
        return self._labels[site]

    def _group(self, site: str, model: str, subject: str) -> Group:
        groups = self._groups.setdefault((site, model), {})
        group = groups.get(subject)
        if group is None:
            key = (site, model, subject)
            paths = self._paths_of(model, subject)
            group = Group(key, self._labels_of(site, model), self._models.get(model), paths)
            groups[subject] = group
        return group


def whole_id(key: SeriesId) -> SeriesId:
    """The series that one is a part of, or itself."""
    site, model, subject = key
    return site, model, whole_and_slice(model, subject)[0]
