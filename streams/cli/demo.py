"""`radvigil demo`: a simulated hospital, a worker and a broker on one machine, watched live."""

import argparse
import asyncio
import signal
import sys
from collections.abc import Callable
from contextlib import AsyncExitStack
from typing import Any

from detectors.warm import warm_up
from streams import logs
from streams.cli.http_option import add_http, http_address
from streams.cli.run import listen
from streams.clock import to_us
from streams.companions import beside
from streams.demo import feed, ward
from streams.demo.show import Show
from streams.demo.view import View
from streams.engine import Engine
from streams.fan_out import FanOut
from streams.metrics import Metrics
from streams.serve import EXIT_ENGINE
from streams.simulate import simulate
from streams.standing import Standing
from streams.watchdog import Pulse
from streams.web.opening import page_of
from streams.worker import Worker

ON_A_PIPE_S = 90.0
STOP_S = 20.0
_PATIENCE_S = 1.0
_NEXT = """Next:
  radvigil simulate --outage north/ptx@9h+2h > day.jsonl     a day of a hospital, as a file
  radvigil replay --config examples/radvigil.toml day.jsonl  the same pipeline over that file
  README.md, "Connect your own producer"                     your events instead"""
_EXAMPLES = """examples:
  radvigil demo
  radvigil demo --seconds 90 --http 0.0.0.0:9100 | tee demo.txt

Every two minutes a model stops answering and a scanner drifts; both are found, and found to be
over. On a terminal it runs until Ctrl-C (an hour at most), on a pipe for 90 s. It needs no network
but this machine's own, and keeps nothing. The live page is at the address that it prints, on this
machine only unless --http says otherwise.
"""


def add(commands: Any) -> None:
    """Add the command."""
    parser = commands.add_parser(
        "demo",
        description="Watch a simulated hospital, with a broker in memory and one worker.",
        epilog=_EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--seconds", type=_seconds, metavar="N", help="end after so long")
    parser.add_argument("--seed", type=int, default=1, help="another hospital (default 1)")
    add_http(parser)
    parser.set_defaults(run=run, http=http_address("127.0.0.1:0"))


def run(arguments: argparse.Namespace) -> int:
    """Show it until its time is over or somebody has seen enough."""
    logs.configure(ours="ERROR", theirs="CRITICAL")
    return asyncio.run(_demo(arguments))


async def _demo(arguments: argparse.Namespace) -> int:
    await _compiled()
    config, view = ward.config(), View()
    metrics, standing = Metrics(config), Standing(config.clock.stale_after_s)
    page, made = page_of(config)
    async with AsyncExitStack() as stack:
        near = await stack.enter_async_context(beside(config, Pulse(), write_line=_unseen))
        worker = Worker(config, Engine(), FanOut(metrics, standing, view), [*near.companions, page])
        address = await listen(stack, arguments.http, metrics, standing, [page.add_to])
        live = f"The live page is http://{address}/ and the token to act there {made}"
        heading = [*_heading(worker), live]
        working = asyncio.create_task(worker.run())
        playing = asyncio.create_task(_play(worker, arguments.seed))
        show = Show(view, heading, _end(arguments.seconds, working, playing))
        await show.go_on()
        playing.cancel()
        worker.stop()
        await asyncio.wait([working, playing], timeout=STOP_S)
    print("\n".join(view.summary(show.elapsed_s)))
    return _status(working, playing)


async def _compiled() -> None:
    """Before the hospital begins, or its first minute would be over before anything is seen."""
    warming = asyncio.create_task(asyncio.to_thread(warm_up))
    await asyncio.wait([warming], timeout=_PATIENCE_S)
    if not warming.done():
        told = "The detectors' loops are being compiled, once on this machine; a minute at most."
        print(told, flush=True)
    await warming


def _unseen(_line: bytes) -> None:
    """The display shows incidents already."""


def _heading(worker: Worker) -> list[str]:
    return [
        f"radvigil demo: {len(ward.SITES)} hospitals, {len(worker.config.models)} models, one "
        f"worker, and an embedded broker at {worker.config.broker}.",
        "The broker is in memory and ends with the demo; deadlines are seconds here.",
    ]


async def _play(worker: Worker, seed: int) -> None:
    hospital = ward.hospital()
    await feed.play(worker.config, simulate(hospital, seed), to_us(hospital.start))


def _end(
    seconds: float | None, working: asyncio.Task[None], playing: asyncio.Task[None]
) -> Callable[[], bool]:
    """Over when the time is, when the hospital is, when the worker fails, or when told so."""
    enough = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, enough.set)
    if seconds is None and not sys.stdout.isatty():
        seconds = ON_A_PIPE_S
    if seconds is not None:
        asyncio.get_running_loop().call_later(seconds, enough.set)
    return lambda: enough.is_set() or working.done() or playing.done()


def _status(working: asyncio.Task[None], playing: asyncio.Task[None]) -> int:
    for task in (working, playing):
        if task.done() and not task.cancelled() and (error := task.exception()) is not None:
            print(f"radvigil demo: the engine failed: {error!r}", file=sys.stderr)
            return EXIT_ENGINE
    print(_NEXT)
    return 0


def _seconds(written: str) -> float:
    try:
        seconds = float(written)
    except ValueError:
        raise argparse.ArgumentTypeError("is not a number") from None
    if not 0 < seconds <= ward.LONGEST_S:
        raise argparse.ArgumentTypeError(f"must be more than 0 and at most {ward.LONGEST_S}")
    return seconds
