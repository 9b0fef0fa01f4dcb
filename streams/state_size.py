"""How large a shard's state is, kept up to date with what is written."""


class StateSize:
    """The bytes of the last value of every key. Keys are remembered by their hash.

    >>> size = StateSize()
    >>> size.note(b"key", b"12345"), size.bytes
    (None, 8)
    >>> size.note(b"key", b"1"), size.note(b"other", None), size.bytes
    (None, None, 4)
    >>> size.note(b"key", None), size.bytes
    (None, 0)
    """

    def __init__(self) -> None:
        self.bytes = 0
        self._of: dict[int, int] = {}

    def note(self, key: bytes, value: bytes | None) -> None:
        """A record was written; None is a tombstone."""
        known = hash(key)
        self.bytes -= self._of.pop(known, 0)
        if value is not None:
            self._of[known] = len(key) + len(value)
            self.bytes += self._of[known]
