"""Episodes of values that cannot be: every one counts, and a run of possible ones ends them."""

from collections.abc import Iterable, Iterator

from msgspec import Struct, field

from schemas.incident import Evidence
from streams.finding import Finding, Signal

_CLEAN_N = 50  # possible values in a row: a fault in 1 of 17 would have shown itself (at 95 %)
_EXAMPLES = 20

ImpossibleId = tuple[str, str, str]  # site, model, subject


class Impossible(Struct, omit_defaults=True):
    """Values of one field that cannot be; `model` is "" for what belongs to the studies."""

    site: str
    model: str
    subject: str
    since_us: int
    bad_n: int = 0
    clean_n: int = 0
    accepted: bool = False  # a person says that such values are normal here
    examples: list[str] = field(default_factory=list)


class Impossibles:
    """The episodes of one shard; fields without one cost nothing."""

    def __init__(self) -> None:
        self._episodes: dict[ImpossibleId, Impossible] = {}
        self._dirty: dict[ImpossibleId, None] = {}

    def seen(
        self, key: ImpossibleId, is_possible: bool, study: str, at_us: int, reason: str
    ) -> Finding | None:
        """What one more value of a field means."""
        episode = self._episodes.get(key)
        if episode is None:
            if is_possible:
                return None
            episode = self._episodes[key] = Impossible(*key, since_us=at_us)
        if episode.accepted:
            return None
        self._dirty[key] = None
        if not is_possible:
            episode.bad_n += 1
            episode.clean_n = 0
            if len(episode.examples) < _EXAMPLES:
                episode.examples.append(study)
            return _finding(episode, "holds", at_us, reason)
        episode.clean_n += 1
        if episode.clean_n == _CLEAN_N:
            return _finding(episode, "eased", at_us, reason)
        return None

    def over(self, key: ImpossibleId) -> None:
        """The incident has ended."""
        episode = self._episodes.get(key)
        if episode is not None and not episode.accepted:
            del self._episodes[key]
            self._dirty[key] = None

    def accept(self, site: str, model: str | None, subject: str | None) -> None:
        """Such values are normal here."""
        for key, episode in self._episodes.items():
            is_meant = episode.site == site and model in (None, episode.model)
            if is_meant and subject in (None, episode.subject):
                episode.accepted = True
                self._dirty[key] = None

    def changes(self) -> Iterator[tuple[ImpossibleId, Impossible | None]]:
        """Episodes changed since the last call; None for those that are over."""
        dirty, self._dirty = self._dirty, {}
        for key in dirty:
            yield key, self._episodes.get(key)

    def restore(self, episodes: Iterable[Impossible]) -> None:
        """Take up the episodes of a checkpoint."""
        self._episodes.update(((e.site, e.model, e.subject), e) for e in episodes)

    def __len__(self) -> int:
        return len(self._episodes)


def _finding(episode: Impossible, signal: Signal, at_us: int, reason: str) -> Finding:
    studies = "1 study" if episode.bad_n == 1 else f"{episode.bad_n} studies"
    whose = f"{episode.model[:50]} at {episode.site}" if episode.model else episode.site
    told = f"is impossible in {studies}: {reason}" if signal == "holds" else "is possible again"
    return Finding(
        signal=signal,
        kind="data_quality",
        site=episode.site,
        model=episode.model or None,
        subject=episode.subject,
        at_us=at_us,
        since_us=episode.since_us,
        title=f"{episode.subject} of {whose} {told}",
        severity="warning",
        evidence=Evidence(
            detector="limits", affected_count=episode.bad_n, examples=list(episode.examples)
        ),
    )
