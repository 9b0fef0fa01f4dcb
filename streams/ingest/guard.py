"""The last look before a text leaves: none that holds a piece of the patient's identifiers.

Fields on the list are technical, but people type names into any of them. A word of a person's name
or a number of theirs, wherever it stands in the text, and the text is dropped and counted.
"""

import re
from collections import Counter
from collections.abc import Iterable

_WORD = re.compile(r"[^\W_]{3,}", re.UNICODE)


class Guard:
    """Knows the identifiers of one message."""

    def __init__(self, identifiers: Iterable[str | None], dropped: Counter[str]) -> None:
        self._words = {
            word.casefold() for told in identifiers if told for word in _WORD.findall(told)
        }
        self._dropped = dropped

    def passes(self, text: str | None) -> str | None:
        """The text, or None where it holds an identifier's word.

        >>> guard = Guard(["DOE^JANE", "4711"], Counter())
        >>> guard.passes("Definium 8000"), guard.passes("room of jane"), guard.passes("x4711")
        ('Definium 8000', None, None)
        """
        if text is None:
            return None
        told = text.casefold()
        if any(word in told for word in self._words):
            self._dropped["identifier_in_text"] += 1
            return None
        return text
