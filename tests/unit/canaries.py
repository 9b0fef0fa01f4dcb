"""Canaries: a text of its own in every place of a message, and how to find one again.

`CANARY00042` stands for a name, a number, a comment; a UID, a date and a number have a form of
their own. Each is one place; a place is called as the standard calls it, without indices.
"""

import json
import re
from base64 import b64decode
from binascii import Error as NotBase64
from collections.abc import Callable, Iterator
from contextlib import suppress
from copy import deepcopy
from io import BytesIO
from itertools import count
from typing import Any, NamedTuple

from pydicom import dcmread
from pydicom.datadict import DicomDictionary, keyword_for_tag
from pydicom.dataset import Dataset
from pydicom.multival import MultiValue
from pydicom.sequence import Sequence

_FOUND = re.compile(r"CANARY(\d{5})|98765\.1(\d{5})|17(\d{2})-?(\d{2})-?(\d{2})(?!\d)|98765(\d{5})")
_BASE64 = re.compile(r"[A-Za-z0-9+/_-]{12,}")
_HEX = re.compile(r"(?:[0-9a-fA-F]{2}){8,}")
_TEXT = frozenset({"AE", "CS", "LO", "LT", "PN", "SH", "ST", "UC", "UR", "UT"})
_NUMBER = frozenset({"DS", "FD", "SV", "UV"})
_DATE = frozenset({"DA", "DT"})
Plant = Callable[[str, str], str]


class Planted(NamedTuple):
    """A message, and the place of each canary in it."""

    content: bytes
    places: dict[str, str]


class Aviary:
    """Gives out canaries and remembers where they were put."""

    def __init__(self) -> None:
        self._numbers = count(1)
        self.places: dict[str, str] = {}

    def text(self, place: str) -> str:
        return f"CANARY{self._next(place)}"

    def uid(self, place: str) -> str:
        return f"1.9.98765.1{self._next(place)}"

    def number(self, place: str) -> int:
        return int(f"98765{self._next(place)}")

    def date(self, place: str) -> str:
        """There are too few dates: where several are put, nobody knows which one was found."""
        self.places["date"] = "one of many dates" if "date" in self.places else place
        return "17330214"

    def _next(self, place: str) -> str:
        number = f"{next(self._numbers):05}"
        self.places[number] = place
        return number


def seen(told: str, places: dict[str, str]) -> set[str]:
    """The places whose canaries are in a text: plain, in base64, in hex."""
    found = set(_plain(told))
    for run in _BASE64.findall(told):
        for start in range(4):
            part = run[start:].replace("-", "+").replace("_", "/")
            padded = part + "=" * (-len(part) % 4)
            with suppress(NotBase64, ValueError):
                found |= set(_plain(b64decode(padded).decode("latin-1")))
    for run in _HEX.findall(told):
        found |= set(_plain(bytes.fromhex(run).decode("latin-1")))
    return {places[number] for number in found if number in places}


def _plain(told: str) -> Iterator[str]:
    for text, uid, *date, number in _FOUND.findall(told):
        yield text or uid or number or ("date" if date == ["33", "02", "14"] else "")


def planted(seed: bytes) -> Iterator[Planted]:
    """A seed with canaries in all places that it left empty, and then one for what it has."""
    if seed[128:132] == b"DICM":
        yield from _dicom(seed)
    elif seed.lstrip(b"\x0b").startswith(b"MSH"):
        yield from _hl7(seed)
    else:
        with suppress(ValueError):
            yield from _json(json.loads(seed))


def _dicom(seed: bytes) -> Iterator[Planted]:
    aviary, dataset = Aviary(), dcmread(BytesIO(seed))
    _fill(dataset, aviary, "")
    yield Planted(_written(dataset), aviary.places)
    for path in list(_elements(dcmread(BytesIO(seed)), ())):
        aviary, dataset = Aviary(), dcmread(BytesIO(seed))
        holder: Dataset = dataset
        for tag, index in path[:-1]:
            holder = holder[tag].value[index]
        (tag, _), place = path[-1], ".".join(_name(tag) for tag, _ in path)
        value = _canary(holder[tag].VR, aviary, place)
        if value is not None:
            holder[tag].value = value
            with suppress(Exception):  # what cannot be written cannot be sent
                yield Planted(_written(dataset), aviary.places)


def _fill(dataset: Dataset, aviary: Aviary, within: str) -> None:
    """Every element of the dictionary that is not there; sequences with an item of their own."""
    for tag, (vr, _, _, retired, keyword) in DicomDictionary.items():
        if (
            tag >> 16 in (0x0000, 0x0002, 0x0004, 0x7FE0)
            or tag in dataset
            or not keyword
            or retired
        ):
            continue
        if tag in (0x00080001, 0x00080005, 0x00080006) or tag >> 16 > 0x5200:
            continue
        place = f"{within}{keyword}"
        if vr == "SQ" and not within:
            item = Dataset()
            for inner in ("PatientName", "PatientID", "TextValue", "CodeMeaning", "CodeValue"):
                setattr(item, inner, aviary.text(f"{place}.{inner}"))
            item.StudyDate = aviary.date(f"{place}.StudyDate")
            item.ReferencedSOPInstanceUID = aviary.uid(f"{place}.ReferencedSOPInstanceUID")
            dataset.add_new(tag, "SQ", Sequence([item]))
        elif (value := _canary(vr, aviary, place)) is not None:
            dataset.add_new(tag, vr, value)
    block = dataset.private_block(0x0011, "PLANTED", create=True)
    for offset, vr in enumerate(sorted(_TEXT | _DATE | {"UI", "DS"})):
        block.add_new(offset, vr, _canary(vr, aviary, f"private {vr}"))


def _canary(vr: str, aviary: Aviary, place: str) -> Any:
    if vr in _TEXT:
        return aviary.text(place)
    if vr in _NUMBER:
        return aviary.number(place)
    if vr in _DATE:
        return aviary.date(place)
    return aviary.uid(place) if vr == "UI" else None


def _elements(
    dataset: Dataset, within: tuple[tuple[int, int], ...]
) -> Iterator[tuple[tuple[int, int], ...]]:
    for element in dataset:
        if element.VR == "SQ":
            for index, item in enumerate(element.value):
                yield from _elements(item, (*within, (element.tag, index)))
        elif not isinstance(element.value, MultiValue | bytes):
            yield (*within, (element.tag, 0))


def _name(tag: int) -> str:
    return keyword_for_tag(tag) or "private"


def _written(dataset: Dataset) -> bytes:
    buffer = BytesIO()
    dataset.save_as(buffer, enforce_file_format=True)
    return buffer.getvalue()


_SEGMENTS = ("PD1", "NK1", "PV1", "NTE", "SPM", "AL1", "DG1", "GT1", "IN1", "ZXX", "CTD", "OBX")
_KEPT = frozenset({"MSH-1", "MSH-2", "MSH-9", "MSH-18"})


def _hl7(seed: bytes) -> Iterator[Planted]:
    lines = seed.decode("latin-1").strip("\x0b\x1c\r\n").replace("\n", "").split("\r")
    rows = [line.split("|") for line in lines]
    aviary = Aviary()
    filled = [_filled(row, aviary) for row in rows]
    more = [_filled([name, "1"], aviary) for name in _SEGMENTS]
    yield Planted("\r".join("|".join(row) for row in [*filled, *more]).encode(), aviary.places)
    for index, row in enumerate(rows):
        for field in range(1, len(row)):
            number = field + 1 if row[0] == "MSH" else field
            for part, value in enumerate(row[field].split("^")):
                place = f"{row[0]}-{number}"
                if place in _KEPT or not value:
                    continue
                for give in (Aviary.text, Aviary.uid, Aviary.date):
                    aviary, copy = Aviary(), deepcopy(rows)
                    parts = copy[index][field].split("^")
                    parts[part] = give(aviary, f"{place}.{part + 1}")
                    copy[index][field] = "^".join(parts)
                    content = "\r".join("|".join(one) for one in copy).encode()
                    yield Planted(content, aviary.places)


def _filled(row: list[str], aviary: Aviary) -> list[str]:
    """Each empty field has canaries in six components, two subcomponents and two repetitions."""
    full = [*row, *[""] * (50 - len(row))]
    for field in range(1, len(full)):
        place = f"{row[0]}-{field + 1 if row[0] == 'MSH' else field}"
        if full[field] or place in _KEPT:
            continue
        parts = [
            f"{aviary.text(f'{place}.{n}')}&{aviary.text(f'{place}.{n}')}" for n in range(1, 7)
        ]
        full[field] = "^".join(parts) + "~" + aviary.text(f"{place}.1")
    return full


def _json(tree: Any) -> Iterator[Planted]:
    aviary, copy = Aviary(), deepcopy(tree)
    for holder, path in list(_objects(copy, "")):
        for name in ("extension", "text", "name", "note", "display", "description", "birthDate"):
            if name not in holder:
                holder[name] = _more(name, aviary, f"{path}.{name}".lstrip("."))
    yield Planted(json.dumps(copy).encode(), aviary.places)
    for keys, place in list(_leaves(tree, (), "")):
        for give in (Aviary.text, Aviary.uid, lambda one, where: f"{one.date(where)[:4]}-02-14"):
            aviary, copy = Aviary(), deepcopy(tree)
            holder = copy
            for key in keys[:-1]:
                holder = holder[key]
            holder[keys[-1]] = give(aviary, place)
            yield Planted(json.dumps(copy).encode(), aviary.places)


def _more(name: str, aviary: Aviary, place: str) -> Any:
    if name == "extension":
        return [{"url": aviary.text(place), "valueString": aviary.text(place)}]
    if name == "text":
        return {"status": "generated", "div": f"<div>{aviary.text(place)}</div>"}
    return "1733-02-14" if name == "birthDate" else aviary.text(place)


def _objects(tree: Any, path: str) -> Iterator[tuple[dict[str, Any], str]]:
    if isinstance(tree, dict):
        yield tree, path
        for key, value in tree.items():
            yield from _objects(value, f"{path}.{key}")
    elif isinstance(tree, list):
        for value in tree:
            yield from _objects(value, path)


def _leaves(tree: Any, keys: tuple[Any, ...], path: str) -> Iterator[tuple[tuple[Any, ...], str]]:
    if isinstance(tree, dict):
        for key, value in tree.items():
            yield from _leaves(value, (*keys, key), f"{path}.{key}".lstrip("."))
    elif isinstance(tree, list):
        for index, value in enumerate(tree):
            yield from _leaves(value, (*keys, index), path)
    elif isinstance(tree, str):
        yield keys, path
