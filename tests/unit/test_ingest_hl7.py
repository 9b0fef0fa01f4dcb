"""HL7 v2: reports and orders as events, and an MLLP receiver that a foreign sender talks to."""

import asyncio
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

import pytest
from hl7.client import MLLPClient  # type: ignore[import-untyped]
from hypothesis import given, settings
from hypothesis import strategies as st

from schemas.decoding import encode
from schemas.ingest import Code, Codes
from schemas.report import Label, Report
from schemas.study import Study
from streams.ingest import Ingest, Translated, Untranslated
from streams.ingest.hl7 import Translator
from streams.ingest.links import Links
from streams.ingest.listen import Settings
from streams.ingest.listen.hl7 import Listener, acknowledgement
from streams.ingest.pseudonym import Pseudonyms, Secret

KEYS = Pseudonyms(Secret(1, b"k" * 32))
NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
PERSON = "PID|||PLANTED1^^^NORTH||Plantedname^Petra||19480229|F|||Planted Street 1"


class Words:
    """Says that pneumothorax is present when the text says so."""

    def __init__(self) -> None:
        self.texts: list[str] = []

    def label(self, text: str) -> list[Label]:
        self.texts.append(text)
        found = "pneumothorax" in text.lower()
        return [Label(finding="pneumothorax", value="present")] if found else []


def oru(
    *,
    status: str = "F",
    header: str = "MSH|^~\\&|RIS|NORTH|||20260105081500+0100||ORU^R01|C1|P|2.5",
    request: str = "OBR|1|P7|A17^RIS|71045^Chest^CPT||||||||||||||||||20260105081000||",
    text: str = "There is a small pneumothorax of Plantedname.",
    more: Sequence[str] = (),
) -> bytes:
    lines = [header, PERSON, f"{request}RAD|{status}|||||||PLANTEDDOC&Planted"]
    lines += [f"OBX|1|TX|18748-4&IMP^Report||{text}||||||{status}", *more]
    return "\r".join(lines).encode()


def translator(
    links: Links | None = None, codes: Sequence[Code] = (), words: Any = None
) -> Translator:
    rows = Codes({(code.scheme, code.code): code for code in codes})
    ingest = Ingest("north", KEYS, links or Links(KEYS), rows, words, timezone="Europe/Berlin")
    return Translator(ingest)


def only(content: bytes, **settings: Any) -> Translated:
    (found,) = translator(**settings).translate(content, NOW)
    return found


def report(content: bytes, **settings: Any) -> Report:
    found = only(content, **settings)
    assert isinstance(found, Report)
    return found


class TestReports:
    def test_a_final_report_is_one(self) -> None:
        found = report(oru(), words=Words())

        assert (found.status, found.labels) == (
            "final",
            [Label(finding="pneumothorax", value="present")],
        )
        assert found.at == datetime(2026, 1, 5, 7, 10, tzinfo=UTC)  # OBR-22 in the site's zone
        assert found.text is None

    def test_nothing_planted_gets_out(self) -> None:
        told = encode(report(oru(), words=Words())).lower()

        assert b"planted" not in told
        assert b"1948" not in told
        assert b"small" not in told

    @pytest.mark.parametrize(
        ("written", "status"),
        [
            ("P", "preliminary"),
            ("C", "corrected"),
            ("X", "cancelled"),
            ("R", "partial"),
            ("M", "preliminary"),
        ],
    )
    def test_statuses_are_those_of_table_0123(self, written: str, status: str) -> None:
        assert report(oru(status=written)).status == status

    @pytest.mark.parametrize(
        ("written", "status"),
        [("S", "partial"), ("U", "final"), ("C", "corrected"), ("W", "entered_in_error")],
    )
    def test_without_one_the_observations_say_it_by_table_0085(
        self, written: str, status: str
    ) -> None:
        content = (
            oru().replace(b"RAD|F|", b"RAD||").replace(b"||||||F", f"||||||{written}".encode())
        )

        assert report(content).status == status

    @pytest.mark.parametrize("withdrawn", ["W", "D"])
    def test_what_is_withdrawn_is_said_no_more(self, withdrawn: str) -> None:
        words = Words()
        wrong = f"OBX|2|TX|IMP^Report||Pneumothorax of another patient||||||{withdrawn}"

        found = report(oru(status="C", text="Clear.", more=[wrong]), words=words)

        assert (found.status, found.labels, words.texts) == ("corrected", None, ["Clear."])

    def test_a_report_all_of_which_is_withdrawn_is_in_error(self) -> None:
        content = oru(status="C").replace(b"||||||C", b"||||||W")

        assert report(content, words=Words()).status == "entered_in_error"

    def test_each_of_several_reports_finds_its_own_study(self) -> None:
        links = Links(KEYS)
        other = ["ZDS|1.2.3^R^Application^DICOM", "OBR|2|P8|B18" + "|" * 22 + "F"]
        other.append("ZDS|1.2.4^R^Application^DICOM")

        found = translator(links).translate(oru(more=other), NOW)

        assert [one.study for one in found if isinstance(one, Report)] == [
            KEYS.key("study", "1.2.3"),
            KEYS.key("study", "1.2.4"),
        ]
        assert links.find("B18") == KEYS.key("study", "1.2.4")

    def test_the_offset_of_msh_7_is_that_of_all_times(self) -> None:
        header = "MSH|^~\\&|RIS|NORTH|||20260105081500+0530||ORU^R01|C1|P|2.5"

        assert report(oru(header=header)).at == datetime(2026, 1, 5, 2, 40, tzinfo=UTC)

    def test_a_day_alone_is_no_time(self) -> None:
        content = oru().replace(b"|20260105081000|", b"|20260105|")

        assert report(content).at == datetime(2026, 1, 5, 7, 15, tzinfo=UTC)  # as it was sent

    def test_a_document_that_is_not_read_is_counted(self) -> None:
        content = oru().replace(b"|TX|", b"|ED|")

        found = list(translator(words=Words()).translate(content, NOW))

        assert found[0] == Untranslated("unsupported", "OBX-2")
        assert isinstance(found[1], Report)

    def test_an_unknown_status_is_named(self) -> None:
        assert only(oru(status="Q")) == Untranslated("unsupported", "OBR-25")

    def test_it_meets_its_study_by_uid(self) -> None:
        found = report(oru(more=["ZDS|1.2.3^RIS^Application^DICOM"]))

        assert found.study == KEYS.key("study", "1.2.3")

    def test_it_meets_its_study_by_the_number_that_the_images_had(self) -> None:
        links = Links(KEYS)
        key = links.learn("1.2.3", "A17")

        assert report(oru(), links=links).study == key

    def test_a_mapped_code_is_a_label(self) -> None:
        row = Code(code="36118008", scheme="SCT", finding="pneumothorax", means="positive")
        coded = "OBX|2|CWE|F^Finding||36118008^Pneumothorax^SCT||||||F"

        found = report(oru(more=[coded]), codes=[row])

        assert found.labels == [Label(finding="pneumothorax", value="present")]

    def test_escapes_repetitions_and_charsets_reach_the_labeller_as_text(self) -> None:
        words = Words()
        header = "MSH|^~\\&|R|N|||20260105||ORU^R01|C|P|2.5||||||8859/1"
        text = "l\xe9sion \\T\\ more\\.br\\second~third \\X41\\"

        list(
            translator(words=words).translate(
                oru(text=text, header=header).decode().encode("latin-1"), NOW
            )
        )

        assert words.texts == ["l\xe9sion & more\nsecond\nthird A"]

    def test_separators_and_the_escape_are_those_of_the_message(self) -> None:
        words = Words()
        swap = str.maketrans("|^~\\&", "#:;!*")
        text = "clear\\.br\\left \\T\\ right \\XC3A9\\"
        header = "MSH|^~\\&|RIS|NORTH|||20260105081500+0100||ORU^R01|C1|P|2.5||||||UNICODE UTF-8"

        list(
            translator(words=words).translate(
                oru(text=text, header=header).decode().translate(swap).encode(), NOW
            )
        )

        assert words.texts == ["clear\nleft * right \xe9"]

    def test_what_is_told_to_be_empty_is_nobodys_number(self) -> None:
        content = oru().replace(b"|A17^RIS|", b'|""|').replace(b"|P7|", b'|""|')

        assert only(content) == Untranslated("missing_field", "OBR-3")

    @pytest.mark.parametrize("n", [1, 2])
    def test_a_batch(self, n: int) -> None:
        lines = [b"FHS|^~\\&|R|N", b"BHS|^~\\&|R|N", *[oru()] * n, b"BTS|1", b"FTS|1"]

        found = list(translator().translate(b"\r".join(lines), NOW))

        assert [type(one) for one in found] == [Report] * n

    def test_many_messages_in_a_file(self) -> None:
        content = b"\x0b" + oru() + b"\x1c\r\x0b" + oru(status="C") + b"\x1c\r"

        found = list(translator().translate(content, NOW))

        assert [one.status for one in found] == ["final", "corrected"]  # type: ignore[union-attr]


class TestOrders:
    def order(self, control: str = "NW", urgency: str = "S") -> bytes:
        return "\r".join(
            [
                "MSH|^~\\&|RIS|NORTH|||20260105081500||ORM^O01|C1|P|2.5",
                PERSON,
                f"ORC|{control}|P7|A17||||||20260105081500",
                f"OBR|1|P7|A17|71045^Chest^CPT|{urgency}|||||||||||||||||||CR",
            ]
        ).encode()

    def test_an_order_tells_a_study_before_its_images(self) -> None:
        found = only(self.order())

        assert isinstance(found, Study)
        assert (found.state, found.priority, found.modality) == ("received", "stat", "CR")
        assert found.procedure == "CPT:71045"
        assert b"lanted" not in encode(found)

    def test_a_cancelled_order_cancels_it(self) -> None:
        found = only(self.order("CA"))

        assert isinstance(found, Study)
        assert found.state == "cancelled"

    def test_each_order_of_a_message_is_told(self) -> None:
        second = "ORC|NW|P8|B18\rOBR|1|P8|B18|70450^Head^CPT" + "|" * 20 + "CT"

        found = list(translator().translate(self.order() + b"\r" + second.encode(), NOW))

        assert [one.modality for one in found if isinstance(one, Study)] == ["CR", "CT"]

    def test_the_steps_of_one_study_are_one(self) -> None:
        second = "ORC|NW|P8|A17\rOBR|2|P8|A17|70450^Head^CPT" + "|" * 20 + "CR"
        content = self.order() + f"\r{second}\rZDS|1.2.3^R^Application^DICOM".encode()

        found = only(content)

        assert isinstance(found, Study)
        assert found.study == KEYS.key("study", "1.2.3")

    def test_an_order_whose_status_is_cancelled_cancels_it(self) -> None:
        content = self.order("SC").replace(b"|A17||||||", b"|A17||CA||||")

        found = only(content)

        assert isinstance(found, Study)
        assert found.state == "cancelled"


class TestBadInput:
    @pytest.mark.parametrize(
        ("content", "expected"),
        [
            (b"", Untranslated("unreadable", "MSH")),
            (b"MSH|||||||", Untranslated("unreadable", "MSH-2")),
            (b"MSH|^~\\&|A|B|||20260101||ADT^A01|1|P|2.5", Untranslated("ignored", "MSH-9")),
            (
                b"MSH|^~\\&|A|B|||20260101||SIU^S12|1|P|2.5",
                Untranslated("not_of_this_kind", "MSH-9"),
            ),
            (b"MSH|^~\\&|A|B|||20260101||ORU^R01|1|P|2.5", Untranslated("missing_field", "OBR")),
            (
                b"MSH|^~\\&|A|B|||20260101||ORU^R01|1|P|2.5||||||KLINGON",
                Untranslated("unreadable", "MSH-18"),
            ),
            (b"MSH|" + b"^~\\&" + b"x" * 5_000_000, Untranslated("too_large", "message")),
        ],
    )
    def test_it_is_named_by_its_place(self, content: bytes, expected: Untranslated) -> None:
        assert only(content) == expected

    @given(st.data())
    @settings(max_examples=300, deadline=None)
    def test_no_bytes_make_it_raise(self, data: st.DataObject) -> None:
        content = bytearray(oru())
        for _ in range(data.draw(st.integers(1, 8))):
            content[data.draw(st.integers(0, len(content) - 1))] = data.draw(st.integers(0, 255))

        for found in translator(words=Words()).translate(bytes(content), NOW):
            assert isinstance(found, Report | Study | Untranslated)


class Safe:
    def __init__(self) -> None:
        self.taken: list[Translated] = []
        self.works = True
        self.answers = True

    async def __call__(self, translated: Sequence[Translated]) -> None:
        if not self.answers:
            await asyncio.Event().wait()
        if not self.works:
            raise ConnectionError("the broker is away")
        self.taken += translated


class TestReceiver:
    def listener(self, safe: Safe) -> Listener:
        ingest = Ingest("north", KEYS, Links(KEYS), Codes())
        return Listener(
            Settings("127.0.0.1", 0, answer_s=20 if safe.answers else 0.05), ingest, safe
        )

    async def answers(self, safe: Safe, *contents: bytes) -> list[bytes]:
        """What an independent sender is answered."""

        def send(port: int) -> list[bytes]:
            with MLLPClient("127.0.0.1", port) as client:
                return [client.send_message(content) for content in contents]

        async with self.listener(safe) as server:
            return await asyncio.to_thread(send, server.port)

    async def test_a_foreign_sender_is_acknowledged(self) -> None:
        safe = Safe()

        accepted, corrected = await self.answers(safe, oru(), oru(status="C"))

        assert b"MSA|AA|C1" in accepted
        assert b"MSA|AA|C1" in corrected
        assert [one.status for one in safe.taken] == ["final", "corrected"]  # type: ignore[union-attr]

    async def test_poison_blocks_nothing_and_what_we_do_not_take_is_rejected(self) -> None:
        safe = Safe()

        poison, foreign, good = await self.answers(
            safe, b"not hl7 at all", b"MSH|^~\\&|A|B|||20260101||SIU^S12|9|P|2.5", oru()
        )

        assert b"MSA|AA|" in poison
        assert b"MSA|AR|9" in foreign
        assert b"MSA|AA|C1" in good

    async def test_a_batch_in_one_frame_is_taken_whole(self) -> None:
        safe = Safe()
        batch = b"\r".join([b"BHS|^~\\&|R|N", oru(), oru(status="C"), b"BTS|2"])

        (answer,) = await self.answers(safe, batch)

        assert b"MSA|AA|" in answer
        assert [one.status for one in safe.taken] == ["final", "corrected"]  # type: ignore[union-attr]

    async def test_of_what_some_is_taken_nothing_is_rejected(self) -> None:
        safe = Safe()
        unknown = "OBR|2|P8|B18" + "|" * 22 + "Q"

        (answer,) = await self.answers(safe, oru(more=[unknown]))

        assert b"MSA|AA|C1" in answer
        assert len(safe.taken) == 2

    async def test_while_the_broker_is_away_the_sender_keeps_it(self) -> None:
        safe = Safe()
        safe.works = False

        (answer,) = await self.answers(safe, oru())

        assert b"MSA|AE|C1" in answer

    async def test_a_broker_that_does_not_answer_is_away(self) -> None:
        safe = Safe()
        safe.answers = False

        (answer,) = await self.answers(safe, oru())

        assert b"MSA|AE|C1" in answer

    async def test_odd_framing_by_hand(self) -> None:
        safe = Safe()
        async with self.listener(safe) as server:
            reader, writer = await asyncio.open_connection("127.0.0.1", server.port)
            framed = b"\r\n\x0b" + oru().replace(b"\r", b"\r\n") + b"\r\n\x1c\r"
            for piece in (framed[:7], framed[7:200], framed[200:]):
                writer.write(piece)
                await writer.drain()
            answer = await reader.readuntil(b"\x1c\r")
            writer.close()

        assert answer.startswith(b"\x0bMSH|")
        assert b"MSA|AA|C1" in answer

    @pytest.mark.parametrize(
        ("accept", "code", "expected"),
        [
            ("AL", "AA", b"CA"),
            ("NE", "AA", None),
            ("ER", "AA", None),
            ("ER", "AE", b"CE"),
            ("SU", "AR", None),
        ],
    )
    def test_enhanced_mode_answers_as_it_is_asked(
        self, accept: str, code: str, expected: bytes | None
    ) -> None:
        content = oru(header=f"MSH|^~\\&|R|N|||20260105||ORU^R01|C9|P|2.5|||{accept}|NE")

        answer = acknowledgement(content, code, NOW)

        assert (answer is None) == (expected is None)
        if answer is not None and expected is not None:
            assert b"MSA|" + expected + b"|C9" in answer
