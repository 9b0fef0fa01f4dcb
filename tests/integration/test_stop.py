"""A stop asked at an awkward moment is a clean stop: exit code 0, none killed by a signal."""

import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from streams.serve import BEGINS, EXIT_CUT_OFF, RESTARTS, STOPS
from tests.integration.fleet import Fleet
from tests.integration.patience import ANSWER_S, wait_until
from tests.integration.ward import config_toml

NOBODY = "127.0.0.1:1"
WHILE_IT_STOPS = """
import asyncio, os, signal
from schemas.config import Config
from streams import engine, serve, worker

async def run(self, after_s=0.0):
    self._loop = asyncio.get_running_loop()
    os.kill(os.getpid(), signal.SIGTERM)
    await self._stopping.wait()
    {happens}

from streams import logs
logs.configure()
worker.Worker.run = run
asyncio.run(serve.work(Config(broker="127.0.0.1:1"), engine.Engine(stop_s=0.1)))
"""


def test_a_stop_while_the_replaced_program_loads_waits_for_its_handlers(tmp_path: Path) -> None:
    fleet = Fleet(tmp_path, config_toml("early", NOBODY))
    before = signal.pthread_sigmask(signal.SIG_BLOCK, STOPS)  # as `restart` leaves it to `exec`
    try:
        fleet.start("a")
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)

    fleet.terminate("a")

    assert fleet.wait("a") == 0
    assert "worker begins" in fleet.log("a")


def test_a_stop_asked_again_and_again_is_one_clean_stop(tmp_path: Path) -> None:
    fleet = Fleet(tmp_path, config_toml("impatient", NOBODY))
    fleet.start("a")
    assert wait_until(lambda: BEGINS in fleet.log("a"), 40)

    asked_s = time.monotonic()
    while fleet.is_running("a"):
        assert time.monotonic() - asked_s < ANSWER_S
        fleet.terminate("a")
        time.sleep(0.01)  # as somebody impatient asks, until it has ended

    assert fleet.wait("a") == 0


def test_an_engine_that_fails_while_it_stops_is_not_started_over() -> None:
    code, _ = ended('raise RuntimeError("the engine")')

    assert code == EXIT_CUT_OFF


def test_a_stop_that_does_not_end_is_cut_off_and_says_what_it_waited_for() -> None:
    code, told = ended("await asyncio.Event().wait()")

    assert code == EXIT_CUT_OFF
    assert "cut off, which loses nothing" in told
    assert "< _run_once:" in told
    assert told.endswith(', beside work"\n')


def ended(happens: str) -> tuple[int, str]:
    """The exit code and the log of a worker to which this happens after it was asked to stop."""
    command = [sys.executable, "-c", WHILE_IT_STOPS.format(happens=happens)]
    done = subprocess.run(command, timeout=60, check=False, capture_output=True, text=True)
    return done.returncode, done.stderr


def test_a_secret_that_is_not_there_ends_a_worker_and_is_named(tmp_path: Path) -> None:
    config = tmp_path / "radvigil.toml"
    secured = 'security = "SASL_PLAINTEXT"\nmechanism = "PLAIN"\nusername_env = "NOBODY_SET_IT"\n'
    config.write_text(f'broker = "{NOBODY}"\n[kafka]\n{secured}password_env = "NOBODY_SET_IT"\n')

    ran = subprocess.run(
        [sys.executable, "-m", "streams.cli", "run", "--config", str(config)],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )

    assert ran.returncode == 2
    assert "the environment variable NOBODY_SET_IT is not set" in ran.stderr.splitlines()[-1]


def test_a_stop_during_the_pause_after_restarts_ends_the_pause(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(RESTARTS, f"6/{time.monotonic():.0f}")
    fleet = Fleet(tmp_path, config_toml("paused", NOBODY))
    fleet.start("a")

    assert fleet.stop() == [0]

    assert "going on in 20 s" in fleet.log("a")
    assert "waiting for the broker" not in fleet.log("a")
