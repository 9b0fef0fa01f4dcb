"""A shadow's answer and the live one for the same study, brought together in either order.

A live answer waits only where a shadow answers at all, and only until every shadow that is active
there has answered. Both sides wait a bounded time, and a bounded number of them at a site.
"""

from collections import Counter
from collections.abc import Iterable, Iterator
from typing import NamedTuple

from msgspec import Struct, field

from schemas.oversight import VersionDisagreement
from schemas.prediction import Prediction
from streams.clock import seconds_to_us
from streams.outcomes.waiting_room import Key, WaitingRoom
from streams.stage import Change

_SHADOWS_KEPT = 8  # versions of shadows of one model at one site
_MODELS_PER_SITE = 1_000

Calls = dict[str, bool]


class Side(Struct):
    """What a shadow called of one study."""

    model: str
    version: str
    calls: Calls


class Pair(NamedTuple):
    """Both sides of one study; `model` is the live one."""

    site: str
    study: str
    model: str
    live: Calls
    shadow: Side


class Unpaired(Struct, omit_defaults=True):
    """The answers for one study and live model that wait: the live one, or shadows' for it."""

    site: str
    study: str
    model: str
    arrived_us: int
    live: Calls | None = None
    shadows: list[Side] = field(default_factory=list)
    paired_n: int = 0

    @property
    def key(self) -> Key:
        """Site, study and live model."""
        return self.site, self.study, self.model


class Shadows(Struct):
    """The shadows of one live model at one site, and when each last answered."""

    site: str
    model: str
    last_us: dict[str, int]

    def active_n(self, since_us: int) -> int:
        """How many have answered since."""
        return sum(last_us >= since_us for last_us in self.last_us.values())


class Pairs:
    """The answers of one shard that wait for their other half."""

    def __init__(self, settings: VersionDisagreement, dropped: Counter[str]) -> None:
        self._kept_us = seconds_to_us(settings.waiting_s)
        self._compare = settings.compare
        self._dropped = dropped
        self._shadows: dict[tuple[str, str], Shadows] = {}
        self._per_site_n: Counter[str] = Counter()
        self._dirty: dict[tuple[str, str], None] = {}
        self._room: WaitingRoom[Unpaired] = WaitingRoom(
            "unpaired", self._kept_us, settings.waiting_per_site, dropped
        )

    def take(self, event: Prediction, arrived_us: int) -> list[Pair]:
        """The pairs that this answer, the first of its version for the study, completes."""
        if event.role == "live":
            shadows = self._shadows.get((event.site, event.model))
            return [] if shadows is None else self._live(event, shadows, arrived_us)
        return self._shadow(event, arrived_us)

    def changes(self) -> Iterator[Change]:
        """What changed since the last call."""
        dirty, self._dirty = self._dirty, {}
        for key in dirty:
            yield "shadows/1", key, self._shadows[key]
        for waiting_key, unpaired in self._room.changes():
            yield "unpaired/1", waiting_key, unpaired

    def restore(self, records: Iterable[Struct]) -> None:
        """Take up the records of a checkpoint."""
        waiting: list[Unpaired] = []
        for record in records:
            if isinstance(record, Unpaired):
                waiting.append(record)
            else:
                assert isinstance(record, Shadows)
                self._shadows[record.site, record.model] = record
                self._per_site_n[record.site] += 1
        self._room.restore(waiting)

    def __len__(self) -> int:
        return len(self._room)

    def _live(self, event: Prediction, shadows: Shadows, arrived_us: int) -> list[Pair]:
        active_n = shadows.active_n(arrived_us - self._kept_us)
        unpaired = self._unpaired(event, event.model, arrived_us, is_awaited=active_n > 0)
        if unpaired is None or unpaired.live is not None:
            return []  # of several versions that answered, the first is compared
        unpaired.live = _calls(event)
        paired, unpaired.shadows = unpaired.shadows, []
        return self._paired(unpaired, paired, active_n)

    def _shadow(self, event: Prediction, arrived_us: int) -> list[Pair]:
        model = self._compare.get(event.model, event.model)
        shadows = self._known(event, model, arrived_us)
        if shadows is None:
            return []
        unpaired = self._unpaired(event, model, arrived_us, is_awaited=True)
        assert unpaired is not None
        side = Side(event.model, event.model_version, _calls(event))
        if unpaired.live is not None:
            return self._paired(unpaired, [side], shadows.active_n(arrived_us - self._kept_us))
        if len(unpaired.shadows) < _SHADOWS_KEPT:
            unpaired.shadows.append(side)
        return []

    def _unpaired(
        self, event: Prediction, model: str, arrived_us: int, *, is_awaited: bool
    ) -> Unpaired | None:
        """What waits for this study and model; it is begun where another half is awaited."""
        unpaired = self._room.find((event.site, event.study, model), arrived_us)
        if unpaired is not None:
            self._room.touch(unpaired)
        elif is_awaited:
            unpaired = Unpaired(event.site, event.study, model, arrived_us)
            self._room.wait(unpaired)
        return unpaired

    def _paired(self, unpaired: Unpaired, sides: list[Side], active_n: int) -> list[Pair]:
        u = unpaired
        assert u.live is not None
        u.paired_n += len(sides)
        if u.paired_n >= active_n:
            self._room.leave(u)
        return [Pair(u.site, u.study, u.model, u.live, side) for side in sides]

    def _known(self, event: Prediction, model: str, arrived_us: int) -> Shadows | None:
        """The shadows of this model here, this one among them."""
        key = (event.site, model)
        shadows = self._shadows.get(key)
        if shadows is None:
            if self._per_site_n[event.site] >= _MODELS_PER_SITE:
                self._dropped["shadows_overflow"] += 1
                return None
            self._per_site_n[event.site] += 1
            shadows = self._shadows[key] = Shadows(event.site, model, {})
        self._dirty[key] = None
        last_us = shadows.last_us
        name = f"{event.model}\n{event.model_version}"
        last_us.pop(name, None)
        last_us[name] = arrived_us  # in the order of their last answer
        if len(last_us) > _SHADOWS_KEPT:
            del last_us[next(iter(last_us))]
            self._dropped["shadows_forgotten"] += 1
        return shadows


def _calls(event: Prediction) -> Calls:
    """The call on each finding; the first where a study has many of one."""
    calls: Calls = {}
    for output in event.outputs or ():
        if output.positive is not None:
            calls.setdefault(output.finding, output.positive)
    return calls
