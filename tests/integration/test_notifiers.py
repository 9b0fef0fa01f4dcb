"""Notifiers over real sockets: providers that fail as documented, and the real ones there are."""

import asyncio
import json
import shutil
import subprocess
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from email import message_from_bytes, policy
from pathlib import Path
from random import Random
from typing import Any

import aiohttp
import pytest
from aiohttp import web
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import AuthResult, LoginPassword
from msgspec.structs import replace
from standardwebhooks import Webhook as Verifier

from schemas.command import Command
from schemas.routing import Alertmanager, Email, Log, PagerDuty, Receiver, Slack, Teams, Webhook
from streams.delivery.gate import Gate
from streams.delivery.outbox import Outbox
from streams.delivery.records import NotifyLog
from streams.delivery.sender import Connection, Sender
from streams.delivery.slack_socket import SlackSocket
from streams.notifiers import Refused, Result, Retry, Sent, Unknown, of
from tests.integration.kafka_rig import free_port
from tests.integration.receivers import Script, SlackServer, serve
from tests.unit.notices import INCIDENT, PAGE, in_state, incident, notification, render

ALERTMANAGER = "/usr/bin/prometheus-alertmanager"
WHSEC = "whsec_czNjcmV0czNjcmV0czNjcmV0czNjcmV0"
ENVIRONMENT = {
    "SLACK": "xoxb-s3cret",
    "PD": "s3cret0123456789",
    "HOOK": WHSEC,
    "USER": "radvigil",
    "PASSWORD": "s3cret-password",
}


def slack(url: str) -> Slack:
    return Slack(name="chat", channel="#ai-watch", url=f"{url}/api", token_env="SLACK")


@asynccontextmanager
async def sender(receiver: Receiver, **settings: Any) -> AsyncIterator[Sender]:
    environment = settings.pop("environment", ENVIRONMENT)
    async with Sender([receiver], environment=environment, **settings) as one:
        yield one


async def tell(receiver: Receiver, state: str = "open", **settings: Any) -> Result:
    async with sender(receiver, **settings) as one:
        return await one.send(receiver, render(receiver, in_state(state))[0])


class Worker:
    """An outbox and a sender in real time, as whoever holds them in production."""

    def __init__(self, receiver: Receiver, log: list[NotifyLog] | None = None) -> None:
        self.receiver = receiver
        self.outbox = Outbox(
            [receiver], {receiver.name: Gate(of(receiver).PACE)}, Random(1).random, PAGE
        )
        self.outbox.restore(log or [])
        self.log: list[NotifyLog] = []
        self.results: list[Result] = []
        self.offset = 0

    def take(self, **fields: Any) -> None:
        told = notification(receiver=self.receiver.name, **fields)
        self.outbox.take(told, self.offset)
        self.offset += 1

    async def run(self, **settings: Any) -> None:
        """Until nothing waits."""
        async with asyncio.timeout(30), sender(self.receiver, **settings) as one:
            while self.outbox.waiting_n():
                now_us = time.time_ns() // 1_000
                attempt = self.outbox.due(now_us)
                if attempt is None:
                    wait_s = max(0.0, (self.outbox.next_at() - now_us) / 1e6)
                    await asyncio.sleep(min(wait_s, 0.05))
                    continue
                result = await one.send(attempt.receiver, attempt.request)
                self.results.append(result)
                self.outbox.done(attempt, result, time.time_ns() // 1_000)
        self.log += [said for said in self.outbox.said() if isinstance(said, NotifyLog)]


def ok_false(error: str, **headers: str) -> web.Response:
    return web.json_response({"ok": False, "error": error}, headers=headers)


async def test_slack_through_everything_that_it_documents() -> None:
    server = SlackServer(
        web.Response(status=429, headers={"Retry-After": "0.2"}),
        ok_false("ratelimited"),
        web.Response(status=503),
    )
    async with serve(server.app()) as url:
        worker = Worker(slack(url))
        worker.take()
        await worker.run()
        worker.take(number=2, action="update", why="escalated")
        await worker.run()

    assert [type(result) for result in worker.results] == [Retry, Retry, Retry, Sent, Sent, Sent]
    assert worker.results[0] == Retry("http_429", 0.2)
    assert list(server.messages) == ["1.000100"]
    assert server.threads[0].startswith("2026-01-05 08:20 UTC: escalated")
    assert {headers["authorization"] for _, headers, _ in server.seen} == {"Bearer xoxb-s3cret"}
    assert worker.outbox.committable() == 2


@pytest.mark.parametrize("mood", ["accepts and is silent", "disconnects", "internal error"])
async def test_where_slack_may_have_it_the_repeat_says_so(mood: str) -> None:
    server = SlackServer(ok_false("internal_error") if mood == "internal error" else mood)
    async with serve(server.app()) as url:
        worker = Worker(slack(url))
        worker.take()
        await worker.run(timeout_s=0.5)

    assert [type(result) for result in worker.results] == [Unknown, Sent]
    assert len(server.messages) == (1 if mood == "internal error" else 2)
    assert "(possible duplicate)" in [*server.messages.values()][-1]


async def test_a_message_that_somebody_deleted_is_posted_anew() -> None:
    server = SlackServer()
    async with serve(server.app()) as url:
        worker = Worker(slack(url))
        worker.take()
        await worker.run()
        server.messages.clear()
        worker.take(number=2, action="update", why="changed", disturb=False)
        await worker.run()

    assert [result for result in worker.results if isinstance(result, Retry)] == [
        Retry("slack_message_not_found", anew=True)
    ]
    assert len(server.messages) == 1


async def test_a_token_that_was_revoked_is_not_tried_again() -> None:
    server = SlackServer(ok_false("token_revoked"))
    async with serve(server.app()) as url:
        result = await tell(slack(url))

    assert result == Refused("slack_token_revoked")


def envelope(id_: str, act: dict[str, Any], type_: str = "interactive") -> dict[str, Any]:
    payload = {"type": "block_actions", "user": {"id": "U1"}, "actions": [act]}
    return {"envelope_id": id_, "type": type_, "payload": payload, "accepts_response_payload": True}


async def test_socket_mode_is_acknowledged_and_acted_on_once() -> None:
    """Hello, duplicates, an event that is not ours, and a disconnect in the middle."""
    server = SlackServer()
    press = {"action_id": "acknowledge", "value": f"{INCIDENT}:3:north", "action_ts": "1.1"}
    later = {**press, "action_id": "silence", "action_ts": "2.2"}
    server.envelopes = [
        envelope("one", press),
        envelope("one", press),
        envelope("two", later),
        envelope("event", {}, type_="events_api"),
    ]
    commands: list[Command] = []

    async def act(command: Command) -> None:
        commands.append(command)

    async with serve(server.app()) as url:
        server.address = url
        async with SlackSocket(slack(url), "xapp-s3cret", {"U1": "anna"}, act):
            await asyncio.wait_for(server.all_acknowledged.wait(), 30)

    assert server.connections_n == 2
    assert server.acknowledged[:2] == ["one", "one"]
    assert set(server.acknowledged) == {"one", "two", "event"}
    assert [(one.action, one.actor) for one in commands] == [
        ("acknowledge", "anna"),
        ("silence", "anna"),
    ]


async def test_pagerduty_takes_an_incident_from_its_beginning_to_its_end() -> None:
    server = Script(web.Response(status=500), "disconnects")
    async with serve(server.app()) as url:
        worker = Worker(PagerDuty(name="pager", url=f"{url}/v2/enqueue", routing_key_env="PD"))
        worker.take()
        await worker.run()
        for number, state in ((2, "acknowledged"), (3, "resolved")):
            told = in_state(state)
            worker.take(number=number, action=told.action, why=told.why, incidents=told.incidents)
            await worker.run()

    actions = [event["event_action"] for event in server.accepted]
    assert actions == ["trigger", "trigger", "acknowledge", "resolve"]
    assert {event["dedup_key"] for event in server.accepted} == {f"rv-{INCIDENT}"}
    assert {event["routing_key"] for event in server.accepted} == {"s3cret0123456789"}


async def test_a_webhook_is_verified_by_the_standards_own_library() -> None:
    server = Script(web.Response(status=502), "accepts and is silent")
    async with serve(server.app()) as url:
        worker = Worker(Webhook(name="hook", url=f"{url}/in", secret_env="HOOK"))
        worker.take()
        await worker.run(timeout_s=0.5)

    assert len(server.seen) == 3
    for _, headers, body in server.seen:
        data = Verifier(WHSEC).verify(body, headers)
        assert data["data"]["key"] == INCIDENT
    assert len({headers["webhook-id"] for _, headers, _ in server.seen}) == 1


async def test_a_workflow_gets_a_card_at_its_secret_address() -> None:
    server = Script()
    async with serve(server.app()) as url:
        environment = {"TEAMS": f"{url}/run?sig=s3cret"}
        result = await tell(Teams(name="teams", url_env="TEAMS"), environment=environment)

    assert isinstance(result, Sent)
    (card,) = server.accepted
    assert card["attachments"][0]["content"]["type"] == "AdaptiveCard"


async def test_the_log_gets_one_line() -> None:
    lines: list[bytes] = []

    result = await tell(Log(name="log"), write_line=lines.append)

    assert isinstance(result, Sent)
    assert json.loads(lines[0])["data"]["incidents"][0]["kind"] == "missing_output"


@pytest.mark.parametrize(
    ("url", "result"),
    [
        ("http://127.0.0.1:{port}/in", Retry("unreachable")),
        ("http://no-such-host.invalid/in", Retry("unreachable")),
        ("https://127.0.0.1:{plain}/in", Retry("certificate")),
        ("http://[bad/in", Refused("bad_address")),
    ],
)
async def test_what_cannot_be_reached_is_said_in_a_closed_word(url: str, result: Result) -> None:
    async with serve(Script().app()) as plain:
        where = url.format(port=free_port(), plain=plain.rpartition(":")[2])
        environment = {"TEAMS": f"{where}?sig=s3cret"}

        told = await tell(Teams(name="teams", url_env="TEAMS"), environment=environment)

    assert told == result


async def test_a_redirect_is_not_followed_with_our_secrets() -> None:
    thief = Script()
    async with serve(thief.app()) as elsewhere:
        moved = Script(web.Response(status=307, headers={"Location": elsewhere}))
        async with serve(moved.app()) as url:
            result = await tell(slack(url))

    assert result == Refused("http_307")
    assert thief.seen == []


async def test_a_proxy_of_the_receiver_carries_it() -> None:
    proxy = SlackServer()
    async with serve(proxy.app()) as url:
        connections = {"chat": Connection(proxy=url)}
        result = await tell(slack("http://slack.invalid"), connections=connections)

    assert isinstance(result, Sent)
    assert proxy.seen[0][1]["host"] == "slack.invalid"


async def test_a_secret_that_cannot_be_used_is_not_told(caplog: pytest.LogCaptureFixture) -> None:
    server = Script()
    async with serve(server.app()) as url:
        hook = Webhook(name="hook", url=f"{url}/in", secret_env="HOOK")
        caplog.set_level("DEBUG")
        result = await tell(hook, environment={"HOOK": "whsec_s3cret!"})

    assert result == Refused("secret_unusable")
    assert "s3cret" not in caplog.text


async def test_no_log_line_holds_a_secret(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("DEBUG")
    server = SlackServer(ok_false("invalid_auth"), web.Response(status=500), "disconnects")
    async with serve(server.app()) as url:
        for _ in range(4):
            await tell(slack(url))
        environment = {"TEAMS": f"{url}/run?sig=s3cret"}
        await tell(Teams(name="teams", url_env="TEAMS"), environment=environment)

    assert "told chat" in caplog.text
    assert "s3cret" not in caplog.text


class Mailbox:
    """Takes mail, and refuses who is told to it."""

    def __init__(self, *answers: str) -> None:
        self.answers = list(answers)
        self.mails: list[bytes] = []
        self.recipients: list[list[str]] = []

    async def handle_RCPT(
        self, server: Any, session: Any, envelope: Any, address: str, options: Any
    ) -> str:
        if address.startswith("nobody"):
            return "550 no such user"
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:
        if self.answers:
            return self.answers.pop(0)
        self.mails.append(envelope.content)
        self.recipients.append(envelope.rcpt_tos)
        return "250 OK"


@asynccontextmanager
async def mail_server(box: Mailbox, **settings: Any) -> AsyncIterator[int]:
    controller = Controller(box, hostname="127.0.0.1", port=free_port(), **settings)
    controller.start()
    try:
        yield controller.port
    finally:
        controller.stop()


def mail(port: int, *to: str, **fields: Any) -> Email:
    return Email(
        name="mail",
        host="127.0.0.1",
        port=port,
        sender="radvigil <radvigil@hospital.example>",
        to=list(to or ("oncall@hospital.example", "lead@hospital.example")),
        **fields,
    )


PLAIN = {"mail": Connection(tls="none")}


async def test_mail_arrives_and_its_thread_holds_together() -> None:
    box = Mailbox("451 try again later", "421 going down")
    async with mail_server(box) as port:
        worker = Worker(mail(port))
        worker.take()
        await worker.run(connections=PLAIN)
        worker.take(notification="n2", number=2, action="update", why="escalated")
        await worker.run(connections=PLAIN)

    first, second = (message_from_bytes(one, policy=policy.default) for one in box.mails)
    assert worker.results[:2] == [Retry("smtp_451"), Retry("smtp_421")]
    assert second["In-Reply-To"] == first["Message-ID"]
    assert box.recipients[0] == ["oncall@hospital.example", "lead@hospital.example"]
    assert first.get_body(("plain",)) is not None  # type: ignore[attr-defined]


async def test_who_can_be_told_is_told_even_if_another_address_is_wrong(
    caplog: pytest.LogCaptureFixture,
) -> None:
    box = Mailbox()
    async with mail_server(box) as port:
        some = await tell(mail(port, "nobody@x.example", "a@x.example"), connections=PLAIN)
        none = await tell(mail(port, "nobody@x.example"), connections=PLAIN)

    assert isinstance(some, Sent)
    assert none == Refused("smtp_550")
    assert "1 of the recipients were refused" in caplog.text
    assert "nobody@" not in caplog.text


async def test_mail_is_not_handed_over_in_the_clear_unless_that_is_configured() -> None:
    box = Mailbox()
    async with mail_server(box) as port:
        assert await tell(mail(port)) == Refused("smtp_not_supported")
    assert await tell(mail(free_port()), connections=PLAIN) == Retry("unreachable")
    assert box.mails == []


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Path, Path]]:
    if shutil.which("openssl") is None:
        pytest.skip("openssl is not installed: no certificate to be made")
    folder = tmp_path_factory.mktemp("certificate")
    key, cert = folder / "key.pem", folder / "cert.pem"
    command = "openssl req -x509 -newkey rsa:2048 -nodes -days 1 -subj /CN=127.0.0.1"
    extra = ["-addext", "subjectAltName=IP:127.0.0.1", "-keyout", str(key), "-out", str(cert)]
    subprocess.run([*command.split(), *extra], check=True, capture_output=True)
    yield cert, key


async def test_mail_by_starttls_with_a_login_and_our_own_authority(
    certificate: tuple[Path, Path],
) -> None:
    import ssl

    cert, key = certificate
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(cert, key)

    def login(server: Any, session: Any, envelope: Any, mechanism: str, data: Any) -> AuthResult:
        good = isinstance(data, LoginPassword) and data.password == b"s3cret-password"
        return AuthResult(success=good, handled=False)

    box = Mailbox()
    settings = {"tls_context": context, "authenticator": login, "auth_required": True}
    async with mail_server(box, require_starttls=True, **settings) as port:
        receiver = mail(port, username_env="USER", password_env="PASSWORD")
        trusting = {"mail": Connection(ca_file=str(cert))}
        good = await tell(receiver, connections=trusting)
        untrusted = await tell(receiver)
        environment = {**ENVIRONMENT, "PASSWORD": "s3cret-wrong"}
        wrong = await tell(receiver, connections=trusting, environment=environment)

    assert isinstance(good, Sent)
    assert untrusted == Retry("certificate")
    assert wrong == Refused("smtp_535")
    assert len(box.mails) == 1


async def test_https_with_our_own_authority(certificate: tuple[Path, Path]) -> None:
    import ssl

    cert, key = certificate
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(cert, key)
    server = Script()
    runner = web.AppRunner(server.app(), access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0, ssl_context=context).start()
    port = runner.addresses[0][1]
    hook = Webhook(name="hook", url=f"https://127.0.0.1:{port}/in")
    try:
        trusted = await tell(hook, connections={"hook": Connection(ca_file=str(cert))})
        untrusted = await tell(hook)
    finally:
        await runner.cleanup()

    assert isinstance(trusted, Sent)
    assert untrusted == Retry("certificate")


class Cluster:
    """Two real Alertmanagers that gossip, and the webhook that both tell."""

    def __init__(self, folder: Path, hook: str) -> None:
        self._folder = folder
        self._processes: list[subprocess.Popen[bytes]] = []
        self.ports = [free_port(), free_port()]
        self._gossip = [free_port(), free_port()]
        config = {
            "route": {
                "receiver": "hook",
                "group_by": ["..."],
                "group_wait": "1s",
                "group_interval": "3s",
                "repeat_interval": "1h",
            },
            "receivers": [
                {"name": "hook", "webhook_configs": [{"url": hook, "send_resolved": True}]}
            ],
        }
        self._config = folder / "alertmanager.yml"
        self._config.write_text(json.dumps(config))

    def __enter__(self) -> "Cluster":
        for index in range(2):
            options = {
                "config.file": self._config,
                "storage.path": self._folder / str(index),
                "web.listen-address": f"127.0.0.1:{self.ports[index]}",
                "cluster.listen-address": f"127.0.0.1:{self._gossip[index]}",
                "cluster.peer": f"127.0.0.1:{self._gossip[1 - index]}",
                "cluster.peer-timeout": "1s",
                "cluster.settle-timeout": "5s",
                "cluster.gossip-interval": "50ms",
            }
            command = [ALERTMANAGER, *(f"--{name}={value}" for name, value in options.items())]
            log = (self._folder / f"{index}.log").open("wb")
            self._processes.append(subprocess.Popen(command, stdout=log, stderr=log))
        return self

    def __exit__(self, *error: object) -> None:
        for process in self._processes:
            process.terminate()
            process.wait(60)

    async def settled(self) -> None:
        """Both are ready and see each other."""
        async with asyncio.timeout(60), aiohttp.ClientSession() as session:
            for port in self.ports:
                while not await _sees_its_peer(session, port):  # noqa: ASYNC110
                    await asyncio.sleep(0.1)


async def _sees_its_peer(session: aiohttp.ClientSession, port: int) -> bool:
    try:
        async with session.get(f"http://127.0.0.1:{port}/api/v2/status") as response:
            cluster = (await response.json())["cluster"]
            return cluster["status"] == "ready" and len(cluster["peers"]) == 2
    except aiohttp.ClientError:
        return False


async def alerts(url: str) -> list[dict[str, Any]]:
    async with (
        aiohttp.ClientSession() as session,
        session.get(f"{url}/api/v2/alerts") as response,
    ):
        return list(await response.json())


async def eventually(n: int, seen: list[Any], timeout_s: float = 30.0) -> None:
    async with asyncio.timeout(timeout_s):
        while len(seen) < n:  # noqa: ASYNC110
            await asyncio.sleep(0.1)


@pytest.mark.skipif(
    not Path(ALERTMANAGER).exists(), reason="prometheus-alertmanager is not installed"
)
async def test_two_real_alertmanagers_tell_it_once_and_end_it(tmp_path: Path) -> None:
    """Each node is a receiver; a label that changes ends the old alert."""
    hook = Script()
    async with serve(hook.app()) as url:
        with Cluster(tmp_path, url) as cluster:
            await cluster.settled()
            nodes = [f"http://127.0.0.1:{port}" for port in cluster.ports]
            workers = [Worker(Alertmanager(name="am", url=node)) for node in nodes]
            for worker in workers:
                worker.take(incidents=[incident(severity="warning")])
                await worker.run()
            await eventually(1, hook.accepted)
            for worker in workers:
                worker.take(number=2, action="update", why="severity_raised")
                await worker.run()
            await eventually(3, hook.accepted)
            known = [{one["labels"]["severity"] for one in await alerts(node)} for node in nodes]
            resolved = in_state("resolved")
            for worker in workers:
                worker.take(
                    number=3, action="resolve", why="resolved", incidents=resolved.incidents
                )
                await worker.run()
            await eventually(4, hook.accepted)
            left = [await alerts(node) for node in nodes]

    told = [
        (alert["labels"]["severity"], alert["status"])
        for post in hook.accepted
        for alert in post["alerts"]
    ]
    assert known == [{"critical"}, {"critical"}]
    assert sorted(told) == [
        ("critical", "firing"),
        ("critical", "resolved"),
        ("warning", "firing"),
        ("warning", "resolved"),
    ]
    assert left == [[], []]


def test_a_cluster_is_told_of_nothing_that_may_not_leave() -> None:
    receiver = Alertmanager(name="am", url="http://127.0.0.1")
    (request,) = render(receiver, replace(in_state("open"), number=7))

    assert "Mustermann" not in request.body.decode()
