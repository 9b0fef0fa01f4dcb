"""The draw that places a value among its equals: fair, and the same in every replay.

Multiply-shift hashing (Dietzfelbinger et al. 1997): a uniform 64-bit key of the study times an odd
key of the series, of which the upper half is taken.
"""

from functools import lru_cache
from hashlib import blake2b

import numpy as np
from numpy.typing import NDArray

from detectors._contract import Floats

_MASK_64 = 2**64 - 1


def uniform(site: str, study: str, subject: str) -> float:
    """A number in (0, 1) that depends on nothing but its arguments, like a fair draw among them.

    >>> uniform("north", "st-1", "view") == uniform("north", "st-1", "view")
    True
    """
    product = study_key(site, study) * subject_key(subject) & _MASK_64
    return ((product >> 32) + 0.5) * 2.0**-32


def uniforms(study_keys: NDArray[np.uint64], subject_key: int) -> Floats:
    """`uniform` of many studies in one series, the same numbers.

    >>> keys = np.array([study_key("north", "st-1")], dtype=np.uint64)
    >>> uniforms(keys, subject_key("view")) == uniform("north", "st-1", "view")
    array([ True])
    """
    products = study_keys * np.uint64(subject_key)  # modulo 2**64
    return ((products >> np.uint64(32)).astype(np.float64) + 0.5) * 2.0**-32


@lru_cache(maxsize=1024)
def study_key(site: str, study: str) -> int:
    """A study's 64 bits."""
    return _key(f"{site}\0{study}")


@lru_cache(maxsize=65536)
def subject_key(subject: str) -> int:
    """A series' 64 bits, odd."""
    return _key(subject) | 1


def _key(text: str) -> int:
    return int.from_bytes(blake2b(text.encode(), digest_size=8).digest(), "little")
