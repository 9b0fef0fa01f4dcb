"""CategoryDetector: other shares, or a value never seen, and nothing else, raise an alarm."""

import json
from base64 import b64decode
from functools import cache
from pathlib import Path
from statistics import median

import msgspec
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from detectors import INDEPENDENT, StateUnreadable
from detectors.cat_sr import CategoryDetector
from detectors.categories import CELLS_MAX, DISTINCT_MAX, Categories
from detectors.overdispersion import overdispersion_of

Cells = np.ndarray
SHARES = (0.6, 0.3, 0.1)
ARL = 1e5


def drawn(rng: np.random.Generator, n: int, shares: tuple[float, ...] = SHARES) -> list[str]:
    return [f"v{index}" for index in rng.choice(len(shares), p=shares, size=n)]


@cache
def stream(seed: int, before: int, after: int, new_share: float) -> tuple[Categories, Cells]:
    """A reference of 500, then values as in it, then some replaced by one never seen."""
    rng = np.random.default_rng(seed)
    categories = Categories(drawn(rng, 500))
    changed = ["new" if rng.random() < new_share else value for value in drawn(rng, after)]
    return categories, categories.cells(drawn(rng, before) + changed)


def fed(detector: CategoryDetector, cells: Cells) -> int | None:
    return detector.run(cells, np.ones(len(cells)))


def alarm_places(
    detector: CategoryDetector, cells: Cells, days: np.ndarray, weekdays: Cells | None = None
) -> list[int]:
    weekdays = np.zeros(len(cells), dtype=np.int64) if weekdays is None else weekdays
    found: list[int] = []
    at = 0
    while (index := detector.run(cells[at:], days[at:], weekdays[at:])) is not None:
        at += index + 1
        found.append(at - 1)
    return found


def everything(detector: CategoryDetector) -> tuple[object, ...]:
    return detector.state(), detector.statistic, detector.threshold, detector.changed_n


def test_false_alarms_are_at_most_those_promised() -> None:
    """200 references, each watched for one ARL of 1,000."""
    found = 0
    for seed in range(200):
        categories, cells = stream(seed, 1_000, 0, 0.0)
        detector = CategoryDetector(1e3, categories.counts)
        found += len(alarm_places(detector, cells, np.ones(1_000)))

    assert found <= 200


@pytest.mark.parametrize(("new_share", "at_most"), [(1.0, 6), (0.2, 40), (0.05, 200)])
def test_a_value_never_seen_is_found_soon_and_dated(new_share: float, at_most: int) -> None:
    delays, errors = [], []
    for seed in range(15):
        categories, cells = stream(seed, 200, 600, new_share)
        detector = CategoryDetector(ARL, categories.counts)
        assert fed(detector, cells[:200]) is None
        delays.append(fed(detector, cells[200:]))
        errors.append(detector.changed_n - delays[-1] - 1)

    assert median(delays) <= at_most
    assert abs(median(errors)) <= 30


def test_other_shares_of_known_values_are_found() -> None:
    delays = []
    for seed in range(10):
        rng = np.random.default_rng([seed, 4])
        categories = Categories(drawn(rng, 2000))
        swapped = categories.cells(drawn(rng, 3000, (0.3, 0.6, 0.1)))
        delays.append(fed(CategoryDetector(ARL, categories.counts), swapped))

    assert max(delays) < 250


def test_a_new_software_version_is_found_within_seven_studies() -> None:
    """At an ARL of 1e5, reference 2,000, wherever in a chunk it begins."""
    delays = []
    for seed in range(40):
        rng = np.random.default_rng([seed, 9])
        categories = Categories(drawn(rng, 2000))
        detector = CategoryDetector(ARL, categories.counts)
        assert fed(detector, categories.cells(drawn(rng, 300 + seed))) is None
        delays.append(fed(detector, categories.cells(["3.1"] * 20)))

    assert max(delays) < 7


@pytest.mark.parametrize("variance_ratio", [1.0, 2.5])
@settings(max_examples=25, deadline=None)
@given(seed=st.integers(0, 5), cuts=st.lists(st.integers(0, 500), max_size=5))
def test_however_cells_are_cut_and_state_is_restored_the_result_is_the_same_bits(
    variance_ratio: float, seed: int, cuts: list[int]
) -> None:
    categories, cells = stream(seed, 400, 100, 0.3)
    days = np.random.default_rng(2).exponential(size=500)
    uncut = CategoryDetector(ARL, categories.counts, variance_ratio)
    resumed = CategoryDetector(ARL, categories.counts, variance_ratio)
    expected = alarm_places(uncut, cells, days)

    found = []
    for begin, end in zip([0, *sorted(cuts)], [*sorted(cuts), 500], strict=True):
        state = msgspec.msgpack.decode(msgspec.msgpack.encode(resumed.state()))
        resumed = CategoryDetector.restore(ARL, categories.counts, state, variance_ratio)
        part = alarm_places(resumed, cells[begin:end], days[begin:end])
        found += [begin + place for place in part]

    assert found == expected
    assert everything(resumed) == everything(uncut)


def test_one_by_one_is_the_same_bits_and_an_alarm_begins_anew() -> None:
    categories, cells = stream(1, 220, 80, 1.0)
    at_once, one_by_one = (CategoryDetector(ARL, categories.counts) for _ in range(2))
    alarm = fed(at_once, cells)

    assert alarm is not None
    assert all(fed(one_by_one, cells[i : i + 1]) is None for i in range(alarm))
    assert one_by_one.statistic < one_by_one.threshold

    assert fed(one_by_one, cells[alarm : alarm + 1]) == 0
    assert one_by_one.statistic >= one_by_one.threshold
    assert everything(one_by_one) == everything(at_once)

    new = CategoryDetector(ARL, categories.counts)
    assert fed(one_by_one, cells[:50]) == fed(new, cells[:50])
    assert one_by_one.statistic == new.statistic
    assert one_by_one.state()["blocks"] != new.state()["blocks"]  # what they told stays


def test_the_evidence_is_the_likelihood_ratio_of_both_shares_unknown() -> None:
    """By hand: three observations, one start, a mean over both priors, times its days."""
    counts, cells = (6, 3, 0), [0, 2, 2]
    detector = CategoryDetector(1e9, counts)
    detector.run(np.array(cells), np.array([0.25, 3.0, 3.0]))
    known = [count + 0.5 for count in counts]
    evidence = 0.0
    for prior, part in ((5.0, 0.1), (40.0, 0.9)):
        ratio, since = 1.0, [0.0, 0.0, 0.0]
        for n, cell in enumerate(cells):
            changed = (prior * known[cell] / sum(known) + since[cell]) / (prior + n)
            ratio *= changed / ((known[cell] + since[cell]) / (sum(known) + n))
            since[cell] += 1
        evidence += part * ratio

    assert detector.statistic == pytest.approx(0.25 * evidence)


def test_in_control_the_evidence_is_worth_the_days_gone_by() -> None:
    """E[M] over 3,000 streams whose shares are drawn as the prior says: 57 days, last start 56."""
    rng = np.random.default_rng(6)
    evidence = []
    for _ in range(3_000):
        shares = rng.dirichlet([0.5] * 3)
        reference, cells = (rng.choice(3, p=shares, size=n) for n in (100, 57))
        detector = CategoryDetector(1e12, np.bincount(reference, minlength=3))
        assert fed(detector, cells) is None
        evidence.append(detector.statistic)

    error = np.std(evidence) / 3_000**0.5
    assert abs(np.mean(evidence) - 57) < 3 * error
    assert error < 2


def test_dependent_observations_count_for_less() -> None:
    """Each value three times over alarms as single ones would, three times as late or later."""
    categories, cells = stream(3, 100, 200, 0.3)
    single = fed(CategoryDetector(ARL, categories.counts), cells)
    threefold = np.repeat(cells, 3)
    counts = [3 * count for count in categories.counts]

    trusting = fed(CategoryDetector(ARL, counts), threefold)
    tempered = fed(CategoryDetector(ARL, counts, variance_ratio=3.0), threefold)

    assert single is not None
    assert trusting is not None
    assert tempered is not None
    assert trusting < tempered
    assert 2.5 * single < tempered < 5 * single


def test_what_comes_thrice_and_counts_for_a_third_is_the_evidence_of_one() -> None:
    """A start does not foretell the other images of a patient from the first."""
    cells = np.array([2, 0])
    single = CategoryDetector(1e9, (60, 30, 10))
    threefold = CategoryDetector(1e9, (180, 90, 30), variance_ratio=3.0)

    fed(single, cells)
    fed(threefold, cells.repeat(3))

    assert threefold.statistic == pytest.approx(single.statistic, rel=0.01)


def test_days_that_have_shares_of_their_own_keep_the_promise() -> None:
    """20 to 40 % by the day of 100, learnt from twenty; 30 references, each for one promise.

    25 where a start foretells its day from the beginning of it.
    """
    found = 0
    for seed in range(30):
        rng = np.random.default_rng([seed, 30])
        days = np.arange(12_000) // 100
        cells = (rng.random(12_000) < rng.uniform(0.2, 0.4, size=120)[days]) * 1
        told = overdispersion_of(cells[:2_000], days[:2_000] % 7)
        counts = np.bincount(cells[:2_000], minlength=2).tolist()
        detector = CategoryDetector(1e4, counts, 1.0, told)
        found += len(alarm_places(detector, cells[2_000:], np.ones(10_000), days[2_000:] % 7))

    assert found <= 18


def test_dependence_that_shows_later_tempers_what_begins_then_and_an_alarm_leaves_it() -> None:
    """Four in a row alike, in a reference that was taken for independent."""
    rng = np.random.default_rng(2)
    cells = (rng.random(500) < 0.3).repeat(4) * 1
    detector = CategoryDetector(1e9, (700, 300))

    assert detector.variance_ratio == 1
    assert fed(detector, cells) is None

    assert 4 < detector.variance_ratio < 7
    detector.begin_anew()
    assert (detector.statistic, detector.changed_n) == (0, 0)
    assert 4 < detector.variance_ratio < 7


def test_a_change_is_not_taken_for_dependence() -> None:
    """A share that doubles always would be, were blocks held to its mean or to the reference."""
    tempered = 0
    for seed in range(40):
        rng = np.random.default_rng(seed)
        cells = (rng.random(1_000) < np.where(np.arange(1_000) < 500, 0.1, 0.2)) * 1
        detector = CategoryDetector(1e100, (1_800, 200))
        assert detector.run(cells, np.ones(1_000), np.arange(1_000) // 50 % 7) is None
        tempered += detector.variance_ratio > 1.2  # days are taken to differ by little

    assert tempered <= 6


@pytest.mark.parametrize(("form", "statistic"), [(2, 86.47105335104271), (3, 1352.5324273330655)])
def test_a_state_of_three_priors_goes_on_with_all_its_evidence(form: int, statistic: float) -> None:
    """Format 2 had one ratio for all its starts as well."""
    file = Path(__file__).parents[1] / "golden" / "detectors" / f"cat_sr-{form}.json"
    state = json.loads(file.read_text())
    changed = {"format", "evidence"}

    detector = CategoryDetector.restore(ARL, (300, 150, 50, 0), state, 1.5)

    assert detector.statistic == pytest.approx(statistic)
    written = detector.state()
    assert written["format"] == 4
    assert written["evidence"][0] == state["evidence"][0]
    assert written["counted_then"] == state.get("counted_then", [1 / 1.5] * len(state["began"]))
    assert {name: written[name] for name in state if name not in changed} == {
        name: state[name] for name in state if name not in changed
    }
    assert fed(detector, np.array([0, 1, 2])) is None


def test_silence_alone_is_no_alarm() -> None:
    categories, cells = stream(1, 100, 0, 0.0)
    days = np.full(100, 0.01)
    days[50] = 90.0

    detector = CategoryDetector(30.0, categories.counts)

    assert detector.run(cells, days) is None
    assert detector.statistic < 15


@pytest.mark.parametrize("days", [[-1.0, 1.0], [float("nan"), 1.0], [1.0]])
def test_a_time_that_is_none_is_refused_and_moves_nothing(days: list[float]) -> None:
    detector = CategoryDetector(1e4, (5, 5, 0))
    before = everything(detector)

    with pytest.raises(ValueError, match="time since"):
        detector.run(np.array([0, 1]), np.array(days))

    assert everything(detector) == before


@pytest.mark.parametrize(
    ("days", "counts"), [(0.0, (5, 0)), (1e4, (5,)), (1e4, (0, 0)), (1e4, (5, -1))]
)
def test_settings_are_validated(days: float, counts: tuple[int, ...]) -> None:
    with pytest.raises(ValueError, match="must"):
        CategoryDetector(days, counts)


@pytest.mark.parametrize("cell", [-1, 3])
def test_a_cell_that_does_not_exist_is_a_programmer_error(cell: int) -> None:
    with pytest.raises(ValueError, match="cell"):
        fed(CategoryDetector(1e4, (5, 5, 0)), np.array([0, cell]))


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
    assert read.cells(values).tolist() == [categories.cell(v) for v in values]
    assert sum(categories.counts) == len(values)


@pytest.mark.parametrize(
    ("form", "ratio", "sums"),
    [("1", 1.0, []), ("2", 1.5, []), ("3", 1.5, [[90.0, 60.0, 180.0], [30.0, 20.0, 60.0]])],
)
def test_records_of_every_format_are_read(form: str, ratio: float, sums: list[list[float]]) -> None:
    """The first took categories for independent, the second had nothing of blocks."""
    file = Path(__file__).parents[1] / "golden" / "detectors" / "categories.json"

    read = Categories.from_bytes(b64decode(json.loads(file.read_text())[form]))

    assert (read.counts, read.dependence.ratio) == ((40, 20, 0), ratio)
    assert read.overdispersion == sums
    assert Categories.from_bytes(read.to_bytes()).dependence == read.dependence


@pytest.mark.parametrize("ratio", [0.5, float("inf"), float("nan")])
def test_a_record_with_no_variance_ratio_is_unreadable(ratio: float) -> None:
    dependence = INDEPENDENT._replace(ratio=ratio)

    with pytest.raises(StateUnreadable):
        Categories.from_bytes(Categories.from_counts({"a": 60}, dependence).to_bytes())


@pytest.mark.parametrize("sums", [[[1.0, 2.0, 3.0]], [[1.0, 2.0]] * 2, [[1.0, -2.0, 3.0]] * 2])
def test_a_record_with_sums_that_are_none_is_unreadable(sums: list[list[float]]) -> None:
    with pytest.raises(StateUnreadable):
        Categories.from_bytes(Categories.from_counts({"a": 60}, INDEPENDENT, sums).to_bytes())


@pytest.mark.parametrize("values", [[], [str(index) for index in range(DISTINCT_MAX + 1)]])
def test_what_is_no_category_is_refused(values: list[str | float]) -> None:
    with pytest.raises(ValueError, match="different values"):
        Categories(values)


@pytest.mark.parametrize("record", [b"", b"\x92\x02\x90", b"\x01", b"\x92\x01\x01"])
def test_what_is_no_record_is_said_to_be_unreadable(record: bytes) -> None:
    with pytest.raises(StateUnreadable):
        Categories.from_bytes(record)


def test_counts_make_the_same_categories_as_the_values_they_count() -> None:
    counted = Categories.from_counts({"no": 3, "yes": 1, "never": 0})

    assert counted.counts == (3, 1, 0, 0)
    assert counted.as_counts() == {"no": 3, "yes": 1, "never": 0}
    assert not counted.is_new("never")
    assert Categories.from_counts({"b": 1, "a": 2}).to_bytes() == Categories("aab").to_bytes()
