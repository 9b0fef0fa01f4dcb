"""The storage receiver, with an independent sender on loopback."""

import asyncio
from collections.abc import Sequence
from io import BytesIO
from typing import Any

import pytest
from pydicom import dcmread
from pynetdicom import AE
from pynetdicom.sop_class import (  # type: ignore[attr-defined]
    DigitalXRayImageStorageForPresentation,
    Verification,
)

from schemas.ingest import Codes
from schemas.study import Study
from streams.ingest import Ingest, Translated
from streams.ingest.links import Links
from streams.ingest.listen import Settings
from streams.ingest.listen.dicom import OUT_OF_RESOURCES, SUCCESS, Listener
from streams.ingest.pseudonym import Pseudonyms, Secret
from tests.unit.dicom_files import image

KEYS = Pseudonyms(Secret(1, b"k" * 32))


class Safe:
    """A sink that can be out of order."""

    def __init__(self) -> None:
        self.taken: list[Translated] = []
        self.works = True

    async def __call__(self, translated: Sequence[Translated]) -> None:
        if not self.works and translated:
            raise ConnectionError("the broker is away")
        self.taken += translated

    def studies(self) -> list[tuple[str, float]]:
        return [
            (study.state, study.attributes["instances_n"])  # type: ignore[index, misc]
            for study in self.taken
            if isinstance(study, Study)
        ]


def statuses(port: int, *contents: bytes, echo: bool = False) -> list[int]:
    """What an independent sender is answered, object by object."""
    entity = AE()
    entity.add_requested_context(DigitalXRayImageStorageForPresentation)
    entity.add_requested_context(Verification)
    association = entity.associate("127.0.0.1", port)
    assert association.is_established
    answers: list[Any] = [association.send_c_echo()] if echo else []
    answers += [association.send_c_store(dcmread(BytesIO(one))) for one in contents]
    association.release()
    return [answer.Status for answer in answers]


@pytest.fixture
def safe() -> Safe:
    return Safe()


def listener(safe: Safe, stable_s: float = 3600) -> Listener:
    ingest = Ingest("north", KEYS, Links(KEYS), Codes())
    return Listener(Settings("127.0.0.1", 0, stable_s), ingest, safe)


async def test_images_become_one_study_that_is_complete_at_the_end(safe: Safe) -> None:
    async with listener(safe) as server:
        sent = [image(SOPInstanceUID=f"1.2.3.{number}") for number in range(3)]
        answers = await asyncio.to_thread(statuses, server.port, *sent, echo=True)

    assert answers == [SUCCESS] * 4
    assert safe.studies() == [("received", 1.0), ("complete", 3.0)]


async def test_nothing_is_acknowledged_that_the_sink_has_not(safe: Safe) -> None:
    safe.works = False
    async with listener(safe) as server:
        refused = await asyncio.to_thread(statuses, server.port, image())
        safe.works = True
        taken = await asyncio.to_thread(statuses, server.port, image())

        assert (refused, taken) == ([OUT_OF_RESOURCES], [SUCCESS])
        assert safe.studies() == [("received", 1.0)]


async def test_what_cannot_be_translated_is_acknowledged_and_counted(safe: Safe) -> None:
    async with listener(safe) as server:
        answers = await asyncio.to_thread(statuses, server.port, image(Modality="a b"))

    assert answers == [SUCCESS]
    assert [one.reason for one in safe.taken] == ["bad_value"]  # type: ignore[union-attr]
