"""State in a compacted log: readable for ever, complete at every checkpoint, nothing left over.

tests/golden/state/v1.jsonl was written by version 1 and must be read by every later one. Records of
every kind are in tests/unit/test_state_records.py; series/2 and its bulk have files of their own,
the first from when the order of words was not kept, the second from when their days were not:
`python -m tests.unit.test_state series/2 bulk/1 > tests/golden/state/series-2-days.jsonl`.
"""

import json
import sys
from base64 import b64decode, b64encode
from functools import cache
from pathlib import Path
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from schemas.config import Bounds, Budget, Config, Model, Outage, Reference
from schemas.messages import Event
from schemas.series import SeriesPoint
from schemas.study import Patient
from streams import state
from streams.incidents.commands import Taken
from streams.pipeline import Pipeline
from tests.unit.builders import Shard, command, outcomes, prediction, report, story, study, us

GOLDEN = Path(__file__).parents[1] / "golden" / "state"
PATIENT = "Mustermann^Erika"


def watchful() -> Config:
    """Everything has a record here: a rate and an outage, series in each phase, orphans, skew."""
    rare = Outage(policy="rate", tolerated_share=0.05)
    return Config(
        models=[
            Model(name="ptx", deadline_s=100.0),
            Model(name="cxr", deadline_s=100.0, missing=rare, applies={"modality": ["CR"]}),
        ],
        reference=Reference(observations=60),
        budget=Budget(sites=1),
        bounds=Bounds(settled_s=4_000.0, waiting_s=2_000.0, closed_s=5_000.0),
    )


def events(n: int = 260) -> list[Event]:
    random = Random(3)
    told: list[Event] = []
    for number in range(n):
        at_s = number * 60.0
        level = 80 if number < 100 else 95
        values = {"kvp": random.gauss(level, 2), "kernel": "B30"}
        key, modality = f"s{number}", "CR" if number % 3 else "DX"
        who = Patient(key=f"patient {number}") if number % 90 == 0 else None
        told.append(study(key, at_s, modality=modality, acquisition=values, patient=who))
        if number % 40 != 39 and number < 255:
            told.append(prediction(key, at_s + 30, features={"quality": random.random()}))
        if number % 3:
            told.append(prediction(key, at_s + 40, model="cxr"))
        if number % 50 == 7:
            told.append(prediction(f"early {number}", at_s + 45))
            told.append(report(key, at_s + 50))
        if number == 259:
            told.append(command("acknowledge", "c-1", at_s, matchers={"model": "ptx"}))
        if number == 259:
            told.append(prediction(key, at_s + 20, status="failed"))  # not yet proved
        if number == n - 2:
            told.append(study("wild", at_s + 1e6))
    return told


def arrived_us(event: Event) -> int:
    return min(us((event.at - study().at).total_seconds()), us(259 * 60.0))


def shard_after(given: list[Event]) -> Shard:
    shard = Shard(watchful())
    for event in given:
        shard.said += shard.pipeline.handle(event, arrived_us(event))
    return shard


def test_state_of_version_1_is_read_and_gone_on_with() -> None:
    shard = Shard(watchful())
    shard.pipeline.restore(golden("v1.jsonl"))
    sizes = shard.pipeline.sizes()

    shard.send(study("early 257", 15_460), arrived_s=15_550)
    shard.send(prediction("s258", 15_570), study("next", 15_580), prediction("next", 15_590))
    shard.send(study("calm", 15_850), prediction("calm", 15_860))
    shard.proved(16_000)

    assert sizes.items() >= json.loads((GOLDEN / "v1-sizes.json").read_text()).items()
    assert outcomes(shard.said) == [
        "early 257 on_time 1 @15465",
        "s258 on_time 1 @15570",
        "s257 missing 1 @15520",
        "next on_time 1 @15590",
        "wild missing 1 @15640",
        "calm on_time 1 @15860",
    ]
    assert story(shard.said) == [
        "open: opened @15560",
        "acknowledged: updated @15600",
        "resolving: recovering @15640",
        "acknowledged: updated @15660",
        "resolving: recovering @15850",
        "resolved: recovered @15850",
        "resolving: recovering @15860",
        "resolved: recovered @15940",
    ]
    assert [i.seq for i in shard.incidents("missing_output")] == [4, 5, 6]


def test_series_of_version_1_are_written_as_version_2_and_no_longer_as_1() -> None:
    shard = Shard(watchful())
    records = dict(golden("v1.jsonl"))
    shard.pipeline.restore(records.items())

    changes = dict(shard.pipeline.changes())

    old = {key for key in records if json.loads(key)[0] == "series/1"}
    assert len(old) == 7
    assert {key for key, value in changes.items() if value is None} >= old
    assert {key.replace(b"series/1", b"series/2") for key in old} <= changes.keys()
    assert b"series/1" not in b"".join(key for key, value in changes.items() if value is not None)


@pytest.mark.parametrize("name", ["series-2.jsonl", "series-2-order.jsonl", "series-2-days.jsonl"])
def test_series_of_version_2_are_read_and_gone_on_with(name: str) -> None:
    shard = Shard(watchful())
    shard.pipeline.restore(golden(name))
    phases = {key[2]: series.phase for key, series in shard.pipeline.series()}

    for number in range(300, 420):
        shard.send(study(f"s{number}", number * 60.0, acquisition={"kvp": 130.0, "kernel": "B31"}))
    shard.checkpoint()

    assert phases.items() >= json.loads((GOLDEN / "series-2-phases.json").read_text()).items()
    assert {i.subject for i in shard.incidents("new_value")} == {"acquisition.kernel"}
    assert "acquisition.kernel" in {i.subject for i in shard.incidents("input_drift")}


def test_a_decision_is_told_in_the_same_order_after_a_restart() -> None:
    """Series come back in the order of the log, which is another one than that of their birth."""
    said = []
    for restarts in (False, True):
        shard = Shard(watchful())
        for event in events():
            shard.send(event)
        if restarts:
            shard.restart()
        rebaseline = command("rebaseline", "c-9", 260 * 60.0, matchers={"site": "north"})
        told = shard.send(rebaseline)
        said.append(told + shard.proved(261 * 60.0))

    assert said[0] == said[1]
    assert len({one.subject for one in said[0] if isinstance(one, SeriesPoint)}) >= 3


def test_a_record_of_a_kind_that_is_not_known_is_refused_by_name() -> None:
    with pytest.raises(state.UnreadableState, match="study/2"):
        Pipeline(Config()).restore([(b'["study/2","north","a"]', b"\x80")])


def test_a_field_of_a_later_version_is_passed_over() -> None:
    key, value = state.write("commands/1", ["north"], Taken("north", ["c-1"]))
    assert value is not None
    later = value.replace(b"\x82", b"\x83", 1) + b"\xa5later\x01"

    ((_, restored),) = state.read([(key, later)])

    assert restored == Taken("north", ["c-1"])


@pytest.mark.parametrize("name", ["a", '","', "\x00", "é\U0001f600", '["study/1"]', "x" * 128])
def test_any_name_makes_a_key_of_its_own(name: str) -> None:
    keys = [["n", name], [f"n{name}"], ["n", ""]]
    records = [state.write("commands/1", key, Taken("n")) for key in keys]

    read = [key for key, _ in state.read((key, value or b"") for key, value in records)]

    assert read == [["commands/1", *key] for key in keys]
    assert len(dict(records)) == 3


def test_restored_in_any_order_it_goes_on_alike() -> None:
    told = events()
    whole = shard_after(told)
    rest = [prediction("s259", 15_580), study("late", 15_700)]

    said = []
    for order in (list, reversed, lambda items: sorted(items, key=lambda item: item[1])):
        cut = shard_after(told)
        cut.checkpoint()
        cut.pipeline = Pipeline(cut.config)
        cut.pipeline.restore(order(list(cut.log.items())))
        said.append([*cut.send(*rest), *cut.proved(30_000)])

    assert said[0] == said[1] == said[2] == [*whole.send(*rest), *whole.proved(30_000)]


@cache
def uncut() -> Shard:
    """After all events, and a checkpoint."""
    shard = shard_after(events())
    shard.checkpoint()
    return shard


@given(st.sets(st.integers(1, 500), max_size=4), st.sets(st.integers(1, 500), max_size=8))
@settings(max_examples=10, deadline=None)
def test_cut_and_restored_anywhere_nothing_changes(cuts: set[int], checkpoints: set[int]) -> None:
    cut = Shard(watchful())
    for number, event in enumerate(events()):
        cut.said += cut.pipeline.handle(event, arrived_us(event))
        if number in checkpoints:
            cut.checkpoint()
        if number in cuts:
            cut.restart()

    cut.checkpoint()
    assert cut.said == uncut().said
    assert cut.pipeline.sizes() == uncut().pipeline.sizes()
    assert cut.log == uncut().log


def test_what_is_over_leaves_nothing_in_the_log() -> None:
    shard = shard_after(events())
    shard.checkpoint()

    shard.proved(1e6)
    shard.checkpoint()

    kinds = {json.loads(key)[0] for key in shard.log}
    assert "study/1" not in kinds
    assert len(shard.log) < 100


def test_without_news_nothing_is_written() -> None:
    shard = shard_after(events(20))
    shard.checkpoint()

    assert shard.pipeline.changes() == []


def test_no_record_grows_with_time() -> None:
    sizes = []
    for n in (130, 260):
        shard = shard_after(events(n))
        shard.checkpoint()
        sizes.append(max(map(len, shard.log.values())))

    assert sizes[1] < 8_000


def test_no_patient_and_no_python_name_is_written() -> None:
    shard = Shard(watchful())
    shard.send(study("a", 0, patient=Patient(key=PATIENT, sex="F", age_years=44.0)))
    shard.checkpoint()

    written = b"".join(key + value for key, value in shard.log.items())
    assert PATIENT.encode() not in written
    assert not any(path in written for path in (b"streams.", b"detectors.", b"schemas."))


def golden(name: str) -> list[tuple[bytes, bytes]]:
    lines = (GOLDEN / name).read_text().splitlines()
    return [
        (json.dumps(key, separators=(",", ":")).encode(), b64decode(value))
        for key, value in map(json.loads, lines)
    ]


if __name__ == "__main__":
    written = shard_after(events())
    written.checkpoint()
    for key, value in sorted(written.log.items()):
        if not sys.argv[1:] or json.loads(key)[0] in sys.argv[1:]:
            print(json.dumps([json.loads(key), b64encode(value).decode()]))
