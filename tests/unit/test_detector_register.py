"""The folder is the register."""

import pytest

from detectors import kinds, make


def test_every_file_with_a_detector_is_a_kind_and_no_other() -> None:
    assert {"adwin", "page_hinkley"} <= set(kinds())
    assert not {"reference", "bet_sr", "_contract", "_river_window"} & set(kinds())


def test_an_unknown_kind_is_told_which_there_are() -> None:
    with pytest.raises(ValueError, match=r"'adwn'.*adwin, .*page_hinkley"):
        make("adwn", 1e5, 500)
