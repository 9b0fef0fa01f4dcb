"""What an Observation says of findings: a call, a probability, a measured value."""

import re
from collections.abc import Iterator
from typing import Any

from msgspec import Struct
from msgspec.structs import replace

from schemas.prediction import Output
from streams.ingest._codes import Meaning
from streams.ingest._contract import Untranslated
from streams.ingest._fhir_codes import meaning as meaning_of
from streams.ingest._fhir_context import Context
from streams.ingest._fhir_json import Tree, number, tree_at, trees, word

_MOST_COMPONENTS = 64
_UNIT = re.compile(r"[A-Za-z0-9%/\[\]{}.*^'\-]{1,24}")
_PERCENT = frozenset({"%", "{percent}", "percent"})
_WHERE = "Observation.code"


class Found(Struct, frozen=True):
    """What was found out of one finding."""

    positive: bool | None = None
    score: float | None = None
    value: float | None = None
    unit: str | None = None

    def joined(self, later: "Found") -> "Found":
        """With what is said of it elsewhere; the later word goes before."""
        told = {n: v for n in later.__struct_fields__ if (v := getattr(later, n)) is not None}
        return replace(self, **told)

    def output(self, finding: str) -> Output | None:
        """As the wire has it; None where nothing was said."""
        if self.positive is None and self.score is None and self.value is None:
            return None
        return Output(
            finding=finding,
            score=self.score,
            positive=self.positive,
            value=self.value,
            unit=self.unit,
        )


class Outputs:
    """The findings of any number of observations."""

    def __init__(self, context: Context) -> None:
        self._context = context
        self._found: dict[str, Found] = {}

    def take(self, observation: Tree) -> Iterator[Untranslated]:
        """Read one with its components; what cannot be read is named."""
        about = self._read(observation, None)
        if isinstance(about, Untranslated):
            yield about
            about = None
        for component in trees(observation, "component", most=_MOST_COMPONENTS):
            read = self._read(component, about)
            if isinstance(read, Untranslated):
                yield read

    def take_finding(self, finding: str, positive: bool) -> None:
        """A finding by its code alone, as in `conclusionCode`."""
        self._add(finding, Found(positive=positive))

    def all(self) -> list[Output]:
        """What was said, at most as much as the wire takes."""
        told = (found.output(finding) for finding, found in self._found.items())
        return [output for output in told if output is not None][:64]

    def _read(self, tree: Tree, about: str | None) -> str | Untranslated | None:
        """The finding that it speaks of. `about` is the finding of what this is a component of."""
        codes = self._context.ingest.codes
        meaning = meaning_of(codes, [tree_at(tree, "code")], _WHERE)
        if meaning.means == "ignored":
            return None
        if meaning.is_probability and about is not None:
            return self._said(about, meaning, tree, as_score=True)
        if meaning.finding is not None:
            return self._said(meaning.finding, meaning, tree, as_score=meaning.means == "score")
        if not meaning.is_any_finding:
            return meaning.unknown
        named = meaning_of(codes, [tree_at(tree, "valueCodeableConcept")], "Observation.value[x]")
        if named.finding is None:
            return None if named.means == "ignored" else named.unknown
        self._add(named.finding, Found(positive=named.means != "negative"))
        return named.finding

    def _said(
        self, finding: str, meaning: Meaning, tree: Tree, *, as_score: bool
    ) -> str | Untranslated:
        told, unit = _number(tree)
        if told is not None and as_score:
            score = told / 100 if unit in _PERCENT else told
            if not 0 <= score <= 1:
                return Untranslated("bad_value", "Observation.value[x]")
            self._add(finding, Found(score=score))
        elif told is not None:
            passed = self._context.guard.passes(unit) if unit and _UNIT.fullmatch(unit) else None
            self._add(finding, Found(value=told, unit=passed))
        positive = _call(tree, self._context)
        if positive is not None:
            self._add(finding, Found(positive=positive != (meaning.means == "negative")))
        return finding

    def _add(self, finding: str, found: Found) -> None:
        self._found[finding] = self._found.get(finding, Found()).joined(found)


def _number(tree: Tree) -> tuple[float | None, str | None]:
    quantity = tree_at(tree, "valueQuantity")
    unit = word(quantity, "code") or word(quantity, "unit")
    told = number(quantity, "value")
    return (number(tree, "valueInteger"), None) if told is None else (told, unit)


def _call(tree: Tree, context: Context) -> bool | None:
    said: Any = tree.get("valueBoolean")
    if isinstance(said, bool):
        return said
    concepts = [tree_at(tree, "valueCodeableConcept"), *trees(tree, "interpretation", most=8)]
    return meaning_of(context.ingest.codes, concepts, _WHERE).call
