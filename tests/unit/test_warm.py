"""After the warm-up nothing is left to compile."""

from detectors import cat_sr, mean_sr, page_hinkley
from detectors.warm import warm_up


def test_every_loop_of_the_detectors_is_compiled_by_it() -> None:
    warm_up()

    for loop in (cat_sr._read, mean_sr._read, page_hinkley._read):
        assert loop.signatures  # type: ignore[attr-defined]
        before = list(loop.signatures)  # type: ignore[attr-defined]
        warm_up()
        assert loop.signatures == before  # type: ignore[attr-defined]
