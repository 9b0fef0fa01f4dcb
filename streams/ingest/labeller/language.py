"""One language at work: from a text to each thing that it says."""

from collections.abc import Iterator, Sequence
from itertools import chain
from typing import Literal, NamedTuple, get_args

from streams.ingest.labeller.lexicon import CueWords, Lexicon
from streams.ingest.labeller.passages import Reader, Section
from streams.ingest.labeller.phrases import COMMA, Phrases, Words
from streams.ingest.labeller.scope import Cue, Kind, Scope, Side, Value
from streams.ingest.labeller.vocabulary import Forms, Vocabulary

_REACH_WORDS: dict[Side, int] = {"before": 20, "after": 10}
_END: Literal["end"] = "end"
_KEPT_OUTLINES = 1 << 12


class Said(NamedTuple):
    """One sentence's word on one finding."""

    finding: str
    value: Value
    section: Section
    rule: str


class _Told(NamedTuple):
    """The same wherever the sentence stands."""

    finding: str
    value: Value
    rule: str


class Named(NamedTuple):
    """What a phrase is of: a finding, and the value that it says itself, if any."""

    finding: str
    value: Value | None


class Language:
    """A lexicon, ready for use."""

    def __init__(self, lexicon: Lexicon) -> None:
        self._code = lexicon.language
        self._typical = frozenset(lexicon.typical)
        self._joins = frozenset(lexicon.joins)
        known = Vocabulary()
        for word in (COMMA, *lexicon.joins):
            known.learn(word)
        self._findings: Phrases[Named] = Phrases(_named(lexicon), known)
        self._cues: Phrases[Cue | None] = Phrases(_cues(lexicon), known)
        self._ends: Phrases[str] = Phrases(((phrase, _END) for phrase in lexicon.ends), known)
        headings: Phrases[Section] = Phrases(_headings(lexicon), known)
        self._reader = Reader(headings, frozenset(lexicon.abbreviations), known)
        self._outlines: dict[tuple[Forms, ...], tuple[_Told, ...]] = {}
        self.hidden = frozenset(n for n, words in lexicon.finding.items() if not words.label)
        """Findings that become no label."""
        self.normal = frozenset(n for n, words in lexicon.finding.items() if words.normal)
        """Findings that do not speak against `no_finding`."""

    def typical_n(self, words: Sequence[str]) -> int:
        """How many of the words are typical of this language."""
        return sum(map(self._typical.__contains__, words))

    def said(self, text: str) -> Iterator[Said]:
        """All that the text says, in its order."""
        for section, words in self._reader.read(text):
            for one in self._of_sentence(words):
                rule = f"{self._code}/{section}/{one.rule}"
                yield Said(one.finding, one.value, section, rule)

    def _of_sentence(self, sentence: Words) -> tuple[_Told, ...]:
        """What a sentence says depends on its words of the lexicon and on where they stand.

        So much of it is remembered, and nothing of what else stands there.
        """
        outline = tuple(sentence.forms)
        known = self._outlines.get(outline)
        if known is None:
            known = tuple(self._judged(sentence))
            if len(self._outlines) >= _KEPT_OUTLINES:
                del self._outlines[next(iter(self._outlines))]
            self._outlines[outline] = known
        return known

    def _judged(self, sentence: Words) -> Iterator[_Told]:
        mentions = self._findings.find(sentence)
        if not mentions:
            return
        of_findings = set(chain.from_iterable(mention.places for mention in mentions))
        cues = [c for c in self._cues.find(sentence) if not of_findings.issuperset(c.places)]
        ends = [match.start for match in self._ends.find(sentence)] if cues else []
        scope = Scope(sentence.words, cues, ends, self._joins)
        for mention in mentions:
            for finding, value in mention.means:
                verdict = scope.judge_stated(mention, value) if value else scope.judge(mention)
                if verdict is not None:
                    rule = f"{verdict.why}/{mention.phrase}".replace(" ", "_")
                    yield _Told(finding, verdict.value, rule)


def _named(lexicon: Lexicon) -> Iterator[tuple[str, Named]]:
    for finding, words in lexicon.finding.items():
        for phrase in words.named:
            yield phrase, Named(finding, None)
        for value in get_args(Value):
            for phrase in getattr(words, value):
                yield phrase, Named(finding, value)


def _cues(lexicon: Lexicon) -> Iterator[tuple[str, Cue | None]]:
    kind: Kind
    for kind in get_args(Kind):
        words = lexicon.cues.get(kind, CueWords())
        reach = words.before_reach_words or _REACH_WORDS["before"]
        yield from ((phrase, Cue(kind, "before", reach)) for phrase in words.before)
        reach = words.after_reach_words or _REACH_WORDS["after"]
        yield from ((phrase, Cue(kind, "after", reach)) for phrase in words.after)
    yield from ((phrase, None) for phrase in lexicon.neutral)


def _headings(lexicon: Lexicon) -> Iterator[tuple[str, Section]]:
    section: Section
    for section in get_args(Section):
        yield from ((heading, section) for heading in lexicon.sections.get(section, ()))
