"""Slices in a compacted log: the labels of a site are one record, and old records are read.

tests/golden/state/slices-1.jsonl was written when every group held a copy of its site's labels,
slices-2.jsonl when no baseline had variances, and slices-3.jsonl when nothing but models' answers
had rows. slices-inputs-4.jsonl has those of inputs, a number and a word, as they are written:
`python -m tests.unit.test_slices_state > tests/golden/state/slices-inputs-4.jsonl`.
"""

import json
from base64 import b64decode, b64encode
from collections.abc import Iterable
from pathlib import Path
from random import Random

import msgspec
import pytest

from schemas.config import Budget, Config, Model, Reference, Watch
from schemas.incident import Incident
from schemas.messages import Event
from schemas.prediction import Output
from schemas.slices import SliceSettings
from schemas.study import Scanner
from streams.fields import Value
from streams.observations.observe import Observations
from streams.observations.slicing import Labels
from tests.unit.builders import Shard, prediction, study
from tests.unit.sliced_feed import INPUTS, Sliced, inputs
from tests.unit.test_state import golden

GOLDEN = Path(__file__).parents[1] / "golden" / "state"

SLICED = Config(
    models=[Model(name="ptx")],
    reference=Reference(observations=60),
    budget=Budget(sites=1),
    watch=Watch(include=("*.score",), slices=("scanner.station", "patient.sex")),
    slices=SliceSettings(observations=50),
)


def events(n: int, since: int = 0) -> list[Event]:
    """Two scanners, one of which changes after 130."""
    random = Random(7)
    told: list[Event] = []
    for number in range(n):
        key, at_s = f"s{number}", number * 600.0
        station = f"CT{1 + number % 2}"
        score = random.betavariate(2, 5)
        if number >= 130 and station == "CT2":
            score = 1 - score / 4
        if number < since:
            continue
        told.append(study(key, at_s, state="complete", scanner=Scanner(station=station)))
        told.append(prediction(key, at_s + 30, outputs=[Output(finding="ptx", score=score)]))
    return told


def written(n: int) -> Shard:
    shard = Shard(SLICED)
    shard.send(*events(n))
    shard.checkpoint()
    return shard


def kinds(shard: Shard) -> set[str]:
    named = [json.loads(key) for key in shard.log]
    return {key[4] if key[0] == "bulk/1" else key[0] for key in named}


def moved(incident: Incident) -> str:
    return incident.title.partition(" from ")[0]


@pytest.mark.parametrize("name", ["slices-1.jsonl", "slices-2.jsonl", "slices-3.jsonl"])
def test_what_any_version_wrote_is_read_and_gone_on_with(name: str) -> None:
    whole, shard = Shard(SLICED), Shard(SLICED)
    whole.send(*events(125))
    told_before = len(whole.said)
    shard.log = dict(golden(name))
    shard.pipeline.restore(shard.log.items())

    whole.send(*events(240, since=125))
    shard.send(*events(240, since=125))

    # Weights of evidence have changed since: it alarms some observations sooner or later.
    drift = [moved(i) for i in shard.incidents("output_drift")]
    assert drift == [moved(i) for i in whole.incidents("output_drift")]
    assert "scanner.station=CT2" in drift[0]
    assert not [i for i in whole.said[:told_before] if getattr(i, "kind", "") == "output_drift"]
    shard.checkpoint()
    whole.checkpoint()
    # Of a series itself, since when its reference is in force was not written then; and what comes
    # after the alarm depends on when that was. What numbers are held against has a newer format.
    later = [b'"provisional"]', b'"original"]', b'"slices/2"]']
    later.append(b'"slices/baseline/1"]')  # written again with the next reference
    of_slices = {key for key in whole.log if b'"bulk/1"' in key or b"labels/1" in key}
    of_slices = {key for key in of_slices if not key.endswith(tuple(later))}
    assert len(of_slices) == 5 - len(later)
    assert {key: shard.log[key] for key in of_slices} == {key: whole.log[key] for key in of_slices}
    assert "slices/1" not in kinds(shard)


def test_labels_of_version_1_become_the_sites_at_the_next_checkpoint() -> None:
    shard = Shard(SLICED)
    shard.pipeline.restore(golden("slices-1.jsonl"))

    shard.checkpoint()

    ((_, raw),) = [(k, v) for k, v in shard.log.items() if b"labels/1" in k]
    stations = ["scanner.station=CT1", "scanner.station=CT2"]
    assert msgspec.msgpack.decode(raw) == {"site": "north", "slices": {"scanner.station": stations}}


def test_a_new_value_rewrites_the_labels_and_no_other_group() -> None:
    shard = written(100)
    before = dict(shard.log)

    other = Output(finding="nodule", score=0.5)
    shard.send(
        study("x", 60_000.0, state="complete", scanner=Scanner(station="CT9")),
        prediction("x", 60_030.0, outputs=[other]),
    )
    shard.checkpoint()

    changed = {key for key, value in shard.log.items() if before.get(key) != value}
    assert any(b"labels/1" in key for key in changed)
    assert not any(b"ptx.score" in key for key in changed)


def test_a_field_that_is_no_longer_configured_keeps_what_its_codes_mean() -> None:
    before = Labels(("a", "b"), 3)
    before.take_up({"a": ["a=1"], "b": ["b=x", "b=y"]})

    after = Labels(("a",), 3)
    after.take_up(before.told())

    assert after.told() == {"a": ["a=1"], "b": ["b=x", "b=y"]}
    assert (after.fields_n, after.candidate("b=x")) == (1, None)


def fed(n: int, since: int = 0) -> Iterable[Observations]:
    """Inputs; one scanner changes after 400."""

    def fault(scanner: int, told: dict[str, Value]) -> None:
        if scanner == 3:
            told["acquisition.kvp"], told["acquisition.kernel"] = 70.0, "Br40"

    events = [one for one in inputs(700, (400, 700), fault) if not one.model]
    kept = ("acquisition.kvp", "acquisition.kernel")
    for one in events[since:n]:
        yield one._replace(values=[pair for pair in one.values if pair[0] in kept])


@pytest.mark.parametrize("version", [1, 2, 3, 4])
def test_what_was_written_of_inputs_is_read_and_gone_on_with(version: int) -> None:
    """What is told is what the code of today would tell.

    The first was written before the levels of days were measured, the second before it was how
    much the parts of a field are alike, the third when no number had series for its slices.
    """
    whole, shard = Sliced(INPUTS), Sliced(INPUTS)
    whole.feed(fed(700))
    lines = (GOLDEN / f"slices-inputs-{version}.jsonl").read_text().splitlines()
    shard.log = {tuple(key): b64decode(raw) for key, raw in map(json.loads, lines)}
    again = shard.restarted()

    again.feed(fed(700, since=390))

    told = [one for one in again.findings() if one.kind == "input_drift"]
    assert {one.subject for one in told} == {"acquisition.kvp", "acquisition.kernel"}
    assert all(
        [one.slice for one in (found.evidence.slices or ())] == ["scanner.station=CT3"]
        for found in told[-2:]
    )
    expected = [one for one in whole.findings() if one.kind == "input_drift"]
    assert [one.title for one in told] == [one.title for one in expected] or version < 4


if __name__ == "__main__":
    written_inputs = Sliced(INPUTS)
    written_inputs.feed(fed(390))
    for place, value in sorted(written_inputs.checkpoint().items()):
        print(json.dumps([[*place], b64encode(value).decode()]))
