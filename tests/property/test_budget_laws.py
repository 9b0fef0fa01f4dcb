"""The promise is split without talk: what a site gets and says depends on its own events alone."""

import json
from random import Random

from hypothesis import given, settings
from hypothesis import strategies as st

from schemas.config import Budget, Config, Reference, Watch
from schemas.incident import Incident
from schemas.messages import Event
from schemas.series import SeriesPoint
from streams.clock import to_us
from tests.unit.builders import Shard, study

CONFIG = Config(
    reference=Reference(observations=60),
    budget=Budget(sites=2),
    watch=Watch(include=("acquisition.*",)),
)
KINDS = ("series/2", "account/1", "case/1", "bulk/1")


def events(seed: int, sites: tuple[str, ...] = ("north", "south")) -> list[Event]:
    """A study of each site every ten minutes; the level of north moves."""
    told: list[Event] = []
    for site in sites:
        random = Random(f"{seed} {site}")
        for number in range(200):
            level = 95.0 if site == "north" and number > 120 else 80.0
            names = ("kvp", "mas", "rows")[: 1 + number % 3]
            values = {name: random.gauss(level, 2) for name in names}
            told.append(study(f"s{number}", number * 600.0, site=site, acquisition=values))
    return sorted(told, key=lambda event: (event.at, event.site))


def of_north(shard: Shard) -> tuple[list[object], dict[bytes, bytes]]:
    said: list[object] = [
        what
        for what in shard.said
        if isinstance(what, Incident | SeriesPoint) and what.site == "north"
    ]
    shard.checkpoint()
    kept = {
        key: value
        for key, value in shard.log.items()
        if json.loads(key)[0] in KINDS and (b'"north"' in key or b"north" in value)
    }
    return said, kept


@given(st.integers(0, 100), st.integers(0, 199), st.integers(0, 60))
@settings(max_examples=5, deadline=None)
def test_a_site_alone_with_others_and_beside_a_worker_that_is_away_says_the_same(
    seed: int, away_from: int, away_n: int
) -> None:
    """The others come late, or not at all: their worker was away, or the replay is of one site."""
    alone, beside, late = Shard(CONFIG), Shard(CONFIG), Shard(CONFIG)
    alone.send(*events(seed, ("north",)))
    beside.send(*events(seed))
    held: list[Event] = []
    for number, event in enumerate(events(seed)):
        if event.site == "south" and away_from <= number // 2 < away_from + away_n:
            held.append(event)
            continue
        late.send(event)
        if number // 2 >= away_from + away_n:
            for one in held:
                late.said += late.pipeline.handle(one, to_us(event.at))
            held = []

    told, kept = of_north(alone)
    assert any(isinstance(what, Incident) for what in told)
    assert of_north(beside) == (told, kept)
    assert of_north(late) == (told, kept)


def test_shards_of_two_workers_get_the_thresholds_that_one_would_have() -> None:
    both, north, south = Shard(CONFIG), Shard(CONFIG), Shard(CONFIG)
    told = events(1)
    both.send(*told)
    north.send(*(event for event in told if event.site == "north"))
    south.send(*(event for event in told if event.site == "south"))

    def days(*shards: Shard) -> dict[tuple[str, str, str], float | None]:
        return {key: one.share.days for shard in shards for key, one in shard.pipeline.series()}

    assert days(north, south) == days(both)
    per_day = sum(1 / share for share in days(both).values() if share)
    assert 0 < per_day <= CONFIG.budget.false_incidents / CONFIG.budget.per_days
