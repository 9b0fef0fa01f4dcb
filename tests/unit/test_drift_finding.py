"""What happened to a series, in a title: nothing that is not so, and nothing that leads astray."""

import pytest

from streams.series.change import Change
from streams.series.drift_finding import drift_finding
from streams.series.seen import Moved, SeriesId, SeriesKind

SOFTWARE: SeriesId = ("north", "", "scanner.software")
STATION: SeriesId = ("north", "", "scanner.station")
WAIT: SeriesId = ("north", "", "report_turnaround_s")
PIXEL: SeriesId = ("north", "", "acquisition.pixel_mm")


def title(key: SeriesId, kind: SeriesKind, before: float, after: float, **more: object) -> str:
    """That of an alarm on 2,000 observations of reference."""
    known = {"reference_n": 2_000, "current_n": 400, "detector": "cat_sr", **more}
    change = Change("alarm", 0, again=False, since_us=0, before=before, after=after, **known)  # type: ignore[arg-type]
    finding = drift_finding(key, kind, change, model=None, severity="warning")
    assert finding is not None
    return finding.title


@pytest.mark.parametrize(
    ("key", "moved", "told"),
    [
        (SOFTWARE, Moved("4.1", 0.02, 0.217), ": 4.1 from 2 to 21.7 %"),
        (SOFTWARE, Moved("Mr. Featherstonehaugh", 0.405, 0.62), ": one value from 40.5 to 62 %"),
        (STATION, Moved("CT2", 0.4, 0.0), ": one value from 40 to 0 %"),
        (SOFTWARE, Moved(None, 0.0, 0.08), ": rare or new values from 0 to 8 %"),
        (SOFTWARE, None, ""),  # of a version that did not know it
    ],
)
def test_the_value_whose_share_moved_most_is_named(
    key: SeriesId, moved: Moved | None, told: str
) -> None:
    assert title(key, "word", 0.405, 0.413, moved=moved) == (
        f"{key[2]} at north has another mixture{told}"
    )


def test_numbers_whose_mixture_is_another_may_have_their_old_mean() -> None:
    assert title(PIXEL, "number", 0.2836, 0.2831) == (
        "acquisition.pixel_mm at north has another mixture: mean from 0.2836 to 0.2831"
    )
    assert title(PIXEL, "number", 0.2836, 0.25, detector="mean_sr") == (
        "acquisition.pixel_mm at north moved from 0.2836 to 0.25"
    )


@pytest.mark.parametrize(
    ("before", "after", "told"),
    [
        (69_235.4, 481_756.5, "from 0.801 to 5.58 days"),
        (69_710.0, 71_940.0, "from 19.4 to 20 h"),
        (98.37, 84.33, "from 98.4 to 84.3 s"),
        (55.0, 660.0, "from 0.917 to 11 min"),
    ],
)
def test_times_are_told_in_a_unit_that_one_can_read(before: float, after: float, told: str) -> None:
    assert title(WAIT, "number", before, after, detector="mean_sr") == (
        f"report_turnaround_s at north moved {told}"
    )


@pytest.mark.parametrize(
    ("kind", "before", "after", "told"),
    [
        ("number", 0.148, 0.14804, "from 0.148 to 0.14804"),
        ("number", 1_000_000_024.5, 1_000_003_150.8, "from 1e+09 to 1.000003e+09"),
        ("number", 2_048.0, 2_048.3, "from 2048 to 2048.3"),
        ("number", -0.0, 1.0, "from 0 to 1"),
        ("number", 5.0, 5.0, "from 5 to 5"),  # of a mixture whose mean has not moved at all
        ("yes_no", 0.20451, 0.20453, "from 20.451 to 20.453 %"),
    ],
)
def test_two_levels_are_told_apart(
    kind: SeriesKind, before: float, after: float, told: str
) -> None:
    assert title(PIXEL, kind, before, after, detector="mean_sr").endswith(f" moved {told}")


def test_large_numbers_have_no_exponent() -> None:
    told = title(PIXEL, "number", 69_235.4, 12_345_678.9, detector="mean_sr")
    assert told.endswith(" moved from 69235 to 12345679")
