"""`demo` from start to end: the outage opens and resolves, the drift is found, nothing is left."""

import signal
import socket
import urllib.request

from tests.integration.console import Console
from tests.integration.patience import ANSWER_S


def test_the_demo_shows_an_outage_and_a_drift_within_a_minute_or_so() -> None:
    demo = Console("demo", "--http", "127.0.0.1:0")
    try:
        heading = demo.until(lambda line: "embedded broker" in line)
        url = demo.until(lambda line: line.startswith("listening ")).split()[1]
        opened = demo.until(lambda line: " opened " in line, 60)
        with urllib.request.urlopen(f"{url}/metrics", timeout=ANSWER_S) as answer:
            metrics = answer.read().decode()
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
        url = demo.until(lambda line: line.startswith("listening ")).split()[1]
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
