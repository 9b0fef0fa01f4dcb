"""FHIR: golden messages, folders and bulk exports."""

import json
from pathlib import Path
from typing import Any

import msgspec
import pytest

from schemas.decoding import encode
from schemas.report import Label
from schemas.study import Study
from streams.ingest import Untranslated
from streams.ingest._fhir_files import read
from streams.ingest.files import Unreadable
from tests.unit import fhir_samples as samples
from tests.unit.fhir_samples import concept, of
from tests.unit.fhir_translator import (
    NOW,
    STUDY,
    found,
    translator,
    valid,
)

GOLDEN = Path(__file__).parents[1] / "golden" / "fhir"
FILES = sorted(GOLDEN.glob("*.json"))


class Words:
    """Says what the text mentions: golden files are not to change with the labeller."""

    def label(self, text: str) -> list[Label]:
        said = text.lower()
        return [
            Label(finding=finding, value="present", rule=f"said/{finding}", version="0")
            for finding in ("effusion", "pneumothorax")
            if finding in said
        ]


class TestGolden:
    @pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
    def test_each_message_gives_the_same_events_as_ever(self, path: Path) -> None:
        expected = path.with_suffix(".jsonl").read_bytes().splitlines()

        told = [
            msgspec.json.encode(one) if isinstance(one, Untranslated) else encode(one)
            for one in found(path.read_bytes(), translator(labels=Words()))
        ]

        assert told == expected

    @pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
    def test_each_message_is_of_its_version(self, path: Path) -> None:
        valid(path.name[:2].upper(), json.loads(path.read_text()))

    def test_both_versions_of_every_kind_are_there(self) -> None:
        assert {path.stem[:2] for path in FILES} == {"r4", "r5"}
        assert len(FILES) >= 8


class TestFiles:
    def lines(self, *trees: Any) -> bytes:
        return b"".join(of(tree) + b"\n" for tree in trees)

    def test_a_bulk_export_is_read_studies_first_and_line_by_line(self, tmp_path: Path) -> None:
        (tmp_path / "DiagnosticReport.ndjson").write_bytes(self.lines(samples.report("R4")))
        (tmp_path / "Device.ndjson").write_bytes(self.lines(samples.device("R4")))
        (tmp_path / "ImagingStudy.000.ndjson").write_bytes(
            self.lines(samples.study("R4")) + b"\n\r\n{broken\n" + self.lines(samples.study("R5"))
        )
        other = samples.observation("R4", id="o2", code=concept("60046008"))
        (tmp_path / "Observation.ndjson").write_bytes(self.lines(samples.observation("R4"), other))
        (tmp_path / "notes.txt").write_text("Planted")

        told = list(read(translator(), [str(tmp_path)], NOW))

        assert told[0] == Untranslated("ignored", "Device")
        assert [type(one).__name__ for one in told[1:]] == [
            "Study",
            "Untranslated",
            "Study",
            "Report",
            "Prediction",
        ]
        assert {one.study for one in told if not isinstance(one, Untranslated)} == {STUDY}
        assert len(told[-1].outputs or ()) == 2  # type: ignore[union-attr]

    def test_a_line_that_is_too_long_is_named_and_the_next_is_read(self, tmp_path: Path) -> None:
        path = tmp_path / "all.ndjson"
        path.write_bytes(b'{"x":"' + b"x" * 9_000 + b'"}\n' + self.lines(samples.study("R4")))

        told = list(read(translator(), [str(path)], NOW, longest_bytes=4_000))

        assert told[0] == Untranslated("too_large", "resource")
        assert isinstance(told[1], Study)
        assert len(told) == 2

    def test_a_folder_of_resources_written_over_many_lines(self, tmp_path: Path) -> None:
        (tmp_path / "a.json").write_text(json.dumps(samples.whole("R5"), indent=2))
        (tmp_path / "b.json").write_text("\ufeff" + json.dumps(samples.study("R5"), indent=2))

        told = list(read(translator(), [str(tmp_path)], NOW))

        assert sorted(type(one).__name__ for one in told) == [
            "Prediction",
            "Report",
            "Study",
            "Study",
        ]

    def test_a_source_that_is_not_there_is_named(self) -> None:
        with pytest.raises(Unreadable, match="nowhere"):
            list(read(translator(), ["nowhere"], NOW))
