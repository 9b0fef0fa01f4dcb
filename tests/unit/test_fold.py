"""A series and its slices as one episode: every way in, on and out."""

import pytest

from streams.series.change import Change
from streams.slices.fold import Fold, Part

CT7 = "scanner.station=CT7"


def part(
    name: str, what: str, again: bool = False, promised: bool = True, since: int = 1, at: int = 5
) -> Part:
    change = Change(what, at, again=again, since_us=since)  # type: ignore[arg-type]
    return Part(name, change, promised)


@pytest.mark.parametrize(
    ("history", "steps"),
    [
        ([("", "alarm")], ["opened"]),
        ([("", "alarm"), ("", "changed")], ["opened", "updated"]),
        ([("", "alarm"), ("", "returned")], ["opened", "returned"]),
        ([("", "alarm"), ("", "ended")], ["opened", "ended"]),
        ([(CT7, "alarm"), ("", "alarm")], ["opened", "joined"]),
        ([(CT7, "alarm"), ("", "alarm"), ("", "returned")], ["opened", "joined", "updated"]),
        (
            [(CT7, "alarm"), ("", "alarm"), ("", "returned"), (CT7, "returned")],
            ["opened", "joined", "updated", "returned"],
        ),
        ([("", "returned")], [None]),
        ([("", "ended")], [None]),
    ],
)
def test_one_after_the_other(history: list[tuple[str, str]], steps: list[str | None]) -> None:
    fold = Fold()

    assert [fold.take([part(*one)]) for one in history] == steps


def test_a_second_alarm_waits_until_it_is_known_what_it_is() -> None:
    fold = Fold()
    fold.take([part(CT7, "alarm")])

    assert fold.take([part(CT7, "alarm", again=True)]) is None
    assert fold.take([part(CT7, "changed", again=True, since=7, at=9)]) == "changed"


def test_a_second_change_is_told_once_whoever_else_shows_it_and_a_third_is_told() -> None:
    fold = Fold()
    fold.take([part("", "alarm"), part(CT7, "alarm"), part("patient.sex=F", "alarm")])

    assert fold.take([part("", "changed", again=True, since=20, at=30)]) == "changed"
    assert fold.take([part(CT7, "changed", again=True, since=22, at=31)]) == "joined"
    assert fold.take([part("patient.sex=F", "changed", again=True, since=19, at=33)]) == "joined"
    assert fold.take([part(CT7, "changed", again=True, since=40, at=50)]) == "changed"


def test_what_one_observation_shows_is_one_step() -> None:
    fold = Fold()

    assert fold.take([part("", "alarm"), part(CT7, "alarm")]) == "opened"
    assert fold.take([part("", "ended"), part(CT7, "ended")]) == "ended"
    assert fold == Fold()


def test_who_joins_is_news_where_it_shows_another_cause() -> None:
    fold = Fold()
    assert fold.signal("opened", [CT7]) == "holds"

    assert fold.signal("joined", [CT7]) == "holds"
    assert fold.signal("joined", [CT7, "patient.sex=F"]) == "changed"
    assert fold.signal("joined", []) == "holds"
    assert fold.signal("joined", ["patient.sex=F"]) == "holds"  # who was named before
    assert fold.signal("returned", []) == "returned"
    assert fold.signal("ended", []) == "eased"


def test_the_numbers_are_those_of_the_one_that_explains_it() -> None:
    fold = Fold()
    fold.take([part(CT7, "alarm", promised=False)])
    fold.named = [CT7]
    assert (fold.shown(), fold.promised) == (CT7, False)

    fold.take([part("", "alarm")])
    assert (fold.shown(), fold.promised) == (CT7, True)

    fold.named = []
    assert fold.shown() == ""


def test_slices_that_are_watched_no_more_hold_nothing_open() -> None:
    fold = Fold()
    fold.take([part("", "alarm"), part(CT7, "alarm")])

    fold.keep(["", "patient.sex=F"])

    assert [*fold.away] == [""]
