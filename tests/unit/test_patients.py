"""Of each patient the first study counts, for as long as the patient is remembered."""

from hypothesis import given
from hypothesis import strategies as st

from schemas.config import Bounds
from streams.observations.patients import Known, Patients

DAY_US = 86_400_000_000
KEYS = st.lists(st.sampled_from("abcdefgh"), max_size=40)


def patients(days: float = 30, per_site: int = 100) -> Patients:
    return Patients(Bounds(patient_s=days * 86_400, patients_per_site=per_site))


def written(of: Patients) -> dict[tuple[str, str], Known | None]:
    return dict(of.changes())


def test_the_first_study_of_a_patient_counts_and_the_next_does_not() -> None:
    north = patients()

    assert [north.is_first("north", key, 0, 0) for key in ("a", "a", "b", "a")] == [
        True,
        False,
        True,
        False,
    ]


def test_a_study_without_a_key_always_counts() -> None:
    north = patients()

    assert north.is_first("north", None, 0, 0)
    assert north.is_first("north", None, 1, 1)


def test_patients_of_two_sites_are_two_patients() -> None:
    both = patients()

    assert both.is_first("north", "a", 0, 0)
    assert both.is_first("south", "a", 0, 0)


def test_a_patient_counts_again_after_the_time_it_is_remembered() -> None:
    north = patients(days=30)
    north.is_first("north", "a", 0, 0)

    still_known = not north.is_first("north", "a", 1, 30 * DAY_US - 1)

    assert still_known
    assert north.is_first("north", "a", 30 * DAY_US, 30 * DAY_US)


def test_beyond_the_bound_the_oldest_is_forgotten_and_counted() -> None:
    north = patients(per_site=2)
    for key in ("a", "b", "c"):
        north.is_first("north", key, 0, 0)

    assert len(north) == 2
    assert not north.is_first("north", "b", 0, 0)
    assert north.dropped["patient_overflow"] == 1
    assert north.is_first("north", "a", 0, 0)


def test_the_key_is_in_no_record() -> None:
    north = patients()
    north.is_first("north", "MRN-4711", 0, 0)

    assert "4711" not in repr(written(north))


@given(KEYS, st.integers(0, 40))
def test_resuming_anywhere_changes_nothing(keys: list[str], cut: int) -> None:
    uncut, before = patients(per_site=4), patients(per_site=4)
    answers = [uncut.is_first("north", key, number, 0) for number, key in enumerate(keys)]

    first = [before.is_first("north", key, number, 0) for number, key in enumerate(keys[:cut])]
    resumed = patients(per_site=4)
    resumed.restore(known for known in written(before).values() if known is not None)
    rest = [
        resumed.is_first("north", key, number, 0)
        for number, key in enumerate(keys[cut:], start=len(keys[:cut]))
    ]

    assert first + rest == answers
