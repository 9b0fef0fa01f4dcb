"""A loss in the source of a re-keyed feed: what its marker is on the wire, and to a shard."""

from datetime import timedelta
from pathlib import Path

import msgspec
import orjson
import pytest

from schemas.decoding import Refused, decode_event
from schemas.kafka import Topic, Topics
from streams.clock import from_us
from streams.loss_marker import HEADER, VERSION, SourceLoss, loss_of, marker
from streams.merge import Arrival, Chunk
from streams.rekey import Source, mark, rekey, restored
from streams.row import Row
from streams.shard import Shard
from tests.property.test_merge import Written
from tests.unit.test_lost import incidents, outcomes, result
from tests.unit.test_shard import CONFIG, NOON_MS, STUDIES, chunk, prove, saved, shard, stamp, study

GOLDEN = Path(__file__).parents[1] / "golden" / "wire" / "rekeyed" / "loss.1.json"
REKEYED = msgspec.structs.replace(CONFIG, topics=Topics(predictions=Topic(rekey=True)))
SOURCE, COPY = "radvigil.predictions.v1", "radvigil.predictions.keyed.v1"


def loss(lost_n: int, until_s: float, partition: int = 2) -> SourceLoss:
    until = from_us(NOON_MS * 1000) + timedelta(seconds=until_s)
    return SourceLoss(topic=SOURCE, partition=partition, offset=41, lost_n=lost_n, until=until)


def marked(lost: SourceLoss, at_s: float = 0) -> Row:
    """Its marker as the re-keyer writes it, behind what it had copied until `at_s`."""
    return mark(Arrival(lost.partition, marker(lost), NOON_MS * 1000 + round(at_s * 1e6)), SOURCE)


def copied(key: str, at_s: float) -> Row:
    stamp_ms = NOON_MS + round(at_s * 1000)
    record = Written(0, stamp_ms, value=result(key, at_s))
    return rekey(Arrival(0, record, stamp_ms * 1000), SOURCE, 1)[1]


def copies(start: int, *rows: Row) -> Chunk:
    """Rows of the copy as a worker hands them to the shard."""
    records = [Written(start + n, 0, row.key, row.value, row.headers) for n, row in enumerate(rows)]
    return restored(Chunk(COPY, 0, start, start + len(rows), records))


def before() -> dict[bytes, bytes]:
    """The state after a study and its result, handled at 0 s."""
    one = shard(REKEYED)
    one.offer(chunk(STUDIES, 0, study("before", 0)))
    one.offer(copies(0, copied("before", 0)))
    prove(one, 1)
    return saved(one)


def begun() -> Shard:
    """A shard that goes on from there."""
    one = shard(REKEYED)
    one.restore(before().items())
    return one


def test_the_marker_is_written_as_it_always_was() -> None:
    row = marked(loss(89, 1000))

    written = orjson.loads(GOLDEN.read_bytes())

    assert [name for name, _ in row.headers] == [name for name, _ in written["headers"]]
    assert [content.decode() for _, content in row.headers] == [
        content for _, content in written["headers"]
    ]
    assert row.key is written["key"] is None
    assert row.value == written["value"].encode()


def test_the_marker_that_was_once_written_is_still_read() -> None:
    written = orjson.loads(GOLDEN.read_bytes())
    headers = [(name, content.encode()) for name, content in written["headers"]]

    record = Written(7, 0, value=written["value"].encode(), headers=headers)

    assert loss_of(record) == loss(89, 1000)
    assert set(orjson.loads(record.value or b"")) == {"type", *SourceLoss.__struct_fields__}


def test_whoever_knows_no_markers_finds_no_event() -> None:
    row = marked(loss(89, 1000))

    found = decode_event(row.value, row.headers)

    assert isinstance(found, Refused)
    assert (found.path, found.reason, found.site) == ("$.type", "unknown_type", None)


@pytest.mark.parametrize(
    ("headers", "value"),
    [
        ([(HEADER, b"loss/2")], marker(loss(1, 0)).value),
        ([], marker(loss(1, 0)).value),
        ([(HEADER, VERSION)], b"{}"),
        ([(HEADER, VERSION)], None),
    ],
    ids=["later version", "no header", "no loss", "nothing"],
)
def test_what_is_not_a_marker_that_we_know_is_a_dead_letter_and_no_loss(
    headers: list[tuple[str, bytes]], value: bytes | None
) -> None:
    one = begun()
    source = Source(SOURCE, 2, 41, NOON_MS).header()

    one.offer(copies(1, Row(None, value, [*headers, source])))
    prove(one, 5000)

    checkpoint = one.checkpoint()
    assert checkpoint is not None
    (letter,) = checkpoint.deadletters
    assert (letter.topic, letter.partition, letter.offset) == (SOURCE, 2, 41)
    assert incidents(checkpoint) == []


def test_a_marker_in_a_topic_that_is_no_copy_is_a_dead_letter_and_no_loss() -> None:
    one = shard()
    row = marked(loss(89, 1000))

    one.offer(Chunk(SOURCE, 0, 0, 1, [Written(0, NOON_MS, None, row.value, row.headers)]))
    prove(one, 5000)

    checkpoint = one.checkpoint()
    assert checkpoint is not None
    assert [letter.reason for letter in checkpoint.deadletters] == ["unknown_type"]
    assert incidents(checkpoint) == []


def test_a_study_whose_result_may_be_lost_in_the_source_is_not_missing() -> None:
    one = begun()
    for number, (key, at_s) in enumerate([("a", 100), ("b", 900), ("c", 1001)]):
        one.offer(chunk(STUDIES, 1 + number, study(key, at_s), at_s=at_s))
    one.offer(copies(1, marked(loss(89, 1000)), copied("far", 1000)))

    prove(one, 5000)

    assert outcomes(one.checkpoint()) == {"c": "missing"}
    assert one.pipeline.losses()["result_lost"] == 2


def test_it_is_told_as_a_partitions_own_loss_is() -> None:
    one = begun()
    one.offer(copies(1, marked(loss(89, 1000)), copied("far", 1000)))
    one.advance()
    prove(one, 1000 + 3600 + CONFIG.clock.lateness_s + 1)

    opened, recovering, resolved = incidents(one.checkpoint())

    assert (opened.kind, opened.site, opened.severity) == ("data_quality", "radvigil", "error")
    assert opened.subject == "partition-0 predictions"
    assert opened.title == (
        "89 predictions were deleted by retention before they were re-keyed, some perhaps of "
        "partition 0; from 2026-03-01 11:59 until 2026-03-01 12:16 UTC no result is called missing "
        "there"
    )
    assert (recovering.reason, recovering.at.isoformat()) == ("recovering", stamp(1000))
    assert (resolved.reason, resolved.at.isoformat()) == ("recovered", stamp(4600))


def test_losses_of_several_partitions_of_the_source_are_added_up() -> None:
    one = begun()

    one.offer(copies(1, marked(loss(89, 1000)), marked(loss(11, 700, partition=1))))
    prove(one, 5000)

    checkpoint = one.checkpoint()
    *_, newest = incidents(checkpoint)
    assert newest.title.startswith("100 predictions ")
    assert "until 2026-03-01 12:16" in newest.title


def test_records_of_other_partitions_within_the_loss_do_not_end_it() -> None:
    one = begun()

    one.offer(copies(1, marked(loss(89, 1000)), copied("during", 500)))
    prove(one, 5000)

    assert [told.reason for told in incidents(one.checkpoint())] == ["opened"]


def test_a_shard_that_had_read_nothing_tells_nobody() -> None:
    one = shard(REKEYED)

    one.offer(copies(0, marked(loss(89, 1000))))
    prove(one, 5000)

    assert incidents(one.checkpoint()) == []


@pytest.mark.parametrize("limit", [1, 2, 3, 1000])
def test_however_the_records_are_cut_the_marker_counts_where_it_stands(limit: int) -> None:
    one = begun()
    one.offer(chunk(STUDIES, 1, study("a", 900), at_s=900))
    one.offer(copies(1, copied("x", 10), marked(loss(89, 1000), 10), copied("y", 500)))
    one.offer(copies(4, copied("z", 1200)))
    for name in one.topics:
        one.merge.prove(name, one.merge.wanted(name), (NOON_MS + 5_000_000) * 1000)

    while one.advance(limit):
        pass

    told = incidents(one.checkpoint())
    assert [(incident.reason, incident.at.isoformat()) for incident in told] == [
        ("opened", stamp(1000)),
        ("recovering", stamp(1200)),
        ("recovered", stamp(4800)),
    ]
    assert one.pipeline.losses()["result_lost"] == 1


def test_what_is_known_of_it_survives_a_restart() -> None:
    one = begun()
    one.offer(chunk(STUDIES, 1, study("a", 990), at_s=990))
    one.offer(copies(1, marked(loss(89, 1000))))
    prove(one, 1030)
    again = shard(REKEYED)
    again.restore((before() | saved(one)).items())

    prove(again, 5000)

    assert outcomes(again.checkpoint()) == {}
    assert again.pipeline.losses()["result_lost"] == 1
