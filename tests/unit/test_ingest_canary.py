"""Nothing that is planted in a message gets out of a translator, but what is on its list by design.

Every place of a message holds a canary, and each in turn takes the place of what was there: names,
numbers, dates, UIDs; in private and nested elements, every field and component, every string.
Events, refusals, logs and warnings are searched for them, plain, in base64 and in hex. A new kind
is tried as soon as it has a seed (tests/fuzz/seeds.py), and its list is empty until it is here.
"""

import warnings
from base64 import b64encode
from collections.abc import Iterator
from functools import cache
from typing import NamedTuple

import pytest

from schemas.decoding import encode
from streams import ingest
from streams.ingest import Untranslated
from tests.fuzz import trial
from tests.unit.canaries import Aviary, Planted, planted, seen

DEVICE = {"Manufacturer", "ManufacturerModelName", "SoftwareVersions"}
TECHNIQUE = {
    "BodyPartExamined",
    "ConvolutionKernel",
    "ImageLaterality",
    "Laterality",
    "Modality",
    "PhotometricInterpretation",
    "PresentationIntentType",
    "ViewPosition",
    "ProcedureCodeSequence.CodeValue",
    "ProcedureCodeSequence.CodingSchemeDesignator",
}
NUMBERS = {"KVP", "SliceThickness", "ImagerPixelSpacing", "PixelSpacing", "Exposure"}
ALLOWED: dict[str, set[str]] = {
    "dicom": DEVICE | TECHNIQUE | NUMBERS,
    # Orders: the procedure's code, the modality, when it was ordered or reported.
    # Which model, and which version of it.
    "fhir": {
        "entry.resource.deviceName.name",
        "entry.resource.name.name",
        "entry.resource.name.value",
        "entry.resource.version.value",
        "entry.resource.modality.code",
        "entry.resource.modality.coding.code",
    },
    "hl7": {"OBR-4.1", "OBR-4.3", "OBR-24.1", "IPC-5.1", "ORC-9.1", "OBR-22.1", "MSH-7.1"},
    # The same of a report's content: the name and the version of its algorithm.
    "sr": {
        "ContentSequence.TextValue",
        "ContentSequence.ContentSequence.ContentSequence.ContentSequence.TextValue",
        "ScheduledStationNameCodeSequence.CodeValue",
        "ScheduledWorkitemCodeSequence.CodeValue",
        "SegmentSequence.SegmentAlgorithmName",
        "SegmentSequence.SegmentationAlgorithmIdentificationSequence.AlgorithmName",
        "SegmentSequence.SegmentationAlgorithmIdentificationSequence.AlgorithmVersion",
    },
    "ups": {
        "ScheduledStationNameCodeSequence.CodeValue",
        "ScheduledWorkitemCodeSequence.CodeValue",
    },
}


class Trial(NamedTuple):
    """What came of all messages of a kind: places that were seen, and how much was tried."""

    seen: frozenset[str]
    heard: frozenset[str]
    messages_n: int
    canaries_n: int
    events_n: int


@cache
def tried(kind: str) -> Trial:
    found: set[str] = set()
    heard: set[str] = set()
    messages_n = canaries_n = events_n = 0
    for one in _planted(kind):
        said: list[str] = []
        with trial.listening(said):
            # As the reader of headers does for the program: pytest takes its filter away.
            warnings.filterwarnings("ignore", module=r"pydicom\..*")
            answers = list(trial.translator(kind).translate(one.content, trial.NOW))
        for answer in answers:
            is_event = not isinstance(answer, Untranslated)
            events_n += is_event
            found |= seen(encode(answer).decode() if is_event else repr(answer), one.places)
        heard |= seen("\n".join(said), one.places)
        messages_n += 1
        canaries_n += len(one.places)
    return Trial(frozenset(found), frozenset(heard), messages_n, canaries_n, events_n)


def _planted(kind: str) -> Iterator[Planted]:
    """Of the first seeds: further ones are of the same shapes."""
    for seed in trial.own(kind)[:3]:
        yield from planted(seed)


@pytest.mark.parametrize("kind", ingest.kinds())
def test_nothing_gets_out_that_is_not_on_the_list(kind: str) -> None:
    assert tried(kind).seen - ALLOWED.get(kind, set()) == set()
    assert tried(kind).heard == set()


@pytest.mark.parametrize("kind", ingest.kinds())
def test_what_is_planted_in_becomes_events_all_the_same(kind: str) -> None:
    """Else nothing was tried."""
    told = tried(kind)

    assert told.messages_n > 25
    assert told.canaries_n > 500
    assert told.events_n > told.messages_n / 2


def test_a_canary_is_found_in_every_form() -> None:
    aviary = Aviary()
    text, uid, number = aviary.text("a name"), aviary.uid("a uid"), aviary.number("a number")
    date = aviary.date("a date")

    for canary, place in ((text, "a name"), (uid, "a uid"), (str(number), "a number")):
        for told in (
            f"x{canary}y",
            f'"{b64encode(b"a" + canary.encode()).decode()}"',
            b64encode(b"ab" + canary.encode() + b"c").decode(),
            f"{canary.encode().hex()}",
            canary.encode().hex().upper(),
        ):
            assert seen(told, aviary.places) == {place}
    assert seen(date, aviary.places) == seen("1733-02-14T00:00Z", aviary.places) == {"a date"}
    assert seen("CANARY99999 nothing 12345", aviary.places) == set()
