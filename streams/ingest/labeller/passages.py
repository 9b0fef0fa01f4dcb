"""A report's text as sentences of words, each with its section; what is not of now is left out."""

import re
import unicodedata
from collections.abc import Iterator, Sequence
from typing import Literal, NamedTuple

from streams.ingest.labeller.phrases import Phrases

Section = Literal["impression", "findings", "unlabelled", "dropped"]

SENTENCE_WORDS = 60
"""A longer one is cut: what is negated so far off is not meant."""
_SHORT_LINE = 60
_WORD = re.compile(r"\d+(?:[.,]\d+)+|[^\W_]+(?:['\u2019][^\W_]+)?|[.,:;?!]")
_ITEM = re.compile(r"\s*(?:[-*\u2022\u2013]|\(?\d{1,2}[.)])\s")
_ENDS = frozenset(".;!")


class Sentence(NamedTuple):
    """Its words in lower case; commas, colons and question marks are words."""

    section: Section
    words: list[str]


def words_of(text: str) -> list[str]:
    """As a text is cut: lower case, hyphens part words, punctuation stands alone.

    >>> words_of("No air-space disease, 1.5 cm.")
    ['no', 'air', 'space', 'disease', ',', '1.5', 'cm', '.']
    """
    return _WORD.findall(text.lower())


class Reader:
    """Cuts texts of one language. `abbreviations` end with a full stop that ends no sentence."""

    def __init__(self, headings: Phrases[Section], abbreviations: frozenset[str]) -> None:
        self._headings = headings
        self._abbreviations = abbreviations

    def read(self, text: str) -> Iterator[Sentence]:
        """The sentences of all sections that speak of this examination."""
        section: Section = "unlabelled"
        said = False  # something, under this heading
        for paragraph, begins in _runs(text):
            if begins and section == "dropped" and said:
                section = "unlabelled"  # an own paragraph, without a heading
            for words in self._sentences(paragraph):
                heading, length = self._heading(words, len(words))
                if heading is not None:
                    section, said = heading, False
                # `Lungs: clear.` is a sentence, with the word before the colon
                rest = words if heading == "findings" else words[length:]
                if rest:
                    said = True
                    if section != "dropped":
                        yield Sentence(section, rest)

    def _heading(self, words: Sequence[str], n: int) -> tuple[Section | None, int]:
        """A known heading at the start: all there is, or with a colon after it."""
        opening = words[:10]
        stop = opening.index(":") if ":" in opening else n
        match = next(iter(self._headings.find(words[:stop])), None) if stop <= 10 else None
        if match is None or match.start or match.stop != stop:
            return None, 0
        return match.means[0], min(stop + 1, n)

    def _sentences(self, run: str) -> Iterator[list[str]]:
        sentence: list[str] = []
        before = ""
        for word in words_of(run):
            if word in _ENDS and not (word == "." and before in self._abbreviations):
                if sentence:
                    yield sentence
                sentence = []
            elif word not in _ENDS:
                sentence.append(word)
                if len(sentence) == SENTENCE_WORDS:
                    yield sentence
                    sentence = []
            before = word
        if sentence:
            yield sentence


def _runs(text: str) -> Iterator[tuple[str, bool]]:
    """Lines that belong together, and whether an empty line was before them.

    A line goes on in the next one unless that is an item of a list, or this one is short and the
    next one begins with a capital.
    """
    if not text.isascii():
        text = unicodedata.normalize("NFC", text)
    run: list[str] = []
    begins = True
    for raw in text.splitlines():
        line = raw.strip()
        fresh = not line or (line[0].isupper() and bool(run) and len(run[-1]) < _SHORT_LINE)
        if run and (fresh or _ITEM.match(raw)):
            yield " ".join(run), begins
            run, begins = [], False
        if line:
            run.append(line)
        else:
            begins = True
    if run:
        yield " ".join(run), begins
