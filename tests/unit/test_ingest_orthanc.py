"""The reader of Orthanc's changes: what becomes of them, where it goes on, and what it survives."""

import json
from collections.abc import Sequence
from datetime import UTC, datetime
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
from aiokafka.errors import KafkaTimeoutError
from pydicom import dcmread

from schemas.decoding import encode
from schemas.ingest import Codes, DeclaredModel, Models
from schemas.prediction import Prediction
from schemas.study import Study
from streams.ingest import Ingest, Translated, Untranslated
from streams.ingest.links import Links
from streams.ingest.pseudonym import Pseudonyms, Secret
from streams.ingest.read import Away, Gone, Refused, kinds, reader
from streams.ingest.read._follow import follow, once
from streams.ingest.read._orthanc_answers import header_of
from streams.ingest.read._position import Place, WrongPosition
from tests.unit import sr_files
from tests.unit.dicom_files import PLANTED, image

KEYS = Pseudonyms(Secret(1, b"k" * 32))
NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
DX = "1.2.840.10008.5.1.4.1.1.1.1"


class Orthanc:
    """As much of it as is asked for. `broken` paths raise what they are given."""

    def __init__(self) -> None:
        self.changes: list[dict[str, Any]] = []
        self.instances: dict[str, list[str]] = {}
        self.modality = "DX"
        self.tags: dict[str, Any] = tags_of(image())
        self.sop_class = DX
        self.file = b""
        self.broken: dict[str, Exception] = {}
        self.asked: list[str] = []

    def change(self, what: str, resource: str, date: str = "20260301T110000") -> None:
        seq = len(self.changes) + 1
        self.changes.append({"Seq": seq, "ChangeType": what, "ID": resource, "Date": date})

    async def __call__(self, path: str, accept: str = "application/json") -> bytes:
        self.asked.append(path)
        for begins, error in self.broken.items():
            if path.startswith(begins):
                raise error
        if path.startswith("/changes"):
            return json.dumps(self._changes(path)).encode()
        if path.endswith("/series"):
            told = [
                {
                    "MainDicomTags": {"Modality": self.modality},
                    "Instances": instances,
                    "LastUpdate": "20260301T105900",
                }
                for instances in self.instances.values()
            ]
            return json.dumps(told).encode()
        if path.endswith("/file"):
            return self.file
        return self.sop_class.encode() if "SopClass" in path else json.dumps(self.tags).encode()

    def _changes(self, path: str) -> dict[str, Any]:
        if path.endswith("last"):
            return {"Changes": self.changes[-1:], "Done": True, "Last": len(self.changes)}
        since, limit = (int(part.split("=")[1]) for part in path.split("?")[1].split("&"))
        page = self.changes[since : since + limit]
        done = since + limit >= len(self.changes)
        return {"Changes": page, "Done": done, "Last": since + len(page)}


def tags_of(content: bytes) -> dict[str, Any]:
    """A header as Orthanc tells it."""
    return {
        f"{element.tag.group:04x},{element.tag.element:04x}": {
            "Name": element.keyword,
            "Type": "String",
            "Value": "\\".join(map(str, element.value)) if element.VM > 1 else str(element.value),
        }
        for element in dcmread(BytesIO(content))
    }


class Safe:
    def __init__(self) -> None:
        self.taken: list[Translated] = []
        self.failing_n = 0

    async def __call__(self, translated: Sequence[Translated]) -> None:
        if self.failing_n:
            self.failing_n -= 1
            raise KafkaTimeoutError
        self.taken += translated

    def studies(self) -> list[tuple[str, float]]:
        return [
            (study.state, study.attributes["instances_n"])  # type: ignore[index, misc]
            for study in self.taken
            if isinstance(study, Study)
        ]


@pytest.fixture
def orthanc() -> Orthanc:
    orthanc = Orthanc()
    orthanc.instances = {"s1": ["i1", "i2"], "s2": ["i3"]}
    for number in "123":
        orthanc.change("NewInstance", f"i{number}")
    orthanc.change("NewStudy", "st")
    orthanc.change("StableStudy", "st", "20260301T110100")
    return orthanc


@pytest.fixture
def safe() -> Safe:
    return Safe()


def reading(orthanc: Orthanc, *models: DeclaredModel) -> Any:
    ingest = Ingest("north", KEYS, Links(KEYS), Codes(), models=Models(models))
    return reader("orthanc")(ingest, orthanc, lambda: NOW, 60)


def place(file: Path | None = None, url: str = "http://pacs:8042") -> Place:
    return Place("orthanc", url, file)


async def test_a_study_is_told_when_it_comes_and_when_it_is_stable(
    orthanc: Orthanc, safe: Safe
) -> None:
    await once(reading(orthanc), place(), safe)

    assert safe.studies() == [("received", 3.0), ("complete", 3.0)]
    received, complete = (one for one in safe.taken if isinstance(one, Study))
    assert received.at == datetime(2026, 3, 1, 11, tzinfo=UTC)
    assert complete.at == datetime(2026, 3, 1, 10, 59, tzinfo=UTC)  # its last image
    assert received.study == KEYS.key("study", "1.2.826.0.1.3680043.999.1")
    assert (complete.view, complete.scanner and complete.scanner.software) == ("PA", "3.1")


async def test_late_images_tell_the_study_again(orthanc: Orthanc, safe: Safe) -> None:
    source, here = reading(orthanc), place()
    await once(source, here, safe)
    orthanc.instances["s2"].append("i4")
    orthanc.change("NewInstance", "i4")
    orthanc.change("StableStudy", "st")

    await once(source, here, safe)
    await once(source, here, safe)

    assert safe.studies() == [("received", 3.0), ("complete", 3.0), ("complete", 4.0)]


async def test_it_goes_on_where_it_was_after_a_restart(
    orthanc: Orthanc, safe: Safe, tmp_path: Path
) -> None:
    file = tmp_path / "deeper" / "position"
    await once(reading(orthanc), place(file), safe)
    orthanc.asked.clear()

    await once(reading(orthanc), place(file), safe)

    assert orthanc.asked == ["/changes?last", "/changes?since=5&limit=100"]
    assert PLANTED["PatientID"] not in file.read_text()


async def test_all_pages_are_read(orthanc: Orthanc, safe: Safe) -> None:
    for number in range(250):
        orthanc.change("NewPatient", f"p{number}")
    orthanc.change("StableStudy", "st")

    await once(reading(orthanc), place(), safe)

    assert len(safe.studies()) == 3


async def test_a_new_database_is_read_from_its_beginning(orthanc: Orthanc, safe: Safe) -> None:
    here = place()
    here.keep({"seq": 99_999})

    await once(reading(orthanc), here, safe)

    assert len(safe.studies()) == 2
    assert here.read() == {"seq": 5}


async def test_what_was_there_before_can_be_left_out(orthanc: Orthanc, safe: Safe) -> None:
    source, here = reading(orthanc), place()
    here.keep(await source.end())

    await once(source, here, safe)

    assert safe.taken == []


@pytest.mark.parametrize(
    ("path", "error"), [("/studies", Gone("404")), ("/instances/i1/tag", Gone("500"))]
)
async def test_what_orthanc_cannot_show_is_counted_and_stops_nothing(
    path: str, error: Exception, orthanc: Orthanc, safe: Safe
) -> None:
    orthanc.broken[path] = error
    here = place()

    await once(reading(orthanc), here, safe)

    assert safe.taken == [
        Untranslated("unreadable", f"orthanc/{what}") for what in ("NewStudy", "StableStudy")
    ]
    assert here.read() == {"seq": 5}


@pytest.mark.parametrize("tags", [[], {"0008,0060": 7}, {"0008,0060": {"Type": 1}}, None])
async def test_answers_of_no_sense_are_counted(tags: Any, orthanc: Orthanc, safe: Safe) -> None:
    orthanc.tags = tags

    await once(reading(orthanc), place(), safe)

    assert {one.reason for one in safe.taken} == {"bad_value"}  # type: ignore[union-attr]


async def test_a_study_of_results_alone_is_no_study(orthanc: Orthanc, safe: Safe) -> None:
    orthanc.modality = "SR"

    await once(reading(orthanc), place(), safe)

    assert safe.taken == []


async def test_a_result_is_fetched_and_dated_by_its_arrival(orthanc: Orthanc, safe: Safe) -> None:
    orthanc.changes = []
    orthanc.change("NewInstance", "r1", "20260301T113000")
    orthanc.sop_class = sr_files.COMPREHENSIVE
    orthanc.file = sr_files.report(sr_files.group(sr_files.PNEUMOTHORAX))

    await once(reading(orthanc), place(), safe)

    (found,) = safe.taken
    assert isinstance(found, Prediction)
    assert found.study == KEYS.key("study", sr_files.STUDY)
    assert found.at == datetime(2026, 3, 1, 11, 30, tzinfo=UTC)


async def test_of_images_no_file_is_fetched(orthanc: Orthanc, safe: Safe) -> None:
    await once(reading(orthanc), place(), safe)

    assert not [path for path in orthanc.asked if path.endswith("/file")]


async def test_a_capture_of_a_declared_model_is_its_result(orthanc: Orthanc, safe: Safe) -> None:
    orthanc.changes = orthanc.changes[:1]
    orthanc.file = sr_files.capture(ManufacturerModelName="Definium 8000")
    orthanc.sop_class = sr_files.SECONDARY_CAPTURE

    await once(reading(orthanc, DeclaredModel(declared="definium 8000", name="ptx")), place(), safe)

    (found,) = safe.taken
    assert isinstance(found, Prediction)
    assert found.model == "ptx"


async def test_another_server_is_refused(orthanc: Orthanc, safe: Safe) -> None:
    orthanc.broken["/changes"] = Gone("404")

    with pytest.raises(Refused, match="does not answer as Orthanc"):
        await once(reading(orthanc), place(), safe)


async def test_nothing_planted_gets_out(orthanc: Orthanc, safe: Safe) -> None:
    await once(reading(orthanc), place(), safe)

    told = b"".join(encode(one) for one in safe.taken if isinstance(one, Study)).lower()
    assert b"planted" not in told
    assert b"19480229" not in told


class TestFollowing:
    """Until the fake clock has slept so often."""

    async def slept(self, orthanc: Orthanc, safe: Safe, here: Place, times: int) -> list[float]:
        sleeps: list[float] = []

        class Enough(Exception):
            pass

        async def sleep(seconds: float) -> None:
            sleeps.append(seconds)
            if len(sleeps) == 3:
                orthanc.broken.clear()
            if len(sleeps) == times:
                raise Enough

        with pytest.raises(Enough):
            await follow(reading(orthanc), here, safe, 5.0, sleep=sleep, draw=lambda: 1.0)
        return sleeps

    async def test_it_waits_longer_and_longer_while_orthanc_is_away(
        self, orthanc: Orthanc, safe: Safe
    ) -> None:
        orthanc.broken["/"] = Away("ClientConnectorError")

        sleeps = await self.slept(orthanc, safe, place(), 5)

        assert sleeps == [1.0, 2.0, 4.0, 5.0, 5.0]
        assert len(safe.studies()) == 2

    async def test_nothing_is_lost_when_orthanc_goes_in_between(
        self, orthanc: Orthanc, safe: Safe
    ) -> None:
        orthanc.broken["/studies"] = Away("TimeoutError")

        await self.slept(orthanc, safe, place(), 4)

        assert len(safe.studies()) == 2

    async def test_the_position_waits_for_the_broker(self, orthanc: Orthanc, safe: Safe) -> None:
        safe.failing_n, here = 2, place()

        await self.slept(orthanc, safe, here, 3)

        assert len(safe.studies()) == 2
        assert here.read() == {"seq": 5}


class TestPosition:
    def test_that_of_another_server_is_not_taken(self, tmp_path: Path) -> None:
        place(tmp_path / "p").keep({"seq": 4})

        with pytest.raises(WrongPosition, match="another server"):
            place(tmp_path / "p", "http://other:8042").read()

    def test_a_slash_at_the_end_is_the_same_server(self, tmp_path: Path) -> None:
        place(tmp_path / "p").keep({"seq": 4})

        assert place(tmp_path / "p", "http://pacs:8042/").read() == {"seq": 4}

    @pytest.mark.parametrize("content", ["", "{}", "[1]", '{"type":"radvigil.position.v2"}'])
    def test_another_file_is_not_overwritten(self, content: str, tmp_path: Path) -> None:
        (tmp_path / "p").write_text(content)

        with pytest.raises(WrongPosition):
            place(tmp_path / "p").read()


def test_nested_codes_are_read_and_private_tags_are_not() -> None:
    item = {"0008,0100": {"Type": "String", "Value": "CT1"}, "x": {"Type": "String", "Value": "y"}}
    told = {
        "0008,1032": {"Type": "Sequence", "Value": [item]},
        "0009,0010": {"Type": "String", "Value": "private"},
    }

    header = header_of(json.dumps(told).encode())

    assert header.ProcedureCodeSequence[0].CodeValue == "CT1"
    assert len(header) == 1


def test_an_unknown_kind_of_server_is_a_sentence() -> None:
    with pytest.raises(ValueError, match="no reader for 'pacs'"):
        reader("pacs")
    assert "orthanc" in kinds()
