"""The reader of DICOMweb: when a study is told, told again, and what it survives."""

import json
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from io import BytesIO
from typing import Any

import pytest
from pydicom import dcmread

from schemas.decoding import encode
from schemas.ingest import Codes
from schemas.study import Study
from streams.ingest import Ingest, Translated, Untranslated
from streams.ingest.links import Links
from streams.ingest.pseudonym import Pseudonyms, Secret
from streams.ingest.read import Gone, Refused, reader
from streams.ingest.read._dicom_json import headers_of
from streams.ingest.read._follow import once
from streams.ingest.read._position import Place
from tests.unit.dicom_files import image

KEYS = Pseudonyms(Secret(1, b"k" * 32))
NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
UID = "1.2.826.0.1.3680043.999.1"


def ui(value: str | int, vr: str = "UI") -> dict[str, Any]:
    return {"vr": vr, "Value": [value]}


class Pacs:
    """A server with one study, whose images grow, and a clock."""

    def __init__(self) -> None:
        self.instances_n = 2
        self.modality = "DX"
        self.now = NOON
        self.broken: dict[str, Exception] = {}
        self.asked: list[str] = []
        self.metadata = dcmread(BytesIO(image())).to_json_dict()

    async def __call__(self, path: str, accept: str = "application/json") -> bytes:
        assert accept == "application/dicom+json"
        self.asked.append(path)
        for ends, error in self.broken.items():
            if ends in path:
                raise error
        if path.endswith("/metadata"):
            return json.dumps([self.metadata]).encode()
        if "/instances" in path:
            return json.dumps([{"00080018": ui("1.2.3.4")}]).encode()
        if "/series" in path:
            series = {"00080060": ui(self.modality, "CS"), "0020000E": ui("1.2.3")}
            return json.dumps([series | {"00201209": ui(self.instances_n, "IS")}]).encode()
        if "offset=0" in path and self.instances_n:
            study = {"0020000D": ui(UID), "00201208": ui(self.instances_n, "IS")}
            return json.dumps([study]).encode()
        return b""

    def later(self, seconds: float) -> None:
        self.now += timedelta(seconds=seconds)


class Reading:
    """Looks again and again, from one position."""

    def __init__(self, pacs: Pacs) -> None:
        ingest = Ingest("north", KEYS, Links(KEYS), Codes())
        self.source: Any = reader("dicomweb")(ingest, pacs, lambda: pacs.now, 60)
        self.place = Place("dicomweb", "http://pacs", None)
        self.taken: list[Translated] = []

    async def look(self) -> list[tuple[str, float]]:
        """What is told of studies at this look."""
        self.taken.clear()

        async def safe(translated: Sequence[Translated]) -> None:
            self.taken += translated

        await once(self.source, self.place, safe)
        return [
            (study.state, study.attributes["instances_n"])  # type: ignore[index, misc]
            for study in self.taken
            if isinstance(study, Study)
        ]


@pytest.fixture
def pacs() -> Pacs:
    return Pacs()


@pytest.fixture
def reading(pacs: Pacs) -> Reading:
    return Reading(pacs)


async def test_a_study_is_complete_when_it_is_quiet_and_again_when_it_grows(
    pacs: Pacs, reading: Reading
) -> None:
    told = [await reading.look()]
    for seconds, instances_n in ((30, 2), (40, 2), (10, 2), (10, 3), (30, 3), (40, 3)):
        pacs.later(seconds)
        pacs.instances_n = instances_n
        told.append(await reading.look())

    assert told == [[("received", 2.0)], [], [("complete", 2.0)], [], [], [], [("complete", 3.0)]]


async def test_it_is_dated_by_its_last_change(pacs: Pacs, reading: Reading) -> None:
    await reading.look()
    pacs.later(100)

    await reading.look()

    (study,) = reading.taken
    assert isinstance(study, Study)
    assert study.at == NOON
    assert (study.study, study.view) == (KEYS.key("study", UID), "PA")
    assert b"planted" not in encode(study).lower()


async def test_what_was_there_before_can_be_left_out(pacs: Pacs, reading: Reading) -> None:
    reading.place.keep(await reading.source.end())
    pacs.later(100)

    assert await reading.look() == []

    pacs.instances_n = 3
    await reading.look()
    pacs.later(100)
    assert await reading.look() == [("complete", 3.0)]


async def test_studies_that_are_no_longer_listed_are_forgotten(
    pacs: Pacs, reading: Reading
) -> None:
    await reading.look()
    pacs.instances_n = 0

    await reading.look()

    assert reading.place.read() == {"studies": {}}


async def test_the_position_holds_keys_alone(pacs: Pacs, reading: Reading) -> None:
    await reading.look()

    assert UID not in json.dumps(reading.place.read())


async def test_a_study_that_cannot_be_shown_is_counted(pacs: Pacs, reading: Reading) -> None:
    pacs.broken["/metadata"] = Gone("404")

    await reading.look()

    assert reading.taken == [Untranslated("unreadable", "dicomweb/study")]


async def test_results_alone_are_no_study(pacs: Pacs, reading: Reading) -> None:
    pacs.modality = "SR"

    assert await reading.look() == []


async def test_another_server_is_refused(pacs: Pacs, reading: Reading) -> None:
    pacs.broken["/studies"] = Gone("404")

    with pytest.raises(Refused, match="DICOMweb"):
        await reading.look()


async def test_yesterday_to_tomorrow_is_searched(pacs: Pacs, reading: Reading) -> None:
    await reading.look()

    assert "StudyDate=20260228-20260302" in pacs.asked[0]


def test_only_what_may_be_read_is_read() -> None:
    item = {"00080100": ui("CT1", "SH"), "junk": ui("x")}
    told = {
        "00081030": ui("Planted description", "LO"),
        "00081032": {"vr": "SQ", "Value": [item]},
        "00100010": {"vr": "PN", "Value": [{"Alphabetic": "Plantedname^Petra"}]},
        "00280030": {"vr": "DS", "Value": [0.5, 0.25]},
        "00090010": ui("private", "LO"),
    }

    (header,) = headers_of(json.dumps([told]).encode())

    assert header.ProcedureCodeSequence[0].CodeValue == "CT1"
    assert header.PatientName == "Plantedname^Petra"  # to keep it out: streams/ingest/guard.py
    assert header.PixelSpacing[0] == "0.5"
    assert len(header) == 3


def test_a_name_in_its_own_script_alone_is_a_name() -> None:
    named = {"vr": "PN", "Value": [{"Ideographic": "\u738b^\u5c0f\u4e1c"}]}
    both = {"vr": "PN", "Value": [{"Alphabetic": "Wang", "Ideographic": "\u738b^\u5c0f\u4e1c"}]}

    told = headers_of(json.dumps([{"00100010": named}, {"00100010": both}]).encode())

    names = ["=\u738b^\u5c0f\u4e1c", "Wang=\u738b^\u5c0f\u4e1c"]
    assert [str(one.PatientName) for one in told] == names
