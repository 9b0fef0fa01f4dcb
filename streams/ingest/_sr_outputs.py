"""The findings of a result. Where one is told several times, the most of it counts."""

from collections.abc import Iterator

from msgspec import Struct

from schemas.prediction import Output

MOST_OUTPUTS = 64
_PERCENT = frozenset({"%", "{percent}", "percent"})


class _Found(Struct):
    positive: bool | None = None
    score: float | None = None
    value: float | None = None
    unit: str | None = None


class Outputs:
    """By finding, in the order in which they were first told."""

    def __init__(self) -> None:
        self._found: dict[str, _Found] = {}

    def call(self, finding: str, positive: bool) -> None:
        """Positive where it is positive anywhere."""
        found = self._of(finding)
        found.positive = bool(found.positive) or positive

    def score(self, finding: str, score: float) -> None:
        """The highest of its scores, 0 to 1."""
        found = self._of(finding)
        found.score = score if found.score is None else max(found.score, score)

    def value(self, finding: str, value: float, unit: str | None = None) -> None:
        """The largest of its values; of several units the first one's."""
        found = self._of(finding)
        if found.value is None:
            found.value, found.unit = value, unit
        elif found.unit == unit:
            found.value = max(found.value, value)

    def count(self, finding: str, is_one_more: bool) -> None:
        """How many there were; 0 where none was."""
        found = self._of(finding)
        found.value = (found.value or 0.0) + is_one_more

    def is_told(self, finding: str) -> bool:
        """Whether anything was said of it."""
        return finding in self._found

    def all(self) -> list[Output]:
        """As the wire has them, at most as many as it takes."""
        return list(self._outputs())[:MOST_OUTPUTS]

    def _of(self, finding: str) -> _Found:
        return self._found.setdefault(finding, _Found())

    def _outputs(self) -> Iterator[Output]:
        for finding, found in self._found.items():
            yield Output(
                finding=finding,
                score=found.score,
                positive=found.positive,
                value=found.value,
                unit=found.unit,
            )


def as_score(number: float, unit: str | None) -> float | None:
    """A probability from 0 to 1; None where it cannot be one.

    >>> as_score(0.7, "1"), as_score(70, "%"), as_score(70, None)
    (0.7, 0.7, None)
    """
    score = number / 100 if unit in _PERCENT else number
    return score if 0 <= score <= 1 else None
