"""The page of a running hospital, and a real Chromium; skipped where there is none, not in CI."""

import os
import queue
import shutil
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pytest

ROOT = Path(__file__).parents[2]
START_S = 240.0


class Hospital(NamedTuple):
    """Where the page is, what one logs in with, its broker and its process."""

    url: str
    token: str
    broker: str
    process: subprocess.Popen[str]


@pytest.fixture(scope="module")
def hospital() -> Iterator[Hospital]:
    process = subprocess.Popen(
        [sys.executable, "-m", "tests.browser.hospital"],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        text=True,
        cwd=ROOT,
    )
    assert process.stdout is not None
    first: queue.Queue[str] = queue.Queue()
    reader = threading.Thread(target=lambda: first.put(process.stdout.readline()), daemon=True)
    reader.start()
    try:
        url, token, broker = first.get(timeout=START_S).split()
        yield Hospital(url, token, broker, process)
    finally:
        process.kill()
        process.wait()


@pytest.fixture(scope="module")
def chromium() -> Iterator[object]:
    """Closed after each module: while playwright is open its loop runs in the main thread, and no
    other test could have one of its own."""
    playwright = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
    found = shutil.which("chromium") or shutil.which("chromium-browser")
    if found is None:
        if os.environ.get("CI"):
            pytest.fail("CI needs chromium")
        pytest.skip("no chromium: apt-get install chromium")
    with playwright.sync_playwright() as running:
        # Without --no-sandbox Chromium does not start as root, which a CI container is.
        browser = running.chromium.launch(executable_path=found, args=["--no-sandbox"])
        yield browser
        browser.close()
