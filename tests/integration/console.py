"""The command line as a process: what it prints is read line by line, with a deadline."""

import os
import queue
import re
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from contextlib import redirect_stdout
from io import StringIO
from pathlib import Path

from streams.cli import main
from tests.integration.patience import ANSWER_S, SLOWER, wait_until

ROOT = Path(__file__).parents[2]


class Console:
    """`radvigil ARGUMENTS`; both outputs are one list of lines. `close` kills what still runs."""

    def __init__(self, *arguments: str, **environment: str) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-m", "streams.cli", *arguments],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            cwd=ROOT,
            env=os.environ | {"PYTHONUNBUFFERED": "1", **environment},
        )
        self._lines: queue.Queue[str] = queue.Queue()
        self.seen: list[str] = []
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def _read(self) -> None:
        assert self._process.stdout is not None
        for line in self._process.stdout:
            self._lines.put(line.rstrip("\n"))

    def until(self, is_it: Callable[[str], object], seconds: float = 60) -> str:
        """The first line from here on that is the one."""
        deadline_s = time.monotonic() + seconds * SLOWER
        while (left_s := deadline_s - time.monotonic()) > 0:
            try:
                line = self._lines.get(timeout=min(left_s, 0.5))
            except queue.Empty:
                if self._process.poll() is not None and not self._reader.is_alive():
                    break
                continue
            self.seen.append(line)
            if is_it(line):
                return line
        raise AssertionError("never said; what was said:\n" + "\n".join(self.seen))

    def end(self, number: signal.Signals = signal.SIGTERM, seconds: float = 40) -> int:
        """Signal it once it has a handler, and wait; the exit status."""
        assert wait_until(lambda: self.has_ended or self._handles(number), 30), self.text
        self._process.send_signal(number)
        return self.wait(seconds)

    def _handles(self, number: signal.Signals) -> bool:
        """Before it has a handler a signal would just kill it; only Linux tells."""
        status = Path(f"/proc/{self._process.pid}/status")
        if not status.exists():
            return True
        caught = re.search(r"^SigCgt:\s*([0-9a-f]+)$", status.read_text(), re.MULTILINE)
        return caught is not None and bool(int(caught[1], 16) >> (number - 1) & 1)

    def wait(self, seconds: float = 40) -> int:
        """Its exit status; all it said is in `seen`."""
        status = self._process.wait(seconds * SLOWER)
        self._reader.join(ANSWER_S)
        while not self._lines.empty():
            self.seen.append(self._lines.get())
        return status

    @property
    def text(self) -> str:
        """All that was said so far."""
        return "\n".join(self.seen)

    @property
    def has_ended(self) -> bool:
        """Whether it has, of itself or not."""
        return self._process.poll() is not None

    def close(self) -> None:
        """No process is left."""
        if self._process.poll() is None:
            self._process.kill()
            self._process.wait()


def with_topics(folder: Path, text: str) -> Path:
    """A configuration in a file, and its topics made."""
    config = folder / "radvigil.toml"
    config.write_text(text)
    assert run("topics", "--config", str(config), "--create").returncode == 0
    return config


def run(*arguments: str, seconds: float = 60) -> subprocess.CompletedProcess[str]:
    """A command that ends by itself."""
    return subprocess.run(
        [sys.executable, "-m", "streams.cli", *arguments],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=seconds * SLOWER,
        cwd=ROOT,
        check=False,
    )


def printed(*arguments: str) -> str:
    """What a command that only reads prints, or nothing where it fails.

    In this process: for what is asked again and again until it is so.
    """
    written = StringIO()
    with redirect_stdout(written):
        status = main(arguments)
    return written.getvalue() if status == 0 else ""
