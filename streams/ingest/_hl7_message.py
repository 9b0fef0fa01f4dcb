"""HL7 v2 messages (chapter 2 of the standard): delimiters, escapes, repetitions, charsets.

Tolerant where senders are careless (line feeds between segments, segments cut short) and bounded
where they are hostile. Nothing here knows what a field means.
"""

import re
from collections.abc import Iterator
from functools import lru_cache
from typing import Literal

from msgspec import Struct
from msgspec.structs import replace

LARGEST_BYTES = 4 * 1024 * 1024
MOST_SEGMENTS = 20_000
# Table 0211 as senders write it, to Python's names.
_CHARSETS = {
    "": "ascii",
    "ASCII": "ascii",
    "8859/1": "latin-1",
    "8859/2": "iso8859-2",
    "8859/3": "iso8859-3",
    "8859/4": "iso8859-4",
    "8859/5": "iso8859-5",
    "8859/6": "iso8859-6",
    "8859/7": "iso8859-7",
    "8859/8": "iso8859-8",
    "8859/9": "iso8859-9",
    "8859/15": "iso8859-15",
    "UNICODE": "utf-8",
    "UNICODE UTF-8": "utf-8",
    "UTF-8": "utf-8",
    "UTF8": "utf-8",
    "ISO IR87": "iso2022_jp",
    "ISO IR14": "shift_jis",
    "GB 18030-2000": "gb18030",
    "KS X 1001": "euc_kr",
    "BIG-5": "big5",
}
_NULL = '""'  # a field that is told to be empty, 2.5.3
_ESCAPE = "\\"  # unless MSH-2 names another
_NEW_LINE = (".sp", ".in", ".ti", ".ce")


class NotHl7(Exception):
    """The bytes are no HL7 v2 message; says where it fails, never what stands there."""

    def __init__(self, where: str, reason: Literal["unreadable", "too_large"] = "unreadable"):
        super().__init__(where)
        self.where = where
        self.reason = reason


class Message(Struct, frozen=True):
    """The segments in order, each a list of fields still with their delimiters; MSH-1 is counted.

    `field`, `component` and `repetition` are the separators of this message, `subcomponent` too;
    `charset` is that of what it has in hexadecimal.
    """

    segments: list[list[str]]
    field: str
    component: str
    repetition: str
    subcomponent: str
    escape: str = _ESCAPE
    charset: str = "latin-1"

    def requests(self) -> Iterator["Message"]:
        """Each ORC or OBR with what follows it up to the next: one request or report."""
        group: list[list[str]] = []
        for fields in self.segments:
            begins = fields[0] == "ORC" or (fields[0] == "OBR" and _has(group, "OBR"))
            if begins and group:
                yield replace(self, segments=group)
                group = []
            if begins or group or fields[0] == "OBR":
                group.append(fields)
        if group:
            yield replace(self, segments=group)

    def all(self, name: str) -> Iterator["Segment"]:
        """The segments of a name."""
        return (Segment(self, fields) for fields in self.segments if fields[0] == name)

    def first(self, name: str) -> "Segment":
        """The first of a name; an empty one where there is none."""
        return next(self.all(name), Segment(self, [name]))


class Segment(Struct, frozen=True):
    """One segment; fields are numbered as in the standard."""

    message: Message
    fields: list[str]

    def text(self, field: int, component: int = 1, subcomponent: int = 1) -> str:
        """The first repetition's component, unescaped and trimmed; "" where there is none.

        What is told to be empty (`""`) is: it is no number that all who have it would share.
        """
        return next(self.each(field, component, subcomponent), "")

    def each(self, field: int, component: int = 1, subcomponent: int = 1) -> Iterator[str]:
        """The same of every repetition."""
        if field >= len(self.fields):
            return
        m = self.message
        for repetition in self.fields[field].split(m.repetition):
            part = _part(_part(repetition, m.component, component), m.subcomponent, subcomponent)
            yield "" if part == _NULL else _unescaped(part, m).strip()

    def whole(self, field: int) -> str:
        """A text field with its repetitions as lines."""
        raw = self.fields[field] if field < len(self.fields) else ""
        lines = raw.split(self.message.repetition)
        return "\n".join(_unescaped(line, self.message) for line in lines)


def parse(content: bytes) -> Message:
    """The message in its own character set (MSH-18). Raises NotHl7."""
    content = content.strip(b"\x0b\x1c\r\n \t")
    if len(content) > LARGEST_BYTES:
        raise NotHl7("message", "too_large")
    header = content.split(b"\r", 1)[0].split(b"\n", 1)[0]
    if not header.startswith(b"MSH") or len(header) < 8:
        raise NotHl7("MSH")
    charset = _charset(header)
    lines = re.split(r"[\r\n]+", _decoded(content, charset))
    if len(lines[0]) < 8:  # in some charsets bytes are no letters
        raise NotHl7("MSH")
    if len(lines) > MOST_SEGMENTS:
        raise NotHl7("message", "too_large")
    separator, marks = lines[0][3], lines[0][4:8]
    if separator.isalnum() or len({separator, *marks}) < 4:
        raise NotHl7("MSH-2")
    component, repetition = marks[0], marks[1]
    escape = marks[2] if len(marks) > 2 and marks[2] != separator else _ESCAPE
    subcomponent = marks[3] if len(marks) > 3 and marks[3] != separator else "&"
    segments = [line.split(separator) for line in lines if line[:3].isalnum()]
    segments[0].insert(1, separator)  # so that MSH-n is field n
    return Message(segments, separator, component, repetition, subcomponent, escape, charset)


def _has(segments: list[list[str]], name: str) -> bool:
    return any(fields[0] == name for fields in segments)


def _charset(header: bytes) -> str:
    fields = header.split(header[3:4])
    named = fields[17].split(header[5:6])[0].decode("ascii", "replace") if len(fields) > 17 else ""
    charset = _CHARSETS.get(named.strip().upper())
    if charset is None:
        raise NotHl7("MSH-18")
    return charset


def _decoded(content: bytes, charset: str) -> str:
    try:
        return content.decode("utf-8" if charset == "ascii" else charset)
    except UnicodeDecodeError:
        if charset != "ascii":
            raise NotHl7("MSH-18") from None
        return content.decode("latin-1")  # no character set named: the old Western default


def _part(text: str, separator: str, number: int) -> str:
    parts = text.split(separator, number)
    return parts[number - 1] if number <= len(parts) else ""


def _unescaped(text: str, message: Message) -> str:
    if message.escape not in text:
        return text
    plain = {
        "F": message.field,
        "S": message.component,
        "T": message.subcomponent,
        "R": message.repetition,
        "E": message.escape,
        ".br": "\n",
        "H": "",
        "N": "",
    }

    def replaced(found: re.Match[str]) -> str:
        code = found[1]
        if code in plain:
            return plain[code]
        if code[:1] == "X":
            return _from_hex(code[1:], message.charset)
        return "\n" if code.startswith(_NEW_LINE) else ""

    return _sequence(message.escape).sub(replaced, text)


@lru_cache(maxsize=16)
def _sequence(escape: str) -> re.Pattern[str]:
    mark = re.escape(escape)
    return re.compile(f"{mark}([^{mark}]{{0,64}}){mark}")


def _from_hex(digits: str, charset: str) -> str:
    try:
        content = bytes.fromhex(digits)
    except ValueError:
        return ""
    try:
        return content.decode("utf-8" if charset == "ascii" else charset)
    except UnicodeDecodeError:
        return content.decode("latin-1")
