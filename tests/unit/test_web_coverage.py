"""What is configured, seen and watched, and what is not."""

import pytest

from schemas.config import MONITORS, Monitor, Reference, Watch
from streams.web.coverage import SeenPair, SeenSeries, coverage
from tests.unit.builders import us
from tests.unit.web_desk import NOW_S, config

NOW_US = us(NOW_S)


def series(**fields: object) -> SeenSeries:
    plain = {
        "site": "north",
        "model": "ptx",
        "subject": "pneumothorax.score",
        "phase": "watching",
        "reference_n": 2000,
        "per_day": 100.0,
        "newest_us": NOW_US,
    }
    return SeenSeries(**plain | fields)  # type: ignore[arg-type]


def test_a_reference_that_is_not_ready_says_how_far_and_when() -> None:
    learning = series(phase="learning", reference_n=640, per_day=1360.0)
    (one,) = coverage(config(), [], [learning], NOW_US).unready

    assert (one.n, one.needed) == (640, 2000)
    assert one.ready_us == NOW_US + 86_400_000_000


def test_without_a_pace_nothing_is_promised() -> None:
    learning = series(phase="learning", reference_n=1, per_day=None)

    assert coverage(config(), [], [learning], NOW_US).unready[0].ready_us is None


def test_the_needed_number_is_the_configured_one() -> None:
    learning = series(phase="learning", reference_n=100)
    settings = config(reference=Reference(observations=500))

    assert coverage(settings, [], [learning], NOW_US).unready[0].needed == 500


@pytest.mark.parametrize(("configured_n", "needed_n"), [(2_000, 500), (100, 100)])
def test_a_slice_needs_fewer_than_its_whole(configured_n: int, needed_n: int) -> None:
    learning = series(phase="learning", subject="pneumothorax.score @ patient.sex=F")
    settings = config(reference=Reference(observations=configured_n))

    assert coverage(settings, [], [learning], NOW_US).unready[0].needed == needed_n


def test_gaps_are_sentences() -> None:
    pairs = [
        SeenPair("north", "ptx", 10, True),
        SeenPair("north", "new", 3, True),
        SeenPair("east", "ich", 0, True),
    ]
    gaps = coverage(config(), pairs, [series()], NOW_US).gaps

    assert gaps == [
        "ich: no study has called for it in the last day.",
        "new: it answers, but is not configured: nobody waits for its results.",
        "east: no result was due in the last day.",
        "south: configured, but nothing has come from it.",
    ]


def test_what_promises_less_says_why() -> None:
    weak = [series(notes=("not_promised",)), series(subject="old", newest_us=us(-3 * 86_400))]

    assert [one.why for one in coverage(config(), [], weak, NOW_US).weak] == [
        "nothing was observed for 3 days",
        "its values depend on each other too much for a promise: notices only",
    ]


def test_what_is_switched_off_is_a_gap() -> None:
    settings = config(watch=Watch(monitors=tuple(one for one in MONITORS if one != "silence")))
    every, fewer = coverage(config(), [], [], NOW_US).gaps, coverage(settings, [], [], NOW_US).gaps

    (told,) = {*fewer} - {*every}
    assert told == "Nobody watches whether feeds fall silent: watch.monitors leaves silence out."


@pytest.mark.parametrize("monitor", MONITORS)
def test_each_monitor_that_is_off_is_told(monitor: Monitor) -> None:
    rest = tuple(one for one in MONITORS if one != monitor)

    told = coverage(config(watch=Watch(monitors=rest)), [], [], NOW_US).gaps

    assert [gap for gap in told if "watch.monitors" in gap and gap.endswith(f"{monitor} out.")]
