"""The number of sites is bounded; those that are configured always pass."""

from collections import Counter

import orjson
import pytest

from schemas.config import Bounds, Config, Model
from schemas.deadletter import DeadLetter
from schemas.kafka import Kafka
from schemas.site import SiteSettings
from streams.partitioner import partition_of
from streams.pipeline import Pipeline
from streams.replay import Replay, parse
from streams.sites import Admitted, Sites
from tests.unit.test_shard import CONFIG, STUDIES, chunk, prove, saved, shard, stamp


def bounded(most: int, *configured: str, partitions: int = 1) -> Config:
    return Config(
        models=[Model(name="ptx", deadline_s=60)],
        sites=[SiteSettings(name=name) for name in configured],
        bounds=Bounds(sites=most),
        kafka=Kafka(partitions=partitions),
    )


def study_of(site: str, key: str = "a") -> bytes:
    message = {"type": "radvigil.study.v1", "site": site, "study": key, "at": stamp(0)}
    return orjson.dumps(message | {"modality": "DX"})


def taken(sites: Sites, *names: str) -> list[str]:
    return [name for name in names if sites.refuse(name) is None]


def test_the_first_ones_are_taken_and_stay_taken() -> None:
    sites = Sites(bounded(2))

    assert taken(sites, "a", "b", "c", "a", "c", "b") == ["a", "b", "a", "b"]
    assert sites.dropped == {"site_overflow": 2}
    assert len(sites) == 2


def test_a_configured_site_always_passes_and_takes_no_place() -> None:
    sites = Sites(bounded(1, "north", "south"))

    assert taken(sites, "north", "x", "y", "south") == ["north", "x", "south"]


def test_what_is_refused_is_said_without_a_value_but_the_site() -> None:
    sites = Sites(bounded(1))
    sites.refuse("a")

    refused = sites.refuse("b")

    assert refused is not None
    assert (refused.path, refused.reason, refused.site) == ("$.site", "too_many", "b")
    assert refused.expected == "a configured site, or one of the first 1 others"


def test_places_are_counted_by_partition_so_a_replay_refuses_what_workers_refuse() -> None:
    config = bounded(2, partitions=3)
    names = [f"site-{number}" for number in range(40)]
    by_partition: dict[int, Sites] = {number: Sites(config) for number in range(3)}

    live = [name for name in names if not by_partition[partition_of(name, 3)].refuse(name)]

    assert taken(Sites(config), *names) == live
    assert Counter(partition_of(name, 3) for name in live) == {0: 2, 1: 2, 2: 2}


def test_after_a_restart_the_same_ones_are_taken() -> None:
    sites = Sites(bounded(2))
    taken(sites, "b", "a", "c")

    written = list(sites.changes())
    again = Sites(bounded(2))
    again.restore(written)

    assert written == [Admitted("b"), Admitted("a")]
    assert list(sites.changes()) == []
    assert taken(again, "c", "a", "b") == ["a", "b"]


def test_a_site_that_was_configured_since_gives_its_place_back() -> None:
    sites = Sites(bounded(1, "a"))

    sites.restore([Admitted("a")])

    assert taken(sites, "a", "b", "c") == ["a", "b"]


def test_a_shard_makes_it_a_dead_letter_and_remembers_the_places() -> None:
    one = shard(bounded(1))
    one.offer(chunk(STUDIES, 0, study_of("a"), study_of("b"), study_of("a", "c")))
    prove(one, 5)

    checkpoint = one.checkpoint()

    assert checkpoint is not None
    (letter,) = checkpoint.deadletters
    assert (letter.offset, letter.path, letter.reason, letter.site) == (
        1,
        "$.site",
        "too_many",
        "b",
    )
    assert one.noticed()["dropped:site_overflow"] == 1
    assert one.take_counts() == {"study": 2, "too_many": 1}
    again = shard(bounded(1))
    again.restore([(key, value) for key, value in checkpoint.changes if value is not None])
    assert again.pipeline.refuse("a") is None
    assert again.pipeline.refuse("b") is not None


def test_a_replay_makes_it_a_dead_letter_that_names_the_line() -> None:
    replay = Replay(bounded(1))
    lines = [study_of("a"), study_of("b"), study_of("a", "c")]

    told = [*replay.play(parse("day.jsonl", lines)), *replay.finish()]

    (letter,) = [one for one in told if isinstance(one, DeadLetter)]
    assert (letter.topic, letter.offset, letter.reason) == ("day.jsonl", 2, "too_many")
    assert len(letter.sha256) == 64
    assert replay.handled_n == 2
    assert replay.pipeline.losses()["site_overflow"] == 1


@pytest.mark.parametrize("most", [1, 3])
def test_memory_is_bounded_however_many_sites_are_sent(most: int) -> None:
    one = shard(bounded(most))
    one.offer(chunk(STUDIES, 0, *(study_of(f"s{number}") for number in range(50))))
    prove(one, 5)

    sizes = one.pipeline.sizes()

    assert (sizes["sites"], sizes["studies"]) == (most, most)


def test_the_size_of_the_state_is_that_of_what_was_written_and_survives_a_restart() -> None:
    one = shard()
    one.offer(chunk(STUDIES, 0, study_of("a"), study_of("a", "b")))
    prove(one, 5)
    state = saved(one)

    assert one.state_bytes == sum(len(key) + len(value) for key, value in state.items())
    again = shard()
    again.restore(state.items())
    assert again.state_bytes == one.state_bytes


def test_by_default_a_pipeline_takes_hundreds() -> None:
    pipeline = Pipeline(CONFIG)

    assert not [n for n in range(500) if pipeline.refuse(f"site-{n}")]
    assert pipeline.refuse("one-more") is not None
