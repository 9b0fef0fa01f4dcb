"""A failing run made small: as few deliveries as still fail, found by leaving out ever less."""

from collections.abc import Callable

from tests.simulation.delivery import Delivery


def shrink(deliveries: list[Delivery], fails: Callable[[list[Delivery]], bool]) -> list[Delivery]:
    """A part of the deliveries that fails, and of which no single one can be left out."""
    size = len(deliveries) // 2
    while size:
        start = 0
        while start < len(deliveries):
            without = deliveries[:start] + deliveries[start + size :]
            if fails(without):
                deliveries = without
            else:
                start += size
        size //= 2
    return deliveries
