"""Which fields a site usually sends, and in each study, which of them it lacks.

A jump in missing fields is a change in a share, so it is left to the detectors: a yes/no series
`missing.<field>` for each of the usual fields. Which ones these are is learnt once for each site.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence

from msgspec import Struct, field

from schemas.oversight import DataQuality
from schemas.study import Study
from streams.fields import FIXED, getter
from streams.observations.observe import Observations, Slices

PREFIX = "missing."
_CANDIDATES = 200  # fields of one site, while it is learnt which are usual
_LONGEST_NAME = 256  # as on the wire
_ALWAYS_THERE = frozenset({"modality"})
_FIXED = frozenset(path for path, _ in FIXED)
_OPTIONAL = tuple((path, read) for path, read in FIXED if path not in _ALWAYS_THERE)


class UsualFields(Struct, omit_defaults=True):
    """The fields that a site usually sends, None while it is learnt; `present_n` in so many."""

    site: str
    seen_n: int = 0
    present_n: dict[str, int] = field(default_factory=dict)
    usual: list[str] | None = None


class _Expected:
    """The usual fields of one site, ready to be looked for; most studies have them all."""

    def __init__(self, paths: list[str]) -> None:
        self._reads = [(PREFIX + path, getter(path)) for path in paths]
        self._none_lacks = tuple((PREFIX + path, False) for path in paths)
        self._by_head: dict[str, list[str]] = {}
        for path in paths:
            head, _, name = path.rpartition(".") if path in _FIXED else path.partition(".")
            self._by_head.setdefault(head, []).append(name)

    def lacking(self, study: Study) -> Sequence[tuple[str, bool]]:
        """Whether it lacks each of them."""
        if self._has_all(study):
            return self._none_lacks
        return [(subject, read(study) is None) for subject, read in self._reads]

    def _has_all(self, study: Study) -> bool:
        for head, names in self._by_head.items():
            part = getattr(study, head) if head else study
            if part is None:
                return False
            for name in names:
                if (part.get(name) if type(part) is dict else getattr(part, name)) is None:
                    return False
        return True


class MissingFields:
    """The usual fields of the sites of one shard."""

    def __init__(
        self, settings: DataQuality, is_watched: Callable[[str], bool], dropped: Counter[str]
    ) -> None:
        self._settings = settings
        self._is_watched = is_watched
        self._dropped = dropped
        self._sites: dict[str, UsualFields] = {}
        self._expected: dict[str, _Expected] = {}
        self._dirty: dict[str, None] = {}

    def of(self, study: Study, at_us: int, slices: Slices = ()) -> Observations | None:
        """Which of the usual fields a study lacks; None while they are learnt."""
        expected = self._expected.get(study.site)
        if expected is None:
            self._learn(study)
            return None
        lacks = expected.lacking(study)
        return Observations(study.site, "", study.study, at_us, lacks, slices) if lacks else None

    def relearn(self, site: str) -> None:
        """What the site sends from now on is the usual."""
        if site in self._sites:
            self._sites[site] = UsualFields(site)
            self._expected.pop(site, None)
            self._dirty[site] = None

    def changes(self) -> Iterator[UsualFields]:
        """What changed since the last call."""
        dirty, self._dirty = self._dirty, {}
        for site in dirty:
            yield self._sites[site]

    def restore(self, records: Iterable[UsualFields]) -> None:
        """Take up the records of a checkpoint."""
        for fields in records:
            self._sites[fields.site] = fields
            self._watch_usual(fields)

    def __len__(self) -> int:
        return len(self._expected)

    def _learn(self, study: Study) -> None:
        fields = self._sites.get(study.site)
        if fields is None:
            fields = self._sites[study.site] = UsualFields(study.site)
        self._dirty[study.site] = None
        fields.seen_n += 1
        for path in _present(study):
            if path in fields.present_n or len(fields.present_n) < _CANDIDATES:
                fields.present_n[path] = fields.present_n.get(path, 0) + 1
            else:
                self._dropped["fields_overflow"] += 1
        if fields.seen_n >= self._settings.learn_from:
            self._choose(fields)
            self._watch_usual(fields)

    def _choose(self, fields: UsualFields) -> None:
        """The most usual ones; of equals the first by name."""
        least_n = self._settings.present_share * fields.seen_n
        usual = [
            path
            for path, n in fields.present_n.items()
            if n >= least_n and self._is_watched(path) and len(PREFIX + path) <= _LONGEST_NAME
        ]
        usual.sort(key=lambda path: (-fields.present_n[path], path))
        if len(usual) > self._settings.fields:
            self._dropped["fields_unwatched"] += len(usual) - self._settings.fields
        fields.usual, fields.present_n = usual[: self._settings.fields], {}

    def _watch_usual(self, fields: UsualFields) -> None:
        if fields.usual is not None:
            self._expected[fields.site] = _Expected(fields.usual)


def _present(study: Study) -> Iterator[str]:
    for path, read in _OPTIONAL:
        if read(study) is not None:
            yield path
    for name in study.acquisition or ():
        yield f"acquisition.{name}"
    for name in study.attributes or ():
        yield f"attributes.{name}"
