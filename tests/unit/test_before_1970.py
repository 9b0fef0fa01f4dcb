"""Dates of research data are shifted, to before 1970 too: the same then happens as at any time."""

import re
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta

from msgspec import structs

from schemas.config import Config, Outage, Watch
from schemas.decoding import encode
from streams.hospital.faults import Failure, Silence
from streams.hospital.faults import Outage as ModelIsDown
from streams.hospital.settings import Hospital, config_for
from streams.replay import Replay, parse
from streams.simulate import lines, simulate

START = datetime(2026, 1, 5, tzinfo=UTC)
TO_1958 = timedelta(weeks=-3_500)
_TIME = re.compile(rb'"(\d{4}-\d\d-\d\dT[0-9:.]+Z)"')


def hospital() -> Hospital:
    def after(days: float) -> datetime:
        return START + timedelta(days=days)

    hours = timedelta(hours=5)
    faults = (
        ModelIsDown("north", "ptx", after(18.4), hours),
        ModelIsDown("north", "cxr", after(19.4), hours),
        Failure("north", "ich", after(20.4), hours),
        Silence("north", "predictions", after(21.4), hours),
    )
    return Hospital(sites=("north",), start=START, days=23, studies_per_day=150, faults=faults)


def settings() -> Config:
    rate = Outage(policy="rate", tolerated_share=0.01)
    models = [
        structs.replace(model, missing=rate) if model.name == "ptx" else model
        for model in config_for(hospital()).models
    ]
    return Config(models=models, watch=Watch(exclude=("*",), slices=()))


def moved(line: bytes, by: timedelta) -> bytes:
    def later(found: re.Match[bytes]) -> bytes:
        moment = datetime.fromisoformat(found[1].decode()) + by
        return encode(moment)

    return _TIME.sub(later, line)


def told(days: Iterable[bytes]) -> list[bytes]:
    replay = Replay(settings())
    effects = [*replay.play(parse("days.jsonl", days)), *replay.finish()]
    return [encode(effect) for effect in effects]


def test_what_is_told_does_not_depend_on_the_century() -> None:
    days = [*lines(simulate(hospital(), seed=5))]

    now = told(days)
    then = told(moved(line, TO_1958) for line in days)

    assert [moved(line, -TO_1958) for line in then] == now
    for kind in (b"missing_output", b"failed_output", b"silence"):
        assert any(b'"kind":"%b"' % kind in line for line in now)
    assert any(b'"detector":"bet_sr"' in line for line in now)
