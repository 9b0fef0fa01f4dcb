"""Results that others wrote and dcmtk sends: the receiver of images takes them too."""

import json
from pathlib import Path
from typing import Any

from tests.integration.console import Console
from tests.integration.dicom_rig import dcmtk, need
from tests.integration.test_dicom_peers import CONFIG, Receiver
from tests.unit import sr_files as sr
from tests.unit.dicom_files import image
from tests.unit.highdicom_files import highdicom_reports, highdicom_segmentation

MODELS = """
[[ingest.models]]
declared = "ACME CXR"
name = "cxr"
[[ingest.codes]]
code = "R1"
scheme = "99ACME"
finding = "acme_finding"
"""


def config(folder: Path) -> Path:
    file = folder / "radvigil.toml"
    text = CONFIG.format(folder=folder).replace("[ingest.server]", MODELS + "[ingest.server]")
    file.write_text(text)
    return file


def written(folder: Path, *contents: bytes) -> list[Path]:
    files = [folder / f"{number}.dcm" for number in range(len(contents))]
    for file, content in zip(files, contents, strict=True):
        file.write_bytes(content)
    return files


def test_dcmtk_sends_an_image_and_what_was_said_of_it(tmp_path: Path) -> None:
    need("dcmsend")
    reports = highdicom_reports()
    contents = (image(), reports["nodule"], reports["unmapped"], highdicom_segmentation())
    receiver = Receiver(config(tmp_path))
    try:
        files = written(tmp_path, *contents)
        assert dcmtk("dcmsend", *receiver.address, *files) == 0
        study = receiver.study("complete", 1)
        assert receiver.console.end() == 0
    finally:
        receiver.console.close()

    told = [one for one in receiver.events() if one["type"] == "radvigil.prediction.v1"]
    assert [(one["model"], [o["finding"] for o in one["outputs"]]) for one in told] == [
        ("cxr", ["findings_n", "nodule.diameter", "nodule"]),
        ("cxr", ["findings_n", "acme_finding"]),
        ("Acme seg", ["segments_n", "nodule"]),
    ]
    assert {one["study"] for one in told} == {study["study"]}
    assert "1 x unknown_code 99ACME R2 (SR/125007)" in receiver.console.text
    assert "planted" not in receiver.console.text.lower()


def test_a_folder_of_both_is_read_by_one_command(tmp_path: Path) -> None:
    folder = tmp_path / "export"
    folder.mkdir()
    failed = sr.cad(sr.detections("111224", failed=[sr.NODULE]))
    written(folder, failed, image(), sr.step("CANCELED", sr.dcm("110523")))
    console = Console("ingest", "dicom", str(folder), "--config", str(config(tmp_path)))
    assert console.wait(30) == 0
    console.close()

    events: list[dict[str, Any]] = [json.loads(s) for s in console.seen if s.startswith("{")]
    assert [(one.get("model"), one.get("status")) for one in events] == [
        (None, None),
        ("cxr", "failed"),
        ("ACMECXR", "rejected"),
    ]
    assert len({one["study"] for one in events}) == 1
