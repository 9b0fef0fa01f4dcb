"""What worklists are told: once for each study and model, whatever happens on the way."""

import json
import stat
from collections.abc import Iterable
from datetime import timedelta, timezone
from pathlib import Path
from random import Random
from types import SimpleNamespace
from typing import Any

import hl7
import pytest
from msgspec.structs import replace
from prometheus_client import CollectorRegistry

from schemas.config_file import ConfigError, parse
from schemas.decoding import encode
from schemas.ingest import Codes
from schemas.outcome import Outcome
from schemas.worklist import Worklist
from streams.clock import seconds_to_us
from streams.delivery.http import Met
from streams.delivery.surroundings import Surroundings
from streams.ingest import Ingest, Untranslated, make
from streams.ingest.links import Links
from streams.ingest.pseudonym import Pseudonyms, Secret
from streams.notifiers import Answer, Refused, Request, Retry, Sent, Unknown
from streams.worklist import Notice, kinds, of
from streams.worklist.desk.clerk import Clerk
from streams.worklist.desk.consumer import newest
from streams.worklist.desk.study_names import NamesWriter, StudyNames, names_writer
from streams.worklist.desk.telemetry import Metrics, Telemetry
from streams.worklist.hl7 import answers, control_id, plain
from tests.unit.worklists import (
    DUE,
    FHIR,
    HL7,
    KEY,
    KINDS_OF_OUTCOME,
    NOW_US,
    SERVERS,
    STUDY,
    WORKLISTS,
    outcome,
)

KINDS = kinds()
KEYS = Pseudonyms(Secret(1, b"k" * 32))
both = pytest.mark.parametrize("kind", KINDS)


class Desk:
    """A clerk with a server, or with what is to happen instead; its clock goes on by sleeping."""

    def __init__(self, settings: Worklist, moods: Iterable[Met | None] = ()) -> None:
        self.server = SERVERS[str(settings.__struct_config__.tag)]()
        self.registry = CollectorRegistry()
        self.sent: list[Request] = []
        self.now_us = NOW_US
        self._moods = iter(moods)
        around = Surroundings(self._send, lambda: self.now_us, self._sleep, Random(1).random)
        telemetry = Telemetry(settings.name, Metrics(self.registry))
        self.clerk = Clerk(settings, around, StudyNames(None), telemetry)

    async def _send(self, request: Request) -> Met:
        self.sent.append(request)
        mood = next(self._moods, None)
        return self.server.handle(request) if mood is None else mood

    async def _sleep(self, pause_s: float) -> None:
        self.now_us += seconds_to_us(pause_s)

    def counted(self, name: str, **labels: str) -> float:
        return self.registry.get_sample_value(f"radvigil_worklist_{name}_total", labels) or 0.0


def test_every_kind_is_known_to_the_tests() -> None:
    assert set(KINDS) == set(WORKLISTS) == set(SERVERS)


@both
@pytest.mark.parametrize("said", KINDS_OF_OUTCOME)
def test_every_outcome_is_told_in_the_words_of_the_standard(kind: str, said: str) -> None:
    settings = WORKLISTS[kind]
    server = SERVERS[kind]()
    told = outcome(said)

    for study in (STUDY, STUDY._replace(uid="")):
        answer = server.handle(of(settings).render(settings, Notice(told, study)))

        assert isinstance(of(settings).read(Request("", "", {}, b""), answer), Sent)
    assert {found for found, _ in server.told().values()} == {said}


@both
def test_a_repeat_changes_nothing_and_a_revision_takes_its_place(kind: str) -> None:
    settings, server = WORKLISTS[kind], SERVERS[kind]()
    first, second = outcome(), outcome("late", revision=2)
    for told in (first, first, second, second):
        server.handle(of(settings).render(settings, Notice(told, STUDY)))

    assert len(server.writes) == 4
    ((found, n),) = server.told().values()
    assert (found, n) == ("late", 1 if kind == "fhir" else 2)


@both
def test_studies_models_and_sites_are_told_apart(kind: str) -> None:
    notices = [
        Notice(outcome(study=study, model=model, site=site, revision=revision))
        for study in ("a", "b")
        for model in ("ptx", "ich")
        for site in ("north", "south")
        for revision in (1, 2)
    ]

    assert len({notice.id for notice in notices}) == 8
    assert len({control_id(notice) for notice in notices}) == 16


@both
def test_without_a_name_only_the_key_is_told(kind: str) -> None:
    settings = WORKLISTS[kind]
    body = of(settings).render(settings, Notice(outcome())).body.decode()

    assert KEY in body
    assert "urn:dicom:uid" not in body and "113014" not in body


def test_a_task_says_it_all() -> None:
    request = of(FHIR).render(FHIR, Notice(outcome(), STUDY))
    task = json.loads(request.body)

    assert request.url.startswith("https://fhir.hospital.example/r4/Task?identifier=urn%3Aradvigil")
    assert (task["status"], task["businessStatus"]["text"]) == ("failed", "did not come")
    assert task["focus"]["identifier"] == {
        "system": "urn:dicom:uid",
        "value": "urn:oid:1.2.826.0.1.3680043.999.1",
    }
    assert task["description"] == (
        "AI result of ptx did not come (due 2026-01-05 08:30 UTC; it may come late)"
    )
    assert "for" not in task  # no patient


def test_a_server_that_lets_us_choose_ids_has_one_task_by_its_id() -> None:
    settings = replace(FHIR, chooses_ids=True)
    server = SERVERS["fhir"]()
    for told in (outcome(), outcome(), outcome("late", revision=2)):
        request = of(settings).render(settings, Notice(told, STUDY))
        assert "?" not in request.url
        server.handle(request)

    assert list(server.tasks) == [str(Notice(outcome()).id)]  # type: ignore[union-attr]


def test_secrets_are_put_in_last() -> None:
    request = of(FHIR).render(FHIR, Notice(outcome()))

    assert "Authorization" not in of(FHIR).seal(request, {}).headers
    assert of(FHIR).seal(request, {"token": "t"}).headers["Authorization"] == "Bearer t"
    basic = of(FHIR).seal(request, {"token": "t", "user": "u"}).headers["Authorization"]
    assert basic == "Basic dTp0"


def test_a_message_says_it_all() -> None:
    message = hl7.parse(of(HL7).render(HL7, Notice(outcome(), STUDY)).body.decode())
    header, request = message.segment("MSH"), message.segment("OBR")

    assert [str(header[n]) for n in (3, 5, 12, 18)] == [
        "RADVIGIL",
        "WORKLIST",
        "2.5.1",
        "UNICODE UTF-8",
    ]
    assert str(header[9]) == "ORU^R01^ORU_R01"
    assert len(str(header[10])) == 20
    assert str(request[2]) == "A17^RIS"
    assert str(request[18]) == "A17"
    assert str(request[22]) == "20260105083000+0000"
    assert (str(request[25]), str(request[27])) == ("X", "^^^^20260105083000+0000")
    assert [str(one[5]) for one in message.segments("OBX")] == [
        "missing^did not come^99RADVIGIL",
        "AI result of ptx did not come (due 2026-01-05 08:30 UTC; it may come late)",
        "1",
        KEY,
        STUDY.uid,
    ]
    assert str(message.segment("ZDS")[1]) == f"{STUDY.uid}^RADVIGIL^Application^DICOM"
    assert "PID" not in str(message)


@pytest.mark.parametrize("name", ["a|b^c~d&e\\f", "new\rline\nOBX|9", "Übersicht"])
def test_no_name_breaks_a_message(name: str) -> None:
    body = of(HL7).render(HL7, Notice(outcome(model=name), STUDY)).body.decode()
    message = hl7.parse(body)

    assert [str(segment[0]) for segment in message] == ["MSH", "OBR", *["OBX"] * 5, "ZDS"]
    shown = message.unescape(str(message.segment("OBR")[4][0][0]))
    assert shown == "".join(letter for letter in name if letter.isprintable())
    assert plain("x") == "x"


def test_our_own_notices_are_no_reports_when_they_come_round() -> None:
    ingest = Ingest("north", KEYS, Links(KEYS), Codes())
    body = of(HL7).render(HL7, Notice(outcome(), STUDY)).body

    assert list(make("hl7", ingest).translate(body, DUE)) == [Untranslated("ignored", "OBR-3")]


@pytest.mark.parametrize(
    ("answer", "means"),
    [
        (b"MSH|^~\\&|\rMSA|AA|1", Sent),
        (b"MSH|^~\\&|\nMSA|CA|1|", Sent),
        (b"MSA#AE#1", Retry),
        (b"MSA|CE|1", Retry),
        (b"MSA|AR|1", Refused),
        (b"MSA|CR|1", Refused),
        (b"MSA|??|1", Refused),
        (b"", Refused),
    ],
)
def test_acknowledgements(answer: bytes, means: type) -> None:
    request = Request("MLLP", "", {}, b"", refs={"control_id": "1"})

    assert isinstance(of(HL7).read(request, Answer(0, {}, answer)), means)
    assert answers(request, b"MSA|AA|1") and not answers(request, b"MSA|AA|2")


@pytest.mark.parametrize(
    ("status", "means"),
    [
        *[(200, Sent), (201, Sent)],
        *[(409, Retry), (423, Retry), (429, Retry), (500, Retry)],
        *[(400, Refused), (412, Refused), (422, Refused)],
    ],
)
def test_statuses(status: int, means: type) -> None:
    assert isinstance(of(FHIR).read(Request("PUT", "", {}, b""), Answer(status)), means)


AWAY = {"fhir": Answer(401), "hl7": Retry("unreachable")}
ERROR = {"fhir": Answer(500), "hl7": Answer(0, {}, b"MSA|AE|1")}
POISON = {"fhir": Answer(422), "hl7": Answer(0, {}, b"MSA|AR|1")}


@both
async def test_what_is_taken_is_told(kind: str) -> None:
    desk = Desk(WORKLISTS[kind])

    assert await desk.clerk.tell(outcome(), "place") == "told"
    assert len(desk.sent) == 1
    assert desk.counted("notices", worklist=WORKLISTS[kind].name, fate="told") == 1
    assert desk.counted("unnamed", worklist=WORKLISTS[kind].name) == 1


@both
async def test_while_nobody_is_there_it_waits(kind: str) -> None:
    desk = Desk(WORKLISTS[kind], [Retry("unreachable"), AWAY[kind]] * 30)

    assert await desk.clerk.tell(outcome(), "place") == "told"
    assert len(desk.sent) == 61


@both
async def test_it_does_not_wait_for_ever(kind: str) -> None:
    desk = Desk(WORKLISTS[kind], [AWAY[kind]] * 100_000)

    assert await desk.clerk.tell(outcome(), "place") == "old"
    waited_us = desk.now_us - NOW_US
    assert seconds_to_us(86_000) < waited_us < seconds_to_us(87_000)
    assert await desk.clerk.tell(outcome(), "place") == "old"  # the next costs no try
    assert desk.now_us - NOW_US == waited_us


@both
async def test_errors_and_silence_are_tried_so_often(kind: str) -> None:
    for mood in (ERROR[kind], Unknown("timeout"), Unknown("disconnected")):
        desk = Desk(WORKLISTS[kind], [mood] * 50)

        assert await desk.clerk.tell(outcome(), "place") == "unanswered"
        assert len(desk.sent) == WORKLISTS[kind].tries


@both
async def test_a_poison_is_sent_once_and_holds_up_nobody(
    kind: str, caplog: pytest.LogCaptureFixture
) -> None:
    desk = Desk(WORKLISTS[kind], [POISON[kind]])

    assert await desk.clerk.tell(outcome(), "outcomes/3@17") == "refused"
    assert await desk.clerk.tell(outcome(study="other"), "outcomes/3@18") == "told"
    assert len(desk.sent) == 2
    assert desk.counted("notices", worklist=WORKLISTS[kind].name, fate="refused") == 1
    assert "a notice was given up as refused: outcomes/3@17" in caplog.text
    assert KEY not in caplog.text


class TestWhatIsWanted:
    def wants(self, told: Outcome, **fields: Any) -> bool:
        return Desk(replace(HL7, **fields)).clerk.wants(told)

    def test_what_did_not_come_and_what_came_after_all(self) -> None:
        wanted = [kind for kind in KINDS_OF_OUTCOME if self.wants(outcome(kind))]
        assert wanted == ["missing", "failed", "incomplete", "rejected"]
        assert self.wants(outcome("late", revision=2))
        assert self.wants(outcome("on_time", revision=2))

    def test_sites_and_models(self) -> None:
        assert self.wants(outcome(), sites=["north"], models=["ptx"])
        assert not self.wants(outcome(), sites=["south"])
        assert not self.wants(outcome(revision=2), models=["ich"])

    def test_of_a_backlog_only_the_newest_is_told(self) -> None:
        said = [
            outcome(study="a"),
            outcome("on_time", study="b"),
            outcome(study="c"),
            outcome("late", study="a", revision=2),
        ]
        records = [SimpleNamespace(value=encode(one), offset=n) for n, one in enumerate(said)]
        records += [SimpleNamespace(value=value, offset=9) for value in (None, b"{", b"{}")]

        found = newest(records, Desk(HL7).clerk)

        assert [(read.outcome.study, read.offset) for read in found] == [("c", 2), ("a", 3)]


class TestKeysFile:
    def test_what_ingest_learns_the_worklist_finds(self, tmp_path: Path) -> None:
        file = tmp_path / "keys"
        links = Links(KEYS)
        links.told = names_writer([str(file), None, str(file)])
        names = StudyNames(file)
        assert names.find(KEY) == ("", "", "")

        key = links.learn("1.2.3", "A17", "RIS")
        for _ in range(3):
            links.learn("1.2.3", "A17", "RIS")
        alone = links.by_accession("B18")

        assert names.find(key) == ("1.2.3", "A17", "RIS")
        assert names.find(alone) == ("", "B18", "")
        assert len(file.read_bytes().splitlines()) == 2
        assert stat.S_IMODE(file.stat().st_mode) == 0o600

    def test_nobody_is_told_unless_it_is_asked_for(self) -> None:
        assert names_writer([None]) is None
        assert Links(KEYS).told is None

    def test_a_later_line_adds_and_a_broken_one_is_passed_over(self, tmp_path: Path) -> None:
        file = tmp_path / "keys"
        writer = NamesWriter(file)
        writer("k", "1.2.3", "", "")
        with file.open("ab") as more:
            more.write(b"not a line\n")
        writer("k", "1.2.3", "A17", "")
        with file.open("ab") as more:
            more.write(b'["half","1.2')
        names = StudyNames(file)

        assert names.find("k") == ("1.2.3", "A17", "")
        assert names.find("half") == ("", "", "")
        with file.open("ab") as more:
            more.write(b'.3","",""]\n')
        assert names.find("half").uid == "1.2.3"

    def test_it_is_put_aside_and_nothing_is_lost(self, tmp_path: Path) -> None:
        file = tmp_path / "keys"
        writers = [NamesWriter(file, most_bytes=300) for _ in range(2)]
        names = StudyNames(file)
        for number in range(16):
            writers[number % 2](f"k{number}", "1.2.3", "", "")
            assert names.find(f"k{number}").uid == "1.2.3"
        assert file.with_name("keys.1").exists()
        afresh = StudyNames(file)
        assert afresh.find("k15").uid == afresh.find("k9").uid == "1.2.3"

    def test_it_is_bounded(self, tmp_path: Path) -> None:
        file = tmp_path / "keys"
        writer = NamesWriter(file)
        for number in range(5):
            writer(f"k{number}", "1", "", "")
        names = StudyNames(file, most=2)

        assert [bool(names.find(f"k{number}").uid) for number in (4, 3)] == [True, True]

    def test_a_file_that_cannot_be_written_is_said_once(
        self, tmp_path: Path, caplog: pytest.LogCaptureFixture
    ) -> None:
        writer = NamesWriter(tmp_path / "none" / "keys")
        for number in range(3):
            writer(f"k{number}", "1.2.826.777", "PLANTED", "")

        assert len(caplog.records) == 1
        assert "777" not in caplog.text and "PLANTED" not in caplog.text


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ('[[worklist]]\nkind="fhir"\nname="a"\nurl="ftp://x"', "worklist[0].url"),
        ('[[worklist]]\nkind="fhir"\nname="a"\nurl="https://u:p@x"', "worklist[0].url"),
        ('[[worklist]]\nkind="hl7"\nname="a"\nhost="h"\nport=0', "worklist[0].port"),
        ('[[worklist]]\nkind="hl7"\nname="a"\nhost="h"\nport=1\n' * 2, "worklist[1].name"),
        (
            '[[worklist]]\nkind="hl7"\nname="a"\nhost="h"\nport=1\nsender="a|b"',
            "worklist[0].sender",
        ),
    ],
)
def test_a_wrong_setting_is_named(text: str, problem: str) -> None:
    with pytest.raises(ConfigError) as caught:
        parse(text)

    assert problem in str(caught.value)


def test_times_are_told_in_utc() -> None:
    local = outcome(at=DUE.astimezone(timezone(timedelta(hours=5))))

    for settings in WORKLISTS.values():
        render = of(settings).render
        assert render(settings, Notice(local)).body == render(settings, Notice(outcome())).body
