"""The folder is the register."""

import pytest

from detectors import Promise, kinds, make
from detectors.votes import VOTES, VOTES_OF_WORDS


def test_every_file_with_a_detector_is_a_kind_and_no_other() -> None:
    assert {"adwin", "mean_sr", "page_hinkley"} <= set(kinds())
    assert not {"reference", "bet_sr", "_contract", "_river_window"} & set(kinds())


def test_an_unknown_kind_is_told_which_there_are() -> None:
    with pytest.raises(ValueError, match=r"'adwn'.*adwin, .*page_hinkley"):
        make("adwn", Promise(30, 100), 500)


@pytest.mark.parametrize("votes", [VOTES, VOTES_OF_WORDS])
def test_the_votes_of_a_series_have_its_promise_together(votes: dict[str, float]) -> None:
    assert sum(votes.values()) == pytest.approx(1)
    assert set(votes) - {"cat_sr"} <= set(kinds())


def test_parts_of_a_promise_add_up_to_it() -> None:
    promise = Promise(days=30, per_day=1000)

    assert sum(1 / promise.part(part).days for part in VOTES.values()) == pytest.approx(1 / 30)
    assert promise.arl == 30_000
