"""Every event for PagerDuty, judged by Prism and what its documentation says of their shape."""

import socket
import subprocess
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from schemas.routing import PagerDuty
from streams.notifiers import Request, of
from tests.integration.kafka_rig import free_port
from tests.integration.npm_tools import tool
from tests.integration.patience import wait_until
from tests.unit.notices import NOW_US, RECEIVERS, in_state, incident, notification, render, several

PRISM = "@stoplight/prism-cli@5.16.0"
DOCUMENT = Path(__file__).parent / "pagerduty_events_v2.json"
KEY = "0123456789abcdef0123456789abcdef"
STATES = ("pending", "open", "acknowledged", "resolving", "resolved", "closed")
Post = Callable[[Request], int]


@pytest.fixture(scope="module")
def post() -> Iterator[Post]:
    """Posts to Prism, which answers 202 to what fits and 400 to what does not."""
    folder, port = tool("prism", PRISM), free_port()
    program = folder / "node_modules/@stoplight/prism-cli/dist/index.js"
    command = ["node", str(program), "mock", "-p", str(port), "--errors", str(DOCUMENT)]
    with (folder / "prism.log").open("wb") as log:
        process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=log, stderr=log)
    try:
        assert wait_until(lambda: listens(port), 60), (folder / "prism.log").read_text()[-2000:]
        yield lambda request: status(request._replace(url=f"http://127.0.0.1:{port}/enqueue"))
    finally:
        process.kill()
        process.wait()


def listens(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def status(request: Request) -> int:
    sent = urllib.request.Request(
        request.url, request.body, dict(request.headers), method=request.method
    )
    try:
        with urllib.request.urlopen(sent, timeout=30) as answer:
            return int(answer.status)
    except urllib.error.HTTPError as refused:
        return refused.code


def events() -> Iterator[Request]:
    """All states, from wherever the alert was left; digests; every severity; the longest texts."""
    pager = RECEIVERS["pagerduty"]
    assert isinstance(pager, PagerDuty)
    long = incident(title='\U0001f9e0"<' * 50, model="m" * 256, subject="s" * 256, owner="o" * 256)
    told = [
        *map(in_state, STATES),
        *(notification(incidents=[incident(severity=one)]) for one in ("info", "warning", "error")),
        several(3, 9),
        several(20, 5),
        notification(incidents=[long], key="k" * 256),
    ]
    for one in told:
        for was in ("", "trigger", "acknowledge"):
            refs = {"state": was} if was else {}
            for request in render(pager, one, refs):
                yield of(pager).seal(request, {"routing_key": KEY}, NOW_US)


def test_every_event_has_the_shape_that_pagerduty_documents(post: Post) -> None:
    answers = [(request.step, post(request)) for request in events()]

    assert {step for step, _ in answers} == {"trigger", "acknowledge", "resolve"}
    assert len(answers) > 20
    assert {answer for _, answer in answers} == {202}


@pytest.mark.parametrize(
    ("good", "bad"),
    [
        (b'"severity":"critical"', b'"severity":"dire"'),
        (KEY.encode(), b"short"),
        (b'"event_action":"trigger"', b'"event_action":"page"'),
        (b'"source":', b'"sauce":'),
        (b'"dedup_key":"', b'"dedup_key":"' + b"k" * 255),
    ],
)
def test_the_judge_would_refuse(post: Post, good: bytes, bad: bytes) -> None:
    event = next(events())
    assert good in event.body

    assert post(event._replace(body=event.body.replace(good, bad, 1))) in (400, 422)
