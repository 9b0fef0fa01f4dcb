"""What a radiology report says of findings: rules over words, no model, no text kept.

A drift signal, not a truth: docs/LABELLER.md has what it gets wrong.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from hashlib import sha256
from typing import NamedTuple

import msgspec

from schemas.report import Label
from streams.ingest.labeller.combine import combined
from streams.ingest.labeller.language import Language, Said
from streams.ingest.labeller.lexicon import BadLexicon, Lexicon, built_in, load, merged, parse
from streams.ingest.labeller.passages import words_of
from streams.ingest.labeller.scope import Value

__all__ = ["VERSION", "BadLexicon", "Labelled", "Labeller", "built_in", "load", "parse"]

VERSION = "2"
"""Of the rules; counted up when the same lexicons would say something else."""

LONGEST_TEXT = 1 << 16
"""Characters; what is longer is no report, and half a report would be half labelled."""
_TOLD_BY_WORDS = 400
_LONGEST_RULE = 256  # schemas.fields.Name


class Labelled(NamedTuple):
    """What a report says of one finding, by which rule.

    `rule` is language/section/cue/phrase in the lexicons' words: `en/impression/negation:no/edema`.
    `version` names the rules and a digest of the lexicons.
    """

    finding: str
    value: Value
    rule: str
    version: str


class Labeller:
    """Labels by the built-in English lexicon, or by `lexicons`, in the language of each text.

    Implements streams.ingest._contract.Labels. `dropped` counts texts that were too long.
    """

    def __init__(self, lexicons: Iterable[Lexicon] | None = None) -> None:
        languages = merged([built_in("en")] if lexicons is None else lexicons)
        digest = sha256(msgspec.json.encode(list(languages.values()))).hexdigest()[:8]
        self.version = f"{VERSION}+{digest}"
        self.dropped: Counter[str] = Counter()
        self._languages = [Language(lexicon) for lexicon in languages.values()]

    def label(self, text: str) -> list[Label]:
        """One for each finding that the text says something of, by name."""
        return [
            Label(
                finding=one.finding,
                value=one.value,
                rule=one.rule[:_LONGEST_RULE],
                version=one.version,
            )
            for one in self.explain(text)
        ]

    def explain(self, text: str) -> list[Labelled]:
        """The same with the rules."""
        if len(text) > LONGEST_TEXT:
            self.dropped["too_long"] += 1
            return []
        language = self._language_of(text)
        if language is None:
            return []
        said: list[Said] = list(language.said(text))
        return [
            Labelled(finding, one.value, one.rule, self.version)
            for finding, one in combined(said, language.hidden, language.normal)
        ]

    def _language_of(self, text: str) -> Language | None:
        """The one with most of its typical words near the beginning; of equals the first."""
        if len(self._languages) < 2:
            return next(iter(self._languages), None)
        words: Sequence[str] = words_of(text[: 10 * _TOLD_BY_WORDS])
        return max(self._languages, key=lambda language: language.typical_n(words))
