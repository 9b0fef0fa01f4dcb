"""CategoryDetector: other shares, or a value never seen, and nothing else, raise an alarm."""

from functools import cache
from statistics import median

import msgspec
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from detectors import StateUnreadable
from detectors.cat_sr import CategoryDetector
from detectors.categories import CELLS_MAX, DISTINCT_MAX, Categories

SHARES = (0.6, 0.3, 0.1)
ARL = 1e5


def drawn(rng: np.random.Generator, n: int, shares: tuple[float, ...] = SHARES) -> list[str]:
    return [f"v{index}" for index in rng.choice(len(shares), p=shares, size=n)]


@cache
def stream(seed: int, before: int, after: int, new_share: float) -> tuple[Categories, list[int]]:
    """A reference of 500, then values as in it, then some replaced by one never seen."""
    rng = np.random.default_rng(seed)
    categories = Categories(drawn(rng, 500))
    changed = ["new" if rng.random() < new_share else value for value in drawn(rng, after)]
    return categories, [categories.cell(value) for value in drawn(rng, before) + changed]


def everything(detector: CategoryDetector) -> tuple[object, ...]:
    return detector.state(), detector.statistic, detector.threshold, detector.changed_n


def test_false_alarms_are_at_most_those_promised() -> None:
    """40 references, each watched for one ARL of 1,000."""
    found = 0
    for seed in range(40):
        categories, cells = stream(seed, 1_000, 0, 0.0)
        detector, begin = CategoryDetector(1e3, categories.counts), 0
        while (index := detector.run(cells[begin:])) is not None:
            found, begin = found + 1, begin + index + 1

    assert found <= 40


@pytest.mark.parametrize(("new_share", "at_most"), [(1.0, 6), (0.2, 40), (0.05, 200)])
def test_a_value_never_seen_is_found_soon_and_dated(new_share: float, at_most: int) -> None:
    delays, errors = [], []
    for seed in range(15):
        categories, cells = stream(seed, 200, 600, new_share)
        detector = CategoryDetector(ARL, categories.counts)
        assert detector.run(cells[:200]) is None
        delays.append(detector.run(cells[200:]))
        errors.append(detector.changed_n - delays[-1] - 1)

    assert median(delays) <= at_most
    assert abs(median(errors)) <= 30


def test_other_shares_of_known_values_are_found() -> None:
    delays = []
    for seed in range(10):
        rng = np.random.default_rng([seed, 4])
        categories = Categories(drawn(rng, 2000))
        swapped = [categories.cell(value) for value in drawn(rng, 3000, (0.3, 0.6, 0.1))]
        delays.append(CategoryDetector(ARL, categories.counts).run(swapped))

    assert max(delays) < 250


@settings(max_examples=25, deadline=None)
@given(seed=st.integers(0, 5), cuts=st.lists(st.integers(0, 300), max_size=4))
def test_resuming_anywhere_changes_nothing(seed: int, cuts: list[int]) -> None:
    categories, cells = stream(seed, 220, 80, 0.5)
    uncut = CategoryDetector(ARL, categories.counts)
    resumed = CategoryDetector(ARL, categories.counts)

    for begin, end in zip([0, *sorted(cuts)], [*sorted(cuts), 300], strict=True):
        state = msgspec.msgpack.decode(msgspec.msgpack.encode(resumed.state()))
        resumed = CategoryDetector.restore(ARL, categories.counts, state)

        assert resumed.run(cells[begin:end]) == uncut.run(cells[begin:end])
        assert everything(resumed) == everything(uncut)


def test_batches_change_nothing_and_an_alarm_begins_anew() -> None:
    categories, cells = stream(1, 220, 80, 1.0)
    at_once, one_by_one = (CategoryDetector(ARL, categories.counts) for _ in range(2))
    alarm = at_once.run(cells)

    assert alarm is not None
    assert all(one_by_one.run([cell]) is None for cell in cells[:alarm])
    assert one_by_one.statistic < one_by_one.threshold

    assert one_by_one.run([cells[alarm]]) == 0
    assert one_by_one.statistic >= one_by_one.threshold
    assert everything(one_by_one) == everything(at_once)

    new = CategoryDetector(ARL, categories.counts)
    assert one_by_one.run(cells[:50]) == new.run(cells[:50])
    assert everything(one_by_one) == everything(new)


def test_the_evidence_is_the_likelihood_ratio_of_both_shares_unknown() -> None:
    """By hand: three observations, one start, the mean over the three priors, times 8."""
    counts, cells = (6, 3, 0), [0, 2, 2]
    detector = CategoryDetector(1e9, counts)
    detector.run(cells)
    known = [count + 0.5 for count in counts]
    ratios = []
    for prior in (5.0, 20.0, 100.0):
        ratio, since = 1.0, [0.0, 0.0, 0.0]
        for n, cell in enumerate(cells):
            changed = (prior * known[cell] / sum(known) + since[cell]) / (prior + n)
            ratio *= changed / ((known[cell] + since[cell]) / (sum(known) + n))
            since[cell] += 1
        ratios.append(ratio)

    assert detector.statistic == pytest.approx(8 * sum(ratios) / 3)


@pytest.mark.parametrize(
    ("arl", "counts"), [(0.5, (5, 0)), (1e4, (5,)), (1e4, (0, 0)), (1e4, (5, -1))]
)
def test_settings_are_validated(arl: float, counts: tuple[int, ...]) -> None:
    with pytest.raises(ValueError, match="must"):
        CategoryDetector(arl, counts)


@pytest.mark.parametrize("cell", [-1, 3])
def test_a_cell_that_does_not_exist_is_a_programmer_error(cell: int) -> None:
    with pytest.raises(ValueError, match="cell"):
        CategoryDetector(1e4, (5, 5, 0)).run([0, cell])


def test_a_state_for_other_cells_is_said_to_be_unreadable() -> None:
    state = CategoryDetector(1e4, (5, 5, 0)).state()

    for counts, changed in (((5, 0), {}), ((5, 5, 0), {"format": 99})):
        with pytest.raises(StateUnreadable):
            CategoryDetector.restore(1e4, counts, {**state, **changed})


def test_frequent_values_have_cells_of_their_own_and_the_rest_share_one() -> None:
    values = [f"v{index:03}" for index in range(100) for _ in range(100 - index)]
    categories = Categories(values)

    assert len(categories.counts) == CELLS_MAX
    assert sum(categories.counts) == len(values)
    assert [categories.cell(f"v{index:03}") for index in (0, 29, 30, 99)] == [0, 29, 30, 30]
    assert categories.cell("w") == CELLS_MAX - 1
    assert categories.counts[-1] == 0
    assert categories.is_new("w")
    assert not categories.is_new("v099")


@given(st.lists(st.text(max_size=5) | st.floats(allow_nan=False), min_size=1, max_size=60))
def test_a_record_gives_the_same_categories(values: list[str | float]) -> None:
    categories = Categories(values)
    read = Categories.from_bytes(categories.to_bytes())

    assert read.counts == categories.counts
    assert [read.cell(v) for v in values] == [categories.cell(v) for v in values]
    assert sum(categories.counts) == len(values)


@pytest.mark.parametrize("values", [[], [str(index) for index in range(DISTINCT_MAX + 1)]])
def test_what_is_no_category_is_refused(values: list[str | float]) -> None:
    with pytest.raises(ValueError, match="different values"):
        Categories(values)


@pytest.mark.parametrize("record", [b"", b"\x92\x02\x90", b"\x01", b"\x92\x01\x01"])
def test_what_is_no_record_is_said_to_be_unreadable(record: bytes) -> None:
    with pytest.raises(StateUnreadable):
        Categories.from_bytes(record)
