"""One input, and what is wrong with how a translator took it.

Held to: no exception, less than a second of CPU and 64 MiB, at least one answer, events that the
wire takes, refusals that say nothing of what they refuse, silence in logs and warnings.
"""

import logging
import re
import resource
import signal
import sys
import warnings
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from functools import cache
from random import Random
from time import thread_time
from types import FrameType
from typing import Any, NamedTuple, get_args

from schemas.decoding import Refused, decode_event, encode
from schemas.ingest import Codes
from streams import ingest
from streams.ingest import Ingest, Translated, Translator, Untranslated
from streams.ingest._contract import WhyNot
from streams.ingest.labeller import Labeller
from streams.ingest.links import Links
from streams.ingest.pseudonym import Pseudonyms, Secret
from tests.fuzz.mutations import mutated
from tests.fuzz.seeds import NAME, seeds

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
KEYS = Pseudonyms(Secret(1, b"k" * 32))
LONGEST_S = 1.0
HANGS_S = 10.0
"""CPU time after which it is stopped: a hang is reported and does not stop the others."""
MOST_KIB = 64 * 1024
_PLANTED = re.compile(rf"{NAME}|planted|petra", re.IGNORECASE)
_WHERE = re.compile(r"[A-Za-z][\w.\-/\[\]]{0,79}|\([0-9A-F]{4},[0-9A-F]{4}\)[\w.\-/(),\[\]]{0,60}")
_CODE = re.compile(r"[\w.:/\-+#&@ ]{1,120}")


class Trial(NamedTuple):
    """What is wrong, nothing where all is well; and how often what was answered."""

    problems: list[str]
    answers: Counter[str]


class Hangs(BaseException):
    """Stops a translator that does not end; no `except Exception` of a parser swallows it."""


@cache
def labeller() -> Labeller:
    """One for all: its lexicon takes a while."""
    return Labeller()


def translator(kind: str) -> Translator:
    """A new one, so that each input stands alone and can be repeated alone."""
    return ingest.make(kind, Ingest("north", KEYS, Links(KEYS), Codes(), labeller()))


def content(kind: str, number: int) -> bytes:
    """The input of that number: the same on every run that has the same files.

    Most begin as what the kind takes; some as what is for another.
    """
    chance = Random(f"{kind}/{number}")
    return mutated(chance, own(kind) if chance.random() < 0.9 else seeds())


@cache
def own(kind: str) -> tuple[bytes, ...]:
    """The seeds that become an event; LookupError for a kind that has none."""
    found = tuple(
        seed
        for seed in seeds()
        if any(not isinstance(one, Untranslated) for one in translator(kind).translate(seed, NOW))
    )
    if not found:
        raise LookupError(f"tests/fuzz/seeds.py has nothing that {kind} takes")
    return found


def tried(kind: str, given: bytes) -> Trial:
    """What is wrong, and what was answered."""
    heard: list[str] = []
    answers: list[Translated] = []
    with listening(heard):
        found = list(_taken(kind, given, answers))
    found += [f"it was said: {one}" for one in heard]
    return Trial(found, Counter(map(_name, answers)))


def _name(answer: Translated) -> str:
    return answer.reason if isinstance(answer, Untranslated) else type(answer).__name__.lower()


def _taken(kind: str, given: bytes, answers: list[Translated]) -> Iterator[str]:
    at_first_kib = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    begun = thread_time()
    try:
        with _bounded():
            answers += translator(kind).translate(given, NOW)
    except Hangs:
        yield f"it hangs: stopped after {HANGS_S:.0f} s"
        return
    except Exception as error:
        yield f"it raised {type(error).__name__} at {_place(error)}"
        return
    took_s = thread_time() - begun
    more_kib = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - at_first_kib
    if took_s > LONGEST_S:
        yield f"it took {took_s:.1f} s"
    if more_kib > MOST_KIB:
        yield f"it took {more_kib // 1024} MiB"
    if not answers:
        yield "it answered nothing, and nobody counts it"
    for answer in answers:
        yield from _refused(answer) if isinstance(answer, Untranslated) else _told(answer)


def _refused(answer: Untranslated) -> Iterator[str]:
    if answer.reason not in get_args(WhyNot):
        yield "a reason that there is not"
    if not _WHERE.fullmatch(answer.where) or _PLANTED.search(answer.where):
        yield f"a place that is none: {answer.where[:100]!r}"
    if answer.code is None:
        return
    if answer.reason != "unknown_code":
        yield f"a code with {answer.reason}"
    if not _CODE.fullmatch(answer.code) or _PLANTED.search(answer.code):
        yield f"a code that is none: {answer.code[:100]!r}"


def _told(answer: Any) -> Iterator[str]:
    try:
        taken = decode_event(encode(answer))
    except Exception as error:
        yield f"an event that cannot be written: {type(error).__name__}"
        return
    if isinstance(taken, Refused):
        yield f"an event that the wire refuses: {taken.path} {taken.reason} {taken.expected}"


@contextmanager
def _bounded() -> Iterator[None]:
    """An alarm after so much CPU time."""
    before = signal.signal(signal.SIGVTALRM, _stop)
    signal.setitimer(signal.ITIMER_VIRTUAL, HANGS_S)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_VIRTUAL, 0)
        signal.signal(signal.SIGVTALRM, before)


def _stop(number: int, frame: FrameType | None) -> None:
    raise Hangs


@contextmanager
def listening(heard: list[str]) -> Iterator[None]:
    """What is logged at any level, warned of, or left unraisable, while it is entered."""

    class Ear(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            heard.append(f"log {record.name}: {record.getMessage()[:200]}")

    ear, root, hook = Ear(), logging.getLogger(), sys.unraisablehook
    root.addHandler(ear)
    sys.unraisablehook = lambda told: heard.append(f"unraisable {told.exc_type.__name__}")
    try:
        with warnings.catch_warnings(record=True) as warned:  # by the filters that there are
            yield
        heard += [f"warning {one.category.__name__}: {one.message!s:.200}" for one in warned]
    finally:
        root.removeHandler(ear)
        sys.unraisablehook = hook


def _place(error: BaseException) -> str:
    trace = error.__traceback__
    while trace is not None and trace.tb_next is not None:
        trace = trace.tb_next
    if trace is None:
        return "nowhere"
    return f"{trace.tb_frame.f_code.co_filename.rpartition('/')[2]}:{trace.tb_lineno}"
