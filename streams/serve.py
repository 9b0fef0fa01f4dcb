"""The process around a worker: signals, exit codes, and starting over in place.

    python -m streams.serve CONFIG.toml

Exit codes: 0 stopped as asked (SIGTERM, SIGINT), after a last checkpoint; 4 the topics or the state
do not fit, nothing was changed; 5 the engine failed on the embedded broker, whose data is gone with
it; 6 stopping took too long and was cut off, or the engine failed meanwhile, which loses nothing.

When the engine fails for good (a checkpoint was refused, Faust crashed), the process replaces
itself by a fresh one (`exec`: same process id, no parent to watch, no thread survives), which waits
for the broker and restores the last checkpoint. That is the path that a crash takes anyway, and it
trusts nothing that has just failed.
"""

import asyncio
import logging
import os
import signal
import sys
import threading
import time
import traceback
from collections.abc import Callable, Iterable

from schemas.config import Config
from schemas.config_file import load
from schemas.secrets import MissingSecret
from streams import logs
from streams.collector import expect_large_state
from streams.delivery.service import Delivery, sender
from streams.engine import Engine, from_environment
from streams.shard import UnfitState
from streams.state import UnreadableState
from streams.telemetry import Telemetry
from streams.worker import Companion, UnfitTopics, Worker

log = logging.getLogger("radvigil.worker")

EXIT_STOPPED = 0
EXIT_UNFIT = 4
EXIT_ENGINE = 5
EXIT_CUT_OFF = 6
RESTARTS = "RADVIGIL_RESTARTS"
BEGINS = "worker begins; SIGTERM stops it cleanly from here on"
STOPS = (signal.SIGTERM, signal.SIGINT)
PAUSES_S = (0.0, 1.0, 2.0, 5.0, 10.0, 20.0, 30.0)


def serve(config: Config, engine: Engine) -> int:
    """Run a worker and its delivery in this process with its signals; the exit code."""
    asyncio.run(_serve(config, engine))
    return EXIT_STOPPED


async def _serve(config: Config, engine: Engine) -> None:
    async with sender(config) as carrier:
        await work(config, engine, companions=[Delivery(config, carrier)])


async def work(
    config: Config,
    engine: Engine,
    telemetry: Telemetry | None = None,
    companions: Iterable[Companion] = (),
) -> None:
    """The same on a loop that is already running, beside whatever else runs there."""
    expect_large_state()
    worker = Worker(config, engine, telemetry, companions)
    loop = asyncio.get_running_loop()
    for number in STOPS:
        loop.add_signal_handler(number, _stop_in_time, loop, worker.stop, engine.stop_s)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, STOPS)  # one that came during `restart` counts now
    log.info("%s", BEGINS)
    try:
        await worker.run(_pause_after_restarts_s())
    except (UnfitTopics, UnfitState, UnreadableState) as error:
        log.error("%s", error)
        _end(EXIT_UNFIT)
    except MissingSecret:
        raise  # no restart would find it
    except Exception as error:
        log.error("the engine failed: %r", error, exc_info=error)
        if worker.is_stopping:  # a fresh process would not know that it was asked to
            _end(EXIT_CUT_OFF)
        if config.broker == "embedded":
            _end(EXIT_ENGINE)
        restart()


def _stop_in_time(
    loop: asyncio.AbstractEventLoop, stop: Callable[[], None], limit_s: float
) -> None:
    for number in STOPS:  # asked again while the loop closes it would kill what ends in peace
        loop.remove_signal_handler(number)
        signal.signal(number, signal.SIG_IGN)
    cut_off = threading.Timer(limit_s, _cut_off, [loop, limit_s])
    cut_off.daemon = True
    cut_off.start()
    stop()


def _cut_off(loop: asyncio.AbstractEventLoop, limit_s: float) -> None:
    """From a thread of its own: it is the loop that does not end."""
    stack = traceback.extract_stack(sys._current_frames().get(threading.main_thread().ident or 0))
    where = " < ".join(f"{one.name}:{one.lineno}" for one in reversed(stack[-4:]))
    frames = [frame for task in asyncio.all_tasks(loop) for frame in task.get_stack(limit=1)]
    waits = ", ".join(sorted({frame.f_code.co_qualname for frame in frames}))
    text = "stopping took over %g s and is cut off, which loses nothing. At %s, beside %s"
    log.error(text, limit_s, where, waits)
    _end(EXIT_CUT_OFF)


def _end(code: int) -> None:
    """Without waiting for threads that may never end."""
    logging.shutdown()
    sys.stdout.flush()
    os._exit(code)


def restart() -> None:
    """Replace this process by a fresh one of the same command."""
    count, since_s = _restarts()
    recent = 0 <= time.monotonic() - since_s < 300
    os.environ[RESTARTS] = f"{count + 1 if recent else 1}/{time.monotonic():.0f}"
    logging.shutdown()
    sys.stdout.flush()
    # A stop asked while the new program loads would kill it: it waits until there are handlers.
    signal.pthread_sigmask(signal.SIG_BLOCK, STOPS)
    os.execv(sys.executable, [sys.executable, *sys.orig_argv[1:]])


def _restarts() -> tuple[int, float]:
    count, _, since_s = os.environ.get(RESTARTS, "0/0").partition("/")
    return int(count), float(since_s)


def _pause_after_restarts_s() -> float:
    count, _ = _restarts()
    if not count:
        return 0.0
    pause_s = PAUSES_S[min(count - 1, len(PAUSES_S) - 1)]
    log.warning("restarted in place %d times, going on in %g s", count, pause_s)
    return pause_s


def main() -> int:
    """`python -m streams.serve CONFIG.toml`."""
    logs.configure()
    return serve(load(sys.argv[1]), from_environment())


if __name__ == "__main__":
    sys.exit(main())
