"""The last look before a text leaves: none that holds a piece of the patient's identifiers.

Fields on the list are technical, but people type names into any of them. A word of a person's name
or a number of theirs, wherever it stands in the text, and the text is dropped and counted.
"""

import re
from collections import Counter
from collections.abc import Iterable, Iterator
from itertools import pairwise

_WORD = re.compile(r"[^\W_]{3,}", re.UNICODE)
# Kana, Han and Hangul: a name is two or three of them, its parts one or two.
_SYLLABLES = re.compile(r"[\u3041-\u30ff\u3400-\u9fff\uac00-\ud7a3]+")


class Guard:
    """Knows the identifiers of one message."""

    def __init__(self, identifiers: Iterable[str | None], dropped: Counter[str]) -> None:
        self._words = {word for told in identifiers if told for word in _words(told.casefold())}
        self._dropped = dropped

    def passes(self, text: str | None) -> str | None:
        """The text, or None where it holds an identifier's word.

        >>> guard = Guard(["DOE^JANE", "4711"], Counter())
        >>> guard.passes("Definium 8000"), guard.passes("room of jane"), guard.passes("x4711")
        ('Definium 8000', None, None)
        >>> Guard(["Wang^Xiaodong=\u738b^\u5c0f\u4e1c"], Counter()).passes("\u738b\u5c0f\u4e1c")
        """
        if text is None:
            return None
        told = text.casefold()
        if any(word in told for word in self._words):
            self._dropped["identifier_in_text"] += 1
            return None
        return text


def _words(told: str) -> Iterator[str]:
    """What tells a person or number apart; of names in syllables also two parts put together."""
    yield from _WORD.findall(told)
    parts = _SYLLABLES.findall(told)
    yield from (part for part in parts if len(part) > 1)
    yield from map("".join, pairwise(parts))
