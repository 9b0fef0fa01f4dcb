"""An input that ends before what was read of it: the topic was recreated.

Its new records would be skipped as repeats, and their results called missing, for good. So it is
refused, when a partition is opened and while it is read.
"""

from collections.abc import Mapping

from aiokafka import TopicPartition

from streams.shard import UnfitState

Offsets = Mapping[TopicPartition, int]


class Recreated:
    """Compares where inputs end with what was `wanted` of them before that was asked.

    `remedy` is what the operator has to do.
    """

    def __init__(self, remedy: str) -> None:
        self._remedy = remedy
        self._suspects: set[TopicPartition] = set()

    def check(self, wanted: Offsets, ends: Offsets) -> None:
        """Raises UnfitState for an input that ends too early."""
        for place, end in ends.items():
            if wanted[place] > end:
                raise self._unfit(place, wanted[place], end)

    def suspects(self, wanted: Offsets, ends: Offsets) -> set[TopicPartition]:
        """Inputs that end too early now, whose ends prove nothing.

        Raises UnfitState for one that did the last time as well: once may be the word of a broker
        that has just taken over.
        """
        suspects = {place for place, end in ends.items() if wanted[place] > end}
        for place in sorted(suspects & self._suspects):
            raise self._unfit(place, wanted[place], ends[place])
        self._suspects = suspects
        return suspects

    def _unfit(self, place: TopicPartition, wanted: int, end: int) -> UnfitState:
        return UnfitState(
            f"{place.topic}/{place.partition} ends at {end}, but {wanted} was handled: the topic "
            f"was recreated. {self._remedy}, or choose another prefix"
        )
