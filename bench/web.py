"""python -m bench.web: how long the live page takes at 50 sites x 20 models and 10,000 incidents.

No broker: the view is filled with what a deployment of that size would have said in two weeks, the
page is served over HTTP on this machine, and each address is read ten times. The time of the
processor, server and reader together, says what a busy machine's clock does not. `--serve PORT`
leaves it running to be looked at. DESIGN: under 0.5 s and 200 kB, the first time.
"""

import argparse
import asyncio
import random
import sys
import time
from collections.abc import Iterator
from datetime import datetime, timedelta
from statistics import median

from aiohttp import ClientSession, web

from schemas.config import Config, Model
from schemas.incident import Evidence, Incident, IncidentKind, Slice
from schemas.outcome import Outcome, OutcomeKind
from schemas.series import SeriesPoint
from schemas.site import SiteSettings
from schemas.web import WebSettings
from streams.clock import from_us, to_us
from streams.web.freshness import Reading
from streams.web.server import Page
from streams.web.view import Told

PARTITIONS = 6
TIMES = 10
_HOURS = 14 * 24
_KINDS: tuple[IncidentKind, ...] = (
    "missing_output",
    "latency",
    "input_drift",
    "output_drift",
    "failed_output",
)


def config(sites_n: int = 50, models_n: int = 20) -> Config:
    """A large deployment."""
    return Config(
        models=[
            Model(name=f"model-{n:02}", deadline_s=900.0, owner="imaging-ai-oncall")
            for n in range(models_n)
        ],
        sites=[SiteSettings(name=f"site-{n:02}") for n in range(sites_n)],
    )


def story(made: Config, now: datetime, incidents_n: int) -> Iterator[Told]:
    """Two weeks of outcomes, past incidents, a few open ones, and two series each."""
    chance = random.Random(1)
    pairs = [(site.name, model.name) for site in made.sites for model in made.models]
    for site, model in pairs:
        yield from _outcomes(site, model, now, chance)
        yield from _points(site, model, now, chance)
    for number in range(incidents_n):
        site, model = chance.choice(pairs)
        opened = now - timedelta(hours=chance.uniform(1, 2000))
        is_live = number % (incidents_n // 12 or 1) == 0
        yield from _incident(number, site, model, opened, chance, is_live=is_live)


def _outcomes(site: str, model: str, now: datetime, chance: random.Random) -> Iterator[Outcome]:
    for hour in range(_HOURS):
        for minute in (5, 25, 45):
            at = now - timedelta(hours=hour, minutes=minute)
            kind: OutcomeKind = "on_time" if chance.random() < 0.98 else "late"
            study = f"{site}/{model}/{hour}/{minute}"
            yield Outcome(
                site=site, study=study, model=model, outcome=kind, due=at, at=at, revision=1
            )


def _points(site: str, model: str, now: datetime, chance: random.Random) -> Iterator[SeriesPoint]:
    for block in range(60):
        at = now - timedelta(hours=5 * (60 - block))
        moved = block >= 50 and (site, model) == ("site-07", "model-03")
        mean = chance.gauss(0.36 if moved else 0.3, 0.01)
        yield SeriesPoint(
            site=site,
            model=model,
            subject="finding.score",
            since=at - timedelta(hours=5),
            at=at,
            n=64,
            mean=mean,
            low=0.0,
            high=1.0,
            phase="watching",
            reference_n=2000,
            statistics={"mean_sr": 10 ** (block - 53 if moved else chance.uniform(-6, -2))},
        )


def _incident(
    number: int, site: str, model: str, opened: datetime, chance: random.Random, *, is_live: bool
) -> Iterator[Incident]:
    kind = _KINDS[number % len(_KINDS)]
    steps = [("open", "opened"), ("acknowledged", "acknowledged")]
    if not is_live:
        steps += [("resolving", "recovering"), ("resolved", "recovered")]
    for seq, (state, reason) in enumerate(steps[: 1 if is_live and number % 2 == 0 else 4], 1):
        yield Incident(
            incident=f"{number:08}-0000-5000-8000-000000000000",
            seq=seq,
            fingerprint=f"{kind}/{site}/{model}",
            kind=kind,
            state=state,  # type: ignore[arg-type]
            reason=reason,  # type: ignore[arg-type]
            severity=("critical", "error", "warning")[number % 3],
            site=site,
            model=model,
            subject="finding.score" if "drift" in kind else None,
            title=f"{model} at {site}: {kind.replace('_', ' ')}",
            opened_at=opened,
            last_seen=opened + timedelta(minutes=30),
            at=opened + timedelta(minutes=10 * seq),
            actor="kim" if reason == "acknowledged" else None,
            evidence=Evidence(
                affected_count=chance.randrange(1, 200),
                slices=[Slice(slice="scanner.station=CT2", share=0.3, shift=1.5)],
            ),
        )


async def _measure(port: int | None) -> int:
    made, now = config(), from_us(time.time_ns() // 1000)
    page = Page(made, WebSettings(), "bench")
    began_s, told_n = time.perf_counter(), 0
    for message in story(made, now, 10_000):
        page.view.take(message)
        told_n += 1
    took_s = time.perf_counter() - began_s
    page.reader.reading = Reading(to_us(now) + 3_600_000_000, 1.0, PARTITIONS)
    for partition in range(PARTITIONS):
        page.view.monitor.proved(partition, to_us(now) + 3_600_000_000)
    app = web.Application()
    page.add_to(app)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", port or 0).start()
    url = f"http://127.0.0.1:{runner.addresses[0][1]}"
    print(f"{told_n:,} messages into the view in {took_s:.1f} s ({told_n / took_s:,.0f}/s)")
    await _read(url, page.view.incidents.live()[0].last.incident)
    if port is not None:
        print(f"serving {url}/ until Ctrl-C")
        await asyncio.Event().wait()
    await runner.cleanup()
    return 0


async def _read(url: str, incident: str) -> None:
    paths = ("/", f"/incidents/{incident}", "/history", "/coverage", "/models/model-00")
    static = ("/static/radvigil.css", "/static/radvigil.js", "/static/icon.svg")
    async with ClientSession(auto_decompress=False) as session:
        sizes = {path: (await _get(session, url + path))[1] for path in static}
        shared = sum(sizes.values())
        for path in paths:
            began_s = time.process_time()
            runs = [await _get(session, url + path) for _ in range(TIMES)]
            cpu_s = (time.process_time() - began_s) / TIMES
            seconds = [took for took, _ in runs]
            size = runs[0][1]
            print(
                f"{path[:32]:34} median {median(seconds) * 1000:6.0f} ms, worst "
                f"{max(seconds) * 1000:6.0f} ms, processor {cpu_s * 1000:6.0f} ms, "
                f"{size / 1000:6.1f} kB, first time "
                f"{(size + shared) / 1000:6.1f} kB"
            )


async def _get(session: ClientSession, url: str) -> tuple[float, int]:
    began_s = time.perf_counter()
    async with session.get(url, headers={"Accept-Encoding": "gzip"}) as answer:
        body = await answer.read()
        assert answer.status == 200, answer.status
    return time.perf_counter() - began_s, len(body)


if __name__ == "__main__":
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--serve", type=int, metavar="PORT", help="go on serving there")
    sys.exit(asyncio.run(_measure(options.parse_args().serve)))
