"""Ways to break a message. Each takes a source of chance and bytes, and gives other bytes.

What the standards are made of is in `TOKENS`; the rest knows nothing of them, so that a new kind
is broken as well as the old ones.
"""

import gzip
import re
import struct
from collections.abc import Callable, Sequence
from random import Random

from tests.fuzz.reshaping import reshaped

LARGEST_BYTES = 2_000_000
Mutation = Callable[[Random, bytes], bytes]
TOKENS = (
    b"\xfe\xff\x00\xe0\xff\xff\xff\xff",  # DICOM: an item of undefined length,
    b"\xfe\xff\x0d\xe0\0\0\0\0",  # its end,
    b"\xfe\xff\xdd\xe0\0\0\0\0",  # the end of a sequence
    b"SQ\0\0\xff\xff\xff\xff",
    b"UN\0\0\xff\xff\xff\xff",
    b"OB\0\0\xff\xff\xff\x7f",
    b"\x40\x00\x30\xa7SQ\0\0\xff\xff\xff\xff",
    b"\x08\x00\x05\x00CS\x10\x00\\ISO 2022 IR 149",
    b"1.2.840.10008.1.2.1.99",  # deflated
    b"\\",
    b"|",
    b"^",
    b"~",
    b"&",
    b"\r",
    b"\rMSH|^~\\&|",
    b"\rOBR|",
    b"\rOBX|9|TX|",
    b"\\X",
    b"\\XFFFE\\",
    b"\\.br\\",
    b"[",
    b"{",
    b"]",
    b"}",
    b'"',
    b"null",
    b"1e999",
    b"-0.0",
    b"NaN",
    b'{"resourceType":"Bundle","entry":[',
    b"\\ud800",
    b"\0",
    b"\xff",
    b"\xef\xbb\xbf",
    "\u202e\u0130\U0001f600".encode(),
    b"9" * 400,
    b"A" * 70_000,
)
_NUMBERS = (0, 1, 0x7F, 0x80, 0xFF, 0x7FFF, 0xFFFE, 0xFFFF, 0x7FFFFFFF, 0xFFFFFFFE, 0xFFFFFFFF)
_CHARSETS = (
    b"ISO_IR 100",
    b"ISO_IR 192",
    b"ISO 2022 IR 87",
    b"\\ISO 2022 IR 149",
    b"GB18030",
    b"8859/1",
    b"UNICODE UTF-8",
    b"ISO IR87",
    b"KS X 1001",
    b"EBCDIC",
)
_CODECS = ("utf-16", "utf-32", "utf-7", "cp037", "utf-8-sig", "cp1250")


def mutated(chance: Random, seeds: Sequence[bytes]) -> bytes:
    """One of the seeds, broken one to four times."""
    content = chance.choice(seeds)
    for _ in range(chance.choice((1, 1, 1, 2, 3, 4))):
        content = _chosen(chance, content)(chance, content)
        if chance.random() < 0.02:
            content = _spliced(chance, content, chance.choice(seeds))
    return content[:LARGEST_BYTES]


def _chosen(chance: Random, content: bytes) -> Mutation:
    """What is JSON mostly stays it: one flipped bit, and nothing but its parser is tried."""
    is_json = content[:1] in (b"{", b"[")
    return reshaped if is_json and chance.random() < 0.7 else chance.choice(MUTATIONS)


def _place(chance: Random, content: bytes | bytearray) -> int:
    """Anywhere; half of the time in the beginning, where headers are."""
    return chance.randrange(min(len(content), 2048) if chance.random() < 0.5 else len(content))


def flipped(chance: Random, content: bytes) -> bytes:
    """Up to 64 bits are others."""
    broken = bytearray(content or b"\0")
    for _ in range(chance.choice((1, 1, 2, 8, 64))):
        broken[_place(chance, broken)] ^= 1 << chance.randrange(8)
    return bytes(broken)


def truncated(chance: Random, content: bytes) -> bytes:
    """Only the beginning."""
    return content[: _place(chance, content or b"\0")]


def beheaded(chance: Random, content: bytes) -> bytes:
    """Only the end."""
    return content[_place(chance, content or b"\0") :]


def numbered(chance: Random, content: bytes) -> bytes:
    """A number that is at a bound stands where something was: huge lengths among them."""
    form = chance.choice(("<H", "<I", ">H", ">I"))
    number = struct.pack(form, chance.choice(_NUMBERS) & (0xFFFF if form[1] == "H" else 0xFFFFFFFF))
    place = _place(chance, content or b"\0")
    return content[:place] + number + content[place + len(number) :]


def inserted(chance: Random, content: bytes) -> bytes:
    """A piece of a standard stands where it should not, once or often."""
    place = _place(chance, content or b"\0")
    often = chance.choice((1, 1, 1, 2, 50))
    return content[:place] + (chance.choice(TOKENS) * often)[:100_000] + content[place:]


def repeated(chance: Random, content: bytes) -> bytes:
    """A part is there again and again: repetitions, segments, items."""
    start, stop = sorted((_place(chance, content or b"\0"), _place(chance, content or b"\0")))
    part = content[start : min(stop, start + 500)]
    return content[:stop] + part * chance.choice((1, 2, 10, 300)) + content[stop:]


def removed(chance: Random, content: bytes) -> bytes:
    """A part is missing."""
    start, stop = sorted((_place(chance, content or b"\0"), _place(chance, content or b"\0")))
    return content[:start] + content[min(stop, start + 200) :]


def swapped(chance: Random, content: bytes) -> bytes:
    """Two lines, fields or values have changed places."""
    mark = chance.choice((b"\r", b"|", b"^", b",", b":", b"\0"))
    parts = content.split(mark)
    one, other = chance.randrange(len(parts)), chance.randrange(len(parts))
    parts[one], parts[other] = parts[other], parts[one]
    return mark.join(parts)


def nested(chance: Random, content: bytes) -> bytes:
    """Something is deep within itself: JSON, or DICOM sequences of undefined length."""
    deep = chance.choice((10, 100, 1_000, 20_000))
    place = _place(chance, content or b"\0")
    way = chance.randrange(4)
    if way == 0:
        return b"[" * deep + content + b"]" * deep
    if way == 1:
        value = re.search(rb":\s*", content[place:])
        at = place + value.end() if value else place
        return content[:at] + b'{"a":' * deep + b"1" + b"}" * deep + b"," + content[at:]
    if way == 2:
        opened = b"\x40\x00\x30\xa7SQ\0\0\xff\xff\xff\xff\xfe\xff\x00\xe0\xff\xff\xff\xff"
    else:
        opened = b"\x40\x00\x30\xa7\xff\xff\xff\xff\xfe\xff\x00\xe0\xff\xff\xff\xff"
    return content[:place] + opened * min(deep, 5_000) + content[place:]


def bombed(chance: Random, content: bytes) -> bytes:
    """Very many empty items, or what inflates to much more."""
    place = _place(chance, content or b"\0")
    way = chance.randrange(4)
    many = chance.random() < 0.1
    if way == 0:
        items = b"\xfe\xff\x00\xe0\0\0\0\0" * (20_000 if many else 500)
        return content[:place] + b"\x40\x00\x30\xa7SQ\0\0\xff\xff\xff\xff" + items
    if way == 1:
        return (
            content[:place] + b"[" + b"{}," * (40_000 if many else 1_000) + b"{}]" + content[place:]
        )
    if way == 2:
        return content[:place] + b"\rOBX|1|TX|" * (15_000 if many else 300) + content[place:]
    return gzip.compress(content[:place] + b"\0" * 1_000_000 + content[place:], 1)


def recoded(chance: Random, content: bytes) -> bytes:
    """Another charset is named than the one it is in, or it is in another."""
    named = [found.span() for name in _CHARSETS for found in re.finditer(re.escape(name), content)]
    if named and chance.random() < 0.8:
        start, stop = chance.choice(named)
        other = chance.choice(_CHARSETS)
        keep = stop - start if chance.random() < 0.5 else len(other)
        return content[:start] + other.ljust(keep)[:keep] + content[stop:]
    return content.decode("latin-1").encode(chance.choice(_CODECS), "replace")[:300_000]


def garbled(chance: Random, content: bytes) -> bytes:
    """A stretch of anything."""
    place = _place(chance, content or b"\0")
    garbage = chance.randbytes(chance.choice((1, 4, 16, 256)))
    return content[:place] + garbage + content[place + len(garbage) :]


def _spliced(chance: Random, content: bytes, other: bytes) -> bytes:
    return content[: _place(chance, content or b"\0")] + other[_place(chance, other) :]


MUTATIONS: tuple[Mutation, ...] = (
    flipped,
    truncated,
    beheaded,
    numbered,
    inserted,
    repeated,
    removed,
    swapped,
    nested,
    bombed,
    recoded,
    garbled,
)
