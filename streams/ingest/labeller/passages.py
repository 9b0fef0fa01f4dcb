"""A report's text as sentences of words, each with its section; what is not of now is left out."""

import re
import unicodedata
from collections.abc import Iterator, Sequence
from typing import Literal, NamedTuple

from streams.ingest.labeller.phrases import COMMA, Phrases, Words
from streams.ingest.labeller.vocabulary import Forms, Vocabulary

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
    said: Words


def words_of(text: str) -> list[str]:
    """As a text is cut: lower case, hyphens part words, punctuation stands alone.

    >>> words_of("No air-space disease, 1.5 cm.")
    ['no', 'air', 'space', 'disease', ',', '1.5', 'cm', '.']
    """
    return _WORD.findall(text.lower())


class Reader:
    """Cuts texts of one language. `abbreviations` end with a full stop that ends no sentence."""

    def __init__(
        self, headings: Phrases[Section], abbreviations: frozenset[str], vocabulary: Vocabulary
    ) -> None:
        self._headings = headings
        self._abbreviations = abbreviations
        self._vocabulary = vocabulary

    def read(self, text: str) -> Iterator[Sentence]:
        """The sentences of all sections that speak of this examination."""
        section: Section = "unlabelled"
        said = False  # something, under this heading
        for paragraph, begins in _runs(text):
            if begins and section == "dropped" and said:
                section = "unlabelled"  # an own paragraph, without a heading
            for words in self._sentences(paragraph):
                forms = [self._vocabulary[word] for word in words]
                heading, length = self._heading(words, forms)
                if heading is not None:
                    section, said = heading, False
                # `Lungs: clear.` is a sentence, with the word before the colon
                begin = 0 if heading == "findings" else length
                if begin < len(words):
                    said = True
                    if section != "dropped":
                        yield Sentence(section, Words(words[begin:], forms[begin:]))

    def _heading(self, words: Sequence[str], forms: Sequence[Forms]) -> tuple[Section | None, int]:
        """A known heading at the start: all there is, or with a colon after it.

        It may go on after a comma, as in `Chest, two views:`.
        """
        opening = words[:10]
        has_colon = ":" in opening
        stop = opening.index(":") if has_colon else len(words)
        if stop > 10 or not forms[0]:
            return None, 0
        match = self._headings.opening(Words(words[:stop], forms[:stop]))
        if match is None:
            return None, 0
        if match.stop != stop and not (has_colon and words[match.stop] == COMMA):
            return None, 0
        return match.means[0], min(stop + 1, len(words))

    def _sentences(self, run: str) -> Iterator[list[str]]:
        words = words_of(run)
        ends = [at for at, word in enumerate(words) if word in _ENDS]
        sentence: list[str] = []
        begin = 0
        for end in [*ends, len(words)]:
            sentence += words[begin:end]
            begin = end + 1
            if end < len(words) and self._goes_on(words, end):
                continue
            for cut in range(0, len(sentence), SENTENCE_WORDS):
                yield sentence[cut : cut + SENTENCE_WORDS]
            sentence = []

    def _goes_on(self, words: Sequence[str], end: int) -> bool:
        """Whether the full stop is an abbreviation's."""
        return words[end] == "." and end > 0 and words[end - 1] in self._abbreviations


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
