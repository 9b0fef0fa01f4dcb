"""`demo` from start to end: the outage opens and resolves, the drift is found, nothing is left."""

import signal
import socket
import urllib.request

from tests.integration.console import Console
from tests.integration.patience import ANSWER_S, wait_until


def page_of(demo: Console) -> str:
    """The address of its live page, as it says it."""
    return demo.until(lambda line: "The live page is" in line).split()[4].rstrip("/")


def read(url: str) -> str:
    with urllib.request.urlopen(url, timeout=ANSWER_S) as answer:
        return str(answer.read().decode())


def test_the_demo_shows_an_outage_and_a_drift_within_a_minute_or_so() -> None:
    demo = Console("demo")
    try:
        heading = demo.until(lambda line: "embedded broker" in line)
        url = page_of(demo)
        opened = demo.until(lambda line: " opened " in line, 60)
        metrics = read(f"{url}/metrics")
        assert wait_until(lambda: "ptx at north" in read(f"{url}/history"), 20)
        demo.until(lambda line: " opened " in line and "pixel_mm at south" in line, 60)
        demo.until(lambda line: " resolved " in line and "ptx at north" in line, 60)

        assert demo.end(signal.SIGINT) == 0
    finally:
        demo.close()
    assert "127.0.0.1:" in heading
    assert "ptx at north gives no result" in opened
    assert 'radvigil_incident_transitions_total{kind="missing_output",site="north"' in metrics
    assert "Next:" in demo.text
    assert "Traceback" not in demo.text


def test_the_demo_ends_by_itself_and_gives_its_port_back() -> None:
    demo = Console("demo", "--seconds", "6", "--http", "127.0.0.1:0")
    try:
        url = page_of(demo)
        assert demo.wait(60) == 0
    finally:
        demo.close()
    host, _, port = url.removeprefix("http://").partition(":")
    with socket.socket() as again:
        assert again.connect_ex((host, int(port))) != 0
    assert "events read" in demo.text


def test_a_time_that_cannot_be_is_refused() -> None:
    demo = Console("demo", "--seconds", "0")
    try:
        assert demo.wait(30) == 2
    finally:
        demo.close()
