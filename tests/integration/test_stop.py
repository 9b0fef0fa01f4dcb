"""A stop asked at an awkward moment is a clean stop: exit code 0, none killed by a signal."""

import signal
import time
from pathlib import Path

import pytest

from streams.serve import BEGINS, RESTARTS, STOPS
from tests.integration.fleet import Fleet
from tests.integration.patience import wait_until
from tests.integration.ward import config_toml

NOBODY = "127.0.0.1:1"


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

    while fleet.is_running("a"):
        fleet.terminate("a")
        time.sleep(0.01)

    assert fleet.wait("a") == 0


def test_a_stop_during_the_pause_after_restarts_ends_the_pause(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(RESTARTS, f"6/{time.monotonic():.0f}")
    fleet = Fleet(tmp_path, config_toml("paused", NOBODY))
    fleet.start("a")

    assert fleet.stop() == [0]

    assert "going on in 20 s" in fleet.log("a")
    assert "waiting for the broker" not in fleet.log("a")
