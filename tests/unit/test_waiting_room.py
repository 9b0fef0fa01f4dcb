"""Who has waited longest goes first, the same after a restart as without."""

from collections import Counter
from itertools import permutations

from msgspec import Struct

from streams.outcomes.waiting_room import WaitingRoom


class One(Struct):
    site: str
    name: str
    arrived_us: int

    @property
    def key(self) -> tuple[str, ...]:
        return self.site, self.name


def room(per_site: int = 2, kept_us: int = 100) -> tuple[WaitingRoom[One], Counter[str]]:
    dropped: Counter[str] = Counter()
    return WaitingRoom("guests", kept_us, per_site, dropped), dropped


def test_a_full_room_puts_out_who_came_first() -> None:
    waiting, dropped = room()
    for name, arrived_us in (("b", 1), ("a", 2), ("c", 3)):
        waiting.wait(One("north", name, arrived_us))

    assert [waiting.find(("north", name), 3) is None for name in "bac"] == [True, False, False]
    assert dropped == {"guests_overflow": 1}
    assert len(waiting) == 2


def test_of_one_moment_the_first_by_name_goes_whatever_the_order() -> None:
    for names in permutations("abc"):
        waiting, _ = room(per_site=3)
        waiting.restore(One("north", name, 5) for name in names)
        waiting.wait(One("north", "d", 5))

        assert [waiting.find(("north", name), 5) is None for name in "abcd"] == [True] + [False] * 3


def test_nobody_waits_longer_than_allowed() -> None:
    waiting, dropped = room()
    waiting.wait(One("north", "a", 0))

    found = [waiting.find(("north", "a"), now_us) is not None for now_us in (99, 100)]

    assert found == [True, False]
    assert dropped == {"guests_in_vain": 1}


def test_sites_have_rooms_of_their_own() -> None:
    waiting, dropped = room()
    for site in ("north", "south"):
        for name in "ab":
            waiting.wait(One(site, name, 1))

    assert len(waiting) == 4
    assert not dropped


def test_who_came_and_went_is_a_change_once() -> None:
    waiting, _ = room()
    one = One("north", "a", 1)
    waiting.wait(one)
    came = list(waiting.changes())
    waiting.touch(one)
    touched = list(waiting.changes())
    waiting.leave(one)
    left = list(waiting.changes())

    assert came == touched == [(("north", "a"), one)]
    assert left == [(("north", "a"), None)]
    assert list(waiting.changes()) == []
