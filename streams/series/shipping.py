"""References that travel: out of a shard's state as lines, and into one by commands.

What is shipped is what the changelog holds of a reference, in its own versioned format. A reference
of the same site is its own past, and in force at once: what has changed since is to be told. One of
another site is on trial, because sites differ: streams/series/references.py.
"""

from base64 import b64decode, b64encode
from binascii import Error as NoBase64
from math import isfinite
from typing import cast, get_args

import numpy as np

from detectors import StateUnreadable
from detectors.categories import DISTINCT_MAX
from schemas.command import Command
from schemas.series import Note
from schemas.shipped import LONGEST_CONTENT, ReferenceLine, Shipped
from streams.budget import AHEAD
from streams.clock import from_us
from streams.series.number import NumberReference
from streams.series.record import read_reference
from streams.series.seen import Frozen, SeriesId, SeriesKind
from streams.series.watched import Series
from streams.series.word_reference import WordReference, YesNoReference

LEAST_N = 50  # as of one that is learnt
_NOTES = frozenset(get_args(Note))


def named_series(command: Command) -> tuple[str | None, str]:
    """Subject and model of the one series that a command names; no subject if it does not."""
    wanted = command.matchers or {}
    is_one = command.incident is None and wanted.keys() <= {"subject", "model", "site"}
    return (wanted.get("subject") if is_one else None), wanted.get("model", "")


def reference_of(shipped: Shipped) -> Frozen | None:
    """The reference; None for what is none of its kind, or is of no use."""
    notes = [cast(Note, note) for note in shipped.notes or () if note in _NOTES]
    try:
        raw = b64decode(shipped.content, validate=True)
        is_sound = _is_sound_standard(raw) if shipped.kind == "number" else _is_sound_words(raw)
        reference = read_reference(shipped.kind, raw, notes) if is_sound else None
    except (StateUnreadable, NoBase64):
        return None
    is_it = reference is not None and reference.n == shipped.n and shipped.n >= LEAST_N
    return reference if is_it else None


def _is_sound_standard(raw: bytes) -> bool:
    """Whether its numbers are finite and in order, as those of a frozen one are."""
    standard = NumberReference.read(raw, ()).standard
    told = (standard.mean, standard.sd, *standard.dependence)
    return bool(
        np.isfinite(standard.values).all()
        and (np.diff(standard.values) >= 0).all()
        and all(map(isfinite, told))
        and standard.dependence.ratio > 0
    )


def _is_sound_words(raw: bytes) -> bool:
    """Whether they are words, each with how often it came."""
    counts = WordReference.read(raw, ()).counts
    return 0 < len(counts) <= DISTINCT_MAX and all(
        isinstance(word, str) and count >= 0 for word, count in counts.items()
    )


def line_of(key: SeriesId, series: Series) -> ReferenceLine | None:
    """The reference in force of a series; None while it has none, or for one that is too long."""
    reference, entry = series.original, series.references.history.current
    if reference is None or entry is None:
        return None
    content = b64encode(reference.to_bytes()).decode()
    if len(content) > LONGEST_CONTENT:
        return None
    site, model, subject = key
    return ReferenceLine(
        subject=subject,
        model=model or None,
        since=from_us(entry.since_us).isoformat() if entry.since_us else None,
        reference=Shipped(
            site=site,
            kind=kind_of(reference),
            n=reference.n,
            per_day=series.share.per_day / AHEAD,
            number=entry.number,
            notes=[*reference.notes] or None,
            content=content,
        ),
    )


def kind_of(reference: Frozen) -> SeriesKind:
    """The kind of the series that a reference is of."""
    if isinstance(reference, YesNoReference):
        return "yes_no"
    return "word" if isinstance(reference, WordReference) else "number"
