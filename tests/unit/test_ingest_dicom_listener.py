"""The storage receiver, with an independent sender on loopback."""

import asyncio
from collections.abc import Sequence
from io import BytesIO
from typing import Any

import pytest
from pydicom import dcmread
from pynetdicom import AE
from pynetdicom.sop_class import (  # type: ignore[attr-defined]
    ComprehensiveSRStorage,
    DigitalXRayImageStorageForPresentation,
    SecondaryCaptureImageStorage,
    SegmentationStorage,
    Verification,
)

from schemas.ingest import Codes, DeclaredModel, Models
from schemas.prediction import Prediction
from schemas.study import Study
from streams.ingest import Ingest, Translated
from streams.ingest.links import Links
from streams.ingest.listen import Settings
from streams.ingest.listen.dicom import OUT_OF_RESOURCES, SUCCESS, Listener
from streams.ingest.pseudonym import Pseudonyms, Secret
from tests.unit.dicom_files import image
from tests.unit.sr_files import NODULE, capture, document, group, report, segmentation

KEYS = Pseudonyms(Secret(1, b"k" * 32))


class Safe:
    """A sink that can be out of order."""

    def __init__(self) -> None:
        self.taken: list[Translated] = []
        self.works = self.answers = True

    async def __call__(self, translated: Sequence[Translated]) -> None:
        if not self.answers and translated:
            await asyncio.Event().wait()
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
    entity.add_requested_context(ComprehensiveSRStorage)
    entity.add_requested_context(SegmentationStorage)
    entity.add_requested_context(SecondaryCaptureImageStorage)
    entity.add_requested_context(Verification)
    association = entity.associate("127.0.0.1", port, ae_title="RADVIGIL")
    assert association.is_established
    answers: list[Any] = [association.send_c_echo()] if echo else []
    answers += [association.send_c_store(dcmread(BytesIO(one))) for one in contents]
    association.release()
    return [answer.Status for answer in answers]


@pytest.fixture
def safe() -> Safe:
    return Safe()


def listener(
    safe: Safe, stable_s: float = 3600, *models: DeclaredModel, answer_s: float = 20
) -> Listener:
    ingest = Ingest("north", KEYS, Links(KEYS), Codes(), models=Models(models))
    return Listener(Settings("127.0.0.1", 0, stable_s, answer_s=answer_s), ingest, safe)


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


async def test_a_sink_that_does_not_answer_has_nothing(safe: Safe) -> None:
    safe.answers = False
    async with listener(safe, answer_s=0.05) as server:
        refused = await asyncio.to_thread(statuses, server.port, image())
        safe.answers = True
        taken = await asyncio.to_thread(statuses, server.port, image())

        assert (refused, taken) == ([OUT_OF_RESOURCES], [SUCCESS])
        assert safe.studies() == [("received", 1.0)]


async def test_what_cannot_be_translated_is_acknowledged_and_counted(safe: Safe) -> None:
    async with listener(safe) as server:
        answers = await asyncio.to_thread(statuses, server.port, image(Modality="a b"))

    assert answers == [SUCCESS]
    assert [one.reason for one in safe.taken] == ["bad_value"]  # type: ignore[union-attr]


async def test_images_and_results_come_by_one_receiver(safe: Safe) -> None:
    sent = [image(), report(group(NODULE)), segmentation(("AUTOMATIC", "Acme seg", NODULE))]
    async with listener(safe) as server:
        answers = await asyncio.to_thread(statuses, server.port, *sent)

    assert answers == [SUCCESS] * 3
    assert safe.studies() == [("received", 1.0), ("complete", 1.0)]
    told = [one for one in safe.taken if isinstance(one, Prediction)]
    assert [one.model for one in told] == ["Acme CXR", "Acme seg"]
    assert {one.study for one in told} == {
        one.study for one in safe.taken if isinstance(one, Study)
    }


async def test_a_result_that_the_sink_has_not_comes_again_as_the_same_event(safe: Safe) -> None:
    safe.works = False
    async with listener(safe) as server:
        refused = await asyncio.to_thread(statuses, server.port, report())
        safe.works = True
        taken = await asyncio.to_thread(statuses, server.port, report(), report())

    assert (refused, taken) == ([OUT_OF_RESOURCES], [SUCCESS] * 2)
    assert len({one.event_id for one in safe.taken if isinstance(one, Prediction)}) == 1


async def test_a_capture_of_a_declared_product_is_a_result(safe: Safe) -> None:
    row = DeclaredModel(declared="Acme CXR Viewer", name="cxr", version="2")
    sent = [capture(ManufacturerModelName="Acme CXR Viewer"), capture(SOPInstanceUID="1.2.3.9")]
    async with listener(safe, 3600, row) as server:
        answers = await asyncio.to_thread(statuses, server.port, *sent)

    assert answers == [SUCCESS] * 2
    assert [one.model for one in safe.taken if isinstance(one, Prediction)] == ["cxr"]
    assert safe.studies() == [("received", 1.0), ("complete", 1.0)]


async def test_a_broken_report_is_acknowledged_counted_and_told_without_a_value(
    safe: Safe, caplog: pytest.LogCaptureFixture
) -> None:
    async with listener(safe) as server:
        answers = await asyncio.to_thread(statuses, server.port, report(by=[]), document("121060"))

    assert answers == [SUCCESS] * 2
    assert [one.reason for one in safe.taken] == ["ignored", "unsupported"]  # type: ignore[union-attr]
    assert "lanted" not in caplog.text + repr(safe.taken)


def is_taken(port: int, title: str) -> bool:
    """Whether a sender that calls us by this title may send."""
    entity = AE()
    entity.add_requested_context(Verification)
    association = entity.associate("127.0.0.1", port, ae_title=title)
    taken = bool(association.is_established)
    if taken:
        association.release()
    return taken


async def test_who_calls_another_title_is_refused_and_the_operator_is_told(
    safe: Safe, caplog: pytest.LogCaptureFixture
) -> None:
    async with listener(safe) as server:
        titles = ("RADVIGIL", "PLANTED-TITLE", "radvigil", "RADVIGIL2")
        taken = [await asyncio.to_thread(is_taken, server.port, title) for title in titles]

    assert taken == [True, False, False, False]
    assert caplog.text.count("a sender was refused: it calls another title than ours") == 3
    assert "PLANTED" not in caplog.text
