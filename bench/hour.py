"""An hour of a hospital's events, the job of bench/kafka.py: three events a study, seeded."""

import random
from datetime import UTC, datetime, timedelta

import orjson

SITES = [f"site-{number}" for number in range(12)]
HOUR_S = 3600.0
Event = tuple[float, str, str, bytes]  # seconds into the hour, topic stem, site, value


def text(at_s: float) -> str:
    """A stamp on the wire."""
    return (datetime.fromtimestamp(0, UTC) + timedelta(seconds=at_s)).isoformat()


def study(rng: random.Random, key: str, site: str, at_s: float) -> bytes:
    """12 numeric and 6 categorical fields."""
    numbers = ("kvp", "exposure_mas", "slice_mm", "pixel_mm", "rows", "cols", "snr", "dose")
    return orjson.dumps(
        {
            "type": "radvigil.study.v1",
            "site": site,
            "study": key,
            "at": text(at_s),
            "modality": "DX",
            "body_part": "CHEST",
            "view": rng.choice(["PA", "AP", "LL"]),
            "scanner": {
                "manufacturer": rng.choice(["A", "B"]),
                "model": rng.choice(["m1", "m2", "m3", "m4"]),
                "software": "1.0",
            },
            "acquisition": {name: rng.gauss(10, 1) for name in numbers},
            "patient": {"sex": rng.choice(["F", "M"]), "age_years": rng.randrange(18, 90)},
            "attributes": {name: rng.gauss(0, 1) for name in ("noise", "blur", "contrast")},
        }
    )


def result(rng: random.Random, key: str, site: str, at_s: float) -> bytes:
    """A completed prediction with one scored finding."""
    return orjson.dumps(
        {
            "type": "radvigil.prediction.v1",
            "site": site,
            "study": key,
            "model": "ptx",
            "model_version": "1",
            "status": "completed",
            "at": text(at_s),
            "outputs": [{"finding": "ptx", "score": rng.random(), "positive": rng.random() < 0.1}],
        }
    )


def report(key: str, site: str, at_s: float) -> bytes:
    """A final report."""
    return orjson.dumps(
        {
            "type": "radvigil.report.v1",
            "site": site,
            "study": key,
            "report": key,
            "status": "final",
            "at": text(at_s),
            "labels": [{"finding": "ptx", "value": "absent"}],
        }
    )


def hour(studies: int, began_s: float) -> tuple[list[Event], int]:
    """An hour of events in order, and how many results are truly missing."""
    rng, events, missing = random.Random(9), [], 0
    for number in range(studies):
        key, site, at = f"s{number}", rng.choice(SITES), number * HOUR_S * 0.8 / studies
        events.append((at, "studies", site, study(rng, key, site, began_s + at)))
        events.append((at + 200, "reports", site, report(key, site, began_s + at + 200)))
        if rng.random() < 0.005:
            missing += 1
        else:
            late = at + rng.uniform(1, 60)
            events.append((late, "predictions", site, result(rng, key, site, began_s + late)))
    return sorted(events, key=lambda event: event[0]), missing
