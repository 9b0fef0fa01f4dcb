"""Text that any provider takes: one line, no control characters, not too long."""

from unicodedata import category

_ELLIPSIS = "…"


def clean(text: str) -> str:
    r"""On one line, without what is not to be seen: controls, bidi marks, unassigned.

    >>> clean("a\r\nBcc: x\u202e\x00 b")
    'a Bcc: x b'
    """
    if text.isascii() and text.isprintable():
        return text.strip()
    seen = "".join(" " if category(letter)[0] in "CZ" else letter for letter in text)
    return " ".join(seen.split())


def length(text: str) -> int:
    """Characters as the strictest provider counts them: in units of UTF-16."""
    return len(text.encode("utf-16-le")) // 2


def shorten(text: str, longest: int) -> str:
    """At most so many characters, the last one an ellipsis where something was cut.

    >>> shorten("pneumothorax", 6)
    'pneum…'
    """
    if length(text) <= longest:
        return text
    cut = text.encode("utf-16-le")[: (longest - 1) * 2]
    return cut.decode("utf-16-le", errors="ignore") + _ELLIPSIS
