"""What every translator promises, and what it is given.

A translator is pure: bytes in, events out. It never raises for any bytes, does bounded work, and
lets through only what is on its list: no name, number, date of birth or free text of a patient is
in an event, an error or a log, and keys are pseudonyms.
"""

from collections import Counter
from collections.abc import Iterator
from datetime import datetime
from typing import ClassVar, Literal, Protocol

from msgspec import Struct

from schemas.ingest import Codes, Models
from schemas.prediction import Prediction
from schemas.report import Label, Report
from schemas.study import Study
from streams.ingest.links import Links
from streams.ingest.pseudonym import Pseudonyms

WhyNot = Literal[
    "not_of_this_kind",  # another kind of file or message; nothing is wrong with it
    "ignored",  # patient administration and the like: of no interest, and in order
    "unreadable",  # not what it says it is: corrupt, truncated, undecodable
    "too_large",  # beyond a bound of size, depth or number
    "missing_field",  # something that an event needs is not there
    "bad_value",  # it is there and cannot be
    "unknown_code",  # a code that no mapping has; the site can add a row
    "unsupported",  # a kind of message, version or status that means nothing here
]


class Untranslated(Struct, frozen=True):
    """Something that became no event. `where` is a tag path, segment or pointer, never a value.

    `code` is a public one (`DCM 113017`), so that a site can map it: `unknown_code` only.
    """

    reason: WhyNot
    where: str
    code: str | None = None


Translated = Study | Prediction | Report | Untranslated


class Labels(Protocol):
    """Findings of a report's text: streams/ingest/labeller."""

    def label(self, text: str) -> list[Label]:
        """What the text says; the text is not kept."""


class Ingest(Struct, frozen=True):
    """What a translator works with: whose data, which keys, which codes, which labeller."""

    site: str
    pseudonyms: Pseudonyms
    links: Links
    codes: Codes
    labels: Labels | None = None
    stamps: Literal["arrival", "header"] = "arrival"
    """Whether a study is dated by its arrival, or by its own header: for old files."""
    timezone: str = "UTC"
    """Of times without an offset."""
    models: Models = Models()
    """Which model an algorithm is that results name."""


class Translator(Protocol):
    """One standard. `kind` is the word on the command line."""

    kind: ClassVar[str]
    dropped: Counter[str]
    """What was left out of events, by reason."""

    def __init__(self, ingest: Ingest) -> None: ...

    def translate(self, content: bytes, received_at: datetime) -> Iterator[Translated]:
        """The events of one file or message that came at `received_at`, an aware time."""
