"""dcmtk's `dsrdump` and our reader of structured reports tell the same: concepts and values."""

import os
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pytest
from pydicom.dataset import Dataset

from streams.ingest._dicom_header import read
from streams.ingest._sr_context import KEYWORDS
from streams.ingest._sr_tree import Concept, Item, tree
from tests.integration.dicom_rig import need
from tests.integration.real_data import DATA
from tests.unit import sr_files as sr
from tests.unit.highdicom_files import highdicom_reports

PUBLIC = (
    "dcmqi__sr",
    "highdicom__sr_document",
    "highdicom__sr_document_with_multiple_groups",
    "pydicom__reportsi",
    "pydicom__test-SR",
)
_LINE = re.compile(r"(?P<at>[\d.]+)\s+<(?P<relation>[a-z ]+ )?(?P<type>[A-Z0-9]+):(?P<rest>.*)")
_CODE = re.compile(r'\((?P<code>[^,"()]*(?:\([^"]*\))?[^,"()]*),(?P<scheme>[^,"]+),"')


class Told(NamedTuple):
    """One content item as it is read: where it stands, its concept, its value if it is compared."""

    at: str
    value_type: str
    concept: tuple[str, str] | None
    value: object


def by_dsrdump(file: Path) -> list[Told]:
    """What dcmtk reads. Constraints on relations and values are not ours to check."""
    command = [
        "dsrdump",
        "-q",
        "-Ph",
        "-Er",
        "-Ec",
        "-Ev",
        "+U8",
        "+Pc",
        "+Pl",
        "+Pu",
        "+Pn",
        str(file),
    ]
    done = subprocess.run(command, capture_output=True, check=True, timeout=30)
    return [
        _told(found.groupdict())
        for line in done.stdout.decode("utf-8", "replace").splitlines()
        if (found := _LINE.match(line)) is not None
    ]


def _told(line: dict[str, str]) -> Told:
    rest = line["rest"]
    concept = _CODE.match(rest)
    said = rest if concept is None else rest[concept.end() :].partition('")=')[2]
    said = said.removeprefix("=")
    return Told(
        line["at"],
        line["type"],
        None if concept is None else (concept["scheme"], concept["code"]),
        _value(line["type"], said),
    )


def _value(value_type: str, said: str) -> object:
    if value_type == "CODE":
        found = _CODE.match(said)
        return None if found is None else (found["scheme"], found["code"])
    if value_type == "NUM":
        number, _, unit = said.removeprefix('"').partition('" ')
        found = _CODE.match(unit)
        return float(number), None if found is None else found["code"]
    if value_type in ("UIDREF", "DATE", "TIME"):
        return said.removeprefix('"').partition('"')[0]
    return None


def by_us(content: bytes) -> list[Told]:
    """The same of our reader."""
    header = read(content, KEYWORDS)
    assert isinstance(header, Dataset)
    return list(_items(tree(header), "1"))


def _items(item: Item, at: str) -> Iterator[Told]:
    if item.value_type:  # else it refers to another item, which dsrdump tells without a type
        yield Told(at, item.value_type, _pair(item.concept), _ours(item))
    for number, child in enumerate(item.children, start=1):
        yield from _items(child, f"{at}.{number}")


def _pair(concept: Concept) -> tuple[str, str] | None:
    return (concept[0].scheme, concept[0].code) if concept else None


def _ours(item: Item) -> object:
    if item.value_type == "CODE":
        return _pair(item.code)
    if item.value_type == "NUM":
        return item.number, item.unit
    return item.text if item.value_type in ("UIDREF", "DATE", "TIME") else None


def agree(file: Path) -> list[Told]:
    """Both readings, told to be the same; ours."""
    need("dsrdump")
    ours, theirs = by_us(file.read_bytes()), by_dsrdump(file)
    assert ours == theirs
    return ours


MADE = {
    "measurement": sr.report(
        sr.group(sr.NODULE, sr.num(sr.DIAMETER, 8.5, "mm"), sr.num(sr.PROBABILITY, 0.3)),
        sr.group(sr.PNEUMOTHORAX, sr.code(sr.PRESENCE, sr.ABSENT)),
    ),
    "cad": sr.cad(
        sr.mark(sr.NODULE, sr.num("111012", 62, "%", relation="HAS PROPERTIES")),
        sr.detections("111223", [sr.NODULE], [sr.PNEUMOTHORAX]),
    ),
}


@pytest.mark.data
@pytest.mark.parametrize("name", PUBLIC)
def test_on_public_files(name: str) -> None:
    file = DATA / "dicom" / f"{name}.dcm"
    if not file.exists() and not os.environ.get("CI"):
        pytest.skip(f"no real data at {DATA}; name their folder in RADVIGIL_DATA")

    assert len(agree(file)) >= 9


@pytest.mark.parametrize("name", MADE)
def test_on_files_made_by_pydicom(name: str, tmp_path: Path) -> None:
    file = tmp_path / "made.dcm"
    file.write_bytes(MADE[name])

    assert len(agree(file)) >= 9


@pytest.mark.parametrize("name", highdicom_reports())
def test_on_files_made_by_highdicom(name: str, tmp_path: Path) -> None:
    file = tmp_path / "made.dcm"
    file.write_bytes(highdicom_reports()[name])

    assert len(agree(file)) >= 9


def test_a_difference_would_be_seen(tmp_path: Path) -> None:
    need("dsrdump")
    file = tmp_path / "made.dcm"
    file.write_bytes(sr.report(sr.group(sr.NODULE, sr.num(sr.DIAMETER, 8.5, "mm"))))
    other = sr.report(sr.group(sr.NODULE, sr.num(sr.DIAMETER, 8.4, "mm")))

    (one,) = (
        told for told in zip(by_us(other), by_dsrdump(file), strict=True) if told[0] != told[1]
    )
    assert (one[0].value, one[1].value) == ((8.4, "mm"), (8.5, "mm"))
