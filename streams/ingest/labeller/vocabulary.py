"""The words of a language's phrases; every other word is nothing, and is kept nowhere."""

Forms = tuple[str, ...]
"""A word as phrases write it: itself, and with a star; empty for most words."""

PREFIX_LETTERS = 3
_KEPT_WORDS = 1 << 14
_LONGEST_WORD = 40
_NONE: Forms = ()


class Vocabulary(dict[str, Forms]):
    """`vocabulary[word]` is the word's forms, looked up once however many phrases there are.

    Only words of phrases are remembered, so that no name stays in memory.
    """

    def __init__(self) -> None:
        super().__init__()
        self._written: set[str] = set()
        self._beginnings: set[str] = set()
        self._stems: dict[str, list[str]] = {}

    def learn(self, written: str) -> None:
        """A phrase has this word, or words that begin so: `opaci*`."""
        if written in self._written:
            return
        stem = written.removesuffix("*")
        beginning = stem[:PREFIX_LETTERS]
        self._written.add(written)
        self._beginnings.add(beginning)
        if stem != written:
            stems = self._stems.setdefault(beginning, [])
            stems.append(stem)
            stems.sort(key=len)

    def __missing__(self, word: str) -> Forms:
        beginning = word[:PREFIX_LETTERS]
        if beginning not in self._beginnings or len(word) > _LONGEST_WORD:
            return _NONE
        stems = self._stems.get(beginning, ())
        starred = tuple(f"{stem}*" for stem in stems if word.startswith(stem))
        forms = (word, *starred) if word in self._written else starred
        if forms and len(self) < _KEPT_WORDS:
            self[word] = forms
        return forms
