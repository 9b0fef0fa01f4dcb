"""The FHIR endpoint: what a server that notifies is answered, and what is safe by then."""

import asyncio
import gzip
import json
from collections.abc import AsyncIterator, Sequence
from typing import Any

import pytest
from aiohttp import ClientSession

from schemas.config_file import ConfigError
from schemas.ingest import Codes
from schemas.report import Report
from schemas.study import Study
from streams.ingest import Ingest, Translated, Untranslated
from streams.ingest.links import Links
from streams.ingest.listen import Settings, listener
from streams.ingest.listen.fhir import LARGEST_BYTES, TOKEN_ENV, Listener
from streams.ingest.pseudonym import Pseudonyms, Secret
from tests.unit import fhir_samples as samples
from tests.unit.fhir_samples import of

KEYS = Pseudonyms(Secret(1, b"k" * 32))
FHIR = {"Content-Type": "application/fhir+json; charset=utf-8"}


class Safe:
    def __init__(self) -> None:
        self.taken: list[Translated] = []
        self.works = True

    async def __call__(self, translated: Sequence[Translated]) -> None:
        if not self.works:
            raise ConnectionError("Planted: the broker is away")
        self.taken += translated


@pytest.fixture
def safe() -> Safe:
    return Safe()


@pytest.fixture
async def server(safe: Safe, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Listener]:
    monkeypatch.delenv(TOKEN_ENV, raising=False)
    async with make("127.0.0.1", safe) as serving:
        yield serving


def make(host: str, safe: Safe, answer_s: float = 20) -> Listener:
    settings = Settings(host, 0, answer_s=answer_s)
    return Listener(settings, Ingest("north", KEYS, Links(KEYS), Codes()), safe)


async def sent(
    server: Listener,
    content: bytes,
    headers: dict[str, str] = FHIR,
    method: str = "POST",
    path: str = "/",
) -> tuple[int, Any]:
    async with ClientSession() as session:
        url = f"http://127.0.0.1:{server.port}{path}"
        async with session.request(method, url, data=content, headers=headers) as response:
            told = await response.read()
            return response.status, json.loads(told) if told[:1] == b"{" else told


def test_it_is_found_by_its_folder() -> None:
    assert listener("fhir") is Listener


class TestTaken:
    async def test_a_rest_hook_of_r4_with_its_payload(self, server: Listener, safe: Safe) -> None:
        content = of(samples.study("R4"))

        assert (await sent(server, content, method="PUT", path="/ImagingStudy/s1"))[0] == 200
        assert [type(one) for one in safe.taken] == [Study]

    @pytest.mark.parametrize("version", ["R4", "R5"])
    async def test_a_notification_bundle(self, server: Listener, safe: Safe, version: str) -> None:
        content = of(samples.notification(version, samples.study(version), samples.report(version)))

        assert (await sent(server, content))[0] == 200
        assert [type(one) for one in safe.taken] == [Study, Report]

    @pytest.mark.parametrize("version", ["R4", "R5"])
    @pytest.mark.parametrize("what", ["handshake", "heartbeat"])
    async def test_a_handshake_is_in_order(
        self, server: Listener, safe: Safe, version: str, what: str
    ) -> None:
        assert (await sent(server, of(samples.notification(version, what=what))))[0] == 200
        assert [type(one) for one in safe.taken] == [Untranslated]

    async def test_a_deletion_is_in_order(self, server: Listener, safe: Safe) -> None:
        assert (await sent(server, b"", method="DELETE", path="/ImagingStudy/s1"))[0] == 200

    async def test_a_packed_body_is_read(self, server: Listener, safe: Safe) -> None:
        packed = gzip.compress(of(samples.study("R5")))

        assert (await sent(server, packed, FHIR | {"Content-Encoding": "gzip"}))[0] == 200
        assert [type(one) for one in safe.taken] == [Study]

    async def test_an_unknown_code_does_not_stop_the_rest(
        self, server: Listener, safe: Safe
    ) -> None:
        content = of(samples.report("R4", conclusionCode=[samples.concept("64572001")]))

        assert (await sent(server, content))[0] == 200
        assert [type(one) for one in safe.taken] == [Untranslated, Report]


class TestRefused:
    @pytest.mark.parametrize(
        ("content", "headers", "status"),
        [
            (b"Planted", FHIR, 400),
            (b"", FHIR, 400),
            (of(samples.study("R4", status="unknown")), FHIR, 422),
            (of({"resourceType": "DiagnosticReport", "status": "final"}), FHIR, 422),
            (of(samples.notification("R5")), FHIR, 422),
            (b"<Planted/>", {"Content-Type": "application/fhir+xml"}, 415),
            (b"<Planted/>", FHIR, 422),
            (b"Planted", FHIR | {"Content-Encoding": "gzip"}, 400),
            (b" " * (LARGEST_BYTES + 1), FHIR, 413),
            (gzip.compress(b" " * 40_000_000), FHIR | {"Content-Encoding": "gzip"}, 413),
        ],
    )
    async def test_what_can_never_be_taken_is_counted_and_refused(
        self, server: Listener, safe: Safe, content: bytes, headers: dict[str, str], status: int
    ) -> None:
        answered, told = await sent(server, content, headers)

        assert answered == status
        assert "lanted" not in str(told)
        assert told["resourceType"] == "OperationOutcome"
        assert [type(one) for one in safe.taken] == [Untranslated]

    async def test_while_the_broker_is_away_the_server_keeps_it(
        self, server: Listener, safe: Safe, caplog: pytest.LogCaptureFixture
    ) -> None:
        safe.works = False

        status, told = await sent(server, of(samples.study("R4")))

        assert (status, told["issue"][0]["code"]) == (503, "transient")
        assert "lanted" not in caplog.text

    async def test_a_broker_that_does_not_answer_is_away(
        self, safe: Safe, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.delenv(TOKEN_ENV, raising=False)

        async def never(translated: Sequence[Translated]) -> None:
            await asyncio.Event().wait()

        silent: Any = never
        async with make("127.0.0.1", silent, answer_s=0.05) as server:
            assert (await sent(server, of(samples.study("R4"))))[0] == 503

    async def test_only_some_at_once(self, safe: Safe, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.delenv(TOKEN_ENV, raising=False)
        monkeypatch.setattr("streams.ingest.listen.fhir.MOST_AT_ONCE", 1)
        holding, held = asyncio.Event(), asyncio.Event()

        async def slow(translated: Sequence[Translated]) -> None:
            held.set()
            await holding.wait()

        safe_calls: Any = slow
        async with make("127.0.0.1", safe_calls) as server:
            first = asyncio.create_task(sent(server, of(samples.study("R4"))))
            await held.wait()
            second = await sent(server, of(samples.study("R4")))
            holding.set()

            assert second[0] == 503
            assert (await first)[0] == 200


class TestAllowed:
    @pytest.mark.parametrize(
        ("sent_token", "status"),
        [(None, 401), ("Bearer wrong", 401), ("Basic s3cret", 401), ("Bearer s3cret", 200)],
    )
    async def test_only_who_has_the_token(
        self,
        safe: Safe,
        monkeypatch: pytest.MonkeyPatch,
        sent_token: str | None,
        status: int,
    ) -> None:
        monkeypatch.setenv(TOKEN_ENV, "s3cret")
        headers = FHIR | ({"Authorization": sent_token} if sent_token else {})
        async with make("127.0.0.1", safe) as server:
            answered, told = await sent(server, of(samples.study("R4")), headers)

        assert answered == status
        assert bool(safe.taken) == (status == 200)
        assert "s3cret" not in str(told)

    @pytest.mark.parametrize("host", ["0.0.0.0", "::", "north.example"])
    def test_without_a_token_only_this_machine_may_send(
        self, safe: Safe, monkeypatch: pytest.MonkeyPatch, host: str
    ) -> None:
        monkeypatch.delenv(TOKEN_ENV, raising=False)

        with pytest.raises(ConfigError, match=TOKEN_ENV):
            make(host, safe)

    async def test_asking_is_not_offered(self, server: Listener) -> None:
        assert (await sent(server, b"", method="GET"))[0] == 405

    async def test_what_is_no_http_is_said_in_no_log(
        self, server: Listener, caplog: pytest.LogCaptureFixture
    ) -> None:
        reader, writer = await asyncio.open_connection("127.0.0.1", server.port)
        writer.write(b"PLANTED^PETRA\x0b /PLANTED HTTP/9\r\n\r\n")
        answer = await reader.read()
        writer.close()

        assert b" 400 " in answer.splitlines()[0]
        assert "PLANTED" not in caplog.text
