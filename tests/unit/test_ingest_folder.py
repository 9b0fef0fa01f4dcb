"""Folders that hold images and results: one study each, then what was said of it."""

from collections.abc import Iterator

import pytest

from schemas.prediction import Prediction
from schemas.study import Study
from streams.ingest import Translated, Untranslated, folder
from streams.ingest.dicom import Translator as Images
from streams.ingest.files import File
from streams.ingest.sr import Translator as Results
from tests.unit import sr_files as sr
from tests.unit.dicom_files import image
from tests.unit.test_ingest_sr import NOW, setting


def told(*contents: bytes | None) -> list[Translated]:
    files: Iterator[File] = (File(n, content) for n, content in enumerate(contents, start=1))
    ingest = setting()
    return list(folder.translated(Images(ingest), Results(ingest), files, NOW, 60))


def words(found: list[Translated]) -> list[str]:
    return [
        f"study {one.attributes['instances_n']:.0f}"  # type: ignore[index]
        if isinstance(one, Study)
        else one.status
        if isinstance(one, Prediction)
        else one.reason
        for one in found
        if not hasattr(one, "labels")
    ]


def test_events_are_told_in_the_order_of_their_times_whatever_the_files_names() -> None:
    found = told(
        sr.report(ContentTime="120500"),
        image(StudyInstanceUID="1.2.3", AcquisitionTime="120000"),
        sr.step("CANCELED", sr.dcm("110523")),
        image(SOPInstanceUID="1.1"),
        sr.report(SOPInstanceUID="1.3"),
        image(SOPInstanceUID="1.2"),
    )

    assert words(found) == ["study 2", "completed", "rejected", "study 1", "completed"]
    times = [one.at for one in found if not isinstance(one, Untranslated)]
    assert times == sorted(times)


def test_a_study_comes_before_what_was_said_at_the_same_moment() -> None:
    assert words(told(sr.report(ContentTime="081500"), image())) == ["study 1", "completed"]


def test_what_is_neither_is_named() -> None:
    found = told(b"hello", None, image(Modality="a b"))

    assert words(found) == ["not_of_this_kind", "unreadable", "bad_value"]


def test_no_more_are_held_than_agreed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(folder, "MOST_HELD", 2)
    reports = (sr.report(SOPInstanceUID=f"1.{n}", ContentTime=f"09000{9 - n}") for n in range(5))
    found = [one.at.second for one in told(*reports) if isinstance(one, Prediction)]

    assert found == [8, 9, 6, 7, 5]
