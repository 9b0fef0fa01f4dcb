"""python -m tests.browser.hospital [SECONDS]: a small hospital, its worker and its page.

`ptx` at north answers nothing from the beginning for SECONDS (default 3,600): its outage is there
within seconds of the first deadline. The first line says `ADDRESS TOKEN BROKER`.
"""

import asyncio
import sys
from contextlib import AsyncExitStack
from datetime import timedelta

from aiohttp import web
from msgspec.structs import replace

from schemas.config import Config, Deadlines, Model, Outage
from schemas.site import SiteSettings
from schemas.web import WebSettings
from streams import logs
from streams.clock import to_us
from streams.demo import feed, ward
from streams.engine import Engine
from streams.hospital import faults
from streams.hospital.settings import Hospital
from streams.simulate import simulate
from streams.web.server import Page
from streams.worker import Worker

TOKEN = "a-token-for-the-browser"
RUNBOOK = "https://wiki.example/ptx"


def config() -> Config:
    """The demo's, with with who to call."""
    plain = ward.config()

    def owned(model: Model) -> Model:
        return replace(
            model,
            owner="imaging-ai-oncall",
            runbook=RUNBOOK,
            deadline_s=Deadlines(routine=6, urgent=6, stat=6),
            missing=Outage(hold_s=5, update_s=2),
        )

    return replace(
        plain,
        models=[owned(model) for model in plain.models],
        clock=replace(plain.clock, lateness_s=2),
        sites=[SiteSettings(name=site) for site in ward.SITES],
    )


def hospital(outage_s: float) -> Hospital:
    """The demo's, a quarter as busy, with one outage from the beginning and nothing else wrong."""
    plain = ward.hospital()
    outage = faults.Outage("north", "ptx", plain.start, timedelta(seconds=outage_s))
    return replace(plain, faults=(outage,), studies_per_day=plain.studies_per_day / 4)


async def main(outage_s: float) -> None:
    logs.configure(ours="ERROR", theirs="CRITICAL")
    page = Page(config(), WebSettings(title="St. Elsewhere"), TOKEN)
    engine = Engine(checkpoint_s=0.2, proof_s=0.2, refresh_s=1.0)
    worker = Worker(config(), engine, companions=[page])
    app = web.Application()
    page.add_to(app)
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=1.0)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    async with AsyncExitStack() as stack:
        stack.push_async_callback(runner.cleanup)
        port = runner.addresses[0][1]
        print(f"http://127.0.0.1:{port} {TOKEN} {worker.config.broker}", flush=True)
        played = hospital(outage_s)
        working = asyncio.create_task(worker.run())
        playing = asyncio.create_task(
            feed.play(worker.config, simulate(played, 1), to_us(played.start))
        )
        await asyncio.wait([working, playing], return_when=asyncio.FIRST_COMPLETED)
        playing.cancel()
        worker.stop()
        await working


if __name__ == "__main__":
    asyncio.run(main(float(sys.argv[1]) if len(sys.argv) > 1 else 3600.0))
