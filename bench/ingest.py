"""What one message costs to translate, of each hospital standard: items a second, microseconds.

    python -m bench.ingest [--json]

On messages of usual size, made here or by the tests. `times` is the cost over the bare parser of
the same bytes (pydicom, of reports with all their items; a split of lines; msgspec): it moves less
between machines than microseconds do. CPU time of this process; the median of nine rounds and how
far they lie apart.
"""

import argparse
import json
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from functools import partial
from io import BytesIO
from pathlib import Path
from statistics import median
from time import process_time_ns
from typing import NamedTuple

import msgspec
from pydicom import dcmread

from bench.labeller import own
from schemas.ingest import Codes
from streams import ingest
from streams.ingest import Ingest, Translator, Untranslated
from streams.ingest.labeller import Labeller
from streams.ingest.links import Links
from streams.ingest.pseudonym import Pseudonyms, Secret
from tests.unit import sr_files
from tests.unit.dicom_files import image

GOLDEN = Path(__file__).parents[1] / "tests" / "golden"
ROUNDS, ROUND_NS = 9, 60_000_000
NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
KEYS = Pseudonyms(Secret(1, b"k" * 32))
_HL7 = "\r".join(
    [
        "MSH|^~\\&|RIS|NORTH|RV|NORTH|20260105081500+0100||ORU^R01|C1|P|2.5",
        "PID|1||4711^^^NORTH||Sample^Sarah||19480229|F",
        "OBR|1|P7|A17^RIS|71045^Chest^CPT|||20260105081000|||||||||||||||20260105083000||RAD|F",
        "ZDS|1.2.826.0.1.3680043.999.1^RIS^Application^DICOM",
        *(f"OBX|{n + 1}|TX|18748-4&IMP^Report||{{line{n}}}||||||F" for n in range(4)),
    ]
)


class Sample(NamedTuple):
    """Something to translate, and how a bare parser reads it."""

    kind: str
    name: str
    content: bytes
    bare: Callable[[], object] | None


class Cost(NamedTuple):
    """CPU microseconds each, how far rounds lie apart, and the cost over the bare parser's."""

    kind: str
    name: str
    size: int
    us: float
    spread: float
    times: float | None

    @property
    def row(self) -> str:
        """A line of the table."""
        times = "" if self.times is None else f"{self.times:.1f}"
        return (
            f"{self.kind:8} {self.name:38}{self.size:10,}{1e6 / self.us:10,.0f}{self.us:10.1f}"
            f"{self.spread:8.0%}{times:>7}"
        )


def samples() -> Iterator[Sample]:
    """Of every kind that there is."""
    plain = image()
    yield _dicom("dicom", "header of a radiograph", plain)
    yield _dicom(
        "dicom", "radiograph of 8 MiB", image(PixelData=b"\0" * (8 << 20), BitsAllocated=16)
    )
    texts = [case.text.replace("\n", " ") for case in own("held_out")]
    report = _HL7.format(**{f"line{n}": texts[n] for n in range(4)}).encode()
    yield Sample("hl7", "ORU with four lines of report", report, partial(_split, report))
    for file in sorted((GOLDEN / "fhir").glob("*_[ac]*.json")):
        yield Sample("fhir", file.stem, file.read_bytes(), partial(_json, file.read_bytes()))
    for groups_n in (1, 30):
        measured = sr_files.num(sr_files.PROBABILITY, 0.9), sr_files.num(sr_files.DIAMETER, 4, "mm")
        groups = [sr_files.group(sr_files.NODULE, *measured) for _ in range(groups_n)]
        content = sr_files.report(*groups)
        name = f"TID 1500, measurement groups: {groups_n}"
        yield Sample("sr", name, content, partial(_items, content))


def _dicom(kind: str, name: str, content: bytes) -> Sample:
    return Sample(kind, name, content, partial(_header, content))


def _header(content: bytes) -> object:
    return dcmread(BytesIO(content), stop_before_pixels=True)


def _items(content: bytes) -> object:
    """Sequences are parsed when they are looked at."""
    return [element.tag for element in dcmread(BytesIO(content)).iterall()]


def _split(content: bytes) -> object:
    return [line.split("|") for line in content.decode().split("\r")]


def _json(content: bytes) -> object:
    return msgspec.json.decode(content)


def cost(sample: Sample, translate: Callable[[], object]) -> Cost:
    """Rounds of about 60 ms, the bare parser's in between: both meet the same neighbours."""
    n = _times(translate)
    bare_n = _times(sample.bare) if sample.bare is not None else 0
    found, bare = [], []
    for _ in range(ROUNDS):
        found.append(_us_each(translate, n))
        if sample.bare is not None:
            bare.append(_us_each(sample.bare, bare_n))
    middle = median(found)
    ratio = median(one / other for one, other in zip(found, bare, strict=True)) if bare else None
    spread = (max(found) - min(found)) / middle
    return Cost(sample.kind, sample.name, len(sample.content), middle, spread, ratio)


def _times(work: Callable[[], object]) -> int:
    work()
    return max(1, round(ROUND_NS / 1000 / max(1.0, _us_each(work, 1))))


def _us_each(work: Callable[[], object], n: int) -> float:
    begun = process_time_ns()
    for _ in range(n):
        work()
    return (process_time_ns() - begun) / n / 1000


def translated(translator: Translator, sample: Sample) -> str | None:
    """Why a sample is of no use here; None where it becomes an event."""
    found = list(translator.translate(sample.content, NOW))
    refused = [one for one in found if isinstance(one, Untranslated)]
    return None if len(refused) < len(found) else str(refused[:1])


def costs() -> Iterator[Cost]:
    """Of all samples; what is not translated is named and left out."""
    labeller = Labeller()
    for labels in (None, labeller):
        setting = Ingest("north", KEYS, Links(KEYS), Codes(), labels)
        for sample in samples():
            if sample.kind not in ingest.kinds() or (labels and sample.kind != "hl7"):
                continue
            translator = ingest.make(sample.kind, setting)
            if (why := translated(translator, sample)) is not None:
                print(f"{sample.kind}: {sample.name} becomes no event: {why}")
                continue
            named = sample._replace(name=sample.name + (", labelled" if labels else ""))
            yield cost(named, lambda t=translator, s=sample: list(t.translate(s.content, NOW)))  # type: ignore[misc]
    text = "\n".join(case.text for case in own("held_out")[:4])
    sample = Sample("labeller", "the same four lines", text.encode(), None)
    yield cost(sample, partial(labeller.label, text))


def main() -> None:
    parser = argparse.ArgumentParser(description="The cost of translating one message.")
    parser.add_argument("--json", action="store_true", help="one JSON object a line")
    as_json = parser.parse_args().json
    if not as_json:
        print(
            f"{'kind':8} {'message':38}{'bytes':>10}{'a second':>10}{'us':>10}"
            f"{'spread':>8}{'times':>7}"
        )
    for found in costs():
        print(json.dumps(found._asdict()) if as_json else found.row, flush=True)


if __name__ == "__main__":
    main()
