"""What the core costs without a broker: events a second, restore, memory.

    python -m bench.pipeline [--json] [--studies N]

Rows: the pipeline alone for deadlines only (no series, no monitors), with all monitors and no
series, and with everything watched; `replay` from lines of JSON; restore of 200,000 pending
studies. CPU time of one process, medians of 3.
"""

import argparse
import gc
import json
import resource
import time
from collections.abc import Callable, Iterable, Sequence
from datetime import UTC, datetime, timedelta
from itertools import islice
from statistics import median

import msgspec

from detectors.warm import warm_up
from schemas.config import Config, Watch
from schemas.messages import Event
from schemas.study import Study
from streams.clock import to_us
from streams.collector import expect_large_state
from streams.hospital.settings import Hospital, config_for
from streams.pipeline import Pipeline
from streams.replay import Replay, parse
from streams.simulate import lines, simulate

Arrivals = Sequence[tuple[Event, int]]
_ROUNDS = 3
_IN_A_ROW = 500
_PENDING = 200_000
DEADLINES_ALONE = Watch(exclude=("*",), slices=(), monitors=())


def cpu_s(work: Callable[[], object]) -> float:
    """Seconds of CPU that `work` takes."""
    gc.collect()
    started = time.process_time()
    work()
    return time.process_time() - started


def feed(pipeline: Pipeline, arrivals: Arrivals) -> None:
    """All arrivals, as a worker or a replay hands them over."""
    following = iter(arrivals)
    while row := list(islice(following, _IN_A_ROW)):
        pipeline.handle_all(row)


def per_second(config: Config, arrivals: Arrivals) -> float:
    """Events a second of CPU, the median of the rounds."""
    times = [cpu_s(lambda: feed(Pipeline(config), arrivals)) for _ in range(_ROUNDS)]
    return len(arrivals) / median(times)


def replay_per_second(config: Config, texts: list[bytes]) -> float:
    """Lines a second of CPU through `replay`, decoding included."""

    def play() -> None:
        for _ in Replay(config).play(parse("bench", texts)):
            pass

    return len(texts) / median(cpu_s(play) for _ in range(_ROUNDS))


def pending_records(config: Config) -> list[tuple[bytes, bytes]]:
    """The changelog of a shard in which `_PENDING` studies wait for a result."""
    pipeline = Pipeline(config)
    start = datetime(2026, 1, 5, tzinfo=UTC)
    for number in range(_PENDING):
        at = start + timedelta(milliseconds=number)
        study = Study(
            site="north", study=f"study-{number:07}", at=at, modality="DX", body_part="CHEST"
        )
        pipeline.handle(study, to_us(at))
    return [(key, value) for key, value in pipeline.changes() if value is not None]


def restore(config: Config, records: Iterable[tuple[bytes, bytes]]) -> int:
    """Take the records up; how many studies are pending then."""
    pipeline = Pipeline(config)
    pipeline.restore(records)
    return pipeline.sizes()["pending"]


def measure(studies: int) -> dict[str, float]:
    """All figures by name."""
    expect_large_state()
    warm_up()  # compiling is not what is measured
    hospital = Hospital(studies_per_day=1_000, days=studies / 1_500)
    config = config_for(hospital)
    no_series = msgspec.structs.replace(config, watch=Watch(exclude=("*",)))
    deadlines = msgspec.structs.replace(config, watch=DEADLINES_ALONE)
    arrivals: Arrivals = list(simulate(hospital, seed=7))
    texts = [line.rstrip(b"\n") for line in lines(simulate(hospital, seed=7))]
    records = pending_records(deadlines)
    found = {
        "deadlines_events_per_s": per_second(deadlines, arrivals),
        "no_series_events_per_s": per_second(no_series, arrivals),
        "all_watched_events_per_s": per_second(config, arrivals),
        "replay_lines_per_s": replay_per_second(config, texts),
        "restore_200k_pending_s": median(
            cpu_s(lambda: restore(deadlines, records)) for _ in range(_ROUNDS)
        ),
    }
    assert restore(deadlines, records) == _PENDING
    found["events"] = len(arrivals)
    found["peak_memory_mb"] = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    return found


def main() -> None:
    """Print the figures."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--json", action="store_true", help="one JSON object")
    parser.add_argument("--studies", type=int, default=30_000, help="about so many (default 30000)")
    arguments = parser.parse_args()
    found = measure(arguments.studies)
    if arguments.json:
        print(json.dumps(found))
        return
    for name, value in found.items():
        print(f"{name:28} {value:12,.2f}")


if __name__ == "__main__":
    main()
