"""A language as a TOML file: headings, cues, findings. docs/LABELLER.md has the format."""

import tomllib
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Annotated, Any, get_args

import msgspec
from msgspec import Meta, Struct

from schemas.config_tree import join, misfits
from schemas.fields import Name
from streams.ingest.labeller.passages import Section, words_of
from streams.ingest.labeller.phrases import GAP, PHRASE_WORDS, PREFIX_LETTERS
from streams.ingest.labeller.scope import Kind

BUILT_IN = ("en", "de")
_FOLDER = Path(__file__).parent

Phrase = Annotated[str, Meta(min_length=1, max_length=128)]
Phrases = Annotated[list[Phrase], Meta(max_length=2_000)]


class CueWords(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The cues of one kind."""

    before: Phrases = []
    """Those that act on what follows."""
    after: Phrases = []
    """Those that act on what they follow."""
    before_reach_words: Annotated[int, Meta(ge=1, le=60)] | None = None
    """How far those before reach; 20 unless told."""
    after_reach_words: Annotated[int, Meta(ge=1, le=60)] | None = None
    """How far those after reach back; 10 unless told."""


class FindingWords(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The phrases of one finding."""

    named: Phrases = []
    """They name it; the words around them say whether it is there."""
    present: Phrases = []
    """They say that it is there."""
    absent: Phrases = []
    """They say that it is not there, as `heart size ... normal`."""
    uncertain: Phrases = []
    """They say that it may be there."""
    label: bool = True
    """Whether it becomes a label; else it only speaks against `no_finding`."""
    normal: bool = False
    """Whether a report with it can still be one of no finding, as with devices."""


class Lexicon(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One language, or an addition to it."""

    language: Annotated[str, Meta(pattern="^[a-z]{2,3}$")]
    """ISO 639 code; a second file of a language adds to the first."""
    typical: Phrases = []
    """Frequent words by which a text's language is told."""
    abbreviations: Phrases = []
    """Words whose full stop ends no sentence."""
    sections: dict[str, Phrases] = {}
    """Headings: of `impression`, `findings`, and `dropped`."""
    cues: dict[str, CueWords] = {}
    """By kind: negation, uncertainty, history, hypothetical, resolution, current."""
    neutral: Phrases = []
    """They look like cues and are none."""
    ends: Phrases = []
    """They end what a cue acts on."""
    joins: Phrases = []
    """They carry it on over commas, as `or`."""
    finding: Annotated[dict[Name, FindingWords], Meta(max_length=64)] = {}
    """By name."""


class BadLexicon(Exception):
    """A lexicon cannot be used; `problems` says why, each with the path of its key."""

    def __init__(self, name: str, problems: list[str]) -> None:
        super().__init__("\n".join(f"{name}: {problem}" for problem in problems))
        self.problems = problems


def built_in(language: str) -> Lexicon:
    """One of `BUILT_IN`."""
    return load(_FOLDER / f"{language}.toml")


def load(path: str | Path) -> Lexicon:
    """The lexicon in a file. Raises `BadLexicon`."""
    try:
        text = Path(path).read_bytes().decode()
    except OSError as error:
        raise BadLexicon(str(path), [f"cannot be read: {error.strerror}"]) from None
    except UnicodeDecodeError:
        raise BadLexicon(str(path), ["is not UTF-8 text"]) from None
    return parse(text, str(path))


def parse(text: str, name: str = "lexicon") -> Lexicon:
    """The lexicon in a TOML text; `name` stands in its errors. Raises `BadLexicon`."""
    try:
        tree = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise BadLexicon(name, [f"is not TOML: {error}"]) from None
    problems = list(misfits(tree, Lexicon))
    if not problems:
        problems = [*_unknown(tree), *_bad_phrases(tree, "")]
    if problems:
        raise BadLexicon(name, problems)
    return msgspec.convert(tree, Lexicon)


def merged(lexicons: Iterable[Lexicon]) -> dict[str, Lexicon]:
    """One for each language, in their order."""
    found: dict[str, Lexicon] = {}
    for lexicon in lexicons:
        first = found.get(lexicon.language)
        found[lexicon.language] = lexicon if first is None else _sum(first, lexicon)
    return found


def _sum(one: Any, other: Any) -> Any:
    """Lists are joined, tables merged; of two plain values that of `other`, where it says one."""
    if isinstance(one, list):
        return [*one, *(item for item in other if item not in one)]
    if isinstance(one, dict):
        both = {key: _sum(value, other[key]) for key, value in one.items() if key in other}
        return {**one, **other, **both}
    if isinstance(one, Struct):
        names = one.__struct_fields__
        return type(one)(**{name: _sum(getattr(one, name), getattr(other, name)) for name in names})
    return one if other is None else other


def _unknown(tree: dict[str, Any]) -> Iterator[str]:
    """Keys of tables that are a closed set."""
    for table, known in (("sections", get_args(Section)), ("cues", get_args(Kind))):
        for key in tree.get(table, {}):
            if key not in known or key == "unlabelled":
                yield f"`{join(table, key)}`: unknown; there are: {', '.join(sorted(known))}"


def _bad_phrases(value: Any, path: str) -> Iterator[str]:
    if isinstance(value, dict):
        for key, inside in value.items():
            yield from _bad_phrases(inside, join(path, key))
    elif isinstance(value, list):
        for at, phrase in enumerate(value):
            if (problem := _bad(phrase)) is not None:
                yield f"`{path}[{at}]`: {problem}"


def _bad(phrase: str) -> str | None:
    """What keeps a phrase from ever being found, or from being found in bounded time."""
    words = phrase.split()
    own = [word for word in words if word != GAP]
    if not own or len(own) > PHRASE_WORDS:
        return f"expected 1 to {PHRASE_WORDS} words"
    if GAP in (words[0], words[-1]) or words.count(GAP) > 1:
        return "expected at most one `...`, between words"
    for word in own:
        bare = word.removesuffix("*")
        if word != bare and len(bare) < PREFIX_LETTERS:
            return f"expected at least {PREFIX_LETTERS} letters before `*`"
        if words_of(bare) != [bare]:
            return "expected words in lower case, without hyphens"
    return None
