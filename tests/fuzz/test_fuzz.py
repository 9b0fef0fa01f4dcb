"""The short form of `make fuzz`, and what no chance would find: files made to take for ever."""

import json
import os
import subprocess
import sys
from random import Random
from time import thread_time

import pytest

from streams import ingest
from streams.ingest import Translator, Untranslated
from tests.fuzz import trial
from tests.fuzz.mutations import MUTATIONS
from tests.fuzz.reshaping import reshaped
from tests.fuzz.seeds import ROOT, made

SHORT_N = 200
AT = b"\x08\x00\x05\x00"
SEQUENCE = b"\x08\x00\x40\x11SQ\0\0\xff\xff\xff\xff"
ITEM = b"\xfe\xff\x00\xe0"
ELEMENT = b"\x08\x00\x01\x00CS\0\0"


@pytest.mark.parametrize("kind", ingest.kinds())
def test_nothing_breaks_a_translator(kind: str) -> None:
    """In a process of its own: filters of warnings are the program's, not the test runner's."""
    command = [sys.executable, "-m", "tests.fuzz", "--n", str(SHORT_N), "--jobs", "1", kind]
    done = subprocess.run(
        command,
        check=False,
        cwd=ROOT,
        env=os.environ | {"PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        timeout=120,
    )

    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-3000:]
    assert f"{kind}: {SHORT_N:,} inputs, 0 fail" in done.stdout


@pytest.mark.parametrize("kind", ingest.kinds())
def test_an_input_follows_from_its_number(kind: str) -> None:
    trial.own.cache_clear()
    first = trial.content(kind, 17)
    trial.own.cache_clear()

    assert trial.content(kind, 17) == first
    assert trial.content(kind, 18) != first


class Rude:
    """Does everything that is forbidden, as its message says."""

    def __init__(self, kind: str) -> None:
        self._kind = kind

    def translate(self, content: bytes, received_at: object) -> object:
        if content == b"raises":
            raise KeyError("x")
        if content == b"hangs":
            while True:
                pass
        if content == b"takes":
            self.kept = b"x" * (200 << 20)
        if content == b"tells":
            return [Untranslated("unreadable", "PID of Plantedname")]
        if content == b"codes":
            return [Untranslated("unknown_code", "OBX-3", "Plantedname")]
        return [] if content == b"forgets" else [Untranslated("unreadable", "MSH")]


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        (b"raises", "it raised KeyError"),
        (b"hangs", "it hangs"),
        (b"takes", "MiB"),
        (b"tells", "a place that is none"),
        (b"codes", "a code that is none"),
        (b"forgets", "it answered nothing"),
    ],
)
def test_what_is_wrong_is_seen(
    content: bytes, problem: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(trial, "translator", Rude)
    monkeypatch.setattr(trial, "HANGS_S", 0.05)

    assert [problem in one for one in trial.tried("any", content).problems] == [True]
    assert trial.tried("any", b"good").problems == []


def test_every_mutation_changes_something() -> None:
    (seed, *_) = made()
    for mutation in MUTATIONS:
        assert any(mutation(Random(n), seed) != seed for n in range(20)), mutation.__name__


def test_reshaped_json_is_json_and_another() -> None:
    given = b'{"a": [1, {"b": null}], "c": "x"}'
    found = {reshaped(Random(n), given) for n in range(200)}

    assert len({json.dumps(json.loads(one)) for one in found}) > 30
    assert reshaped(Random(1), b"MSH|") == b"MSH|"


@pytest.mark.parametrize(
    ("bomb", "reason"),
    [
        (ELEMENT * 600_000, "missing_field"),
        (SEQUENCE + (ITEM + b"\0\0\0\0") * 39_000, "unreadable"),
        (SEQUENCE + (ITEM + b"\0\0\0\0") * 41_000, "too_large"),
        (SEQUENCE + ITEM + b"\xff\xff\xff\xff" + ELEMENT * 600_000, "unreadable"),
        ((SEQUENCE + ITEM + b"\xff\xff\xff\xff") * 39_000, "unreadable"),
    ],
    ids=["elements", "items", "too many items", "elements in an item", "items in items"],
)
def test_a_bomb_of_sequences_takes_less_than_a_second(bomb: bytes, reason: str) -> None:
    (seed, *_) = made()
    place = seed.index(AT)
    translator: Translator = trial.translator("dicom")
    begun = thread_time()

    (found,) = translator.translate(seed[:place] + bomb + seed[place:], trial.NOW)

    assert isinstance(found, Untranslated) and found.reason == reason
    assert thread_time() - begun < 2 * trial.LONGEST_S  # a slow machine is allowed its double
